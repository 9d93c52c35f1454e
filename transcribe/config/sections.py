"""All that can be set, a class a part, with what it is by default."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from transcribe.records import Milliseconds, Tier


class Section(BaseModel):
    """A part of the settings. Frozen, and an unknown key is an error, since a misspelt one changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreSettings(Section):
    #: SQLAlchemy URL. A relative SQLite path is inside the workspace.
    url: str = "sqlite:///boli.db"


class IngestSettings(Section):
    #: Folders or ``s3://`` prefixes outside the manifest's own that a manifest may name.
    allow_roots: tuple[str, ...] = ()
    strict_dialects: bool = False
    #: Take in what is refused too, withheld: nobody hears, drafts or exports it. Off: it is left out.
    keep_refused: bool = False
    #: Longest recording that is taken.
    longest_hours: float = Field(default=12.0, gt=0)
    #: Memory of the child process that decodes foreign media.
    memory_mb: int = Field(default=512, ge=128)
    #: Files decoded at a time; 0 means one for each core.
    workers: int = Field(default=0, ge=0)
    #: Shares of speakers drawn for tuning and for testing; the rest trains.
    dev_share: float = Field(default=0.1, ge=0, le=1)
    test_share: float = Field(default=0.1, ge=0, le=1)
    split_seed: int = 0


class ModelsSettings(Section):
    #: Downloading from a model hub. Off: nothing leaves this machine.
    allow_download: bool = False


class DiariserSettings(Section):
    #: ``auto`` (the best real one that is here), a name of the catalogue, ``embedded``, a pyannote pipeline folder, or
    #: a hub id.
    model: str = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    #: Threads of torch on a CPU; 0 leaves its default.
    threads: int = Field(default=0, ge=0)


class RecogniserSettings(Section):
    #: ``auto`` (the best real one that is here), a name of the catalogue, ``embedded``, a CTranslate2 Whisper folder,
    #: or a hub id: the base model. A name that is new to the workspace becomes its promoted model; from then on the
    #: promoted one drafts.
    model: str = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    #: CTranslate2 compute type; ``default`` keeps what the files hold.
    compute_type: str = "default"
    beam_size: int = Field(default=5, ge=1)
    batch_size: int = Field(default=8, ge=1)
    #: Longest window. ``None``: what the model's folder declares, else 29.8 s. Whisper hears 30 s and drops the rest.
    window_ms: int | None = Field(default=None, ge=1_000, le=30_000)
    #: A second, greedy pass whose disagreement flags a draft. With the same model it costs about half as much again.
    second_pass: bool = False
    #: Another model for that pass, named as *model* is; what it is surer of is shown at the desk. Implies the pass.
    second_model: str | None = None
    threads: int = Field(default=0, ge=0)


class SegmentingSettings(Section):
    #: Widest silence inside a segment, when nobody else talks in it.
    join_gap_ms: Milliseconds = Field(default=400, ge=0)
    #: Longest segment.
    longest_ms: Milliseconds = Field(default=28_000, ge=1_000, le=30_000)


class ReportSettings(Section):
    #: Normaliser id; ``None`` takes the one of each dialect's language and script.
    normaliser: str | None = None
    #: Which text counts where people wrote two: what was said, or the same in the usual spelling.
    tier: Tier = "verbatim"
    provisional_speakers: int = Field(default=3, ge=1)
    provisional_words: int = Field(default=500, ge=1)
    reportable_speakers: int = Field(default=10, ge=2)
    reportable_words: int = Field(default=2_000, ge=1)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    #: Address of the desk as a browser opens it, that examples on a page link to; ``None``: no links.
    desk: str | None = None


class DatasetSettings(Section):
    #: Whether people can only say what is known beforehand (digits, commands). Else training texts that the test
    #: has too are left out.
    closed_vocabulary: bool = False
    #: Version of the transcription rules that texts are written by now.
    guideline: str | None = None
    #: Words of the column ``consent`` that refuse, besides ``refused`` and ``withdrawn``.
    refused_consent: tuple[str, ...] = ("none", "no")


class GrowSettings(Section):
    #: Error rate that a draft may be expected to have, and may turn out to have, to count without a person.
    limit: float = Field(default=0.05, gt=0, lt=1)
    #: Share of what is accepted that people write again, blindly.
    audit_share: float = Field(default=0.2, gt=0, le=1)
    #: Segments of a dialect that people have written before any draft of it is accepted.
    least_reviewed: int = Field(default=30, ge=1)
    #: Segments written again from which their error rate alone stops acceptance.
    least_audited: int = Field(default=20, ge=1)
    #: How much an accepted draft weighs in training beside what a person wrote.
    weight: float = Field(default=0.5, gt=0, le=1)


class GateSettings(Section):
    #: Dialects of which at least one must get better; none named: all that the model was tuned on.
    targets: tuple[str, ...] = ()
    #: Blocks of speakers in the test from which a dialect counts, for better or worse.
    least_blocks: int = Field(default=6, ge=2)
    #: How much a dialect's rate may rise, as a share of its words, where the rise is certain.
    tolerance: float = Field(default=0.01, ge=0, le=1)
    #: How many more segments an hour may hold what nobody said, where it is certain that they are more.
    more_hallucinations: float = Field(default=2.0, ge=0)
    #: How much slower drafting may become, as a share.
    slower: float = Field(default=0.25, ge=0)


