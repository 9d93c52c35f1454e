/** One segment under a reviewer's eyes: the sound, the texts, how much was heard, and the decision on its way. */

import { api, Refused } from "../../lib/api";
import { desk } from "../../lib/desk.svelte";
import { bring } from "../../lib/dialects.svelte";
import { t } from "../../lib/i18n.svelte";
import type { Held } from "../../lib/database";
import { Player } from "../../lib/player";
import type { Lease, Peaks, ToReview, Verdict } from "../../lib/wire";
import { ask } from "./asking";

/** Milliseconds between signs of life for a hold. */
const BEAT = 5 * 60_000;

export class Reviewing {
  shown = $state.raw<ToReview | null>(null);
  url = $state<string | null>(null);
  peaks = $state.raw<Peaks | null>(null);
  /** Seconds of the clip that were played, each counted once. */
  heard = $state(0);
  busy = $state(false);
  trouble = $state<string | null>(null);
  /** A new one for each segment: what was played of another counts for nothing here. */
  player = $state.raw(new Player());
  #beat: ReturnType<typeof setInterval> | undefined;

  get lease(): Lease | null {
    return this.shown?.lease ?? null;
  }

  /** As the sound's panel takes a segment. */
  get held(): Held | null {
    const lease = this.lease;
    return lease === null ? null : ({ segment: lease.segment, lease, peaks: this.peaks } as Held);
  }

  get length(): number {
    return this.lease === null ? 0 : (this.lease.end_ms - this.lease.start_ms) / 1000;
  }

  /** Part of the clip that was heard, from 0 to 1. */
  get share(): number {
    return this.length === 0 ? 0 : Math.min(1, this.heard / this.length);
  }

  get heardEnough(): boolean {
    return this.share >= (this.shown?.heard_share ?? 0) - 1e-6;
  }

  /** The next segment; the same one again until it is decided. */
  async next(): Promise<void> {
    this.busy = true;
    this.trouble = null;
    try {
      const shown = await ask.toReview();
      this.#forget();
      [this.shown, this.heard] = [shown, 0];
      await this.#fetch();
    } catch (error) {
      this.trouble = told(error);
    } finally {
      this.busy = false;
    }
  }

  /** Count what was played: every stretch of the clip once, at whatever speed. */
  listen(): void {
    const [media, lease] = [this.player.media, this.lease];
    if (lease === null) return;
    const from = (lease.start_ms - lease.clip_start_ms) / 1000;
    const to = from + this.length;
    let sum = 0;
    for (let n = 0; n < media.played.length; n++) {
      sum += Math.max(0, Math.min(media.played.end(n), to) - Math.max(media.played.start(n), from));
    }
    this.heard = Math.max(this.heard, sum);
  }

  /** Send a decision; whether it was taken. */
  async decide(given: Pick<Verdict, "version" | "decision" | "reasons"> & Partial<Verdict>): Promise<boolean> {
    const lease = this.lease;
    if (lease === null || this.busy) return false;
    this.busy = true;
    this.trouble = null;
    const { segment, fence } = lease;
    const played_ms = Math.ceil(this.heard * 1000);
    try {
      const verdict = { note: "", variants: [], ...given, op_id: crypto.randomUUID(), segment, fence, played_ms };
      const answer = await ask.decide(verdict);
      if (answer.status === "applied" || answer.status === "duplicate") return true;
      if (answer.status === "late") {
        desk.say(t("review.late"));
        return true;
      }
      this.trouble = t(`review.refused.${answer.reason ?? "other"}`);
    } catch (error) {
      this.trouble = told(error);
    } finally {
      this.busy = false;
    }
    return false;
  }

  end(): void {
    this.#forget();
  }

  async #fetch(): Promise<void> {
    const lease = this.lease;
    if (lease === null) return;
    void bring([lease.dialect]);
    // Without a line the hold may run out: the decision is then told to be late, and nothing is lost.
    this.#beat = setInterval(() => void ask.toReview().catch(() => undefined), BEAT);
    const [peaks, sound] = await Promise.allSettled([
      api.peaks(lease.peaks_url),
      lease.audio_url === null ? Promise.reject(new Error("no sound")) : api.sound(lease.audio_url),
    ]);
    this.peaks = peaks.status === "fulfilled" ? peaks.value : null;
    if (sound.status === "fulfilled") this.url = URL.createObjectURL(sound.value);
  }

  #forget(): void {
    clearInterval(this.#beat);
    this.player.end();
    this.player = new Player();
    if (this.url !== null) URL.revokeObjectURL(this.url);
    this.url = null;
    this.peaks = null;
  }
}

/** What went wrong, in words for people. */
export function told(error: unknown): string {
  return error instanceof Refused ? `${error.message}${error.hint === null ? "" : ` – ${error.hint}`}` : t("line.offline-page");
}
