/** What this browser keeps: texts, what waits to be sent, segments for offline work. Everything by person. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Correction, Lease, Me, Peaks } from "./wire";

/** A text as the person sees it, of one segment. */
export interface Draft {
  person: string;
  segment: string;
  /** As typed; what is sent is its NFC form. */
  text: string;
  tags: string[];
  speaker: string | null;
  /** Moved boundaries, in the recording. */
  start_ms: number | null;
  end_ms: number | null;
  normalised: string | null;
  /** Version of the guide that was there when the text was done; kept texts of before guides have none. */
  guideline?: string | null;
  fence: number;
  /** The version that the text goes on from. */
  base_version: number;
  active_ms: number;
  /** Words of the machine that the person confirmed, by their place. */
  right: number[];
  changed_at: number;
  /** Whether the person said that it is done. */
  done: boolean;
}

/** `typing` is not to be sent yet; `flying` may have reached the server; the last two wait for the person. */
export type ItemState = "typing" | "waiting" | "flying" | "conflict" | "refused";

/** One text on its way, with the id by which the server takes it once. */
export interface Item extends Correction {
  person: string;
  state: ItemState;
  /** Whether it was ever sent: from then on its content never changes. */
  tried: boolean;
  /** Of a conflict: what stands on the server. */
  server?: { version: number; text: string };
  /** Of a refusal: a stable word. */
  reason?: string;
}

/** A segment that was fetched, with its waveform. */
export interface Held {
  person: string;
  segment: string;
  lease: Lease;
  peaks: Peaks | null;
  /** Place in the person's queue. */
  order: number;
}

/** Sound on disk, sealed with a key that no script can read; only where the project allows it. */
export interface Sealed {
  person: string;
  segment: string;
  iv: Uint8Array<ArrayBuffer>;
  bytes: ArrayBuffer;
  type: string;
  until: string;
}

interface Shape extends DBSchema {
  drafts: { key: [string, string]; value: Draft };
  outbox: { key: string; value: Item; indexes: { person: string; segment: [string, string] } };
  held: { key: [string, string]; value: Held };
  sounds: { key: [string, string]; value: Sealed };
  meta: { key: string; value: unknown };
}

export type Database = IDBPDatabase<Shape>;

/** Told to the disk, not only to the browser, before it counts as saved. */
export const STRICT = { durability: "strict" } as const;

/** Open the database; *blocked* is called where another tab has an older one open. */
export function open(name = "boli", blocked: () => void = () => undefined): Promise<Database> {
  return openDB<Shape>(name, 1, {
    upgrade(database) {
      database.createObjectStore("drafts", { keyPath: ["person", "segment"] });
      const outbox = database.createObjectStore("outbox", { keyPath: "op_id" });
      outbox.createIndex("person", "person");
      outbox.createIndex("segment", ["person", "segment"]);
      database.createObjectStore("held", { keyPath: ["person", "segment"] });
      database.createObjectStore("sounds", { keyPath: ["person", "segment"] });
      database.createObjectStore("meta");
    },
    blocked,
    blocking(_current, _blocked, event) {
      // A newer page wants to change the shape: let it, this one says that it is to be loaded anew.
      (event.target as IDBDatabase).close();
    },
  });
}

/** Everything of *person*, as a range of the stores that are kept by person and segment. */
export function of(person: string): IDBKeyRange {
  return IDBKeyRange.bound([person], [person, []]);
}

/** Who worked here last, to go on without a line. */
export async function lastPerson(database: Database): Promise<Me | null> {
  return ((await database.get("meta", "me")) as Me | undefined) ?? null;
}

export async function rememberPerson(database: Database, me: Me | null): Promise<void> {
  if (me === null) await database.delete("meta", "me");
  // What lets changes in is worth something only together with the cookie, and is told anew with each session.
  else await database.put("meta", { ...me, csrf: null }, "me");
}
