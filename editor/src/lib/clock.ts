/** Time: the server's, though this computer's clock may be wrong, and how long somebody really worked. */

/** Milliseconds without key, pointer or playback after which somebody counts as away. */
export const AWAY_AFTER = 60_000;
/** A clock that is wrong by more is said aloud: files and drafts would carry odd times. */
export const WRONG_BY = 5 * 60_000;

export class Clock {
  /** How far the server's clock is before this computer's. */
  skew = 0;

  constructor(private readonly local: () => number = Date.now) {}

  /** Learn from the `Date` of an answer; its second may be a whole second old. */
  heard(date: string | null): void {
    const told = date === null ? Number.NaN : Date.parse(date);
    if (Number.isNaN(told)) return;
    const skew = told - this.local();
    this.skew = Math.abs(skew) < 2_000 ? 0 : skew;
  }

  now(): number {
    return this.local() + this.skew;
  }

  text(): string {
    return new Date(this.now()).toISOString();
  }

  get wrong(): boolean {
    return Math.abs(this.skew) > WRONG_BY;
  }
}

export const clock = new Clock();

/**
 * Active time of one segment: from each sign of life to the next, unless they lie further apart than *AWAY_AFTER*.
 * Uses a clock that never jumps.
 */
export class Activity {
  #spent = 0;
  #last: number | null = null;

  constructor(private readonly monotonic: () => number = () => performance.now()) {}

  /** Somebody pressed a key, moved the pointer, or listens. */
  stir(): void {
    const now = this.monotonic();
    if (this.#last !== null && now - this.#last <= AWAY_AFTER) this.#spent += now - this.#last;
    this.#last = now;
  }

  get milliseconds(): number {
    return Math.round(this.#spent);
  }

  /** Begin anew with what was counted before. */
  restart(spent = 0): void {
    this.#spent = spent;
    this.#last = null;
  }
}