class DiariserTrainSettings(Section):
    #: Thresholds that are tried, and where the draws begin.
    trials: int = Field(default=160, ge=8)
    seed: int = Field(default=0, ge=0)
    #: Sound that is heard for it, of the train and of the dev part each; more is left out by lot.
    most_minutes: float = Field(default=180.0, gt=0)
    #: The voice space is learnt where so many people have so many seconds of corrected speech each.
    least_people: int = Field(default=6, ge=2)
    least_speech_s: float = Field(default=20.0, gt=0)


class DiariserGateSettings(Section):
    #: How much lower the diarisation error must be, as a share of the speech; that it is lower must be certain too.
    least_gain: float = Field(default=0.01, ge=0, le=1)
    #: How much the error of a dialect or of a kind of recording may rise, where the rise is certain.
    tolerance: float = Field(default=0.02, ge=0, le=1)
    #: Conversations in the test from which a dialect or a kind of recording counts.
    least_conversations: int = Field(default=6, ge=2)


class ImproveSettings(Section):
    #: Transformers folder of the model that drafts, where it was not tuned here. ``None``: derived from its files.
    base: str | None = None
    #: A model that was tuned for some dialects drafts those alone, and the model before drafts on all others.
    by_dialect: bool = True
    #: What an hour of the machine costs, and in which money, for the report.
    hour_price: float | None = Field(default=None, ge=0)
    currency: str = "EUR"
    #: Half the width of the interval that is good enough, when it is told what to correct next; 0.05 is five points.
    half_width: float = Field(default=0.05, gt=0, lt=1)
    #: Where a tuning is written down, beside the files in reports/.
    tracking: Literal["files", "mlflow"] = "files"


class DeskSettings(Section):
    #: Where the desk listens. Anything but this machine itself needs TLS or a declared proxy.
    host: str = "127.0.0.1"
    port: int = Field(default=8756, ge=0, le=65_535)
    #: PEM files of the certificate and its key, in the workspace if relative.
    tls_certificate: str | None = None
    tls_key: str | None = None
    #: Address of the proxy that ends TLS before the desk and whose word on the client's address is taken.
    proxy: str | None = None
    #: Names that the desk is reached by, beside that of *host*.
    hosts: tuple[str, ...] = ()
    #: Shares of segments: reviewed, written twice, known already, handed out by lot instead of by need.
    review_share: float = Field(default=0.2, ge=0, le=1)
    second_share: float = Field(default=0.1, ge=0, le=1)
    gold_share: float = Field(default=0.02, ge=0, le=1)
    random_share: float = Field(default=0.1, ge=0, le=1)
    #: Disagreement of two people above which a third decides.
    dispute_over: float = Field(default=0.15, ge=0)
    #: How often a text may be sent back.
    rounds: int = Field(default=2, ge=0)
    #: Part of the sound that a reviewer hears before accepting.
    heard_share: float = Field(default=0.8, ge=0, le=1)
    #: How long a segment is held without a sign of life, near the server and offline.
    lease_s: int = Field(default=900, ge=1)
    offline_lease_s: int = Field(default=86_400, ge=1)
    #: Segments that one person may hold at a time.
    most_leases: int = Field(default=120, ge=1)
    #: Bits a second of what people hear.
    bitrate: int = Field(default=16_000, ge=8_000, le=64_000)
    #: Whether doubtful words are marked. Marked texts are read less carefully where nothing is marked.
    shading: bool = True
    #: Whether browsers may keep sound on disk, ``encrypted``, or in memory only.
    offline_audio: Literal["memory", "encrypted"] = "memory"
    #: File of the client's terms that nobody may hear or read, one a line, in the workspace if relative.
    mask_terms: str | None = None
    #: Days after which `boli erase --expired` removes sound, and all of a recording; none: never.
    sound_retention_days: float | None = Field(default=None, gt=0)
    retention_days: float | None = Field(default=None, gt=0)
    #: TOML file of what is paid for an accepted minute, in the workspace if relative.
    rates: str = "rates.toml"
    #: Hours after which an unused session ends, for transcribers and for those who review.
    session_hours: float = Field(default=12.0, gt=0)
    review_session_hours: float = Field(default=8.0, gt=0)
    #: Open connections in all, and from one address; where there are more, the one that waits longest makes room.
    most_connections: int = Field(default=2_000, ge=16)
    most_connections_address: int = Field(default=200, ge=2)
    #: Bytes of a request's head, which is its first line and headers, and of the address in that line.
    head_bytes: int = Field(default=32_768, ge=4_096)
    line_bytes: int = Field(default=8_192, ge=1_024)
    #: Seconds for the whole of a head, and of a body; and that a connection stays open unused.
    head_s: float = Field(default=10.0, gt=0)
    body_s: float = Field(default=60.0, gt=0)
    idle_s: int = Field(default=30, ge=1)


