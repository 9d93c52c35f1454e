"""Compare two diarisers on the same frozen conversations, each through the engine that drafts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dialects.columns import p_value
from dialects.scoring.cpwer import DiarisationError
from dialects.scoring.statistics import Interval, difference_interval, sign_flip_test, smallest_p
from transcribe.backends.diarisation_error import der
from transcribe.datasets.manifest import Frozen
from transcribe.errors import Interrupted
from transcribe.protocols import SAMPLE_RATE_HZ, Diariser, LabelledSpan, Pcm
from transcribe.records import Milliseconds
from transcribe.training.corrected_turns import CorrectedConversation

if TYPE_CHECKING:
    from transcribe.backends.diariser_tuning import TunableDiariser
    from transcribe.backends.tracked_voices import TrackedVoices


_SIDES: Final = ("errors_before", "errors_after")
#: Above this a telephone passes nothing.
EDGE_HZ: Final = 4_000
#: Samples of a frame.
FRAME: Final = 512
#: Share of the power of strong frames below the edge that strong ones above it stay under in a narrow band. Calls have
#: some 1e-6, recordings of rooms and microphones 2e-4 and more.
NARROW_SHARE: Final = 1e-4
#: Which frame counts as a strong one, as a share of all.
STRONG: Final = 0.95


def is_narrow_band(pcm: Pcm) -> bool:
    """
    Tell if *pcm* holds a telephone's band: even hissing consonants are hardly heard above 4 kHz.

    Frames that are strong below and above the edge are compared, so that a faint hiss over all makes no wide band.
    """
    frames = np.asarray(pcm[: len(pcm) // FRAME * FRAME], dtype=np.float32).reshape(-1, FRAME)
    if not len(frames):
        return False
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), axis=1)) ** 2
    edge = EDGE_HZ * FRAME // SAMPLE_RATE_HZ
    below, above = (float(np.quantile(part.sum(axis=1), STRONG)) for part in (power[:, :edge], power[:, edge:]))
    return above < NARROW_SHARE * below


@dataclass(frozen=True, kw_only=True)
class ConversationErrors:
    """The errors of the present diariser and of a candidate on one conversation."""

    recording: str
    session: str
    dialect: str
    #: ``wide band`` or ``telephone band``.
    condition: str
    errors_before: DiarisationError
    errors_after: DiarisationError
    #: How many people speak, and how many each finds.
    speakers: int
    speakers_before: int
    speakers_after: int


@dataclass(frozen=True, kw_only=True)
class ErrorContrast:
    """The candidate less the present diariser on a group of conversations: below zero, the candidate errs less."""

    name: str
    conversations: int
    der_before: float
    der_after: float
    difference: float
    interval: Interval | None
    #: Paired sign flips over conversations.
    p: float
    #: Least value that *p* can take with so many conversations.
    p_floor: float

    @property
    def sentence(self) -> str:
        """The change, for people."""
        low, high = self.interval or (float("nan"), float("nan"))
        return (
            f"DER {100 * self.der_before:.1f} % became {100 * self.der_after:.1f} %, {100 * self.difference:+.1f} "
            f"points ({100 * low:+.1f} to {100 * high:+.1f}), {p_value(self.p)} with {self.conversations} conversations"
        )

    def data(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        low, high = self.interval or (None, None)
        return {
            "name": self.name,
            "conversations": self.conversations,
            "der_before": round(self.der_before, 6),
            "der_after": round(self.der_after, 6),
            "difference": round(self.difference, 6),
            "ci_low": None if low is None else round(low, 6),
            "ci_high": None if high is None else round(high, 6),
            "p": round(self.p, 6),
            "p_floor": round(self.p_floor, 6),
        }


@dataclass(frozen=True, kw_only=True)
class DiariserEvaluation:
    """The errors of a candidate beside those of the present diariser on a frozen test."""

    current: str
    candidate: str
    dataset_sha256: str
    conversations: tuple[ConversationErrors, ...]
    #: How often speakers dealt out by lot fit the voices as well as those that people named, by part.
    agreement: Mapping[str, float]

    @property
    def overall(self) -> ErrorContrast:
        """The contrast of all conversations."""
        return contrast("all", self.conversations)

    @property
    def groups(self) -> tuple[ErrorContrast, ...]:
        """
        The contrast of each dialect, then of each kind of recording; one that holds all conversations is left out.
        """
        groups: dict[str, list[ConversationErrors]] = defaultdict(list)
        for attribute in ("dialect", "condition"):
            for errors in self.conversations:
                groups[getattr(errors, attribute)].append(errors)
        return tuple(
            contrast(name, members) for name, members in groups.items() if len(members) < len(self.conversations)
        )

    def data(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        sums = [sum((getattr(errors, side) for errors in self.conversations), DiarisationError()) for side in _SIDES]
        return {
            "dataset_sha256": self.dataset_sha256,
            "current": self.current,
            "candidate": self.candidate,
            "overall": self.overall.data(),
            "groups": [group.data() for group in self.groups],
            "before": sums[0].data(),
            "after": sums[1].data(),
            "right_number_of_speakers": {
                "before": sum(errors.speakers_before == errors.speakers for errors in self.conversations),
                "after": sum(errors.speakers_after == errors.speakers for errors in self.conversations),
                "conversations": len(self.conversations),
            },
            "agreement_p": dict(self.agreement),
        }


def contrast(name: str, conversations: Sequence[ConversationErrors], part: str = "total") -> ErrorContrast:
    """
    Compare the sums of *part* of the errors of both diarisers, paired by conversation.

    Args:
        name: What *conversations* have in common.
        conversations: At least one; recordings of one session count as one conversation.
        part: ``total`` or a part of a `DiarisationError`.
    """
    sessions: dict[str, list[ConversationErrors]] = defaultdict(list)
    for errors in conversations:
        sessions[errors.session].append(errors)
    blocks = [
        [sum(getattr(getattr(errors, side), part) for errors in members) for side in _SIDES]
        for members in sessions.values()
    ]
    speech = [sum(errors.errors_before.speech for errors in members) for members in sessions.values()]
    differences = [sum_after - sum_before for sum_before, sum_after in blocks]
    total = max(1, sum(speech))
    return ErrorContrast(
        name=name,
        conversations=len(sessions),
        der_before=sum(sum_before for sum_before, _ in blocks) / total,
        der_after=sum(sum_after for _, sum_after in blocks) / total,
        difference=sum(differences) / total,
        interval=difference_interval(differences, speech),
        p=1.0 if (p := sign_flip_test(differences)) is None else p,
        p_floor=smallest_p(len(sessions)),
    )


def evaluate(
    sound: Callable[[str], Pcm],
    frozen: Frozen,
    conversations: Sequence[CorrectedConversation],
    *,
    present: Diariser,
    candidate: Diariser,
    tunable: TunableDiariser,
    agreement: Mapping[str, float],
    advance: Callable[[float], None] = lambda share: None,
    stop: Event | None = None,
) -> DiariserEvaluation:
    """
    Compare *candidate* with *present* on *conversations*, each through the engine that drafts, without a speaker count.

    Args:
        sound: Reads the samples of a recording.
        frozen: The dataset that the conversations are of.
        conversations: Of its test.
        present: The diariser of now.
        candidate: The one that may take its place.
        tunable: Hears whether the voices are those of the named speakers.
        agreement: What is known of that from other parts.
        advance: Hears how far it has come, from 0 to 1.
        stop: Ends it.
    """
    from transcribe.backends.voice_projection import chance_of_agreement

    steps = itertools.count(1)

    def begin_step() -> None:
        heed(stop)
        advance((next(steps) - 1) / (2 * len(conversations)))

    def judge() -> Iterator[ConversationErrors]:
        for conversation in conversations:
            begin_step()
            yield _judge(conversation, sound(conversation.recording), present, candidate)

    def follow() -> Iterator[tuple[TrackedVoices, Sequence[LabelledSpan]]]:
        for conversation in conversations:
            begin_step()
            yield tunable.follow(sound(conversation.recording)), conversation.turns

    errors = tuple(judge())
    chance = chance_of_agreement(follow())
    advance(1.0)
    return DiariserEvaluation(
        current=present.id,
        candidate=candidate.id,
        dataset_sha256=frozen.sha256,
        conversations=errors,
        agreement={**agreement, "test": chance},
    )


def _judge(conversation: CorrectedConversation, pcm: Pcm, present: Diariser, candidate: Diariser) -> ConversationErrors:
    scored = conversation.scored_spans(duration_of(pcm))
    turns = [diariser.diarise(pcm).turns for diariser in (present, candidate)]
    errors_before, errors_after = (der(conversation.turns, hypothesis, within=scored) for hypothesis in turns)
    return ConversationErrors(
        recording=conversation.recording,
        session=conversation.session,
        dialect=conversation.dialect or "und",
        condition="telephone band" if is_narrow_band(pcm) else "wide band",
        errors_before=errors_before,
        errors_after=errors_after,
        speakers=_count_speakers(conversation.turns),
        speakers_before=_count_speakers(turns[0]),
        speakers_after=_count_speakers(turns[1]),
    )


def _count_speakers(turns: Sequence[LabelledSpan]) -> int:
    return len({turn.label for turn in turns})


def duration_of(pcm: Pcm) -> Milliseconds:
    """Return the length of *pcm*."""
    return len(pcm) * 1_000 // SAMPLE_RATE_HZ


def heed(stop: Event | None) -> None:
    """
    Raise an error where *stop* is set.

    Raises:
        Interrupted: It is.
    """
    if stop is not None and stop.is_set():
        raise Interrupted("improving the diariser was stopped", hint="run the same command again: it begins anew")
