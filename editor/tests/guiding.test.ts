import { expect, test } from "vitest";
import { matching, matchingNames, sentence } from "../src/work/guiding";
import type { Rule } from "../src/lib/wire";

const rule = (id: string, en: string, more: Partial<Rule> = {}): Rule => ({ id, say: { en }, good: [], bad: [], ...more });
const RULES = [
  rule("numbers", "Numbers are written in words.", { good: ["पच्चीस"], bad: ["25"] }),
  rule("nukta", "Write the nukta where it is heard.", { say: { en: "Write the nukta.", hi: "नुक़्ता लिखें।" }, good: ["ज़रा"] }),
];
const ids = (wanted: string, language = "en"): string[] => matching(RULES, wanted, language).map((each) => each.id);

test("nothing asked for is everything, in the guide's order", () => {
  expect(ids("  ")).toEqual(["numbers", "nukta"]);
});

test.each([["NUMBERS", ["numbers"]], ["25", ["numbers"]], ["words numbers", ["numbers"]], ["words nukta", []]])("%s finds %j", (wanted, found) => {
  expect(ids(wanted)).toEqual(found);
});

test("a letter of one code point finds the same letter of two", () => {
  expect(ids("\u095Bरा")).toEqual(["nukta"]);
});

test("what is searched is the sentence that is read", () => {
  expect(ids("लिखें", "hi")).toEqual(["nukta"]);
  expect(ids("लिखें", "ta")).toEqual([]);
  expect(sentence(RULES[0]!, "hi")).toEqual({ text: "Numbers are written in words.", lang: "en" });
  expect(sentence(RULES[1]!, "hi").lang).toBe("hi");
});

test.each([["", 2], ["zil", 1], ["SIL bara", 1], ["nandi sil", 0]])("%s finds %i of the project's names", (wanted, count) => {
  const names = [{ term: "Zilbarra", spoken: "sil bara" }, { term: "Nandigama", spoken: null }];
  expect(matchingNames(names, wanted)).toHaveLength(count);
});
