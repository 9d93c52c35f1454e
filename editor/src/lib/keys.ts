/**
 * Which key does what. Keys are known by their place on the keyboard (`event.code`), because under InScript the letter
 * on K is क; on macOS Ctrl+Option stands for Alt, which types letters there.
 */

export type Action =
  | "play" | "back" | "forward" | "start" | "lastBit" | "slower" | "faster" | "plainSpeed" | "loop"
  | "next" | "previous" | "done" | "nextDoubt" | "previousDoubt" | "right" | "alternative" | "tag" | "speaker" | "split" | "merge"
  | "unclear" | "help" | "skip" | "phonetic" | "shading" | "history" | "guide" | "save" | "keys";

/** A key with what is held down beside it. */
export interface Chord {
  code: string;
  ctrl?: boolean;
  alt?: boolean;
  shift?: boolean;
}

export type Bindings = Record<Action, Chord[]>;

const alt = (code: string): Chord => ({ code, alt: true });
const ctrl = (code: string): Chord => ({ code, ctrl: true });
const bare = (code: string): Chord => ({ code });

export const DEFAULTS: Readonly<Bindings> = {
  play: [alt("KeyK"), bare("F4"), bare("MediaPlayPause")],
  back: [alt("KeyJ"), bare("F7")],
  forward: [alt("KeyL"), bare("F8")],
  start: [alt("KeyR"), bare("F9")],
  lastBit: [alt("Comma")],
  slower: [alt("Minus")],
  faster: [alt("Equal")],
  plainSpeed: [alt("Digit0")],
  loop: [alt("KeyO")],
  next: [alt("ArrowDown")],
  previous: [alt("ArrowUp")],
  done: [ctrl("Enter")],
  nextDoubt: [alt("BracketRight")],
  previousDoubt: [alt("BracketLeft")],
  right: [alt("Backslash")],
  alternative: [alt("KeyA")],
  tag: [alt("KeyI")],
  speaker: [alt("KeyG")],
  split: [alt("Enter")],
  merge: [alt("KeyM")],
  unclear: [alt("KeyU")],
  help: [alt("KeyQ")],
  skip: [alt("KeyX")],
  phonetic: [alt("KeyP")],
  shading: [alt("KeyC")],
  history: [alt("KeyY")],
  guide: [alt("KeyW")],
  save: [ctrl("KeyS")],
  keys: [ctrl("Slash"), bare("F1")],
};

export const ACTIONS = Object.keys(DEFAULTS) as Action[];

/** What is done while letters are still being composed: nothing that takes the text away. */
const WHILE_COMPOSING: ReadonlySet<Action> = new Set(["play", "back", "forward", "start", "lastBit", "slower", "faster"]);

/** Keys that the browser, the system or an input method needs. */
const FORBIDDEN: readonly Chord[] = [
  ...["ArrowLeft", "ArrowRight", "Space", "KeyF", "KeyE", "KeyD", "KeyS", "KeyV", "KeyB", "KeyT", "KeyH"].map(alt),
  ...["KeyT", "KeyN", "KeyW", "Tab", "Space", "KeyC", "KeyX", "KeyV", "KeyA", "KeyZ", "KeyY"].map(ctrl),
  { code: "KeyZ", ctrl: true, shift: true },
  { code: "Space", shift: true },
  ...["F3", "F5", "F6", "F10", "F11", "F12"].map(bare),
];
/** Keys that may stand alone: they type nothing. */
const STANDS_ALONE = /^(F\d+|Media\w+|Pause|ScrollLock)$/;

/** What of a keyboard event decides. */
export interface Press {
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode: number;
  getModifierState: (key: string) => boolean;
}

/** What *press* asks for; `null`: it is for the text. */
export function actionOf(press: Press, bindings: Readonly<Bindings>, mac = isMac()): Action | null {
  if (press.code === "" || press.metaKey || press.getModifierState("AltGraph")) return null;
  const found = ACTIONS.find((action) => bindings[action].some((chord) => fits(press, chord, mac)));
  if (found === undefined) return null;
  return (press.isComposing || press.keyCode === 229) && !WHILE_COMPOSING.has(found) ? null : found;
}

function fits(press: Press, chord: Chord, mac: boolean): boolean {
  const held = chord.alt === true && mac ? { ctrl: true, alt: true } : { ctrl: chord.ctrl === true, alt: chord.alt === true };
  const same = press.code === chord.code || (chord.code === "Enter" && press.code === "NumpadEnter");
  return same && press.ctrlKey === held.ctrl && press.altKey === held.alt && press.shiftKey === (chord.shift === true);
}

export type Clash = { kind: "taken"; by: Action } | { kind: "forbidden" } | { kind: "plain" };

/** Why *chord* cannot stand for *action*; `null` if it can. */
export function clash(action: Action, chord: Chord, bindings: Readonly<Bindings>): Clash | null {
  if (chord.ctrl === true && chord.alt === true) return { kind: "forbidden" };
  if (chord.ctrl === true && chord.shift === true && chord.code.startsWith("Digit")) return { kind: "forbidden" };
  if (FORBIDDEN.some((each) => equal(each, chord))) return { kind: "forbidden" };
  if (!chord.ctrl && !chord.alt && !STANDS_ALONE.test(chord.code)) return { kind: "plain" };
  const by = ACTIONS.find((each) => each !== action && bindings[each].some((other) => equal(other, chord)));
  return by === undefined ? null : { kind: "taken", by };
}

export function equal(one: Chord, other: Chord): boolean {
  const held = (chord: Chord): string => `${chord.ctrl === true}${chord.alt === true}${chord.shift === true}`;
  return one.code === other.code && held(one) === held(other);
}

/** The bindings of a person: their own where they are sound, else the desk's. */
export function bindingsFrom(own: unknown): Bindings {
  const found = structuredClone(DEFAULTS) as Bindings;
  if (typeof own !== "object" || own === null) return found;
  for (const action of ACTIONS) {
    const given = (own as Partial<Record<Action, unknown>>)[action];
    if (Array.isArray(given) && given.length > 0 && given.every(isChord)) found[action] = given;
  }
  return found;
}

function isChord(value: unknown): value is Chord {
  return typeof value === "object" && value !== null && typeof (value as Chord).code === "string";
}

const NAMES: Readonly<Record<string, string>> = {
  Comma: ",", Period: ".", Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Slash: "/",
  Semicolon: ";", Quote: "'", Backquote: "`", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→",
  MediaPlayPause: "⏯",
};

/** A chord as it is printed on keys: `Alt+K`. */
export function nameOf(chord: Chord, mac = isMac()): string {
  const key = NAMES[chord.code] ?? chord.code.replace(/^(Key|Digit)/, "");
  const alts = chord.alt === true ? [mac ? "Ctrl+Option" : "Alt"] : [];
  return [...(chord.ctrl === true ? ["Ctrl"] : []), ...alts, ...(chord.shift === true ? ["Shift"] : []), key].join("+");
}

export function isMac(): boolean {
  return typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);
}
