/** What a language tag says of how its text is set. */

/** Scripts that run from right to left. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(["Arab", "Aran", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"]);
/** Languages that are written in Nastaliq: its words climb, and need lines further apart. */
const NASTALIQ: ReadonlySet<string> = new Set(["ur", "ks", "pa-Arab", "skr", "pnb"]);

/** `rtl` or `ltr`, by the tag and not by the first letter: an Urdu line that begins with a number is Urdu. */
export function direction(tag: string | null): "ltr" | "rtl" {
  return RIGHT_TO_LEFT.has(script(tag) ?? "") ? "rtl" : "ltr";
}

/** The tag's script, said or likely; `null` if nobody knows. */
export function script(tag: string | null): string | null {
  try {
    return tag === null ? null : (new Intl.Locale(tag).maximize().script ?? null);
  } catch {
    return null;
  }
}

/** Whether there is a table by which Latin keys give the letters of *tag* (`typing/layouts.ts`). */
export function isPhonetic(tag: string | null): boolean {
  return ["Deva", "Taml"].includes(script(tag) ?? "");
}

export function isNastaliq(tag: string | null): boolean {
  if (tag === null) return false;
  const [language, ...rest] = tag.split("-");
  if (script(tag) === "Aran") return true;
  return NASTALIQ.has(language ?? "") ? !rest.some((part) => /^[A-Z][a-z]{3}$/.test(part) && part !== "Arab")
    : NASTALIQ.has(`${language}-${script(tag)}`);
}

/** A dialect's language and country in the page's language; what browsers have no name for stands in the tag beside it. */
export function nameOf(tag: string, locale: string): string {
  try {
    const { language, script: written, region } = new Intl.Locale(tag);
    const known = [language, written, region === undefined || /^\d/.test(region) ? undefined : region];
    return new Intl.DisplayNames([locale], { type: "language" }).of(known.filter((each) => each !== undefined).join("-")) ?? tag;
  } catch {
    return tag;
  }
}
