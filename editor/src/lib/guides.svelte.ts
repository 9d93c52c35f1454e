/** How dialects are written down: fetched beside their first segment, and kept here for work without a line. */

import { api, Refused, Unreachable } from "./api";
import { desk } from "./desk.svelte";
import type { Guide } from "./wire";

class Guides {
  /** By the tag that a segment has. */
  #known = $state.raw<Readonly<Record<string, Guide>>>({});
  #asked = new Set<string>();

  of(dialect: string | null): Guide | null {
    return dialect === null ? null : (this.#known[dialect] ?? null);
  }

  /** Have the guides of *dialects*: as kept here at once, as they are now when there is a line. */
  async bring(dialects: readonly (string | null)[]): Promise<void> {
    const fresh = [...new Set(dialects)].filter((each): each is string => each !== null && !this.#asked.has(each));
    for (const each of fresh) this.#asked.add(each);
    for (const each of fresh) await this.#bring(each);
  }

  async #bring(dialect: string): Promise<void> {
    const place = `guide:${dialect}`;
    const kept = (await desk.database.get("meta", place)) as Guide | undefined;
    if (kept !== undefined) this.#know(dialect, kept);
    try {
      const now = await api.guide(dialect);
      this.#know(dialect, now);
      await desk.database.put("meta", now, place);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.#asked.delete(dialect);
    }
  }

  #know(dialect: string, guide: Guide): void {
    this.#known = { ...this.#known, [dialect]: guide };
  }
}

export const guides = new Guides();
