/** Sound that comes late is played once it is here, and what plays goes on when something else comes late. */

import { beforeEach, expect, test, vi } from "vitest";
import type { Loaded } from "../src/lib/player";

/** As much of the browser's element as the player turns to. */
class Element extends EventTarget {
  #src = "";
  currentTime = 0;
  paused = true;
  loads = 0;
  get src(): string {
    return this.#src;
  }
  set src(to: string) {
    this.#src = to;
    this.load();
  }
  removeAttribute(): void {
    this.#src = "";
  }
  load(): void {
    this.loads += 1;
    this.paused = true;
    this.currentTime = 0;
  }
  play(): Promise<void> {
    this.paused = false;
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
  }
}

vi.stubGlobal("Audio", Element);
vi.mock("wavesurfer.js", () => ({ default: { create: () => ({ destroy: () => undefined }) } }));
const { Player } = await import("../src/lib/player");

const SEGMENT: Loaded = { url: null, peaks: null, duration: 4, from: 0.3, to: 3.7 };
const COLOURS = { wave: "", progress: "", cursor: "" };
let player: InstanceType<typeof Player>;

function draw(loaded: Partial<Loaded>): void {
  player.draw({} as HTMLElement, { ...SEGMENT, ...loaded }, COLOURS, "");
}

beforeEach(() => {
  player = new Player();
});

test("what was asked for before the sound was here is played from the segment's start", () => {
  draw({});
  player.fromStart();
  expect(player.playing).toBe(false);
  draw({ url: "blob:one" });
  expect(player.playing).toBe(true);
  expect(player.media.currentTime).toBe(0.3);
});

test("nothing is played that nobody asked for, or that was asked of another segment", () => {
  draw({});
  draw({ url: "blob:one" });
  expect(player.playing).toBe(false);
  draw({ duration: 5 });
  player.fromStart();
  draw({ url: "blob:two", duration: 6 });
  expect(player.playing).toBe(false);
});

test("whoever asked and thought better of it hears nothing", () => {
  draw({});
  player.fromStart();
  player.pause();
  draw({ url: "blob:one" });
  expect(player.playing).toBe(false);
});

test("peaks that come after the sound do not stop it", () => {
  draw({ url: "blob:one" });
  player.fromStart();
  player.media.currentTime = 2;
  draw({ url: "blob:one", peaks: { peaks: [0, 1, 0, 1], rate: 100 } as unknown as Loaded["peaks"] });
  expect([player.playing, player.media.currentTime]).toEqual([true, 2]);
});
