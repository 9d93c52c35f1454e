/** How somebody likes to work, remembered on this computer for each person. */

import type { Database } from "./database";
import { type Bindings, bindingsFrom, DEFAULTS } from "./keys";

export interface Liked {
  rate: number;
  /** Seconds that playing goes back after a pause. */
  backstep: number;
  autoPlay: boolean;
  /** Rounds of a loop; 0: until it is stopped. */
  loops: number;
  pauseOnTyping: boolean;
  resumeAfterTyping: boolean;
  shading: boolean;
  /** Segments that are kept ready. */
  ready: number;
  /** Size of everything, in per cent. */
  size: number;
  /** Direction of the text where the tag's is not wanted. */
  direction: "tag" | "ltr" | "rtl";
  language: string | null;
  /** A pedal: held plays, let go pauses. */
  pedal: boolean;
  /** Latin keys give the letters of the segment's script, where there is a table for it. */
  phonetic: boolean;
}

export const USUAL: Readonly<Liked> = {
  rate: 1,
  backstep: 1.5,
  autoPlay: true,
  loops: 0,
  pauseOnTyping: false,
  resumeAfterTyping: false,
  shading: true,
  ready: 20,
  size: 100,
  direction: "tag",
  language: null,
  pedal: false,
  phonetic: false,
};

export class Settings {
  liked = $state<Liked>({ ...USUAL });
  bindings = $state.raw<Bindings>(DEFAULTS as Bindings);
  #database: Database | null = null;
  #person = "";

  async load(database: Database, person: string): Promise<void> {
    this.#database = database;
    this.#person = person;
    this.liked = likedFrom(await database.get("meta", `liked:${person}`));
    this.bindings = bindingsFrom(await database.get("meta", `keys:${person}`));
  }

  async set(changes: Partial<Liked>): Promise<void> {
    Object.assign(this.liked, changes);
    await this.#database?.put("meta", $state.snapshot(this.liked), `liked:${this.#person}`);
  }

  async bind(bindings: Bindings): Promise<void> {
    this.bindings = bindings;
    await this.#database?.put("meta", structuredClone(bindings), `keys:${this.#person}`);
  }
}

/** What was remembered, as far as it is of the right kind. */
export function likedFrom(given: unknown): Liked {
  const own = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {};
  const sound = Object.entries(USUAL).map(([name, usual]) => {
    const value = own[name];
    return [name, usual === null || typeof value === typeof usual ? (value ?? usual) : usual];
  });
  return Object.fromEntries(sound) as Liked;
}
