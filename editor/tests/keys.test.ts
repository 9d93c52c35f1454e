import { expect, test } from "vitest";
import { type Action, ACTIONS, actionOf, bindingsFrom, type Chord, clash, DEFAULTS, equal, nameOf, type Press } from "../src/lib/keys";

function press(code: string, held: Partial<Press> & { altGraph?: boolean } = {}): Press {
  const { altGraph = false, ...rest } = held;
  return {
    code, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, isComposing: false, keyCode: 0,
    getModifierState: (key) => key === "AltGraph" && altGraph, ...rest,
  };
}

const held = (chord: Chord, mac = false): Partial<Press> => ({
  ctrlKey: chord.ctrl === true || (mac && chord.alt === true),
  altKey: chord.alt === true,
  shiftKey: chord.shift === true,
});
const all: [Action, Chord][] = ACTIONS.flatMap((action) => DEFAULTS[action].map((chord): [Action, Chord] => [action, chord]));

test.each(all)("%s is found by its key, on macOS too", (action, chord) => {
  expect(actionOf(press(chord.code, held(chord)), DEFAULTS, false)).toBe(action);
  expect(actionOf(press(chord.code, held(chord, true)), DEFAULTS, true)).toBe(action);
});

test("no two actions share a key", () => {
  for (const [action, chord] of all) expect(clash(action, chord, DEFAULTS)?.kind).not.toBe("taken");
});

test("no letter alone does anything, in any layout", () => {
  for (const code of Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (letter) => `Key${letter}`)) {
    expect(actionOf(press(code), DEFAULTS, false)).toBeNull();
    expect(actionOf(press(code, { shiftKey: true }), DEFAULTS, false)).toBeNull();
  }
});

test("what AltGr types stays text", () => {
  for (const [, chord] of all) {
    expect(actionOf(press(chord.code, { ctrlKey: true, altKey: true }), DEFAULTS, false)).toBeNull();
    expect(actionOf(press(chord.code, { ...held(chord), altGraph: true }), DEFAULTS, false)).toBeNull();
  }
});

test.each(["done", "split", "next", "save", "tag", "right"] as const)("%s waits until letters are composed", (action) => {
  const [chord] = DEFAULTS[action] as [Chord];
  expect(actionOf(press(chord.code, { ...held(chord), isComposing: true }), DEFAULTS, false)).toBeNull();
  expect(actionOf(press(chord.code, { ...held(chord), keyCode: 229 }), DEFAULTS, false)).toBeNull();
});

test("playing goes on while letters are composed", () => {
  expect(actionOf(press("KeyK", { altKey: true, isComposing: true }), DEFAULTS, false)).toBe("play");
});

test("keys without a place, as some phones send them, are text", () => {
  expect(actionOf(press("", { ctrlKey: true }), DEFAULTS, false)).toBeNull();
});

test("Enter of the number pad is Enter", () => {
  expect(actionOf(press("NumpadEnter", { ctrlKey: true }), DEFAULTS, false)).toBe("done");
});

test.each([
  [{ code: "KeyK" }, "plain"],
  [{ code: "KeyT", ctrl: true }, "forbidden"],
  [{ code: "ArrowLeft", alt: true }, "forbidden"],
  [{ code: "KeyK", ctrl: true, alt: true }, "forbidden"],
  [{ code: "Digit1", ctrl: true, shift: true }, "forbidden"],
  [{ code: "F5" }, "forbidden"],
  [{ code: "KeyJ", alt: true }, "taken"],
] as const)("%o cannot stand for playing: %s", (chord, kind) => {
  expect(clash("play", chord, DEFAULTS)?.kind).toBe(kind);
});

test("a free key with Alt can, and an action's own key can stay", () => {
  expect(clash("play", { code: "KeyZ", alt: true }, DEFAULTS)).toBeNull();
  expect(clash("play", { code: "KeyK", alt: true }, DEFAULTS)).toBeNull();
});

test("saved keys come back as they were, and what is no key is passed over", () => {
  const own = { ...DEFAULTS, play: [{ code: "KeyZ", alt: true }] };
  expect(bindingsFrom(JSON.parse(JSON.stringify(own)))).toEqual(own);
  expect(bindingsFrom({ play: "KeyZ", done: [], next: [1], nonsense: [{ code: "KeyZ" }] })).toEqual(DEFAULTS);
  expect(bindingsFrom(null)).toEqual(DEFAULTS);
});

test("chords are named as they are printed on keys, each by another name", () => {
  expect(nameOf({ code: "KeyK", alt: true }, false)).toBe("Alt+K");
  expect(nameOf({ code: "KeyK", alt: true }, true)).toBe("Ctrl+Option+K");
  const names = new Map<string, Chord>();
  for (const [, chord] of all) {
    const name = nameOf(chord, false);
    const other = names.get(name);
    if (other !== undefined) expect(equal(other, chord)).toBe(true);
    names.set(name, chord);
  }
});
