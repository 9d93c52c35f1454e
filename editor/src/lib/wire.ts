/** The shapes of the desk's API, as `transcribe/desk/schemas/` has them. Times are milliseconds in the recording. */

export interface Me {
  id: string;
  name: string;
  roles: string[];
  permissions: string[];
  dialects: string[];
  csrf: string | null;
  offline_audio: "memory" | "encrypted";
  /** Whether the project marks doubtful words. */
  shading: boolean;
  server_time: string;
}

export interface DraftWord {
  text: string;
  start_ms: number;
  end_ms: number;
  probability: number;
  /** Whether a blank stands before it; scripts without blanks write none. */
  blank?: boolean;
}

export interface MachineDraft {
  model: string;
  words: DraftWord[];
  flags: string[];
  /** Text of a second opinion that disagrees and is surer of itself. */
  alternative?: string | null;
}

export interface SentBack {
  reasons: string[];
  note: string;
  version: number;
}

export interface Quality {
  level_dbfs: number | null;
  snr_db: number | null;
  clipped_share: number;
  bandwidth_hz: number | null;
}

export interface Segment {
  segment: string;
  recording: string;
  speaker: string;
  dialect: string | null;
  start_ms: number;
  end_ms: number;
  clip_start_ms: number;
  clip_end_ms: number;
  state: string;
  version: number;
  text: string;
  /** The normalised tier of what stands. */
  normalised: string | null;
  draft: MachineDraft | null;
  before: string | null;
  after: string | null;
  audio_url: string | null;
  peaks_url: string;
  /** Of the recording; null where it was never measured, and absent in what an older page kept. */
  quality?: Quality | null;
}

export interface Lease extends Segment {
  id: string;
  fence: number;
  until: string;
  purpose: "write" | "again" | "review";
  offline: boolean;
  sent_back: SentBack | null;
}

export interface Heartbeat {
  id: string;
  fence: number;
  until: string;
}

export interface Correction {
  op_id: string;
  segment: string;
  fence: number;
  base_version: number;
  text: string;
  tags: string[];
  active_ms: number;
  client_time: string;
  seq: number;
  normalised?: string;
  guideline?: string;
  speaker?: string;
  start_ms?: number;
  end_ms?: number;
}

export type Status = "applied" | "duplicate" | "conflict" | "late" | "rejected";

export interface Outcome {
  op_id: string;
  status: Status;
  version?: number;
  text_sha256?: string;
  server_text?: string;
  reason?: string;
}

export interface Peaks {
  per_second: number;
  start_ms: number;
  /** Lowest and highest in turn, each from -128 to 127. */
  peaks: number[];
}

export interface Version {
  version: number;
  kind: string;
  text: string;
  normalised: string | null;
  tags: string[];
  at: string;
  mine: boolean;
  author: string | null;
}

export interface Decision {
  version: number;
  decision: string;
  result: number | null;
  reasons: string[];
  note: string;
  at: string;
}

export interface History {
  segment: string;
  versions: Version[];
  verdicts: Decision[];
}

export interface Span {
  since: string | null;
  segments: number;
  sound_ms: number;
  active_ms: number;
  sound_minutes_an_hour: number | null;
  reviewed: number;
  accepted_first_time: number;
}

export interface MyWork {
  today: Span;
  week: Span;
  all: Span;
  returned: { segment: string; sent_back: SentBack | null }[];
  leases: Heartbeat[];
  definitions: Record<string, string>;
}

export type SkipReason = "dialect" | "later" | "bad_audio" | "no_speech" | "other_language" | "private" | "help";

export interface Rule {
  id: string;
  /** By language of the reader; `en` is always there. */
  say: Record<string, string>;
  good: string[];
  bad: string[];
}

/** How a dialect is written down. */
export interface Guide {
  dialect: string;
  version: string;
  /** Whether it asks for a second text, in the usual spelling. */
  normalised: boolean;
  rules: Rule[];
  /** Names of the project; a guide that was kept before there were any has none. */
  names?: ProjectName[];
}

/** A name of the project, and how it is misspelt. */
export interface ProjectName {
  term: string;
  spoken: string | null;
}

/** How words that `model` drafted of a dialect are marked, learnt from what was accepted. */
export interface Shading {
  dialect: string;
  model: string | null;
  /** Accepted words that were looked at, and whether they are enough. */
  words: number;
  calibrated: boolean;
  /** Steps: up to this much doubt, one less the recogniser's probability, a word is right with that probability. */
  ends: number[];
  sure: number[];
  /** Up to this probability of being right a word is doubtful, and very doubtful; `null`: none is. */
  doubtful: number | null;
  very: number | null;
}

/** A step that makes segments into others. */
export interface Reshape {
  op_id: string;
  kind: "split" | "merge" | "undo";
  segment: string;
  fence: number;
  start_ms?: number;
  /** Of `undo`: the step to take back. */
  of?: string;
}

export interface Reshaped {
  op_id: string;
  status: Status;
  reason: string | null;
  leases: Lease[];
  removed: string[];
}
