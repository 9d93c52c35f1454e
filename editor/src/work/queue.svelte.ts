/** The segments that somebody has in hand: fetched ahead, with their sound, so that the line may drop. */

import { api, Refused, Unreachable } from "../lib/api";
import { clock } from "../lib/clock";
import { type Draft, type Held, of } from "../lib/database";
import { desk } from "../lib/desk.svelte";
import type { Lease, Peaks, Reshape, SkipReason } from "../lib/wire";
import { fresh } from "./fresh";
import { Sounds } from "./sounds.svelte";

/** Segments ahead of the current one under which more are fetched. */
const LOW = 0.5;
/** Where the browser is asked to save data. */
const SAVING = 5;
/** Milliseconds between two signs of life for the segment in work. */
const BEAT = 60_000;

export class Queue {
  held = $state.raw<Held[]>([]);
  /** Drafts by segment, as last kept. */
  drafts = $state.raw<ReadonlyMap<string, Draft>>(new Map());
  at = $state(0);
  /** Segments that were sent back and are not in hand yet. */
  returned = $state.raw<string[]>([]);
  /** Whether the server has nothing more just now. */
  empty = $state(false);
  filling = $state(false);
  sounds = new Sounds();
  #beat: ReturnType<typeof setInterval> | undefined;
  #person: string | null = null;
  /** Grows whenever what is fetched first may be another one. */
  #turn = 0;
  #fetching = false;
  /** Keeps what is being typed; the screen that shows it gives this. */
  flush: () => Promise<void> = () => Promise.resolve();

  get current(): Held | null {
    return this.held[this.at] ?? null;
  }

  /** Segments that are not done yet. */
  get open(): Held[] {
    return this.held.filter((each) => this.drafts.get(each.segment)?.done !== true);
  }

  /** Whether a segment's text is done. */
  isDone(segment: string): boolean {
    return this.drafts.get(segment)?.done === true;
  }

