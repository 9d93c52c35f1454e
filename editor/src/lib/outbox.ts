/**
 * What waits to be sent.
 *
 *     typed            draft and item are written in one transaction, told to the disk
 *     typed again      replaces an item that was never sent; one that was sent stays until the server answered
 *     content changed  gets an id of its own: an id stands for one content, for ever
 *     applied          the item goes, if the server's hash is that of our text; what follows builds on its version
 *     conflict         waits for the person: mine, theirs, or another text
 *     rejected         waits for the person, with the reason
 */

import { type Database, type Draft, type Item, STRICT, of } from "./database";
import type { Correction, Outcome } from "./wire";

/** Texts of one request. */
export const BATCH = 20;

/** How the outbox stands, in numbers that people are shown. */
export interface Counts {
  waiting: number;
  conflicts: number;
  refused: number;
  /** Texts begun and not said to be done. */
  typing: number;
}

/** Reads of the clock and of chance, so that tests can give their own. */
export interface Means {
  id: () => string;
  time: () => string;
}

const MEANS: Means = { id: () => crypto.randomUUID(), time: () => new Date().toISOString() };

export class Outbox {
  constructor(
    private readonly database: Database,
    readonly person: string,
    private readonly means: Means = MEANS,
  ) {}

  /** All that waits, the oldest first. */
  async items(): Promise<Item[]> {
    const found = await this.database.getAllFromIndex("outbox", "person", this.person);
    return found.sort((one, other) => one.seq - other.seq);
  }

  async counts(): Promise<Counts> {
    return count(await this.items());
  }

  /** Keep *draft* and what is to be sent of it; resolves when both are on the disk. */
  async save(draft: Draft): Promise<void> {
    const work = this.database.transaction(["drafts", "outbox", "meta"], "readwrite", STRICT);
    const [drafts, outbox, meta] = [work.objectStore("drafts"), work.objectStore("outbox"), work.objectStore("meta")];
    const known = await drafts.get([this.person, draft.segment]);
    // What was sent meanwhile made a newer version; the screen need not know of it.
    const newer = known !== undefined && known.fence === draft.fence ? known.base_version : 0;
    const kept = { ...draft, base_version: Math.max(draft.base_version, newer) };
    void drafts.put(kept);
    const before = await outbox.index("segment").getAll([this.person, draft.segment]);
    const open = before.find((item) => !item.tried);
    const wanted = contentOf(kept);
    const state = draft.done ? "waiting" : "typing";
    if (open !== undefined && equal(open, wanted)) {
      if (open.state !== state) void outbox.put({ ...open, state });
    } else {
      if (open !== undefined) void outbox.delete(open.op_id);
      // What was sent as it is now, and came back to after a detour, needs no second item.
      if (!before.some((item) => item.tried && equal(item, wanted))) {
        const seq = (((await meta.get(`seq:${this.person}`)) as number | undefined) ?? 0) + 1;
        void meta.put(seq, `seq:${this.person}`);
        const made = { op_id: this.means.id(), client_time: this.means.time(), seq, person: this.person };
        void outbox.put({ ...wanted, ...made, state, tried: false });
      }
    }
    await work.done;
  }

  /** Take the next texts to send and mark them as sent. One of a segment at a time: the next builds on its version. */
  async begin(): Promise<Item[]> {
    const work = this.database.transaction("outbox", "readwrite", STRICT);
    const found = await work.store.index("person").getAll(this.person);
    const chosen = choose(found).map((item): Item => ({ ...item, state: "flying", tried: true }));
    for (const item of chosen) void work.store.put(item);
    await work.done;
    return chosen;
  }

  /** Nothing came back: whether the texts arrived is not known, so they are sent again as they are. */
  async lost(sent: readonly Item[]): Promise<void> {
    const work = this.database.transaction("outbox", "readwrite", STRICT);
    for (const item of sent) if (await work.store.getKey(item.op_id)) void work.store.put({ ...item, state: "waiting" });
    await work.done;
  }

  /** Put back what a closed tab left in the air. */
  async recover(): Promise<void> {
    await this.lost((await this.items()).filter((item) => item.state === "flying"));
  }

  /** What became of each; gives the outcomes that the person must hear of. */
  async settle(sent: readonly Item[], outcomes: readonly Outcome[]): Promise<{ item: Item; outcome: Outcome }[]> {
    const hashes = await Promise.all(sent.map((item) => sha256(item.text)));
    const work = this.database.transaction(["drafts", "outbox"], "readwrite", STRICT);
    const [drafts, outbox] = [work.objectStore("drafts"), work.objectStore("outbox")];
    const told: { item: Item; outcome: Outcome }[] = [];
    for (const [at, item] of sent.entries()) {
      const outcome = outcomes.find((each) => each.op_id === item.op_id);
      if (outcome === undefined) {
        void outbox.put({ ...item, state: "waiting" });
        continue;
      }
      const next = after(item, outcome, hashes[at] as string);
      if (next !== null) void outbox.put(next);
      else void outbox.delete(item.op_id);
      if (next !== null || outcome.status === "late") told.push({ item: next ?? item, outcome });
      if (next === null && outcome.version !== undefined && outcome.status !== "late") {
        // What was typed meanwhile goes on from the version that the server made of this.
        const draft = await drafts.get([this.person, item.segment]);
        if (draft !== undefined) void drafts.put({ ...draft, base_version: outcome.version });
        for (const later of await outbox.index("segment").getAll([this.person, item.segment])) {
          if (!later.tried) void outbox.put({ ...later, base_version: outcome.version });
        }
      }
    }
    await work.done;
    return told;
  }

