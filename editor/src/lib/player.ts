/** Sound of one segment: one `<audio>` that is used again and again, under a waveform drawn from stored peaks. */

import type WaveSurfer from "wavesurfer.js";
import type { WaveSurferOptions } from "wavesurfer.js";
import type { Peaks } from "./wire";

export const SLOWEST = 0.5;
export const FASTEST = 2;
/** Seconds between two rounds of a loop. */
const GAP = 0.4;

export interface Hearing {
  /** Seconds in the clip. */
  at: number;
  playing: boolean;
  rate: number;
  looping: boolean;
}

export interface Loaded {
  /** Address of the sound in memory; `null`: not downloaded. */
  url: string | null;
  peaks: Peaks | null;
  /** Seconds of the clip, and of the segment in it. */
  duration: number;
  from: number;
  to: number;
}

export class Player {
  readonly media = new Audio();
  #wave: WaveSurfer | null = null;
  #loaded: Loaded | null = null;
  #round: ReturnType<typeof setTimeout> | undefined;
  #looping = false;
  #stopAt: number | null = null;
  #rounds = 0;
  /** Playing was asked for before the sound was here. */
  #waiting = false;
  #usual = 1;
  /** Rounds of a loop; 0: until somebody stops it. */
  loops = 0;
  /** Seconds that playing goes back after a pause. */
  backstep = 1.5;

  /** Told of every change; the screen that shows the player gives these. */
  told: (hearing: Hearing) => void = () => undefined;
  failed: () => void = () => undefined;

  constructor() {
    this.media.preload = "auto";
    this.media.preservesPitch = true;
    this.media.addEventListener("timeupdate", () => this.#moved());
    for (const event of ["play", "pause", "seeked", "ratechange", "ended"]) {
      this.media.addEventListener(event, () => this.#tell());
    }
    this.media.addEventListener("ended", () => this.#atEnd());
    this.media.addEventListener("error", () => {
      if (this.#loaded?.url) this.failed();
    });
  }

  /** Draw into *place*; the page's nonce lets the waveform's style sheet in. */
  draw(place: HTMLElement, loaded: Loaded, colours: { wave: string; progress: string; cursor: string }, nonce: string): void {
    this.#wave?.destroy();
    this.#wave = null;
    const before = this.#loaded;
    // Peaks that come after the sound, or boundaries that moved, leave what plays alone.
    if (loaded.url === null || loaded.url !== before?.url) this.#load(loaded);
    this.#loaded = loaded;
    this.#tell();
    // Another segment has another place in its clip: what was asked for was asked of the one before.
    if (before?.from !== loaded.from || before.to !== loaded.to || before.duration !== loaded.duration) this.#waiting = false;
    if (this.#waiting) void this.#play();
    const { wave: waveColor, progress: progressColor, cursor: cursorColor } = colours;
    void this.#picture(loaded, {
      container: place,
      media: this.media,
      peaks: channels(loaded.peaks),
      duration: loaded.duration,
      height: 72,
      waveColor,
      progressColor,
      cursorColor,
      cursorWidth: 2,
      normalize: true,
      dragToSeek: true,
      hideScrollbar: true,
      cspNonce: nonce,
    });
  }

  #load(loaded: Loaded): void {
    clearTimeout(this.#round);
    this.#stopAt = null;
    if (loaded.url === null) {
      this.media.removeAttribute("src");
      this.media.load();
      return;
    }
    this.media.src = loaded.url;
    this.#rate(this.#usual);
    this.media.currentTime = loaded.from;
  }

  /** The waveform, when what draws it is here: on a slow line the text and the sound do not wait for it. */
  async #picture(loaded: Loaded, options: WaveSurferOptions): Promise<void> {
    const found = await import("wavesurfer.js").catch(() => null);
    if (found !== null && this.#loaded === loaded) this.#wave = found.default.create(options);
  }

  get playing(): boolean {
    return !this.media.paused;
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.#resume();
  }

  pause(): void {
    this.#waiting = false;
    this.media.pause();
  }

  /** Go on, a little further back. */
  resume(): void {
    if (!this.playing) this.#resume();
  }

  /** Play from the segment's beginning. */
  fromStart(): void {
    this.seek(this.#loaded?.from ?? 0);
    void this.#play();
  }

  /** A word, or any part of the clip, in seconds; then silence. */
  part(from: number, to: number): void {
    this.seek(from);
    this.#stopAt = to;
    void this.#play();
  }

  skip(by: number): void {
    this.seek(this.media.currentTime + by);
  }

  seek(to: number): void {
    this.#stopAt = null;
    this.media.currentTime = Math.min(Math.max(0, to), this.#loaded?.duration ?? to);
    this.#tell();
  }

  /** The last three seconds once more, slower. */
  lastBit(): void {
    const end = this.media.currentTime;
    this.seek(end - 3);
    this.#stopAt = end;
    this.media.playbackRate = 0.75;
    void this.#play();
  }

  get rate(): number {
    return this.#usual;
  }

  faster(by: number): void {
    this.#rate(this.#usual + by);
  }

  set rate(rate: number) {
    this.#rate(rate);
  }

  get looping(): boolean {
    return this.#looping;
  }

  loop(on: boolean): void {
    this.#looping = on;
    this.#rounds = 0;
    if (!on) clearTimeout(this.#round);
    this.#tell();
  }

  end(): void {
    clearTimeout(this.#round);
    this.pause();
    this.#wave?.destroy();
    this.#wave = null;
    this.#loaded = null;
  }

  #resume(): void {
    const loaded = this.#loaded;
    const atEnd = loaded !== null && this.media.currentTime >= Math.min(loaded.to, loaded.duration) - 0.05;
    if (atEnd || this.media.ended) this.seek(loaded?.from ?? 0);
    else this.skip(this.media.currentTime > (loaded?.from ?? 0) + this.backstep ? -this.backstep : 0);
    void this.#play();
  }

  async #play(): Promise<void> {
    this.#waiting = !this.#loaded?.url;
    if (this.#waiting) return;
    try {
      await this.media.play();
    } catch {
      // Before the first key or click browsers play nothing; the button says that it is not playing.
      this.#tell();
    }
  }

  #rate(rate: number): void {
    this.#usual = Math.round(Math.min(FASTEST, Math.max(SLOWEST, rate)) * 10) / 10;
    this.media.defaultPlaybackRate = this.#usual;
    this.media.playbackRate = this.#usual;
    this.#tell();
  }

  #moved(): void {
    if (this.#stopAt !== null && this.media.currentTime >= this.#stopAt) {
      this.#stopAt = null;
      this.media.pause();
      this.media.playbackRate = this.#usual;
    }
    this.#tell();
  }

  #atEnd(): void {
    this.media.playbackRate = this.#usual;
    this.#stopAt = null;
    this.#rounds += 1;
    if (!this.#looping || (this.loops > 0 && this.#rounds >= this.loops)) return;
    this.#round = setTimeout(() => {
      this.seek(this.#loaded?.from ?? 0);
      void this.#play();
    }, GAP * 1000);
  }

  #tell(): void {
    const { currentTime: at, playbackRate: rate } = this.media;
    this.told({ at, rate, playing: this.playing, looping: this.#looping });
  }
}

/** The waveform's two halves, from 0 to 1; a flat line where nothing is known. */
export function channels(peaks: Peaks | null): number[][] {
  if (peaks === null || peaks.peaks.length < 4) return [[0, 0], [0, 0]];
  const low = peaks.peaks.filter((_, at) => at % 2 === 0).map((value) => value / 128);
  return [peaks.peaks.filter((_, at) => at % 2 === 1).map((value) => value / 128), low];
}
