/** Sounds of segments, in memory until the tab is closed; on disk only sealed, and only where the project allows it. */

import { api, Refused } from "../lib/api";
import { desk } from "../lib/desk.svelte";
import type { Held } from "../lib/database";

export class Sounds {
  #urls = $state.raw<ReadonlyMap<string, string>>(new Map());

  /** Address of a segment's sound in memory; `null`: not downloaded. */
  of(segment: string): string | null {
    return this.#urls.get(segment) ?? null;
  }

  get count(): number {
    return this.#urls.size;
  }

  /** Have the sound of *held* in memory. */
  async fetch(held: Held): Promise<void> {
    if (this.#urls.has(held.segment)) return;
    const sealing = desk.me?.offline_audio === "encrypted" ? await import("../lib/sealing") : null;
    const kept = (await sealing?.openSound(desk.database, held)) ?? null;
    const sound = kept ?? (await this.#download(held));
    if (kept === null) await sealing?.sealSound(desk.database, held, sound);
    this.#urls = new Map([...this.#urls, [held.segment, URL.createObjectURL(sound)]]);
  }

  drop(segment: string): void {
    const url = this.#urls.get(segment);
    if (url === undefined) return;
    URL.revokeObjectURL(url);
    this.#urls = new Map([...this.#urls].filter(([each]) => each !== segment));
  }

  forget(): void {
    for (const segment of this.#urls.keys()) this.drop(segment);
  }

  /** Addresses are good for ten minutes: a fresh one is asked for where it is over. */
  async #download(held: Held): Promise<Blob> {
    try {
      if (held.lease.audio_url !== null) return await api.sound(held.lease.audio_url);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
    }
    const { audio_url: fresh } = await api.segment(held.segment);
    if (fresh === null) throw new Refused(404, "E_SOUND", "the sound may not be heard now", null, null);
    return api.sound(fresh);
  }
}
