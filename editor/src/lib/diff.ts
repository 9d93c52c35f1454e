/**
 * How two texts differ, word by word, and inside a replaced word letter by letter. Letters are those that people see:
 * a conjunct with its vowel sign is one, and is never cut.
 */

/** A run of letters of a replaced word; `other` is what differs. */
export interface Letters {
  text: string;
  other: boolean;
}

/**
 * A word of one text beside that of the other: `insert` has the new one alone, `delete` the old one alone; of `replace`
 * the letters are told apart.
 */
export interface Piece {
  kind: "equal" | "insert" | "delete" | "replace";
  old: string;
  new: string;
  was: Letters[];
  is: Letters[];
}

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** Pairs of words above which texts are compared whole: two minutes of speech still fit. */
const MOST = 1_000_000;
/** Letters of two words above which they are not looked into. */
const LONGEST = 200;

/** What leads from *before* to *after*, in reading order: words split at white space, compared in NFC. */
export function diff(before: string, after: string): Piece[] {
  const [one, other] = [wordsOf(before), wordsOf(after)];
  if (one.length * other.length > MOST) return [piece(one.join(" "), other.join(" "))];
  return [...align(one, other, apart)].map(([was, is]) => piece(was ?? "", is ?? ""));
}

function piece(was: string, is: string): Piece {
  if (was === is) return { kind: "equal", old: was, new: is, was: [], is: [] };
  const kind = was === "" ? "insert" : is === "" ? "delete" : "replace";
  const whole = was.length + is.length > LONGEST;
  return { kind, old: was, new: is, ...(kind === "replace" && !whole ? inside(was, is) : { was: plain(was), is: plain(is) }) };
}

function plain(text: string): Letters[] {
  return text === "" ? [] : [{ text, other: false }];
}

/** How many places differ. */
export function differences(pieces: readonly Piece[]): number {
  return pieces.filter((piece) => piece.kind !== "equal").length;
}

/** Words that stand in each other's place: what might be two spellings of one. */
export function replaced(pieces: readonly Piece[]): [string, string][] {
  const found = pieces.flatMap((each): [string, string][] => (each.kind === "replace" ? [[each.new, each.old]] : []));
  const seen = new Set<string>();
  return found.filter((pair) => {
    const key = pair.join("\n");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export function lettersOf(text: string): string[] {
  return [...letters.segment(text)].map((each) => each.segment);
}

function wordsOf(text: string): string[] {
  return text.normalize("NFC").split(/\s+/u).filter((word) => word !== "");
}

/** How far two words are apart, from 0 to 1: the share of letters to change. */
function apart(one: string, other: string): number {
  if (one === other) return 0;
  if (one.length + other.length > LONGEST) return 1;
  const [a, b] = [lettersOf(one), lettersOf(other)];
  let row = b.map((_, at) => at + 1);
  for (const [i, letter] of a.entries()) {
    let [corner, left] = [i, i + 1];
    row = b.map((each, at) => {
      const above = row[at] ?? 0;
      const best = Math.min(left + 1, above + 1, corner + (letter === each ? 0 : 1));
      [corner, left] = [above, best];
      return best;
    });
  }
  return (row.at(-1) ?? a.length) / Math.max(a.length, b.length);
}

/** Cost of a word that has no partner; a pair costs less as long as it shares some letters. */
const ALONE = 0.7;

/** The cheapest pairing of *one* with *other* in order; `null` stands where there is no partner. */
function* align<T>(one: T[], other: T[], cost: (a: T, b: T) => number): Generator<[T | null, T | null]> {
  const width = other.length + 1;
  const best = new Float64Array((one.length + 1) * width);
  const pairs = new Float64Array(best.length);
  for (let i = one.length; i >= 0; i--) {
    for (let j = other.length; j >= 0; j--) {
      const at = i * width + j;
      if (i === one.length || j === other.length) {
        best[at] = (one.length - i + other.length - j) * ALONE;
        continue;
      }
      const far = cost(one[i] as T, other[j] as T);
      pairs[at] = far === 0 ? 0 : 0.4 + far;
      best[at] = Math.min((best[at + width] ?? 0) + ALONE, (best[at + 1] ?? 0) + ALONE, (best[at + width + 1] ?? 0) + (pairs[at] ?? 0));
    }
  }
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    const at = i * width + j;
    const here = best[at] ?? 0;
    const both = i < one.length && j < other.length;
    if (both && close(here, (best[at + width + 1] ?? 0) + (pairs[at] ?? 0))) yield [one[i++] as T, other[j++] as T];
    else if (i < one.length && (j === other.length || close(here, (best[at + width] ?? 0) + ALONE))) yield [one[i++] as T, null];
    else yield [null, other[j++] as T];
  }
}

function close(one: number, other: number): boolean {
  return Math.abs(one - other) < 1e-9;
}

function inside(was: string, is: string): { was: Letters[]; is: Letters[] } {
  const found = { was: [] as Letters[], is: [] as Letters[] };
  for (const [before, after] of align(lettersOf(was), lettersOf(is), (a, b) => (a === b ? 0 : 1))) {
    if (before !== null) add(found.was, before, before !== after);
    if (after !== null) add(found.is, after, before !== after);
  }
  return found;
}

function add(run: Letters[], text: string, other: boolean): void {
  const last = run.at(-1);
  if (last !== undefined && last.other === other) last.text += text;
  else run.push({ text, other });
}
