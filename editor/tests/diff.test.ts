import { expect, test } from "vitest";
import { diff, differences, lettersOf, replaced } from "../src/pages/parts/diff";

test("equal texts have no difference, however they are spaced or composed", () => {
  expect(differences(diff("ek  do\n", "ek do"))).toBe(0);
  expect(differences(diff("\u0958लम", "\u0915\u093cलम"))).toBe(0);
});

test("words that were put in, taken out and replaced are told apart", () => {
  expect(diff("the cat sat down", "the bat sat right down").map((piece) => piece.kind)).toEqual([
    "same", "replaced", "same", "added", "same",
  ]);
  expect(diff("one two", "one")).toEqual([{ kind: "same", text: "one" }, { kind: "removed", text: "two" }]);
  expect(diff("", "one")).toEqual([{ kind: "added", text: "one" }]);
  expect(diff("", "")).toEqual([]);
});

test("a word is paired with the one most like it", () => {
  const pieces = diff("नेत्तु பள்ளி", "பள்ளிக்கு");
  expect(pieces).toMatchObject([{ kind: "removed" }, { kind: "replaced", before: "பள்ளி", after: "பள்ளிக்கு" }]);
});

test("a conjunct with its signs is one letter and is never cut", () => {
  expect(lettersOf("क्षत्रिय")).toEqual(["क्ष", "त्रि", "य"]);
  const [piece] = diff("क्षत्रिय", "क्षत्रीय");
  expect(piece).toMatchObject({
    was: [{ text: "क्ष", other: false }, { text: "त्रि", other: true }, { text: "य", other: false }],
    is: [{ text: "क्ष", other: false }, { text: "त्री", other: true }, { text: "य", other: false }],
  });
});

test("what leads from one text to the other gives back both", () => {
  const [before, after] = ["मेरी माता जी की दुकान यहीं है", "मेरे माता का दुकान भी यही है न"];
  const pieces = diff(before, after);
  const was = pieces.flatMap((piece) => (piece.kind === "added" ? [] : piece.kind === "replaced" ? [piece.before] : [piece.text]));
  const is = pieces.flatMap((piece) => (piece.kind === "removed" ? [] : piece.kind === "replaced" ? [piece.after] : [piece.text]));
  expect([was.join(" "), is.join(" ")]).toEqual([before, after]);
});

test("what might be two spellings of one word is offered once", () => {
  expect(replaced(diff("colour my colour", "color my color"))).toEqual([["color", "colour"]]);
});
