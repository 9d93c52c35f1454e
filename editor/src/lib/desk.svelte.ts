/** What every page of the desk shares: who is here, how the line is, what waits, what is said aloud. */

import { api, Refused, trust, Unreachable } from "./api";
import { clock } from "./clock";
import { type Database, lastPerson, open, rememberPerson } from "./database";
import { type Counts, Outbox } from "./outbox";
import { type Line, Sender, type Told } from "./sending";
import { Settings } from "./settings.svelte";
import type { Item } from "./database";
import type { Me, Outcome, Permission } from "./wire";

const NOTHING: Counts = { waiting: 0, conflicts: 0, refused: 0, typing: 0 };

export type Phase = "opening" | "sign-in" | "working";

/** What a text met on the server that its writer must hear of. */
export interface Notice {
  item: Item;
  outcome: Outcome;
}

class Desk implements Told {
  phase = $state<Phase>("opening");
  me = $state.raw<Me | null>(null);
  counts = $state.raw<Counts>(NOTHING);
  line = $state<Line>("good");
  /** When the last text was kept on this computer. */
  savedAt = $state<number | null>(null);
  /** Whether something was typed that is not on this computer's disk yet. */
  unsaved = $state(false);
  /** Whether this browser promised not to clear what it keeps; `null`: not asked yet. */
  kept = $state<boolean | null>(null);
  /** Said once, politely, by screen readers. */
  said = $state("");
  /** Whether this computer's clock is far off. */
  clockWrong = $state(false);
  /** Another tab wants a newer shape of the database: this one is to be loaded anew. */
  outdated = $state(false);
  notices = $state.raw<Notice[]>([]);
  settings = new Settings();
  #database: Database | null = null;
  #outbox: Outbox | null = null;
  #sender: Sender | null = null;
  #stop: () => void = () => undefined;
  #tabs = new BroadcastChannel("boli");

  get database(): Database {
    if (this.#database === null) throw new Error("the desk is not open yet");
    return this.#database;
  }

  get outbox(): Outbox {
    if (this.#outbox === null) throw new Error("nobody is signed in");
    return this.#outbox;
  }

  get pending(): number {
    return this.counts.waiting + this.counts.conflicts + this.counts.refused;
  }

  /** Open the database and find out who is here; without a line it is who was here last. */
  async open(): Promise<void> {
    this.#database = await open("boli", () => (this.outdated = true));
    this.#tabs.onmessage = () => void this.recount();
    const last = await lastPerson(this.database);
    try {
      await this.#enter(await api.session());
    } catch (error) {
      if (error instanceof Refused && error.status === 401 && (last === null || !(await this.#hasWork(last)))) {
        this.phase = "sign-in";
      } else if (last !== null) {
        await this.#enter(last, error instanceof Refused ? "sign-in" : "offline");
      } else {
        this.line = error instanceof Unreachable ? "offline" : "busy";
        this.phase = "sign-in";
      }
    }
  }

  /** Sign in; what somebody typed here while signed out is theirs alone, and goes with their next sign-in. */
  async signIn(name: string, password: string): Promise<void> {
    const me = await api.signIn(name, password);
    this.#leave();
    await this.#enter(me);
  }

  /** End the session. What waits stays on this computer, under its writer's name. */
  async signOut(): Promise<void> {
    try {
      await api.signOut();
    } catch (error) {
      // Without a line the cookie stays and is worth nothing after its time; the page forgets who was here all the same.
      if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
    }
    this.#leave();
    await rememberPerson(this.database, null);
    trust(null);
    this.phase = "sign-in";
  }

  /** Send what waits now. */
  async send(): Promise<void> {
    await this.#sender?.go();
  }

  async recount(): Promise<void> {
    if (this.#outbox !== null) this.counts = await this.#outbox.counts();
  }

  /** After something was kept: the words at the top, here and in other tabs. */
  async wasKept(): Promise<void> {
    this.savedAt = Date.now();
    this.#tabs.postMessage("kept");
    await this.recount();
  }

  /** Ask the browser once not to clear what it keeps. */
  async persist(): Promise<void> {
    if (this.kept !== null || navigator.storage?.persist === undefined) return;
    this.kept = await navigator.storage.persist();
  }

  /** Have *sentence* read out, again too if it was the last one. */
  say(sentence: string): void {
    this.said = this.said === sentence ? `${sentence}\u00a0` : sentence;
  }

  may(...permissions: Permission[]): boolean {
    return permissions.length === 0 || permissions.some((each) => this.me?.permissions.includes(each));
  }

  dismiss(notice: Notice): void {
    this.notices = this.notices.filter((each) => each !== notice);
  }

  /** How many texts wait, and what the server's time said of this computer's clock. */
  changed(): void {
    this.clockWrong = clock.wrong;
    void this.recount();
  }

  outcome(item: Item, outcome: Outcome): void {
    this.notices = [...this.notices, { item, outcome }];
  }

  async #enter(me: Me, line: Line = "good"): Promise<void> {
    trust(me);
    this.me = me;
    this.line = line;
    await rememberPerson(this.database, me);
    await this.settings.load(this.database, me.id);
    this.#outbox = new Outbox(this.database, me.id, { id: () => crypto.randomUUID(), time: () => clock.text() });
    this.#sender = new Sender(this.#outbox, this);
    await this.recount();
    this.#stop = this.#sender.start();
    this.phase = "working";
  }

  #leave(): void {
    this.#stop();
    this.#sender = null;
    this.#outbox = null;
    this.me = null;
    this.counts = NOTHING;
    this.notices = [];
    this.savedAt = null;
    this.unsaved = false;
  }

  async #hasWork(me: Me): Promise<boolean> {
    return (await new Outbox(this.database, me.id).items()).length > 0;
  }
}

export const desk = new Desk();
