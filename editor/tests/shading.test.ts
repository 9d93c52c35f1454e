import { expect, test } from "vitest";
import { calibrated, joinWords, marked, placeIn, sureness } from "../src/lib/shading";
import type { DraftWord, MachineDraft, Shading } from "../src/lib/wire";
import { chance } from "./chance";

const word = (probability: number): DraftWord => ({ text: "w", start_ms: 0, end_ms: 1, probability, blank: true });
const draft: MachineDraft = { model: "m", words: [], flags: [], alternative: null };
const shading: Shading = {
  dialect: "hi", model: "m", words: 800, calibrated: true, ends: [0.1, 0.5, 0.9], sure: [0.99, 0.8, 0.4], doubtful: 0.8, very: 0.4,
};

test("a word is as sure as words like it turned out to be", () => {
  expect(sureness([0.95, 0.9, 0.7, 0.2, 0.01].map(word), shading)).toEqual([0.99, 0.99, 0.8, 0.4, 0.4]);
  expect(sureness([word(0.7)], null)).toEqual([0.7]);
});

test("the dialect's own cuts decide, and not the segment's", () => {
  expect(marked([0.95, 0.7, 0.2, 0.01].map(word), shading)).toEqual(["sure", "doubtful", "very", "very"]);
  expect(marked([0.2, 0.2].map(word), { ...shading, doubtful: null, very: null })).toEqual(["sure", "sure"]);
});

test("what is calibrated for another model, or for nothing yet, is not believed", () => {
  expect(calibrated(shading, draft)).toBe(shading);
  expect(calibrated(shading, { ...draft, model: "other" })).toBeNull();
  expect(calibrated({ ...shading, calibrated: false }, draft)).toBeNull();
  expect(calibrated(null, draft)).toBeNull();
  expect(calibrated(shading, null)).toBeNull();
});

test("more doubt is never surer", () => {
  const draw = chance(7);
  const words = Array.from({ length: 200 }, () => word(draw()));
  const order = [...words].sort((one, other) => one.probability - other.probability);
  const found = sureness(order, shading);
  expect(found).toEqual([...found].sort((one, other) => one - other));
});

const thai = (["ไป", "ไหน", "ไป"] as const).map((text, place) => ({ text, start_ms: place, end_ms: place + 1, probability: 1, blank: false }));

test("a draft keeps its blanks, and gets none where its script writes none", () => {
  expect(joinWords(thai)).toBe("ไปไหนไป");
  expect(joinWords([word(1), { ...word(1), blank: true }, { ...word(1), text: "-x", blank: false }])).toBe("w w-x");
  expect(joinWords([])).toBe("");
});

test("a word is found inside a text without blanks, the second one at its second place", () => {
  expect(placeIn("ไปไหนไป", thai, 2)).toEqual([5, 7]);
  expect(placeIn("ไปไหนไป", thai, 1)).toEqual([2, 5]);
  expect(placeIn("word", [{ ...word(1), text: "or" }], 0)).toBeNull();
});
