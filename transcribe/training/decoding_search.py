"""
The search for levers: each is tried on the dev part, and adopted only if it helps.

Hotwords, prompts and spellings come from corrections: words that drafts keep missing, or keep misspelling.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from dialects.dialect import Catalogue
from dialects.scoring.word_errors import ErrorCount, Pair, align, count, from_counts
from dialects.text.normalise import load_normaliser
from transcribe.datasets.manifest import Example
from transcribe.pipeline.recipe import Lever, make_window
from transcribe.protocols import Pcm, Recogniser
from transcribe.records import Milliseconds
from transcribe.training.windows import TrainingWindow, cut_windows, find_dialect, find_passages

Kind: TypeAlias = Literal["hotwords", "prompt", "beam_size", "spelling"]
Sound: TypeAlias = Callable[[str, int | None], Pcm]

#: A lever is kept if it takes away at least so many errors, and this share of the words: the dev part is small.
LEAST_FEWER: Final = 2
LEAST_GAIN: Final = 0.005
BEAMS: Final = (1, 10)
#: A word of fewer people or times than this may be one person's.
LEAST_SPEAKERS: Final = 2
LEAST_TIMES: Final = 3
#: Of the times a word is said, those at which the draft has another or none.
LEAST_MISSED: Final = 0.5
#: Of the times a draft has a word, those at which people wrote one and the same other.
LEAST_CONFUSED: Final = 0.8
#: Hotwords share the decoder's 448 positions with the text.
MOST_HOTWORDS: Final = 40
#: Words of a prompt.
LONGEST_PROMPT: Final = 40


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
    missed = find_missed_words(pairs)
    if takes_prompt and missed:
        yield "hotwords", choose_hotwords(missed)
        prompt = choose_prompt(pairs, missed)
        if prompt is not None:
            yield "prompt", prompt
    for beam in BEAMS:
        yield "beam_size", beam
    spelling = find_spelling(pairs)
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


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A word of the corrections that drafts keep missing."""

    word: str
    times: int
    missed: int
    speakers: int


def find_missed_words(pairs: Iterable[Pair]) -> list[Missed]:
    """
    Return words that were missed at least half of the times, three times or more, by two speakers or more.

    Those missed most come first; among equals, in the order of the alphabet.
    """
    times_said: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    speakers: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        for edit in align(pair.reference.split(), pair.hypothesis.split()):
            if edit.reference is None:
                continue
            times_said[edit.reference] += 1
            if edit.kind != "hit":
                missed[edit.reference] += 1
                speakers[edit.reference].add(pair.speaker)
    candidates = [
        Missed(word=word, times=times_said[word], missed=misses, speakers=len(speakers[word]))
        for word, misses in missed.items()
    ]
    frequent = [
        missed_word
        for missed_word in candidates
        if missed_word.speakers >= LEAST_SPEAKERS
        and missed_word.missed >= LEAST_TIMES
        and missed_word.missed >= LEAST_MISSED * missed_word.times
    ]
    return sorted(frequent, key=lambda missed_word: (-missed_word.missed, missed_word.word))


def choose_hotwords(missed: Sequence[Missed]) -> tuple[str, ...]:
    """Return the words missed most."""
    return tuple(missed_word.word for missed_word in missed[:MOST_HOTWORDS])


def choose_prompt(pairs: Iterable[Pair], missed: Sequence[Missed]) -> str | None:
    """
    Choose real texts of the corrections that hold as many of the *missed* words as fit into a prompt.

    The text with most words not chosen yet comes next, a word weighing as often as it was missed. ``None`` without any.
    """
    weights = {missed_word.word: missed_word.missed for missed_word in missed}
    texts = sorted({pair.reference for pair in pairs if 0 < len(pair.reference.split()) <= LONGEST_PROMPT})
    chosen: list[str] = []
    room = LONGEST_PROMPT

    def gain(text: str) -> float:
        words = text.split()
        return sum(weights.get(word, 0) for word in set(words)) / len(words) if len(words) <= room else 0.0

    while texts and gain(best := max(texts, key=gain)) > 0:
        chosen.append(best)
        room -= len(best.split())
        weights = {word: weight for word, weight in weights.items() if word not in best.split()}
    return " ".join(chosen) or None


def find_spelling(pairs: Iterable[Pair]) -> dict[str, str]:
    """
    Map drafted words that nearly always stand for one and the same other word of people's texts.

    Three times or more, by two speakers or more, and at least four of five times that the draft has the word.
    """
    drafted: Counter[str] = Counter()
    confused: dict[str, Counter[str]] = defaultdict(Counter)
    speakers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pair in pairs:
        for edit in align(pair.reference.split(), pair.hypothesis.split()):
            if edit.hypothesis is None:
                continue
            drafted[edit.hypothesis] += 1
            if edit.kind == "substitution" and edit.reference is not None:
                confused[edit.hypothesis][edit.reference] += 1
                speakers[edit.hypothesis, edit.reference].add(pair.speaker)
    spelling_by_word: dict[str, str] = {}
    for word in sorted(confused):
        meant, times = confused[word].most_common(1)[0]
        sure = times >= max(LEAST_TIMES, LEAST_CONFUSED * drafted[word])
        if sure and len(speakers[word, meant]) >= LEAST_SPEAKERS:
            spelling_by_word[word] = meant
    return spelling_by_word