  /**
   * End a conflict or a refusal. *text* goes on from what stands on the server; `null` takes what stands there and
   * lets ours go, which the server has kept beside it.
   */
  async resolve(item: Item, text: string | null, done: boolean): Promise<Draft> {
    const work = this.database.transaction(["drafts", "outbox"], "readwrite", STRICT);
    const [drafts, outbox] = [work.objectStore("drafts"), work.objectStore("outbox")];
    for (const each of await outbox.index("segment").getAll([this.person, item.segment])) {
      if (!each.tried || each.op_id === item.op_id) void outbox.delete(each.op_id);
    }
    const draft = (await drafts.get([this.person, item.segment])) ?? draftOf(item);
    const kept: Draft = {
      ...draft,
      text: text ?? item.server?.text ?? draft.text,
      base_version: item.server?.version ?? draft.base_version,
      done: done || text === null,
    };
    void drafts.put(kept);
    await work.done;
    if (text !== null) await this.save(kept);
    return kept;
  }

  drafts(): Promise<Draft[]> {
    return this.database.getAll("drafts", of(this.person));
  }

  draft(segment: string): Promise<Draft | undefined> {
    return this.database.get("drafts", [this.person, segment]);
  }

  /** Let a segment go that was never begun, or is passed on: nothing of it is sent that was not sent yet. */
  async drop(segment: string): Promise<void> {
    const work = this.database.transaction(["drafts", "outbox", "held", "sounds"], "readwrite", STRICT);
    const outbox = work.objectStore("outbox");
    for (const item of await outbox.index("segment").getAll([this.person, segment])) {
      if (!item.tried) void outbox.delete(item.op_id);
    }
    void work.objectStore("drafts").delete([this.person, segment]);
    void work.objectStore("held").delete([this.person, segment]);
    void work.objectStore("sounds").delete([this.person, segment]);
    await work.done;
  }

  /** A file with everything that the server does not have yet, for `boli import outbox`. */
  async file(name: string): Promise<string> {
    const operations = (await this.items()).map((item) => ({ ...correction(item), state: item.state }));
    return JSON.stringify({ schema: "boli.outbox/1", person: { id: this.person, name }, operations }, null, 1);
  }
}

/** Which items go next: the oldest of each segment that waits for nobody, in the order in which they were typed. */
export function choose(items: readonly Item[], most = BATCH): Item[] {
  const first = new Map<string, Item>();
  for (const item of [...items].sort((one, other) => one.seq - other.seq)) {
    if (!first.has(item.segment)) first.set(item.segment, item);
  }
  return [...first.values()].filter((item) => item.state === "waiting").slice(0, most);
}

/** Numbers of what waits. */
export function count(items: readonly Item[]): Counts {
  const of = (...states: Item["state"][]): number => items.filter((item) => states.includes(item.state)).length;
  return { waiting: of("waiting", "flying"), conflicts: of("conflict"), refused: of("refused"), typing: of("typing") };
}

/** What goes over the line. */
export function correction(item: Item): Correction {
  const { person: _person, state: _state, tried: _tried, server: _server, reason: _reason, ...rest } = item;
  return rest;
}

/** SHA-256 of a text as hex, as the server tells it. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Content = Omit<Correction, "op_id" | "client_time" | "seq">;

function contentOf(draft: Draft): Content {
  return {
    segment: draft.segment,
    fence: draft.fence,
    base_version: draft.base_version,
    text: draft.text.normalize("NFC"),
    tags: [...draft.tags],
    active_ms: draft.active_ms,
    ...(draft.speaker === null ? {} : { speaker: draft.speaker }),
    ...(draft.start_ms === null ? {} : { start_ms: draft.start_ms }),
    ...(draft.end_ms === null ? {} : { end_ms: draft.end_ms }),
    ...(draft.normalised === null ? {} : { normalised: draft.normalised.normalize("NFC") }),
    ...(draft.guideline == null ? {} : { guideline: draft.guideline }),
  };
}

/** Whether an item says the same. Of one that was sent, hold, version and time spent are no content any more. */
function equal(item: Item, wanted: Content): boolean {
  const said = ["text", "speaker", "start_ms", "end_ms", "normalised", "guideline"] as const;
  const way = item.tried ? ([] as const) : (["fence", "base_version", "active_ms"] as const);
  return [...said, ...way].every((key) => item[key] === wanted[key]) && item.tags.join("\n") === wanted.tags.join("\n");
}

/** The item after *outcome*; `null` where it has done its work. */
function after(item: Item, outcome: Outcome, hash: string): Item | null {
  const rest: Item = { ...item, state: "refused" };
  if (outcome.status === "conflict") {
    return { ...rest, state: "conflict", server: { version: outcome.version ?? 0, text: outcome.server_text ?? "" } };
  }
  if (outcome.status === "rejected") return { ...rest, reason: outcome.reason ?? "rejected" };
  return outcome.text_sha256 === hash ? null : { ...rest, reason: "differs" };
}

/** What a person saw when *item* was made; on a device that has only the item. */
function draftOf(item: Item): Draft {
  return {
    person: item.person,
    segment: item.segment,
    text: item.text,
    tags: item.tags,
    speaker: item.speaker ?? null,
    start_ms: item.start_ms ?? null,
    end_ms: item.end_ms ?? null,
    normalised: item.normalised ?? null,
    fence: item.fence,
    base_version: item.base_version,
    active_ms: item.active_ms,
    right: [],
    changed_at: Date.parse(item.client_time),
    done: true,
  };
}
