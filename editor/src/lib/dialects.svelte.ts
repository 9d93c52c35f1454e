/** What is known of a dialect: fetched beside its first segment, and kept here for work without a line. */

import { api, Refused, Unreachable } from "./api";
import { desk } from "./desk.svelte";
import type { Guide, Shading } from "./wire";

class PerDialect<T> {
  /** By the tag that a segment has. */
  #known = $state.raw<Readonly<Record<string, T>>>({});
  #asked = new Set<string>();

  constructor(
    private readonly name: string,
    private readonly ask: (dialect: string) => Promise<T>,
  ) {}

  of(dialect: string | null): T | null {
    return dialect === null ? null : (this.#known[dialect] ?? null);
  }

  /** Have what is known of *dialects*: as kept here at once, as it is now when there is a line. */
  async bring(dialects: readonly (string | null)[]): Promise<void> {
    const fresh = [...new Set(dialects)].filter((each): each is string => each !== null && !this.#asked.has(each));
    for (const each of fresh) this.#asked.add(each);
    for (const each of fresh) await this.#bring(each);
  }

  async #bring(dialect: string): Promise<void> {
    const place = `${this.name}:${dialect}`;
    const kept = (await desk.database.get("meta", place)) as T | undefined;
    if (kept !== undefined) this.#know(dialect, kept);
    try {
      const now = await this.ask(dialect);
      this.#know(dialect, now);
      await desk.database.put("meta", now, place);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.#asked.delete(dialect);
    }
  }

  #know(dialect: string, found: T): void {
    this.#known = { ...this.#known, [dialect]: found };
  }
}

/** How each is written down. */
export const guides = new PerDialect<Guide>("guide", (dialect) => api.guide(dialect));
/** What the recogniser's doubts are worth in each. */
export const shadings = new PerDialect<Shading>("doubts", (dialect) => api.doubts(dialect));

/** Have all that is known of *dialects*. */
export async function bring(dialects: readonly (string | null)[]): Promise<void> {
  await Promise.all([guides.bring(dialects), shadings.bring(dialects)]);
}
