/** Word by word, how one text became another. */

/** `replace` has both texts, `insert` the new one alone, `delete` the old one alone, `equal` both the same. */
export interface Change {
  kind: "equal" | "insert" | "delete" | "replace";
  old: string;
  new: string;
}

/** Cells of a table above which texts are compared whole: two minutes of speech still fit. */
const MOST = 4_000_000;

/** The fewest changes from *old* to *now*, of those the one with most words alike; split at white space, in NFC. */
export function diff(old: string, now: string): Change[] {
  const [from, to] = [words(old), words(now)];
  if (from.length * to.length > MOST) return [change(from.join(" "), to.join(" "))];
  const cost = costs(from, to);
  const found: Change[] = [];
  let [row, column] = [from.length, to.length];
  while (row > 0 || column > 0) {
    const [left, right] = [from[row - 1] ?? "", to[column - 1] ?? ""];
    const here = cost.at(row, column);
    if (row > 0 && column > 0 && here === cost.at(row - 1, column - 1) + cost.of(left, right)) {
      found.push(change(left, right));
      [row, column] = [row - 1, column - 1];
    } else if (row > 0 && here === cost.at(row - 1, column) + cost.edit) {
      found.push(change(left, ""));
      row -= 1;
    } else {
      found.push(change("", right));
      column -= 1;
    }
  }
  return found.reverse();
}

interface Costs {
  /** Of the first *row* words against the first *column*. */
  at: (row: number, column: number) => number;
  of: (left: string, right: string) => number;
  edit: number;
}

function costs(from: readonly string[], to: readonly string[]): Costs {
  const width = to.length + 1;
  // An edit weighs more than all words alike together, and each of these weighs a little less than nothing.
  const edit = Math.max(from.length, to.length) + 1;
  const of = (left: string, right: string): number => (left === right ? -1 : edit);
  const table = new Int32Array((from.length + 1) * width);
  const at = (row: number, column: number): number => table[row * width + column] ?? 0;
  for (let row = 0; row <= from.length; row++) table[row * width] = row * edit;
  for (let column = 0; column <= to.length; column++) table[column] = column * edit;
  for (let row = 1; row <= from.length; row++) {
    for (let column = 1; column <= to.length; column++) {
      const aligned = at(row - 1, column - 1) + of(from[row - 1] ?? "", to[column - 1] ?? "");
      table[row * width + column] = Math.min(aligned, at(row - 1, column) + edit, at(row, column - 1) + edit);
    }
  }
  return { at, of, edit };
}

function words(text: string): string[] {
  return text.normalize("NFC").split(/\s+/u).filter((word) => word !== "");
}

function change(old: string, now: string): Change {
  const kind = old === now ? "equal" : old === "" ? "insert" : now === "" ? "delete" : "replace";
  return { kind, old, new: now };
}
