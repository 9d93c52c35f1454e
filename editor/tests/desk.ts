/** A server as the desk's is, in a few lines: takes each text once, keeps every text, lets no race be lost. */
import type { Draft } from "../src/lib/database";
import { sha256 } from "../src/lib/outbox";
import type { Correction, Outcome } from "../src/lib/wire";

export class ScriptedServer {
  readonly kept = new Map<string, { body: string; outcome: Outcome }>();
  readonly standing = new Map<string, { version: number; text: string }>();
  reused = 0;
  #versions = 0;

  async take(texts: readonly Correction[]): Promise<Outcome[]> {
    const told: Outcome[] = [];
    for (const each of texts) told.push(await this.#one(each));
    return told;
  }

  /** Somebody else's text of *segment* stands now. */
  overtake(segment: string, text: string): void {
    this.standing.set(segment, { version: ++this.#versions, text });
  }

  async #one(given: Correction): Promise<Outcome> {
    const { op_id, ...rest } = given;
    const body = JSON.stringify(rest);
    const before = this.kept.get(op_id);
    if (before !== undefined) {
      if (before.body !== body) this.reused += 1;
      if (before.body !== body) return { op_id, status: "rejected", reason: "key_reused" };
      return before.outcome.status === "conflict" ? before.outcome : { ...before.outcome, status: "duplicate" };
    }
    const stands = this.standing.get(given.segment);
    const hash = { op_id, text_sha256: await sha256(given.text) };
    let outcome: Outcome;
    if ((stands?.version ?? 0) === given.base_version) {
      const version = ++this.#versions;
      this.standing.set(given.segment, { version, text: given.text });
      outcome = { ...hash, status: "applied", version };
    } else {
      outcome = { ...hash, status: "conflict", version: stands?.version ?? 0, server_text: stands?.text ?? "" };
    }
    this.kept.set(op_id, { body, outcome });
    return outcome;
  }
}

export function draftOf(segment: string, text: string, facts: Partial<Draft> = {}): Draft {
  return {
    person: "p", segment, text, tags: [], speaker: null, start_ms: null, end_ms: null, normalised: null, fence: 1,
    base_version: 0, active_ms: 0, right: [], changed_at: 0, done: true, ...facts,
  };
}
