/** What the reviewer's and the lead's pages ask of the server, in the shapes of `transcribe/desk/schemas/lead.py`. */

import { json, request } from "../../lib/api";
import type { Lease, Outcome, Span } from "../../lib/wire";

export const REASONS = ["misheard", "spelling", "dialect_form", "speaker", "boundary", "tag", "typing"] as const;
export type Reason = (typeof REASONS)[number];

export interface Text {
  version: number;
  kind: string;
  text: string;
  normalised: string | null;
  tags: string[];
}

export interface ToReview {
  waiting: boolean;
  kind: "review" | "disputed" | "aside" | null;
  reason: string | null;
  lease: Lease | null;
  versions: Text[];
  heard_share: number | null;
  rounds_left: number | null;
}

export interface Verdict {
  op_id: string;
  segment: string;
  fence: number;
  version: number;
  decision: "accept" | "send_back" | "unclear" | "reopen";
  text?: string;
  normalised?: string;
  tags?: string[];
  reasons: Reason[];
  note: string;
  variants: [string, string][];
  played_ms: number;
}

export interface OwnSpan extends Span {
  draft_words: number;
  words_changed: number;
}

export interface OwnWork {
  today: OwnSpan;
  week: OwnSpan;
  all: OwnSpan;
  weeks: OwnSpan[];
  returned: { segment: string; sent_back: { reasons: string[]; note: string } | null }[];
  definitions: Record<string, string>;
}

export interface Decided {
  segment: string;
  dialect: string;
  at: string;
  decision: string;
  reasons: string[];
  note: string;
  text: string;
  became: string | null;
}

export interface Progress {
  dialects: DialectProgress[];
  sound_ms: number;
  accepted_ms: number;
  server_time: string;
}

export interface DialectProgress {
  dialect: string;
  name: string;
  segments: Record<string, number>;
  sound_ms: number;
  drafted_ms: number;
  waiting_ms: number;
  reviewing_ms: number;
  accepted_ms: number;
  reviewed_ms: number;
  unclear_ms: number;
  pace_ms_a_day: number;
  days_left: number | null;
  oldest: Record<string, string>;
}

export interface Quality {
  dialect: string;
  name: string;
  pairs: number;
  disagreement: number | null;
  ci_low: number | null;
  ci_high: number | null;
  state: string;
  gold_segments: number;
  gold_error: number | null;
  reviewed: number;
  accepted_first_time: number;
  reworded: number;
  sent_back: number;
  reasons: Record<string, number>;
  /** What was wrong among the words that are marked as doubtful, and among the others. */
  doubts: {
    words: number;
    calibrated: boolean;
    shaded_words: number;
    shaded_errors: number;
    plain_words: number;
    plain_errors: number;
  } | null;
}

export interface Pay {
  currency: string | null;
  people: { name: string; segments: number; sound_ms: number; amount: number; not_due: number }[];
  lines: PayLine[];
}

export interface PayLine {
  name: string;
  segment: string;
  dialect: string;
  at: string;
  sound_ms: number;
  active_ms: number;
  rate: number;
  amount: number;
  due: boolean;
  sent_back: number;
  late: boolean;
}

export interface Objection {
  id: string;
  name: string;
  segment: string;
  note: string;
  made_at: string;
  outcome: "right" | "stays" | null;
  answer: string | null;
}

export interface Productivity {
  people: (OwnSpan & { name: string })[];
  dialects: (OwnSpan & { dialect: string; name: string })[];
}

export interface Listening {
  no: number;
  at: string;
  name: string;
  recording: string;
  path: string;
  segment: string;
  start_ms: number;
  end_ms: number;
}

export interface Somebody {
  id: string;
  name: string;
  roles: string[];
  dialects: string[];
  disabled: boolean;
  has_password: boolean;
  invited_until: string | null;
  seen_at: string | null;
}

export interface Invitation {
  name: string;
  key: string;
  until: string;
}

export interface Setting {
  name: string;
  value: number | boolean | string;
  default: number | boolean | string;
  kind: "number" | "integer" | "boolean" | "choice";
  low: number | null;
  high: number | null;
  choices: string[] | null;
  changed: boolean;
  fixed: boolean;
  /** Whether nothing may stand there. */
  optional: boolean;
}

export interface Period {
  since: string;
  until: string;
}

export const ask = {
  toReview: () => json<ToReview>("GET", "review/next"),
  decide: (verdict: Verdict) => json<Outcome>("POST", "verdicts", verdict),
  ownWork: () => json<OwnWork>("GET", `people/me/work?offset_min=${-new Date().getTimezoneOffset()}`),
  decisions: () => json<Decided[]>("GET", "people/me/decisions"),
  ownPay: (period: Period) => json<Pay & { objections: Objection[] }>("GET", `people/me/pay?${within(period)}`),
  objectTo: (segment: string, note: string) => json<Objection>("POST", "people/me/objections", { segment, note }),
  progress: () => json<Progress>("GET", "progress"),
  quality: (period: Period) => json<{ dialects: Quality[] }>("GET", `quality?${within(period)}`),
  productivity: (period: Period) => json<Productivity>("GET", `productivity?${within(period)}`),
  pay: (period: Period) => json<Pay>("GET", `pay?${within(period)}`),
  objections: () => json<Objection[]>("GET", "objections?waiting=true"),
  answer: (id: string, outcome: "right" | "stays", answer: string) =>
    json<Objection>("POST", `objections/${id}`, { outcome, answer }),
  heard: (wanted: Record<string, string>) =>
    json<{ listenings: Listening[]; before: number | null }>("GET", `heard?${new URLSearchParams(wanted)}`),
  people: () => json<Somebody[]>("GET", "people"),
  add: (name: string, roles: string[], dialects: string[]) =>
    json<Invitation>("POST", "people", { name, roles, dialects }),
  change: (id: string, changes: Partial<Pick<Somebody, "roles" | "dialects" | "disabled">>) =>
    json<Somebody[]>("PATCH", `people/${id}`, changes),
  invite: (id: string) => json<Invitation>("POST", `people/${id}/invitation`),
  settings: () => json<{ settings: Setting[] }>("GET", "settings"),
  set: (values: Record<string, unknown>) => json<{ settings: Setting[] }>("PATCH", "settings", values),
};

/** Where a table comes from as a file for a spreadsheet. */
export function csvOf(name: "pay" | "productivity" | "heard", wanted: Record<string, string>): string {
  return `/api/v1/${name}?${new URLSearchParams({ ...wanted, format: "csv" })}`;
}

export function within(period: Period): string {
  const given = Object.entries(period).filter(([, day]) => day !== "");
  return new URLSearchParams(given).toString();
}

export { request };
