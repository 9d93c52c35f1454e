/** Word by word, how one text became another. */

/** `replace` has both texts, `insert` the new one alone, `delete` the old one alone, `equal` both the same. */
export interface Change {
  kind: "equal" | "insert" | "delete" | "replace";
  old: string;
  new: string;
}

/** Cells of a table above which texts are compared whole: two minutes of speech still fit. */
const MOST = 4_000_000;

/** The fewest changes from *old* to *now*, words split at white space, compared in NFC. */
export function diff(old: string, now: string): Change[] {
  const [from, to] = [words(old), words(now)];
  if (from.length * to.length > MOST) return [change(from.join(" "), to.join(" "))];
  const width = to.length + 1;
  const table = new Uint32Array((from.length + 1) * width);
  const at = (row: number, column: number): number => table[row * width + column] ?? 0;
  for (let row = 0; row <= from.length; row++) table[row * width] = row;
  for (let column = 0; column <= to.length; column++) table[column] = column;
  for (let row = 1; row <= from.length; row++) {
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1] ? 0 : 1;
      const least = Math.min(at(row - 1, column - 1) + same, at(row - 1, column) + 1, at(row, column - 1) + 1);
      table[row * width + column] = least;
    }
  }
  const found: Change[] = [];
  let [row, column] = [from.length, to.length];
  while (row > 0 || column > 0) {
    const [left, right] = [from[row - 1] ?? "", to[column - 1] ?? ""];
    const same = left === right ? 0 : 1;
    if (row > 0 && column > 0 && at(row, column) === at(row - 1, column - 1) + same) {
      found.push(change(left, right));
      [row, column] = [row - 1, column - 1];
    } else if (row > 0 && at(row, column) === at(row - 1, column) + 1) {
      found.push(change(left, ""));
      row -= 1;
    } else {
      found.push(change("", right));
      column -= 1;
    }
  }
  return found.reverse();
}

function words(text: string): string[] {
  return text.normalize("NFC").split(/\s+/u).filter((word) => word !== "");
}

function change(old: string, now: string): Change {
  const kind = old === now ? "equal" : old === "" ? "insert" : now === "" ? "delete" : "replace";
  return { kind, old, new: now };
}