  /** Open the queue of who is here. Coming back to the page finds it as it was. */
  async start(): Promise<void> {
    const person = desk.outbox.person;
    if (this.#person === person) return this.fill();
    this.stop();
    this.#person = person;
    await this.#read(person);
    this.#beat = setInterval(() => void this.#live(), BEAT);
    await this.fill();
  }

  stop(): void {
    clearInterval(this.#beat);
    this.sounds.forget();
    this.held = [];
    this.drafts = new Map();
    this.at = 0;
    this.#person = null;
    this.#turn += 1;
  }

  /** Before somebody signs out: keep what is typed, give back what was not begun, wipe sounds from this computer. */
  async leave(): Promise<void> {
    await this.flush();
    if (this.#person === null) return;
    const person = this.#person;
    await this.#giveBackAll();
    this.stop();
    if (desk.me?.offline_audio === "encrypted") await (await import("../lib/sealing")).wipeSounds(desk.database, person);
  }

  async reread(): Promise<void> {
    this.drafts = bySegment(await desk.outbox.drafts());
  }

  /** Fetch more where few are left, and the sound of those that are here. */
  async fill(): Promise<void> {
    if (this.filling) return;
    this.filling = true;
    try {
      const wanted = wantedReady(desk.settings.liked.ready);
      // On a slow line the first text is there soonest alone.
      const bare = this.held.length === 0;
      if (bare) await this.#add(await api.take(1, true));
      if (bare) await this.#addHeld();
      const missing = wanted - this.open.length;
      const over = bare && this.empty;
      if (missing > 0 && this.open.length <= wanted * LOW && !over) await this.#add(await api.take(missing, true));
      await this.lookForReturned();
    } catch (error) {
      showLine(error);
    } finally {
      this.filling = false;
    }
    await this.#fetchAhead();
  }

  /** Fetch segments that the person wrote before, to look at them again, and begin with them. */
  async fetchAgain(segments: string[]): Promise<void> {
    await this.flush();
    try {
      await this.#add(await api.takeAgain(segments), true);
      await this.lookForReturned();
    } catch (error) {
      showLine(error);
    }
    void this.#fetchAhead();
  }

  /** Ask what was sent back. */
  async lookForReturned(): Promise<void> {
    const { returned } = await api.myWork();
    const here = new Set(this.open.map((each) => each.segment));
    this.returned = returned.map((each) => each.segment).filter((each) => !here.has(each));
  }

  /** Prolong the hold on the current segment. */
  async prolong(): Promise<void> {
    await this.#live();
  }

  go(to: number): boolean {
    if (to < 0 || to >= this.held.length) return false;
    this.at = to;
    void this.#fetchAhead();
    return true;
  }

  /** To the next segment that is not done, after this one first. */
  forward(): boolean {
    const after = this.held.findIndex((each, at) => at > this.at && !this.isDone(each.segment));
    const any = after >= 0 ? after : this.held.findIndex((each, at) => at !== this.at && !this.isDone(each.segment));
    return any >= 0 && this.go(any);
  }

  /** Pass the current segment on. What was typed of it is gone after that. */
  async pass(reason?: SkipReason): Promise<void> {
    const held = this.current;
    if (held === null) return;
    await api.giveBack(held.lease.id, reason);
    await desk.outbox.drop(held.segment);
    await this.#remove(held.segment);
  }

  /**
   * Take a step that makes segments into others, and let these stand in their place with *texts*, one each by time;
   * `null`: what the server gives them. Whether it was taken; else why not.
   */
  async reshape(step: Reshape, texts: readonly (string | null)[]): Promise<string | null> {
    const here = this.current;
    const told = await api.reshape(step);
    if (told.status === "rejected") return told.reason ?? "rejected";
    const order = here?.order ?? 0;
    const second = told.removed.map((each) => this.drafts.get(each)?.normalised ?? null).filter((each) => each !== null);
    for (const segment of told.removed) await desk.outbox.drop(segment);
    const person = desk.outbox.person;
    // Fractions keep the place between the neighbours.
    const made = told.leases.map((lease, at): Held => {
      return { person, segment: lease.segment, lease, peaks: null, order: order + at / told.leases.length / 2 };
    });
    for (const held of made) await desk.database.put("held", held);
    for (const [at, { lease }] of made.entries()) {
      const text = texts[at];
      // Nobody knows where a second text is to be cut: all of it stays with the first segment.
      const normalised = at === 0 && second.length > 0 ? second.join(" ") : (lease.normalised ?? null);
      if ((text != null && text !== lease.text) || normalised !== (lease.normalised ?? null)) {
        await desk.outbox.save({ ...fresh(lease, person), text: text ?? lease.text, normalised });
      }
    }
    await this.reread();
    const gone = new Set(told.removed);
    this.held = [...this.held.filter((each) => !gone.has(each.segment)), ...made].sort((one, other) => one.order - other.order);
    this.at = Math.max(0, this.held.findIndex((each) => each.segment === made[0]?.segment));
    void this.#fetchAhead();
    return null;
  }

  async #giveBackAll(): Promise<void> {
    for (const held of this.held) {
      if (this.drafts.has(held.segment)) continue;
      try {
        await api.giveBack(held.lease.id);
        await desk.outbox.drop(held.segment);
      } catch (error) {
        // Its hold runs out by itself.
        if (error instanceof Unreachable) return;
        if (!(error instanceof Refused)) throw error;
      }
    }
  }

  /** What the person holds on another device, or held here before this browser forgot. */
  async #addHeld(): Promise<void> {
    const here = new Set(this.held.map((each) => each.segment));
    const others = (await api.held()).filter((lease) => !here.has(lease.segment));
    if (others.length > 0) await this.#add(others);
  }

  async #add(leases: readonly Lease[], first = false): Promise<void> {
    this.empty = leases.length === 0;
    if (leases.length === 0) return;
    for (const lease of leases) await this.#freshen(lease);
    await this.reread();
    const known = new Set(leases.map((lease) => lease.segment));
    const rest = this.held.filter((each) => !known.has(each.segment));
    const last = first ? Math.min(0, ...rest.map((each) => each.order)) - leases.length : Math.max(0, ...rest.map((each) => each.order));
    const person = desk.outbox.person;
    const made = leases.map((lease, at): Held => ({ person, segment: lease.segment, lease, peaks: null, order: last + at + 1 }));
    const store = desk.database.transaction("held", "readwrite");
    for (const held of made) void store.store.put(held);
    await store.done;
    const segment = this.current?.segment;
    this.held = first ? [...made, ...rest] : [...rest, ...made];
    this.at = first ? 0 : Math.max(0, this.held.findIndex((each) => each.segment === segment));
    if (!first && (segment === undefined || this.isDone(segment))) this.at = this.held.length - made.length;
  }

