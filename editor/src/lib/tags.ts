/** What is written for what is heard and is no word, and what is said of a whole segment. */

/** Written into the text; the normalisers of the report leave these out, among others. */
export const INLINE = ["[noise]", "[laughter]", "[music]", "[silence]", "[inaudible]", "[unintelligible]"] as const;

/** Said of the whole segment. */
export const FLAGS = ["unclear", "other_language", "overlap", "bad_audio"] as const;
export type Flag = (typeof FLAGS)[number];

/** The tags with *flag* in or out. */
export function toggled(tags: readonly string[], flag: Flag): string[] {
  return tags.includes(flag) ? tags.filter((each) => each !== flag) : [...tags, flag];
}