#: Longest window that is learned from on a CPU: an encoder that learns costs by the length, and within the same minutes
#: many short windows teach more than a few full ones.
LONGEST_ON_CPU: Final = 10_000


class TrainSettings(Section):
    #: Small adapters beside every layer, or all weights. ``auto``: all of a narrow model, adapters for a wide one.
    method: Literal["auto", "lora", "full"] = "auto"
    #: Rank of the adapters.
    rank: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    #: Highest learning rate. ``None``: by the method and the model's width.
    rate: float | None = Field(default=None, gt=0)
    #: Layers of the encoder, from the sound up, that stay as they were where all weights learn: a step is quicker.
    frozen_layers: int = Field(default=0, ge=0)
    steps: int = Field(default=300, ge=1)
    warmup_steps: int = Field(default=20, ge=1)
    #: Steps over which the weights are averaged; the averaged ones are tested and kept.
    average_steps: int = Field(default=40, ge=1)
    #: Windows computed together, and how often that is done for one step.
    windows: int = Field(default=8, ge=1)
    accumulate: int = Field(default=1, ge=1)
    #: Dialects that are to be learned; none named: all that there are texts of.
    focus: tuple[str, ...] = ()
    #: Share of windows in the other dialects, against forgetting.
    keep_share: float = Field(default=0.5, ge=0, lt=1)
    #: The tuned model will hear the dialects of its focus and no others: what it loses in those counts for nothing.
    alone: bool = False
    #: In those windows, how far the base model's own answer is the aim, beside the text.
    hold: float = Field(default=0.7, ge=0, le=1)
    #: 1: dialects as often as there is speech of them; the more, the more alike.
    temperature: float = Field(default=2.0, ge=1)
    #: Share of windows whose texts are taught with their times, which drafting never asks for.
    timed_share: float = Field(default=0.0, ge=0, le=1)
    #: Share of the text so far that is wrong when the next token is taught.
    wrong_share: float = Field(default=0.0, ge=0, lt=1)
    #: Shares of windows changed in speed, by noise, by a room, by a telephone line, by gaps in their features.
    speed_share: float = Field(default=0.5, ge=0, le=1)
    noise_share: float = Field(default=0.2, ge=0, le=1)
    room_share: float = Field(default=0.1, ge=0, le=1)
    telephone_share: float = Field(default=0.1, ge=0, le=1)
    mask_share: float = Field(default=0.5, ge=0, le=1)
    #: Steps between two tests on the dev part, and tests without a gain after which tuning ends.
    test_every: int = Field(default=50, ge=1)
    patience: int = Field(default=4, ge=1)
    #: Longest window that is learned from. ``None``: LONGEST_ON_CPU on a CPU, else what the base model's folder
    #: declares, as the dev part is always heard.
    window_ms: int | None = Field(default=None, ge=1_000, le=30_000)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    #: Threads of torch on a CPU; 0 leaves its default.
    threads: int = Field(default=0, ge=0)
    seed: int = 0

    @property
    def holds(self) -> bool:
        """Tell if some dialects are heard only so that they are not forgotten."""
        return bool(self.focus) and not self.alone and self.hold > 0

    def resolved(self, width: int, device: Literal["cpu", "cuda"]) -> TrainSettings:
        """
        Return these settings with all that is left open decided for a model of *width* on *device*.

        512 is the width of Whisper's base, 74 million weights. The rate of all weights: the wider, the smaller, as wide
        layers add up more changes, and the faster where nothing is to be kept. Adapters bring their own scale.
        """
        method = self.method if self.method != "auto" else "full" if width <= 512 else "lora"
        of_weights = (1e-3 if self.alone else 6e-4) * min(1.0, 112 / width) ** 1.5
        rate = self.rate or (5e-4 if method == "lora" else of_weights)
        window_ms = self.window_ms or (LONGEST_ON_CPU if device == "cpu" else None)
        return self.model_copy(update={"method": method, "rate": rate, "window_ms": window_ms})

    @property
    def peak_rate(self) -> float:
        """The highest rate of resolved settings."""
        return self.rate or 0.0


class Settings(Section):
    """Everything that can be set. Functions take the small part they need, never this."""

    store: StoreSettings = StoreSettings()
    ingest: IngestSettings = IngestSettings()
    models: ModelsSettings = ModelsSettings()
    diariser: DiariserSettings = DiariserSettings()
    recogniser: RecogniserSettings = RecogniserSettings()
    segmenting: SegmentingSettings = SegmentingSettings()
    train: TrainSettings = TrainSettings()
    report: ReportSettings = ReportSettings()
    dataset: DatasetSettings = DatasetSettings()
    grow: GrowSettings = GrowSettings()
    gate: GateSettings = GateSettings()
    improve: ImproveSettings = ImproveSettings()
    diariser_train: DiariserTrainSettings = DiariserTrainSettings()
    diariser_gate: DiariserGateSettings = DiariserGateSettings()
    desk: DeskSettings = DeskSettings()
