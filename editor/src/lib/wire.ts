/** The desk's shapes, by the names that the screen has for them. Times are milliseconds in the recording. */

import type { CorrectionIn, GuideOut, LeaseOut, Me, VerdictIn } from "./schemas";

export type {
  AnswerIn, DecidedOut as Decided, DialectOut as DialectProgress, DoubtsOut as Shading, DraftOut as MachineDraft, DraftWord,
  ErrorOut, HeardOut as Listening, HeardPage, Heartbeat, HistoryOut as History, InvitationLook,
  InvitationOut as Invitation, InvitationUse, InvitedOut, LeaseAsk, Me, NameOut as ProjectName,
  ObjectionIn, ObjectionOut as Objection, OutcomeOut as Outcome, OwnPayOut as OwnPay, PayLine, PayOut as Pay,
  PeaksOut as Peaks, PersonChange, PersonIn, PersonOut as Somebody, ProductivityOut as Productivity,
  ProgressOut as Progress, QualityOut, QualityRow as Quality, ReshapeIn as Reshape, ReshapeOut as Reshaped,
  ReviewOut as ToReview, RuleOut as Rule, SegmentOut as Segment, SettingOut as Setting, SettingsOut, SignIn, SkipReason,
  SoundQuality, SpanOfWork as Span, VerdictIn as Verdict, WorkOut as OwnWork,
} from "./schemas";

/** A text with what the server would take as said where it is left out: the screen says it always. */
export type Correction = CorrectionIn & Required<Pick<CorrectionIn, "tags" | "active_ms" | "seq">> & { client_time: string };
/** As a device may have kept it from before there were these fields. */
type Kept<Shape, Fields extends keyof Shape> = Omit<Shape, Fields> & Partial<Pick<Shape, Fields>>;
export type Guide = Kept<GuideOut, "names">;
export type Lease = Kept<LeaseOut, "quality">;
export type Permission = Me["permissions"][number];
export type Reason = NonNullable<VerdictIn["reasons"]>[number];
export type Role = Me["roles"][number];
