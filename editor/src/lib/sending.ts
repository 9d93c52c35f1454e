/** When the outbox is emptied: on every occasion, at a pace that a weak line and a busy server can bear. */

import { api, Refused, Unreachable } from "./api";
import { correction, type Outbox } from "./outbox";
import type { Item } from "./database";
import type { Correction, Outcome } from "./wire";

/** Milliseconds between two looks while all is well, and at most while nothing gets through. */
export const PACE = 15_000;
export const LONGEST = 300_000;

/** How the line is, in words that the page has sentences for. */
export type Line = "good" | "offline" | "sign-in" | "full" | "busy" | "old" | "refused";

/** Milliseconds until the next try after *failures* in a row; spread, so that a room of people does not come at once. */
export function pause(failures: number, chance: number, asked: number | null = null): number {
  const whole = Math.min(LONGEST, PACE * 2 ** Math.max(0, failures - 1));
  const spread = failures === 0 ? PACE : whole * (0.5 + chance / 2);
  return Math.min(LONGEST, Math.max(asked ?? 0, spread));
}

/** What a failure says about the line. */
export function lineAfter(error: unknown): Line {
  if (error instanceof Unreachable) return "offline";
  if (!(error instanceof Refused)) return "refused";
  if (error.status === 401 || error.code === "E_CSRF") return "sign-in";
  if (error.status === 507) return "full";
  if (error.status === 426) return "old";
  return error.status === 429 || error.status >= 500 ? "busy" : "refused";
}

/** Who shows how far sending is. */
export interface Told {
  /** How the line is, by the last answer of the server or its absence, whoever asked. */
  line: Line;
  /** The number of waiting texts may be another one now. */
  changed: () => void;
  /** What a person must hear of: late, conflicting and refused texts. */
  outcome: (item: Item, outcome: Outcome) => void;
}

export class Sender {
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #going: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor(
    private readonly outbox: Outbox,
    private readonly told: Told,
    private readonly send: (texts: Correction[]) => Promise<Outcome[]> = api.send,
    private readonly ask: () => Promise<unknown> = api.session,
  ) {}

  /** Send whatever waits, now. Called while sending, it goes round once more. */
  async go(): Promise<void> {
    if (this.#going !== null) {
      this.#again = true;
      return this.#going;
    }
    clearTimeout(this.#timer);
    this.#going = this.#only(() => this.#round());
    try {
      await this.#going;
    } finally {
      this.#going = null;
    }
    if (this.#again) {
      this.#again = false;
      return this.go();
    }
  }

  /** Send now, and from now on at every occasion. */
  start(): () => void {
    const go = (): void => void this.go();
    const seen = (): void => {
      if (document.visibilityState === "visible") go();
    };
    window.addEventListener("online", go);
    window.addEventListener("focus", go);
    document.addEventListener("visibilitychange", seen);
    go();
    return () => {
      this.#stopped = true;
      clearTimeout(this.#timer);
      window.removeEventListener("online", go);
      window.removeEventListener("focus", go);
      document.removeEventListener("visibilitychange", seen);
    };
  }

  /** One tab of a person sends at a time; the others find nothing left to do. */
  async #only(work: () => Promise<void>): Promise<void> {
    if (!("locks" in navigator)) return work();
    await navigator.locks.request(`boli-send-${this.outbox.person}`, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await work();
      else this.#later(null);
    });
  }

  async #round(): Promise<void> {
    await this.outbox.recover();
    for (;;) {
      const sent = await this.outbox.begin();
      if (sent.length === 0) break;
      this.told.changed();
      const outcomes = await this.#answer(() => this.send(sent.map(correction)));
      if (outcomes === null) {
        await this.outbox.lost(sent);
        this.told.changed();
        return;
      }
      for (const each of await this.outbox.settle(sent, outcomes)) this.told.outcome(each.item, each.outcome);
    }
    // With nothing to send, only a question shows that the line is back, or that somebody signed in.
    if (this.told.line !== "good" && (await this.#answer(this.ask)) === null) return;
    this.told.changed();
    this.#later(null);
  }

  /** What the server answers, `null`: nothing that helps. Shows how the line is by that; after a failure it waits. */
  async #answer<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      const answer = await ask();
      this.#failures = 0;
      this.told.line = "good";
      return answer;
    } catch (error) {
      this.#failures += 1;
      this.told.line = lineAfter(error);
      this.#later(error instanceof Refused ? error.wait : null);
      return null;
    }
  }

  #later(asked: number | null): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.go(), pause(this.#failures, Math.random(), asked));
  }
}
