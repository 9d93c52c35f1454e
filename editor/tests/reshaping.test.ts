import { expect, test } from "vitest";
import { joined, momentAt, parts } from "../src/work/reshaping";
import { chance } from "./chance";

const words = ["one", "two", "three"].map((text, at) => ({
  text, start_ms: 1000 * at, end_ms: 1000 * at + 800, probability: 1, blank: true,
}));

test("a text is parted at the caret, without the spaces there", () => {
  expect(parts("one  two", 4)).toEqual(["one", "two"]);
  expect(parts("one", 0)).toEqual(["", "one"]);
});

test("what was parted is put together again", () => {
  expect(joined(...parts("one two three", 7))).toBe("one two three");
  expect(joined("", " one ")).toBe("one");
});

test("the second part begins in the pause before its first word", () => {
  expect(momentAt("one two three", 4, [0, 3000], words)).toBe(900);
  expect(momentAt("uno dos tres", 8, [0, 3000], words)).toBe(1900);
});

test("where the words are others, it begins as far into the sound as the caret is into the text", () => {
  expect(momentAt("abcd efgh", 5, [1000, 2000], words)).toBe(1444);
});

test.each(Array.from({ length: 100 }, (_, seed) => seed))("no part is shorter than it may be, run %i", (seed) => {
  const draw = chance(seed);
  const text = Array.from({ length: 1 + Math.floor(draw() * 6) }, () => "word").join(" ");
  const moment = momentAt(text, Math.floor(draw() * text.length), [500, 2500], words);
  expect(moment).toBeGreaterThanOrEqual(700);
  expect(moment).toBeLessThanOrEqual(2300);
});
