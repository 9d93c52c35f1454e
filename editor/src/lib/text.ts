/** What may be wrong with a text and is not seen on the screen. Warnings only: people know their language better. */

/** `mixed`: a word in two scripts; `alike`: a character that looks like another; `hidden`: one that is not seen. */
export interface Warning {
  kind: "mixed" | "alike" | "hidden";
  /** The word. */
  word: string;
  /** Where it stands. */
  at: number;
  /** Of `alike`: what was probably meant. */
  meant?: string;
}

/** Scripts that a word of the desk's languages is written in; what is common to all is none of them. */
const SCRIPTS = [
  "Latin", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam",
  "Arabic", "Sinhala", "Meetei_Mayek", "Ol_Chiki", "Cyrillic", "Greek", "Thai", "Hebrew",
].map((name) => [name, new RegExp(`\\p{Script=${name}}`, "u")] as const);

/** Characters that are typed by mistake for another one, in words of a script. */
const ALIKE: readonly { found: RegExp; meant: string; beside: string }[] = [
  { found: /[|]/u, meant: "।", beside: "Devanagari" },
  { found: /:/u, meant: "ः", beside: "Devanagari" },
  { found: /[\u064A\u0649]/u, meant: "ی", beside: "Urdu" },
  { found: /\u0643/u, meant: "ک", beside: "Urdu" },
  { found: /\u0647/u, meant: "ہ", beside: "Urdu" },
  { found: /[\u0430\u0435\u043E\u0440\u0441\u0445]/u, meant: "a e o p c x", beside: "Latin" },
];
/** Zero width, direction marks, soft hyphen, byte order mark. The joiners belong into Indic and Arabic words. */
const HIDDEN = /[\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/u;
const JOINERS = /[\u200C\u200D]/u;
const JOINS = /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}]/u;

/** Warnings of *text*, in its order, one a word; *language* is its tag. Tags in brackets are let be. */
export function warnings(text: string, language: string | null): Warning[] {
  const urdu = language !== null && /^(ur|pa|skr|pnb)\b/.test(language);
  return [...text.matchAll(/\S+/gu)].flatMap((match): Warning[] => {
    const [word, at] = [match[0], match.index];
    if (/^[[<].*[\]>]$/u.test(word)) return [];
    const found = scripts(word);
    if (HIDDEN.test(word) || (JOINERS.test(word) && !JOINS.test(word))) return [{ kind: "hidden", word, at }];
    const alike = ALIKE.find((each) => each.found.test(word) && beside(each.beside, found, urdu));
    if (alike !== undefined) return [{ kind: "alike", word, at, meant: alike.meant }];
    return found.length > 1 ? [{ kind: "mixed", word, at }] : [];
  });
}

/** Scripts of a word, by name. */
export function scripts(word: string): string[] {
  return SCRIPTS.filter(([, letter]) => letter.test(word)).map(([name]) => name);
}

/** Every code point of *text* as `U+0915 क`, for whoever asks. */
export function codePoints(text: string): string[] {
  return Array.from(text, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    // A mark alone is shown on a dotted circle, something unseen by its number alone.
    const shown = /\p{M}/u.test(character) ? `\u25CC${character}` : /[\p{Z}\p{C}]/u.test(character) ? "" : character;
    return `U+${code}${shown === "" ? "" : ` ${shown}`}`;
  });
}

/** Whether two texts differ in nothing that is seen: normal form and zero-width characters. */
export function looksEqual(one: string, other: string): boolean {
  const seen = (text: string): string => text.normalize("NFC").replace(/[\u00AD\u200B-\u200F\u2060\uFEFF]/gu, "");
  return one !== other && seen(one) === seen(other);
}

/** Put *piece* into *text* from *from* to *to* with a space on either side where a word stands there; and the caret. */
export function insert(text: string, from: number, to: number, piece: string): { text: string; caret: number } {
  const [before, after] = [text.slice(0, from), text.slice(to)];
  const [left, right] = [before === "" || /\s$/u.test(before) ? "" : " ", /^\s/u.test(after) ? "" : " "];
  const head = `${before}${left}${piece}${right}`;
  return { text: head + after, caret: head.length };
}

function beside(wanted: string, found: readonly string[], urdu: boolean): boolean {
  if (wanted === "Urdu") return urdu;
  return found.includes(wanted);
}
