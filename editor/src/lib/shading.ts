/** Which words of the machine's draft are to be doubted: a small share, so that the mark keeps its meaning. */

import type { DraftWord, MachineDraft, Shading } from "./wire";

export type Doubt = "sure" | "doubtful" | "very";

/** Below these the recogniser is doubted at all; shares of a segment's words bound how many are marked. */
const CUTS = { doubtful: 0.6, very: 0.35 };
const SHARES = { doubtful: 0.15, very: 0.05 };

/** *shading*, if it is calibrated for what drafted *draft*; `null`: the recogniser's word is all there is. */
export function calibrated(shading: Shading | null, draft: MachineDraft | null): Shading | null {
  return shading !== null && shading.calibrated && shading.model === draft?.model && shading.ends.length > 0 ? shading : null;
}

/** How sure each word is, by what people found of words as sure before; else by the recogniser. */
export function sureness(words: readonly DraftWord[], shading: Shading | null): number[] {
  if (shading === null) return words.map((word) => word.probability);
  const last = shading.sure.at(-1) ?? 1;
  return words.map((word) => {
    const doubt = Math.round((1 - word.probability) * 1000) / 1000;
    const step = shading.ends.findIndex((end) => doubt <= end);
    return step < 0 ? last : (shading.sure[step] ?? last);
  });
}

/** A doubt for each word: by the dialect's own cuts, which mark 15 % and 5 % of its words at most; else by rank. */
export function marked(words: readonly DraftWord[], shading: Shading | null): Doubt[] {
  if (shading === null) return doubts(words);
  const { doubtful, very } = shading;
  return sureness(words, shading).map((sure) => {
    if (very !== null && sure <= very) return "very";
    return doubtful !== null && sure <= doubtful ? "doubtful" : "sure";
  });
}

/**
 * A doubt for each word: the least sure ones, at most 15 % of them doubtful and 5 % very, a word at least where any is
 * below the cut.
 */
export function doubts(words: readonly DraftWord[]): Doubt[] {
  const order = words.map((_, at) => at).sort((one, other) => probability(words, one) - probability(words, other));
  const most = (share: number): number => Math.max(1, Math.floor(words.length * share));
  const found = words.map((): Doubt => "sure");
  for (const [rank, at] of order.entries()) {
    const p = probability(words, at);
    if (p < CUTS.very && rank < most(SHARES.very)) found[at] = "very";
    else if (p < CUTS.doubtful && rank < most(SHARES.doubtful)) found[at] = "doubtful";
  }
  return found;
}

/**
 * Where word *at* of the draft stands in *text*, if it still does: the occurrence with as many like it before it as in
 * the draft.
 */
export function placeIn(text: string, words: readonly DraftWord[], at: number): [number, number] | null {
  const wanted = words[at]?.text.trim();
  if (wanted === undefined || wanted === "") return null;
  const rank = words.slice(0, at).filter((word) => word.text.trim() === wanted).length;
  const whole = [...text.matchAll(/\S+/gu)].filter((match) => match[0] === wanted).map((match) => match.index);
  // Where no blanks are written, a word stands inside what looks like one.
  const places = whole.length > 0 || words[at]?.blank !== false ? whole : placesOf(wanted, text);
  const index = places[Math.min(rank, places.length - 1)];
  return index === undefined ? null : [index, index + wanted.length];
}

/** The text of a draft: a blank before each word that has one. */
export function joinWords(words: readonly DraftWord[]): string {
  return words.map((word, place) => (place === 0 || word.blank === false ? "" : " ") + word.text.trim()).join("");
}

/** Where *wanted* begins in *text*, each time. */
function placesOf(wanted: string, text: string): number[] {
  const places: number[] = [];
  for (let place = text.indexOf(wanted); place !== -1; place = text.indexOf(wanted, place + wanted.length)) places.push(place);
  return places;
}

/** The next or previous doubtful word after *from* that is not confirmed; round and round. */
export function step(marks: readonly Doubt[], right: readonly number[], from: number | null, by: 1 | -1): number | null {
  const open = marks.flatMap((mark, at) => (mark === "sure" || right.includes(at) ? [] : [at]));
  if (open.length === 0) return null;
  const next = by === 1 ? open.find((at) => at > (from ?? -1)) : open.findLast((at) => at < (from ?? marks.length));
  return next ?? (by === 1 ? open[0] : open.at(-1)) ?? null;
}

function probability(words: readonly DraftWord[], at: number): number {
  return words[at]?.probability ?? 1;
}
