import type { Draft } from "../lib/database";
import type { Lease } from "../lib/wire";

/** The text of a segment that its holder has not begun. */
export function fresh(lease: Lease, person: string): Draft {
  return {
    person,
    segment: lease.segment,
    text: lease.text,
    tags: [],
    speaker: null,
    start_ms: null,
    end_ms: null,
    normalised: lease.normalised ?? null,
    fence: lease.fence,
    base_version: lease.version,
    active_ms: 0,
    right: [],
    changed_at: Date.now(),
    done: false,
  };
}
