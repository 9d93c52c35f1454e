import { describe, expect, test } from "vitest";
import { KILL, LAYOUTS } from "../src/typing/layouts";
import { back, convert, press, type Run, spells } from "../src/typing/phonetic";
import { chance, pick } from "./chance";

const { Deva, Taml } = LAYOUTS as { Deva: (typeof LAYOUTS)[string]; Taml: (typeof LAYOUTS)[string] };
const SCRIPTS = { Deva: /^[\p{Script=Devanagari}।॥ .,?0-9]*$/u, Taml: /^[\p{Script=Tamil} .,?0-9]*$/u };

/** Type *latin* key by key into an empty field, as the screen does. */
function typed(latin: string, layout: typeof Deva): { text: string; run: Run | null } {
  let text = "";
  let run: Run | null = null;
  for (const key of latin) {
    if (!spells(key, layout)) {
      [text, run] = [text + key, null];
      continue;
    }
    const before: string = text;
    run = press(run, key, before, before.length, layout);
    text = before.slice(0, run.start) + run.shown;
  }
  return { text, run };
}

test.each([
  ["raam", "राम"], ["ramya", "रम्य"], ["huu~", "हूँ"], ["nahii~", "नहीँ"], ["kyaa", "क्या"], ["paRhaaii", "पढ\u093cाई"],
  ["zaraa", "ज\u093cरा"], ["kxatriya", "क्क्षत्रिय"], ["xatriya", "क्षत्रिय"], ["shriimaan^", "श्रीमान्"], ["DOkTar", "डॉक्टर"],
  ["dekhaZ", "देखऽ"], ["ka'ii", "कई"], ["kai", "कै"], ["baa |", "बा ।"], ["jnyaan", "ज्ञान"], ["hiMdii", "हिंदी"], ["RRiSi", "ऋषि"],
])("%s is %s", (latin, text) => {
  expect(convert(latin, Deva)).toBe(text);
});

test.each([
  ["vaNakkam", "வணக்கம்"], ["naan", "நான்"], ["vanthuTTaan", "வந்துட்டான்"], ["tamiz", "தமிழ்"], ["illai", "இல்லை"],
  ["theengkaay", "தேங்காய்"], ["jannal", "ஜன்னல்"], ["skuul", "ஸ்கூல்"], ["oru kouL", "ஒரு கொஉள்"], ["kau", "கௌ"], ["enna?", "என்ன?"],
  ["naan wallavan", "நான் நல்லவன்"], ["puuqf", "பூஃஃப்"],
])("%s is %s", (latin, text) => {
  expect(convert(latin, Taml)).toBe(text);
});

describe.each(Object.entries(LAYOUTS))("%s", (script, layout) => {
  const spellings = Object.keys({ ...layout.consonants, ...layout.vowels, ...layout.signs });
  const alphabet = [...new Set([...spellings, ...spellings.join(""), KILL, " ", " ", ".", "4"])];
  const drawn = (seed: number): string => {
    const draw = chance(seed);
    return Array.from({ length: Math.floor(draw() * 12) }, () => pick(alphabet, draw)).join("");
  };

  test.each(Array.from({ length: 300 }, (_, seed) => seed))("typed one by one is converted at once, run %i", (seed) => {
    const latin = drawn(seed);
    expect(typed(latin, layout).text).toBe(convert(latin, layout));
    expect(convert(latin, layout)).toBe(convert(latin, layout).normalize("NFC"));
    expect(convert(latin, layout)).toMatch(SCRIPTS[script as keyof typeof SCRIPTS]);
  });

  test.each(Array.from({ length: 60 }, (_, seed) => seed))("the last key can be taken back, run %i", (seed) => {
    const latin = drawn(seed);
    const { text, run } = typed(latin, layout);
    if (run === null) return;
    const before = back(run, text, text.length, layout);
    expect(text.slice(0, run.start) + before!.shown).toBe(convert(latin.slice(0, -1), layout));
  });

  test("a vowel is another one after a consonant, and every spelling gives something", () => {
    for (const [spelling, [alone, after]] of Object.entries(layout.vowels)) {
      expect(convert(spelling, layout)).toBe(alone);
      for (const [consonant, letter] of Object.entries(layout.consonants)) {
        // A pair of spellings may itself be the beginning of a longer one; none of ours is.
        expect(convert(consonant + spelling, layout)).toBe((layout.first[consonant] ?? letter) + after);
      }
    }
  });
});

test("a word that the caret has left is ended", () => {
  const run = press(null, "k", "", 0, Deva);
  expect(run).toEqual({ latin: "k", start: 0, shown: "क" });
  expect(press(run, "a", "क", 1, Deva).latin).toBe("ka");
  expect(press(run, "a", "क ", 2, Deva)).toEqual({ latin: "a", start: 2, shown: "अ" });
  expect(press(run, "a", "ख", 1, Deva).start).toBe(1);
  expect(back(run, "ख", 1, Deva)).toBeNull();
});

test.each(["é", "क", "5", " ", "ka", ""])("%j is no key of a layout", (key) => {
  expect(spells(key, Deva)).toBe(false);
});
