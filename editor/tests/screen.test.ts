import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Refused, Unreachable } from "../src/lib/api";
import { Activity, AWAY_AFTER, Clock } from "../src/lib/clock";
import { channels } from "../src/lib/player";
import { lineAfter, LONGEST, PACE, pause } from "../src/lib/sending";
import { doubts, placeIn, step } from "../src/lib/shading";
import { toggled } from "../src/lib/tags";
import { minutes, position } from "../src/lib/times";
import { chance } from "./chance";

const word = (text: string, probability = 1) => ({ text, start_ms: 0, end_ms: 100, probability, blank: true });

test.each([[0, "00:00.0"], [3_249, "00:03.2"], [59_960, "01:00.0"], [3_600_000, "1:00:00.0"], [-5, "00:00.0"]])("%i ms is %s", (ms, text) => {
  expect(position(ms)).toBe(text);
});

test("a minute begun is a minute", () => {
  expect([minutes(0), minutes(20_000), minutes(90_000)]).toEqual([1, 1, 2]);
});

test.each(Array.from({ length: 100 }, (_, seed) => seed))("few words are doubted, and the least sure ones, run %i", (seed) => {
  const draw = chance(seed);
  const words = Array.from({ length: 1 + Math.floor(draw() * 60) }, (_, at) => word(`w${at}`, draw()));
  const marks = doubts(words);
  const marked = marks.filter((mark) => mark !== "sure").length;
  expect(marked).toBeLessThanOrEqual(Math.max(1, Math.floor(words.length * 0.15)));
  expect(marks.filter((mark) => mark === "very").length).toBeLessThanOrEqual(Math.max(1, Math.floor(words.length * 0.05)));
  const least = Math.min(1, ...words.filter((_, at) => marks[at] === "sure").map((each) => each.probability));
  for (const [at, each] of words.entries()) if (marks[at] !== "sure") expect(each.probability).toBeLessThanOrEqual(least);
});

test("words that are sure are never doubted", () => {
  expect(doubts([word("a", 0.9), word("b", 0.95)])).toEqual(["sure", "sure"]);
  expect(doubts([])).toEqual([]);
});

test("a word of the draft is found in the text while it stands there", () => {
  const words = [word("वह"), word("गया"), word("वह"), word("आया")];
  expect(placeIn("वह गया वह आया", words, 2)).toEqual([7, 9]);
  expect(placeIn("वह आया", words, 1)).toBeNull();
});

test("stepping goes round, past what was confirmed", () => {
  const marks = ["sure", "doubtful", "sure", "very"] as const;
  expect(step(marks, [], null, 1)).toBe(1);
  expect(step(marks, [], 1, 1)).toBe(3);
  expect(step(marks, [], 3, 1)).toBe(1);
  expect(step(marks, [], null, -1)).toBe(3);
  expect(step(marks, [1, 3], null, 1)).toBeNull();
});

test("active time leaves out who was away", () => {
  let now = 0;
  const activity = new Activity(() => now);
  for (const at of [0, 10_000, 20_000, 20_000 + AWAY_AFTER + 1, 90_000]) {
    now = at;
    activity.stir();
  }
  expect(activity.milliseconds).toBe(20_000 + (90_000 - 20_000 - AWAY_AFTER - 1));
});

test.each([-86_400_000, 86_400_000])("a clock that is off by %i ms tells the server's time", (skew) => {
  const clock = new Clock(() => Date.parse("2026-11-23T10:00:00Z") + skew);
  clock.heard("Mon, 23 Nov 2026 10:00:00 GMT");
  expect(clock.text()).toBe("2026-11-23T10:00:00.000Z");
  expect(clock.wrong).toBe(true);
});

test("a clock that is right is left alone", () => {
  const clock = new Clock(() => Date.parse("2026-11-23T10:00:00.900Z"));
  clock.heard("Mon, 23 Nov 2026 10:00:00 GMT");
  clock.heard(null);
  clock.heard("nonsense");
  expect(clock.skew).toBe(0);
});

test("tries lie further apart the longer nothing gets through, up to five minutes", () => {
  expect(pause(0, 0.5)).toBe(PACE);
  for (let failures = 1; failures < 40; failures++) {
    for (const chance of [0, 0.5, 1]) {
      expect(pause(failures, chance)).toBeGreaterThanOrEqual(PACE / 2);
      expect(pause(failures, chance)).toBeLessThanOrEqual(LONGEST);
      expect(pause(failures, chance, 60_000)).toBeGreaterThanOrEqual(60_000);
    }
  }
  expect(pause(30, 1)).toBe(LONGEST);
});

test.each([[401, "sign-in"], [507, "full"], [503, "busy"], [429, "busy"], [500, "busy"], [426, "old"], [422, "refused"]] as const)(
  "status %i means %s",
  (status, line) => expect(lineAfter(new Refused(status, "E", "", null, null))).toBe(line),
);

test("no answer means no line", () => {
  expect(lineAfter(new Unreachable())).toBe("offline");
});

test("a waveform is drawn from stored peaks, lowest and highest in turn", () => {
  expect(channels({ per_second: 20, start_ms: 0, peaks: [-128, 64, -64, 127] })).toEqual([[0.5, 127 / 128], [-1, -0.5]]);
  expect(channels(null)).toEqual([[0, 0], [0, 0]]);
});

test("marking twice takes the mark away", () => {
  expect(toggled(toggled([], "overlap"), "overlap")).toEqual([]);
});

type Messages = Record<string, string | Record<string, string>>;
const folder = join(import.meta.dirname, "../src/messages");
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("en.json"));
const read = (file: string): Messages => JSON.parse(readFileSync(join(folder, file), "utf8")) as Messages;
const sentences = (message: string | Record<string, string>): string[] => (typeof message === "string" ? [message] : Object.values(message));
const values = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

test.each(files.flatMap((file) => ["en", "hi", "ta"].map((tag) => [file.replace(/en\.json$/, `${tag}.json`), tag, file] as const)))(
  "%s has every sentence, with its values and the plural forms of %s",
  (file, tag, english) => {
    const [own, first] = [read(file), read(english)];
    expect(Object.keys(own).sort()).toEqual(Object.keys(first).sort());
    const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories.sort();
    for (const [key, message] of Object.entries(own)) {
      if (typeof first[key] === "object") expect(Object.keys(message as object).sort(), key).toEqual(forms);
      const wanted = new Set(sentences(first[key] as string).flatMap(values));
      for (const sentence of sentences(message)) {
        expect(sentence.trim(), key).not.toBe("");
        for (const value of values(sentence)) expect(wanted, key).toContain(value);
      }
    }
  },
);
