/**
 * Latin letters into those of a script, by a table alone: the same spelling always gives the same text, here, without
 * a line, and nothing that is typed goes anywhere.
 *
 *     raam   → राम       a consonant at the end of a word keeps its vowel
 *     ramya  → रम्य      two that meet are joined
 *     shriimaan^ → श्रीमान्   a ^ takes the vowel out
 *     naan   → நான்      in Tamil one that no vowel follows loses it
 *
 * What is typed one letter after the other is, at each moment, what all of them give at once.
 */

import { KILL, type Layout } from "./layouts";

/** What *latin* is in the letters of *layout*. What the table does not know stays as it is. */
export function convert(latin: string, layout: Layout): string {
  const { killer } = layout;
  let text = "";
  /** Whether the last letter is a consonant with its own vowel, and whether a word begins. */
  let open = false;
  let first = true;
  for (let at = 0; at < latin.length; ) {
    const token: string = longest(latin, at, layout);
    at += token.length;
    const consonant: string | undefined = (first ? layout.first[token] : undefined) ?? layout.consonants[token];
    const vowel: readonly [string, string] | undefined = layout.vowels[token];
    if (consonant !== undefined) {
      text += (open ? killer : "") + consonant;
    } else if (vowel !== undefined) {
      text += vowel[open ? 1 : 0];
    } else {
      const killed = open && (token === KILL || layout.killsLast);
      text += (killed ? killer : "") + (token === KILL ? "" : (layout.signs[token] ?? token));
    }
    first = consonant === undefined && vowel === undefined && !(token in layout.signs) && token !== KILL;
    open = consonant !== undefined;
  }
  return open && layout.killsLast ? text + killer : text;
}

/** Whether *key* may be part of a spelling. */
export function spells(key: string, layout: Layout): boolean {
  return key.length === 1 && keys(layout).has(key);
}

/** The longest spelling of *layout* that stands in *latin* at *at*; a character by itself where none does. */
function longest(latin: string, at: number, layout: Layout): string {
  for (let length = LONGEST; length > 1; length--) {
    const part = latin.slice(at, at + length);
    if (part.length === length && (part in layout.consonants || part in layout.vowels || part in layout.signs)) return part;
  }
  return String.fromCodePoint(latin.codePointAt(at) as number);
}

/** Letters of the longest spelling. */
const LONGEST = 3;
const known = new Map<Layout, Set<string>>();

function keys(layout: Layout): Set<string> {
  const found = known.get(layout) ?? new Set([...Object.keys({ ...layout.consonants, ...layout.vowels, ...layout.signs }).join(""), KILL]);
  known.set(layout, found);
  return found;
}

/** A word while it is typed: its spelling, and where what it gives stands in the text. */
export interface Run {
  latin: string;
  start: number;
  shown: string;
}

/** *run* after one more key, typed at *caret* of *text*; one that is not where the caret is has ended. */
export function press(run: Run | null, key: string, text: string, caret: number, layout: Layout): Run {
  const going = run !== null && isAt(run, text, caret) ? run : { latin: "", start: caret, shown: "" };
  const latin = going.latin + key;
  return { latin, start: going.start, shown: convert(latin, layout) };
}

/** *run* without its last key; `null` where it is not at *caret*, and a letter is to be deleted as everywhere. */
export function back(run: Run | null, text: string, caret: number, layout: Layout): Run | null {
  if (run === null || run.latin === "" || !isAt(run, text, caret)) return null;
  const latin = run.latin.slice(0, -1);
  return { latin, start: run.start, shown: convert(latin, layout) };
}

function isAt(run: Run, text: string, caret: number): boolean {
  return caret === run.start + run.shown.length && text.slice(run.start, caret) === run.shown;
}