  /** A segment that comes anew: what is unsent of it goes on under the new hold, the rest was sent and is over. */
  async #freshen(lease: Lease): Promise<void> {
    const draft = await desk.outbox.draft(lease.segment);
    if (draft === undefined) return;
    const unsent = (await desk.outbox.items()).some((item) => item.segment === lease.segment);
    if (unsent) await desk.outbox.save({ ...draft, fence: lease.fence });
    else await desk.outbox.drop(lease.segment);
  }

  /** Waveforms and sounds of the segment in work and of those after it, one at a time: the first is heard soonest. */
  async #fetchAhead(): Promise<void> {
    this.#turn += 1;
    if (this.#fetching) return;
    this.#fetching = true;
    try {
      for (let turn = -1; turn !== this.#turn; ) {
        turn = this.#turn;
        const order = [...this.held.slice(this.at), ...this.held.slice(0, this.at)];
        for (const held of order) {
          if (turn !== this.#turn) break;
          if (!(await this.#fetchOne(held))) return;
        }
      }
    } finally {
      this.#fetching = false;
    }
  }

  /** One segment's sound and waveform; whether it makes sense to go on with the next. */
  async #fetchOne(held: Held): Promise<boolean> {
    if (this.isDone(held.segment) && held.segment !== this.current?.segment) return true;
    try {
      await this.sounds.fetch(held);
      if (held.peaks === null) await this.#keepPeaks(held, await api.peaks(held.lease.peaks_url));
      return true;
    } catch (error) {
      // Of sounds that lie sealed on the disk the next one may be here.
      if (error instanceof Unreachable) return desk.me?.offline_audio === "encrypted";
      if (!(error instanceof Refused)) throw error;
      // Ended holds and lost sounds: the screen says that there is no sound, and the next one is tried.
      return error.status !== 401 && error.status !== 429;
    }
  }

  async #keepPeaks(held: Held, peaks: Peaks): Promise<void> {
    const now = { ...held, peaks };
    await desk.database.put("held", now);
    this.held = this.held.map((each) => (each.segment === held.segment ? now : each));
  }

  async #remove(segment: string): Promise<void> {
    this.sounds.drop(segment);
    this.held = this.held.filter((each) => each.segment !== segment);
    await this.reread();
    this.at = Math.min(this.at, Math.max(0, this.held.length - 1));
    if (this.current !== null && this.isDone(this.current.segment)) this.forward();
    await this.fill();
  }

  /** Say that the current segment is still worked on. */
  async #live(): Promise<void> {
    const held = this.current;
    if (held === null || document.visibilityState !== "visible" || this.isDone(held.segment)) return;
    try {
      const { until } = await api.renew(held.lease.id);
      const now = { ...held, lease: { ...held.lease, until } };
      await desk.database.put("held", now);
      this.held = this.held.map((each) => (each.segment === held.segment ? now : each));
    } catch (error) {
      // The text is taken without a hold too; it is then a second one beside somebody else's.
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    }
  }

  /**
   * Find the queue as it was left, without what is done and sent, but for the last few, which somebody may want to look
   * at once more. Shown all at once: a segment is never seen without the text that was kept of it.
   */
  async #read(person: string): Promise<void> {
    const held = (await desk.database.getAll("held", of(person))).sort((one, other) => one.order - other.order);
    const drafts = bySegment(await desk.outbox.drafts());
    const unsent = new Set((await desk.outbox.items()).map((item) => item.segment));
    const isDone = (each: Held): boolean => drafts.get(each.segment)?.done === true;
    const done = held.filter((each) => isDone(each) && !unsent.has(each.segment));
    // Without a line nobody knows whether this computer's clock is right.
    const now = desk.line === "offline" ? 0 : clock.now();
    const over = held.filter((each) => !drafts.has(each.segment) && Date.parse(each.lease.until) < now);
    const gone = new Set([...done.slice(0, -10), ...over]);
    for (const { segment } of gone) {
      await desk.outbox.drop(segment);
      drafts.delete(segment);
    }
    const left = held.filter((each) => !gone.has(each));
    this.drafts = drafts;
    this.at = Math.max(0, left.findIndex((each) => !isDone(each)));
    this.held = left;
  }
}

export const queue = new Queue();

/** How many segments are kept ready: fewer where the browser is asked to save data. */
export function wantedReady(liked: number): number {
  const connection = (navigator as { connection?: { saveData?: boolean } }).connection;
  return connection?.saveData === true ? Math.min(liked, SAVING) : liked;
}

/** Show at the top what keeps the line from bringing anything. */
function showLine(error: unknown): void {
  if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
  if (error instanceof Unreachable) desk.line = "offline";
  else if (error.status === 401) desk.line = "sign-in";
}

function bySegment(drafts: readonly Draft[]): Map<string, Draft> {
  return new Map(drafts.map((draft) => [draft.segment, draft]));
}
