/**
 * The shapes of the desk's API. Made of `editor/openapi.json`, which is made of
 * the pydantic models in `transcribe/desk/`: change those, then run `make api`.
 */

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AnswerIn: {
            /** @enum {string} */
            outcome: "right" | "stays";
            answer: string;
        };
        /** @description One text. */
        CorrectionIn: {
            op_id: string;
            segment: string;
            fence: number;
            base_version: number;
            text: string;
            tags?: string[];
            /** @default 0 */
            active_ms?: number;
            client_time?: string | null;
            /** @default 0 */
            seq?: number;
            normalised?: string | null;
            guideline?: string | null;
            speaker?: string | null;
            start_ms?: number | null;
            end_ms?: number | null;
        };
        /** @description A reviewer's decision about a text of one's own; ``became`` is the text in its place, where there is one. */
        DecidedOut: {
            segment: string;
            dialect: string;
            at: string;
            /** @enum {string} */
            decision: "accept" | "send_back" | "unclear" | "reopen";
            reasons: string[];
            note: string;
            text: string;
            became: string | null;
        };
        DecisionOut: {
            version: number;
            /** @enum {string} */
            decision: "accept" | "send_back" | "unclear" | "reopen";
            result: number | null;
            reasons: string[];
            note: string;
            at: string;
        };
        /** @description The progress of one dialect, in the words of ``definitions``. */
        DialectOut: {
            dialect: string;
            name: string;
            segments: {
                [key: string]: number;
            };
            sound_ms: number;
            drafted_ms: number;
            waiting_ms: number;
            reviewing_ms: number;
            accepted_ms: number;
            reviewed_ms: number;
            unclear_ms: number;
            pace_ms_a_day: number;
            days_left: number | null;
            oldest: {
                [key: string]: string;
            };
        };
        DialectSpan: {
            since: string | null;
            segments: number;
            sound_ms: number;
            active_ms: number;
            sound_minutes_an_hour: number | null;
            reviewed: number;
            accepted_first_time: number;
            draft_words: number;
            words_changed: number;
            dialect: string;
            name: string;
        };
        /** @description The marking of words that *model* drafted of a dialect; it has no step until it is calibrated. */
        DoubtsOut: {
            dialect: string;
            model: string | null;
            words: number;
            calibrated: boolean;
            ends: number[];
            sure: number[];
            doubtful: number | null;
            very: number | null;
        };
        /** @description The errors among the words that are marked as doubtful, and among the others. */
        DoubtsRow: {
            words: number;
            calibrated: boolean;
            shaded_words: number;
            shaded_errors: number;
            plain_words: number;
            plain_errors: number;
        };
        DraftOut: {
            model: string;
            words: components["schemas"]["DraftWord"][];
            flags: string[];
            alternative: string | null;
        };
        DraftWord: {
            text: string;
            start_ms: number;
            end_ms: number;
            probability: number;
            /** @default true */
            blank: boolean;
        };
        /** @description An answer that is an error. */
        ErrorOut: {
            /**
             * @default boli.error/1
             * @constant
             */
            schema: "boli.error/1";
            /**
             * @default false
             * @constant
             */
            ok: false;
            error: components["schemas"]["Trouble"];
        };
        /** @description The rules of a dialect, those of wider ones first, and the project's own names in it. */
        GuideOut: {
            dialect: string;
            version: string;
            normalised: boolean;
            rules: components["schemas"]["RuleOut"][];
            names: components["schemas"]["NameOut"][];
        };
        HealthOut: {
            /** @constant */
            status: "ok";
        };
        HeardOut: {
            no: number;
            at: string;
            name: string;
            recording: string;
            path: string;
            segment: string;
            start_ms: number;
            end_ms: number;
        };
        /** @description The listenings, the newest first. ``before`` asks for the next page; ``None``: there is none. */
        HeardPage: {
            listenings: components["schemas"]["HeardOut"][];
            before: number | null;
        };
        Heartbeat: {
            id: string;
            fence: number;
            until: string;
        };
        HistoryOut: {
            segment: string;
            versions: components["schemas"]["VersionOut"][];
            verdicts: components["schemas"]["DecisionOut"][];
        };
        InvitationLook: {
            key: string;
        };
        /** @description The end of a link, good for one use until a moment; it is in no other answer. */
        InvitationOut: {
            person: string;
            name: string;
            key: string;
            until: string;
        };
        InvitationUse: {
            key: string;
            password: string;
        };
        /** @description The person that an invitation is for. */
        InvitedOut: {
            name: string;
        };
        LeaseAsk: {
            /** @default 1 */
            count?: number;
            dialects?: string[] | null;
            /** @default false */
            offline?: boolean;
            segments?: string[] | null;
        };
        /** @description A hold with its segment. */
        LeaseOut: {
            segment: string;
            recording: string;
            speaker: string;
            dialect: string | null;
            start_ms: number;
            end_ms: number;
            clip_start_ms: number;
            clip_end_ms: number;
            /** @enum {string} */
            state: "open" | "held" | "review" | "disputed" | "returned" | "aside" | "accepted" | "unclear" | "gold" | "gone" | "erased" | "reshaped" | "grown";
            version: number;
            text: string;
            normalised: string | null;
            draft: components["schemas"]["DraftOut"] | null;
            before: string | null;
            after: string | null;
            audio_url: string | null;
            peaks_url: string;
            masks: components["schemas"]["Masked"][];
            quality: components["schemas"]["SoundQuality"] | null;
            id: string;
            fence: number;
            until: string;
            /** @enum {string} */
            purpose: "write" | "again" | "review";
            offline: boolean;
            sent_back: components["schemas"]["SentBack"] | null;
        };
        /** @description A stretch that nobody is to hear or read from now on. Times are milliseconds in the recording. */
        MaskIn: {
            segment: string;
            start_ms: number;
            end_ms: number;
        };
        MaskOut: {
            id: string;
            recording: string;
            start_ms: number;
            end_ms: number;
            by: string | null;
            at: string;
        };
        /** @description A stretch that nobody may hear or read: a tone and a mark stand there. */
        Masked: {
            start_ms: number;
            end_ms: number;
        };
        /** @description The person who is signed in, and settings that their pages need. */
        Me: {
            id: string;
            name: string;
            roles: ("transcriber" | "reviewer" | "lead" | "analyst")[];
            permissions: ("work" | "review" | "progress" | "people" | "metrics")[];
            dialects: string[];
            csrf: string | null;
            /** @enum {string} */
            offline_audio: "memory" | "encrypted";
            shading: boolean;
            server_time: string;
        };
        /** @description A name of the project. */
        NameOut: {
            term: string;
            spoken: string | null;
        };
        ObjectionIn: {
            segment: string;
            note: string;
        };
        ObjectionOut: {
            id: string;
            name: string;
            segment: string;
            note: string;
            made_at: string;
            outcome: ("right" | "stays") | null;
            answer: string | null;
            answered_at: string | null;
        };
        /** @description The outcome of an operation; what does not apply is left out. */
        OutcomeOut: {
            op_id: string;
            /** @enum {string} */
            status: "applied" | "duplicate" | "conflict" | "late" | "rejected";
            version?: number;
            text_sha256?: string;
            server_text?: string;
            reason?: string;
        };
        /** @description One's own statement, with what one objected to. */
        OwnPayOut: {
            currency: string | null;
            people: components["schemas"]["PaySum"][];
            lines: components["schemas"]["PayLine"][];
            definitions: {
                [key: string]: string;
            };
            objections: components["schemas"]["ObjectionOut"][];
        };
        PayLine: {
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
        };
        /** @description A statement; ``currency`` is ``None`` where the workspace has no rates, and every amount is 0 then. */
        PayOut: {
            currency: string | null;
            people: components["schemas"]["PaySum"][];
            lines: components["schemas"]["PayLine"][];
            definitions: {
                [key: string]: string;
            };
        };
        PaySum: {
            name: string;
            segments: number;
            sound_ms: number;
            amount: number;
            not_due: number;
        };
        /** @description The waveform of a segment's clip; *start_ms* is where the clip begins in the recording. */
        PeaksOut: {
            per_second: number;
            start_ms: number;
            peaks: number[];
        };
        /** @description The fields of a person to change. */
        PersonChange: {
            roles?: ("transcriber" | "reviewer" | "lead" | "analyst")[] | null;
            dialects?: string[] | null;
            disabled?: boolean | null;
        };
        PersonIn: {
            name: string;
            roles: ("transcriber" | "reviewer" | "lead" | "analyst")[];
            dialects?: string[];
        };
        PersonOut: {
            id: string;
            name: string;
            roles: ("transcriber" | "reviewer" | "lead" | "analyst")[];
            dialects: string[];
            disabled: boolean;
            has_password: boolean;
            invited_until: string | null;
            seen_at: string | null;
            added_at: string;
        };
        PersonSpan: {
            since: string | null;
            segments: number;
            sound_ms: number;
            active_ms: number;
            sound_minutes_an_hour: number | null;
            reviewed: number;
            accepted_first_time: number;
            draft_words: number;
            words_changed: number;
            name: string;
        };
        /** @description The work by person in alphabetical order: nobody is ranked. */
        ProductivityOut: {
            people: components["schemas"]["PersonSpan"][];
            dialects: components["schemas"]["DialectSpan"][];
            definitions: {
                [key: string]: string;
            };
        };
        ProgressOut: {
            dialects: components["schemas"]["DialectOut"][];
            sound_ms: number;
            accepted_ms: number;
            server_time: string;
            definitions: {
                [key: string]: string;
            };
        };
        QualityOut: {
            dialects: components["schemas"]["QualityRow"][];
            definitions: {
                [key: string]: string;
            };
        };
        /** @description The quality of one dialect's texts; shares are of 1, ``None`` where there is nothing to tell it by. */
        QualityRow: {
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
            reasons: {
                [key: string]: number;
            };
            doubts: components["schemas"]["DoubtsRow"] | null;
        };
        /**
         * @description A step that makes segments into others. Times are milliseconds in the recording.
         *
         *     ``split`` needs *start_ms*, where the second part begins. ``merge`` takes the next segment of the same voice in.
         *     ``move`` needs *start_ms* or *end_ms*, the new boundary; a neighbour that it runs into gives way. ``undo`` needs
         *     *of*, the ``op_id`` of the step to take back; *segment* and *fence* are any of what came of it.
         */
        ReshapeIn: {
            op_id: string;
            /** @enum {string} */
            kind: "split" | "merge" | "move" | "undo";
            segment: string;
            fence: number;
            start_ms?: number | null;
            end_ms?: number | null;
            of?: string | null;
        };
        /** @description The new holds with their segments, drafted words gone with their times; *removed* are no more. */
        ReshapeOut: {
            op_id: string;
            /** @enum {string} */
            status: "applied" | "duplicate" | "conflict" | "late" | "rejected";
            reason: string | null;
            leases: components["schemas"]["LeaseOut"][];
            removed: string[];
        };
        ReturnedOut: {
            segment: string;
            sent_back: components["schemas"]["SentBack"] | null;
        };
        /** @description The segment that a reviewer decides on; where nothing waits, there is nothing in the other fields. */
        ReviewOut: {
            waiting: boolean;
            kind: ("review" | "disputed" | "aside") | null;
            reason: string | null;
            lease: components["schemas"]["LeaseOut"] | null;
            versions: components["schemas"]["VersionOut"][];
            heard_share: number | null;
            rounds_left: number | null;
        };
        RuleOut: {
            id: string;
            say: {
                [key: string]: string;
            };
            good: string[];
            bad: string[];
        };
        /** @description A segment as its holder or a reviewer sees it. Times are milliseconds in the recording. */
        SegmentOut: {
            segment: string;
            recording: string;
            speaker: string;
            dialect: string | null;
            start_ms: number;
            end_ms: number;
            clip_start_ms: number;
            clip_end_ms: number;
            /** @enum {string} */
            state: "open" | "held" | "review" | "disputed" | "returned" | "aside" | "accepted" | "unclear" | "gold" | "gone" | "erased" | "reshaped" | "grown";
            version: number;
            text: string;
            normalised: string | null;
            draft: components["schemas"]["DraftOut"] | null;
            before: string | null;
            after: string | null;
            audio_url: string | null;
            peaks_url: string;
            masks: components["schemas"]["Masked"][];
            quality: components["schemas"]["SoundQuality"] | null;
        };
        /** @description The reasons for which a text came back. */
        SentBack: {
            reasons: string[];
            note: string;
            version: number;
        };
        SettingOut: {
            name: string;
            value: boolean | number | string | null;
            default: boolean | number | string | null;
            /** @enum {string} */
            kind: "number" | "integer" | "boolean" | "choice";
            low: number | null;
            high: number | null;
            choices: string[] | null;
            optional: boolean;
            changed: boolean;
            fixed: boolean;
        };
        SettingsOut: {
            settings: components["schemas"]["SettingOut"][];
        };
        SignIn: {
            name: string;
            password: string;
        };
        /** @enum {string} */
        SkipReason: "dialect" | "later" | "bad_audio" | "no_speech" | "other_language" | "private" | "help";
        /** @description The quality of a recording's sound, in the units of `Quality`. */
        SoundQuality: {
            level_dbfs: number | null;
            snr_db: number | null;
            clipped_share: number;
            bandwidth_hz: number | null;
        };
        /** @description The sums of somebody's work since a moment. */
        SpanOfWork: {
            since: string | null;
            segments: number;
            sound_ms: number;
            active_ms: number;
            sound_minutes_an_hour: number | null;
            reviewed: number;
            accepted_first_time: number;
            draft_words: number;
            words_changed: number;
        };
        SpellingOut: {
            dialect: string;
            written: string;
            other: string;
            segment: string;
            name: string;
            at: string;
        };
        /** @description An error, as in every command of boli. */
        Trouble: {
            code: string;
            message: string;
            hint: string | null;
            item: string | null;
        };
        /** @description One decision about a version. */
        VerdictIn: {
            op_id: string;
            segment: string;
            fence: number;
            version: number;
            /** @enum {string} */
            decision: "accept" | "send_back" | "unclear" | "reopen";
            text?: string | null;
            normalised?: string | null;
            tags?: string[];
            reasons?: ("misheard" | "spelling" | "dialect_form" | "speaker" | "boundary" | "tag" | "typing")[];
            /** @default  */
            note?: string;
            variants?: [
                string,
                string
            ][];
            /** @default 0 */
            played_ms?: number;
        };
        VersionOut: {
            version: number;
            kind: string;
            text: string;
            normalised: string | null;
            tags: string[];
            at: string | null;
            mine: boolean;
            author: string | null;
        };
        /** @description One's own work; nobody else's is in it. */
        WorkOut: {
            today: components["schemas"]["SpanOfWork"];
            week: components["schemas"]["SpanOfWork"];
            all: components["schemas"]["SpanOfWork"];
            weeks: components["schemas"]["SpanOfWork"][];
            returned: components["schemas"]["ReturnedOut"][];
            leases: components["schemas"]["Heartbeat"][];
            definitions: {
                [key: string]: string;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AnswerIn = components['schemas']['AnswerIn'];
export type CorrectionIn = components['schemas']['CorrectionIn'];
export type DecidedOut = components['schemas']['DecidedOut'];
export type DecisionOut = components['schemas']['DecisionOut'];
export type DialectOut = components['schemas']['DialectOut'];
export type DialectSpan = components['schemas']['DialectSpan'];
export type DoubtsOut = components['schemas']['DoubtsOut'];
export type DoubtsRow = components['schemas']['DoubtsRow'];
export type DraftOut = components['schemas']['DraftOut'];
export type DraftWord = components['schemas']['DraftWord'];
export type ErrorOut = components['schemas']['ErrorOut'];
export type GuideOut = components['schemas']['GuideOut'];
export type HealthOut = components['schemas']['HealthOut'];
export type HeardOut = components['schemas']['HeardOut'];
export type HeardPage = components['schemas']['HeardPage'];
export type Heartbeat = components['schemas']['Heartbeat'];
export type HistoryOut = components['schemas']['HistoryOut'];
export type InvitationLook = components['schemas']['InvitationLook'];
export type InvitationOut = components['schemas']['InvitationOut'];
export type InvitationUse = components['schemas']['InvitationUse'];
export type InvitedOut = components['schemas']['InvitedOut'];
export type LeaseAsk = components['schemas']['LeaseAsk'];
export type LeaseOut = components['schemas']['LeaseOut'];
export type MaskIn = components['schemas']['MaskIn'];
export type MaskOut = components['schemas']['MaskOut'];
export type Masked = components['schemas']['Masked'];
export type Me = components['schemas']['Me'];
export type NameOut = components['schemas']['NameOut'];
export type ObjectionIn = components['schemas']['ObjectionIn'];
export type ObjectionOut = components['schemas']['ObjectionOut'];
export type OutcomeOut = components['schemas']['OutcomeOut'];
export type OwnPayOut = components['schemas']['OwnPayOut'];
export type PayLine = components['schemas']['PayLine'];
export type PayOut = components['schemas']['PayOut'];
export type PaySum = components['schemas']['PaySum'];
export type PeaksOut = components['schemas']['PeaksOut'];
export type PersonChange = components['schemas']['PersonChange'];
export type PersonIn = components['schemas']['PersonIn'];
export type PersonOut = components['schemas']['PersonOut'];
export type PersonSpan = components['schemas']['PersonSpan'];
export type ProductivityOut = components['schemas']['ProductivityOut'];
export type ProgressOut = components['schemas']['ProgressOut'];
export type QualityOut = components['schemas']['QualityOut'];
export type QualityRow = components['schemas']['QualityRow'];
export type ReshapeIn = components['schemas']['ReshapeIn'];
export type ReshapeOut = components['schemas']['ReshapeOut'];
export type ReturnedOut = components['schemas']['ReturnedOut'];
export type ReviewOut = components['schemas']['ReviewOut'];
export type RuleOut = components['schemas']['RuleOut'];
export type SegmentOut = components['schemas']['SegmentOut'];
export type SentBack = components['schemas']['SentBack'];
export type SettingOut = components['schemas']['SettingOut'];
export type SettingsOut = components['schemas']['SettingsOut'];
export type SignIn = components['schemas']['SignIn'];
export type SkipReason = components['schemas']['SkipReason'];
export type SoundQuality = components['schemas']['SoundQuality'];
export type SpanOfWork = components['schemas']['SpanOfWork'];
export type SpellingOut = components['schemas']['SpellingOut'];
export type Trouble = components['schemas']['Trouble'];
export type VerdictIn = components['schemas']['VerdictIn'];
export type VersionOut = components['schemas']['VersionOut'];
export type WorkOut = components['schemas']['WorkOut'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
