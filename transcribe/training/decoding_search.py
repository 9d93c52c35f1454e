"""The search for levers: each is tried on the dev part, and adopted only if it helps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from dialects.dialect import Catalogue
from dialects.scoring.word_errors import ErrorCount, Pair, count, from_counts
from dialects.text.normalise import load_normaliser
from transcribe.datasets.manifest import Example
from transcribe.pipeline.decoding_profile import Lever, make_window
from transcribe.protocols import Pcm, Recogniser
from transcribe.records import Milliseconds
from transcribe.training import hotwords
from transcribe.training.windows import TrainingWindow, cut_windows, find_dialect, find_passages

Kind: TypeAlias = Literal["hotwords", "prompt", "beam_size", "spelling"]
Sound: TypeAlias = Callable[[str, int | None], Pcm]

#: A lever is kept if it takes away at least so many errors, and this share of the words: the dev part is small.
LEAST_FEWER: Final = 2
LEAST_GAIN: Final = 0.005
BEAMS: Final = (1, 10)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One lever tried on one dialect."""

    dialect: str
    kind: Kind
    value: str
    #: Words of the dialect's dev part, and errors in them without the lever and with it.
    words: int
    before: int
    after: int
    kept: bool

    @property
    def sentence(self) -> str:
        """The trial as a sentence for people."""
        verdict = "kept" if self.kept else "not kept"
        rates = f"{self.before / self.words:.1%} to {self.after / self.words:.1%}"
        return f"{self.dialect}: {self.kind} {self.value}: WER {rates} of {self.words} words, {verdict}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """The levers that help, by dialect, and all trials."""

    levers: Mapping[str, Lever]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, kw_only=True)
class Dev:
    """Dev windows of one dialect, with the sound that they are cut from."""

    dialect: str
    language: str
    #: Windows of each recording, or channel of one.
    windows: Mapping[tuple[str, int | None], tuple[TrainingWindow, ...]]


def find(
    recogniser: Recogniser,
    taught: Iterable[Pair],
    dev: Iterable[Example],
    sound: Sound,
    catalogue: Catalogue,
    *,
    window: Milliseconds,
    takes_prompt: bool,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> Found:
    """
    Find levers for every dialect that has texts to learn from and a dev part to try them on.

    Args:
        recogniser: The model that drafts; it decodes the dev part once for each lever.
        taught: Train texts beside what that model drafted.
        dev: The dev part.
        sound: Gives the samples of a recording.
        catalogue: Gives the settings of a dialect without levers.
        window: Longest window.
        takes_prompt: The model understands prompts and hotwords.
        on_trial: Called with each trial as it is done.
    """
    pairs_by_dialect: dict[str, list[Pair]] = {}
    for pair in taught:
        pairs_by_dialect.setdefault(pair.dialect, []).append(pair)
    levers: dict[str, Lever] = {}
    trials: list[Trial] = []
    for part in _group_dev(dev, window):
        bench = _Bench(recogniser, part, sound, catalogue)
        best, lever = bench.errors(Lever()), Lever()
        for kind, setting in _list_candidates(pairs_by_dialect.get(part.dialect, []), takes_prompt):
            changed = replace(lever, **{kind: setting})
            errors = bench.errors(changed)
            fewer, words = best.errors - errors.errors, errors.words
            helps = fewer >= max(LEAST_FEWER, LEAST_GAIN * words)
            trial = Trial(
                dialect=part.dialect,
                kind=kind,
                value=_format_setting(setting),
                words=words,
                before=best.errors,
                after=errors.errors,
                kept=helps,
            )
            trials.append(trial)
            on_trial(trial)
            if helps:
                best, lever = errors, changed
        if lever != Lever():
            levers[part.dialect] = lever
    return Found(levers=levers, trials=tuple(trials))


def _list_candidates(pairs: Sequence[Pair], takes_prompt: bool) -> Iterable[tuple[Kind, Any]]:
    missed = hotwords.missed_words(pairs)
    if takes_prompt and missed:
        yield "hotwords", hotwords.hotwords(missed)
        prompt = hotwords.prompt(pairs, missed)
        if prompt is not None:
            yield "prompt", prompt
    for beam in BEAMS:
        yield "beam_size", beam
    spelling = hotwords.spelling(pairs)
    if spelling:
        yield "spelling", spelling


def _format_setting(setting: Any) -> str:
    if isinstance(setting, Mapping):
        return ", ".join(f"{drafted} = {meant}" for drafted, meant in setting.items())
    return " ".join(setting) if isinstance(setting, tuple) else str(setting)


def _group_dev(dev: Iterable[Example], longest: Milliseconds) -> list[Dev]:
    """Group the dev part by dialect; speech of which nobody said the dialect has no lever."""
    windows_by_tag: dict[str, dict[tuple[str, int | None], list[TrainingWindow]]] = {}
    languages: dict[str, str] = {}
    for passage in find_passages(dev):
        for window in cut_windows(passage, longest):
            tag = find_dialect(window.lines)
            if tag is not None:
                languages[tag] = passage.language
                windows_by_tag.setdefault(tag, {}).setdefault((passage.audio, passage.channel), []).append(window)
    return [
        Dev(
            dialect=tag,
            language=languages[tag],
            windows={channel: tuple(windows) for channel, windows in by_channel.items()},
        )
        for tag, by_channel in sorted(windows_by_tag.items())
    ]


class _Bench:
    """Decodes one dialect's dev part with a lever; levers that differ in spelling alone share the words."""

    def __init__(self, recogniser: Recogniser, dev: Dev, sound: Sound, catalogue: Catalogue) -> None:
        self._recogniser, self._dev, self._sound = recogniser, dev, sound
        self._entry = catalogue.find(dev.dialect)
        self._normalise = load_normaliser(self._entry.normaliser)
        self._words_by_setting: dict[tuple[object, ...], list[list[str]]] = {}

    def errors(self, lever: Lever) -> ErrorCount:
        key = (lever.hotwords, lever.prompt, lever.beam_size)
        if key not in self._words_by_setting:
            self._words_by_setting[key] = list(self._decode(lever))
        windows = itertools.chain.from_iterable(self._dev.windows.values())
        total = ErrorCount.zero()
        for cut, words in zip(windows, self._words_by_setting[key], strict=True):
            reference = " ".join(line.text or "" for line in cut.lines)
            written = " ".join(map(lever.respell, words))
            total += from_counts(count(self._normalise(reference).split(), self._normalise(written).split()))
        return total

    def _decode(self, lever: Lever) -> Iterable[list[str]]:
        for (audio, channel), cuts_of_channel in self._dev.windows.items():
            language, dialect = self._dev.language, self._dev.dialect
            windows = [
                replace(make_window(cut.start, cut.end, language, dialect, self._entry, lever), pieces=cut.pieces)
                for cut in cuts_of_channel
            ]
            for answer in self._recogniser.recognise(self._sound(audio, channel), windows):
                yield [word.text for word in answer.words]
