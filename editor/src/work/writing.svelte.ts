/** The text of one segment while it is written: kept soon after the last key, and whenever the page is put away. */

import { Activity } from "../lib/clock";
import type { Draft, Held } from "../lib/database";
import { desk } from "../lib/desk.svelte";
import { guides } from "../lib/dialects.svelte";
import { fresh } from "./fresh";

/** Milliseconds after the last key, and at most after the first one that is not kept: some never pause. */
const QUIET = 400;
const LATEST = 1_000;

export class Writing {
  draft = $state<Draft>() as Draft;
  /** Whether the text that was kept is here: until then nothing can be typed that it would take away again. */
  ready = $state(false);
  /** Another tab has this segment: nothing can be typed here. */
  elsewhere = $state(false);
  /** Why it could not be kept on this computer. */
  failure = $state<string | null>(null);
  readonly activity = new Activity();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #dirty = false;
  /** Counts changes: what is kept is the last one, or it is not all. */
  #changes = 0;
  #since: number | null = null;
  #release: () => void = () => undefined;
  #closed = false;

  constructor(readonly held: Held, kept: Draft | undefined) {
    this.draft = kept ?? fresh(held.lease, held.person);
    this.activity.restart(this.draft.active_ms);
  }

  /** Have this segment for this tab alone. *took* is called when another tab asks for it and gets it. */
  async lock(steal = false): Promise<void> {
    const name = `boli-segment-${this.held.person}-${this.held.segment}`;
    await new Promise<void>((ready) => {
      const options = steal ? { steal: true } : { ifAvailable: true };
      navigator.locks
        .request(name, options, (lock) => {
          this.elsewhere = lock === null;
          ready();
          return lock === null || this.#closed ? undefined : new Promise<void>((release) => (this.#release = release));
        })
        // Another tab took it over.
        .catch(() => (this.elsewhere = true));
    });
    if (!this.elsewhere) {
      const kept = await desk.outbox.draft(this.held.segment);
      if (kept !== undefined && !this.#dirty) {
        this.draft = kept;
        this.activity.restart(kept.active_ms);
      }
    }
    this.ready = true;
  }

  /** Something of the text, its tags or its speaker is another one now. */
  change(changes: Partial<Draft>): void {
    if (this.elsewhere || !this.ready) return;
    this.activity.stir();
    Object.assign(this.draft, changes);
    this.#dirty = true;
    this.#changes += 1;
    desk.unsaved = true;
    const now = performance.now();
    this.#since ??= now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), Math.min(QUIET, this.#since + LATEST - now));
  }

  /** Keep what was typed, now. Resolves when it is on the disk. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#dirty) return this.#saving;
    this.#dirty = false;
    this.#since = null;
    this.draft.active_ms = this.activity.milliseconds;
    this.draft.changed_at = Date.now();
    const now = $state.snapshot(this.draft) as Draft;
    const change = this.#changes;
    this.#saving = this.#saving.then(() => this.#keep(now, change));
    return this.#saving;
  }

  /** The person says that the text is done. */
  async finish(): Promise<void> {
    this.change({ done: true, guideline: guides.of(this.held.lease.dialect)?.version ?? null });
    await this.flush();
    if (this.failure !== null) throw new Error(this.failure);
  }

  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    this.#release();
  }

  async #keep(draft: Draft, change: number): Promise<void> {
    try {
      await desk.outbox.save(draft);
      this.failure = null;
      if (change === this.#changes) desk.unsaved = false;
      await desk.wasKept();
    } catch (error) {
      // The disk is full, or the browser forbids it: the text stays on the screen, and the page says so.
      this.failure = String(error);
      this.#dirty = true;
    }
  }
}
