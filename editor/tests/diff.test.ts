import { expect, test } from "vitest";
import { diff, differences, lettersOf, replaced } from "../src/lib/diff";

test("equal texts have no difference, however they are spaced or composed", () => {
  expect(differences(diff("ek  do\n", "ek do"))).toBe(0);
  expect(differences(diff("\u0958लम", "\u0915\u093cलम"))).toBe(0);
});

test("words that were put in, taken out and replaced are told apart", () => {
  expect(diff("the cat sat down", "the bat sat right down").map((piece) => piece.kind)).toEqual([
    "equal", "replace", "equal", "insert", "equal",
  ]);
  expect(diff("one two", "one")).toMatchObject([{ kind: "equal", new: "one" }, { kind: "delete", old: "two" }]);
  expect(diff("", "one")).toMatchObject([{ kind: "insert", new: "one" }]);
  expect(diff("", "")).toEqual([]);
});

test("a word is paired with the one most like it", () => {
  const pieces = diff("नेत्तु பள்ளி", "பள்ளிக்கு");
  expect(pieces).toMatchObject([{ kind: "delete" }, { kind: "replace", old: "பள்ளி", new: "பள்ளிக்கு" }]);
});

test("a conjunct with its signs is one letter and is never cut", () => {
  expect(lettersOf("क्षत्रिय")).toEqual(["क्ष", "त्रि", "य"]);
  const [piece] = diff("क्षत्रिय", "क्षत्रीय");
  expect(piece).toMatchObject({
    was: [{ text: "क्ष", other: false }, { text: "त्रि", other: true }, { text: "य", other: false }],
    is: [{ text: "क्ष", other: false }, { text: "त्री", other: true }, { text: "य", other: false }],
  });
});

test("what might be two spellings of one word is offered once", () => {
  expect(replaced(diff("colour my colour", "color my color"))).toEqual([["color", "colour"]]);
});

test("very long words and texts are compared whole", () => {
  expect(differences(diff("a".repeat(20_000), "b".repeat(20_000)))).toBe(1);
  expect(diff("a ".repeat(2_000), "b ".repeat(2_000))).toHaveLength(1);
});
