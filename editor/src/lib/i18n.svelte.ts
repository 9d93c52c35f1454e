/** The page's own words: one file a language, plural forms by the language's rules, English where one is missing. */

import english from "../messages/en.json";

/** A sentence, or one for each plural form of the number `n`. */
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Messages = Record<string, Message>;
export type Key = keyof typeof english;
export type Values = Record<string, string | number>;

/** Languages of the page, each by its own name. */
export const LANGUAGES = { en: "English", hi: "हिन्दी", ta: "தமிழ்" } as const;
export type Language = keyof typeof LANGUAGES;

/** One file of messages, a language each. */
export type Files = Record<Language, () => Promise<{ default: Messages }>>;

const SHELL: Files = {
  en: () => Promise.resolve({ default: english as Messages }),
  hi: () => import("../messages/hi.json"),
  ta: () => import("../messages/ta.json"),
};
/** Files of what is opened later: panels, pages. */
const brought = new Set<Files>();

let language = $state<Language>("en");
let messages = $state.raw<Messages>(english as Messages);

/** The page's language, as a tag. */
export function locale(): Language {
  return language;
}

/** Show the page in *wanted*. Without a line a language that was never fetched is not shown, and this fails. */
export async function speak(wanted: Language): Promise<void> {
  const found = await Promise.all([SHELL, ...brought].map((files) => whole(files, wanted)));
  messages = Object.assign({}, ...found) as Messages;
  language = wanted;
  document.documentElement.lang = wanted;
}

/** Have the words of a panel or a page that is opened later; resolves when they are here. */
export async function bring(files: Files): Promise<void> {
  if (brought.has(files)) return;
  const found = await whole(files, language);
  brought.add(files);
  messages = { ...messages, ...found };
}

/** The language of the browser, as far as the page has it. */
export function preferred(wishes: readonly string[]): Language {
  const known = wishes.map((wish) => wish.split("-")[0]).find((each) => each !== undefined && each in LANGUAGES);
  return (known as Language | undefined) ?? "en";
}

/** The sentence *key* with its values; of a page loaded later too. */
export function t(key: Key | (string & {}), values: Values = {}): string {
  return fill(messages[key] ?? (english as Messages)[key] ?? key, values, language);
}

/** The name of a code of the server's, `reason.tag`; the code itself where the page has no word for it. */
export function named(kind: string, code: string): string {
  const key = `${kind}.${code}`;
  return key in messages ? t(key) : code;
}

/** Put *values* into *message*; numbers as the language writes them. */
export function fill(message: Message, values: Values, tag: string): string {
  const text = typeof message === "string" ? message : choose(message, Number(values["n"] ?? 0), tag);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? value.toLocaleString(tag) : value;
  });
}

/** English, and over it what *tag* has of it. */
async function whole(files: Files, tag: Language): Promise<Messages> {
  const [first, own] = await Promise.all([files.en(), files[tag]()]);
  return { ...first.default, ...own.default };
}

function choose(message: Exclude<Message, string>, n: number, tag: string): string {
  return message[new Intl.PluralRules(tag).select(n)] ?? message.other ?? "";
}
