import { expect, test } from "vitest";
import { diff } from "../src/lib/diff";
import { direction, isNastaliq, script } from "../src/lib/lang";
import { codePoints, insert, looksEqual, warnings } from "../src/lib/text";
import { chance, pick } from "./chance";

test.each([
  ["мama says", "en", "mixed", "мama"],
  ["b\u043Eok", "en", "alike", "b\u043Eok"],
  ["हिndi भाषा", "hi", "mixed", "हिndi"],
  ["वह गया|", "hi", "alike", "गया|"],
  ["zero\u200Bwidth", "en", "hidden", "zero\u200Bwidth"],
  ["a\u200Db", "en", "hidden", "a\u200Db"],
  ["علي گیا", "ur", "alike", "علي"],
] as const)("%s is warned of", (text, language, kind, word) => {
  expect(warnings(text, language)).toMatchObject([{ kind, word }]);
});

test.each([
  ["क्\u200Dष और र्\u200Dय", "hi"],
  ["می\u200Cخواهم", "fa"],
  ["علي", "ar"],
  ["[laughter] हाँ", "hi"],
  ["COVID-19 का टीका 2021", "hi"],
  ["ஸ்ரீ வணக்கம்", "ta"],
  ["", "hi"],
])("%s is well", (text, language) => {
  expect(warnings(text, language)).toEqual([]);
});

test("code points are named, marks on a circle, the unseen by number", () => {
  expect(codePoints("कि\u200D")).toEqual(["U+0915 क", "U+093F \u25CCि", "U+200D"]);
});

test("texts that differ only in what is not seen look equal", () => {
  expect(looksEqual("\u0958", "\u0915\u093C")).toBe(true);
  expect(looksEqual("हूँ", "हूं")).toBe(false);
  expect(looksEqual("a", "a")).toBe(false);
});

test.each([
  ["", 0, "[noise]", "[noise] "],
  ["one two", 3, "[noise]", "one [noise] two"],
  ["one two", 4, "[noise]", "one [noise] two"],
  ["one", 3, "[noise]", "one [noise] "],
])("into %j at %i goes %s", (text, at, piece, whole) => {
  const found = insert(text, at, at, piece);
  expect(found.text).toBe(whole);
  expect(found.text.slice(0, found.caret).trimEnd().endsWith(piece)).toBe(true);
});

test.each([
  ["ur", "rtl"], ["ur-IN", "rtl"], ["ks", "rtl"], ["sd", "rtl"], ["sd-Deva", "ltr"], ["pa", "ltr"], ["pa-Arab", "rtl"], ["hi", "ltr"], ["ta", "ltr"], ["en-GB", "ltr"],
  ["bho-Deva-x-maur1239", "ltr"], ["not a tag", "ltr"], [null, "ltr"],
] as const)("%s runs %s", (tag, way) => {
  expect(direction(tag)).toBe(way);
});

test.each([["ur", true], ["ur-IN", true], ["ur-Latn", false], ["pa-Arab", true], ["pa", false], ["ar", false], [null, false]] as const)(
  "whether %s is Nastaliq: %s",
  (tag, is) => expect(isNastaliq(tag)).toBe(is),
);

test("a script is the tag's own, or the likely one", () => {
  expect([script("hi"), script("hi-Latn"), script("ta")]).toEqual(["Deva", "Latn", "Taml"]);
});

test("a diff says what was removed, added and put in place of what", () => {
  const kinds = diff("the big market closed", "the market has closed early").map(({ kind, old, new: now }) => [kind, old, now]);
  expect(kinds).toEqual([
    ["equal", "the", "the"], ["delete", "big", ""], ["equal", "market", "market"], ["insert", "", "has"],
    ["equal", "closed", "closed"], ["insert", "", "early"],
  ]);
});

test.each(Array.from({ length: 200 }, (_, seed) => seed))("a diff holds both texts whole, run %i", (seed) => {
  const draw = chance(seed);
  const sentence = (): string[] => Array.from({ length: Math.floor(draw() * 8) }, () => pick(["क", "ख", "ग", "घ"], draw));
  const [old, now] = [sentence(), sentence()];
  const changes = diff(old.join(" "), now.join(" "));
  expect(changes.map((each) => each.old).filter((word) => word !== "")).toEqual(old);
  expect(changes.map((each) => each.new).filter((word) => word !== "")).toEqual(now);
  const edits = changes.filter((each) => each.kind !== "equal").length;
  expect(edits).toBeGreaterThanOrEqual(Math.abs(old.length - now.length));
  expect(edits).toBeLessThanOrEqual(old.length + now.length);
});
