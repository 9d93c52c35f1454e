/** Segments split and put together: what goes where of a text. */

import type { DraftWord } from "../lib/wire";

/** A text at *caret*, without the spaces on either side. */
export function parts(text: string, caret: number): [string, string] {
  return [text.slice(0, caret).trimEnd(), text.slice(caret).trimStart()];
}

/** Two texts as one. */
export function joined(one: string, other: string): string {
  return [one.trim(), other.trim()].filter((text) => text !== "").join(" ");
}

/**
 * When the word after *caret* begins, in the recording: by the draft's words where the text still has as many, else
 * as far into the segment as the caret is into the text. Never within *least* of either end.
 */
export function momentAt(
  text: string,
  caret: number,
  span: readonly [number, number],
  words: readonly DraftWord[],
  least = 200,
): number {
  const [before] = parts(text, caret);
  const count = (piece: string): number => piece.split(/\s+/u).filter((word) => word !== "").length;
  const [place, all] = [count(before), count(text)];
  const [from, to] = span;
  const word = all === words.length ? words[place] : undefined;
  const left = word === undefined ? null : words[place - 1]?.end_ms;
  // Between two words, in the middle of the pause.
  const between = word === undefined ? null : left == null ? word.start_ms : Math.round((left + word.start_ms) / 2);
  const moment = between ?? Math.round(from + ((to - from) * before.length) / Math.max(1, text.trim().length));
  return Math.min(Math.max(moment, from + least), to - least);
}
