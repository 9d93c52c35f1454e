"""
Texts that were written elsewhere, in any format, as stretches of known recordings that a tongue can have said.

What cannot be used is refused entry by entry: a recording that is not there, times outside it or too short for their
text, stretches of one speaker that overlap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from statistics import median
from typing import Final

import regex

from transcribe.errors import InputError, UsageError
from transcribe.formats.formats import detect_format, get_format
from transcribe.formats.line_files import read_rttm
from transcribe.formats.recording_names import CODE, RecordingNames
from transcribe.formats.records import is_visible
from transcribe.ingest.sidecars import TOLERANCE
from transcribe.ingest.timed import COLUMNS, Refuse, TimedText, raise_error, span
from transcribe.records import Milliseconds, Recording, Word
from transcribe.store import Store
from transcribe.tables import Row, Table, from_milliseconds

#: Letters and digits a second that nobody says: auctioneers reach 25 to 30 in Latin script, counted as people see
#: letters. Four more are let through: single words are the fastest, such as "your" in 45 ms. Of 3,440 runs of words
#: with times by hand (TIMIT), none of one speaker is over it.
FASTEST: Final = 40.0
_SPARE: Final = 4
#: The shortest stretch that has a text: no syllable takes less.
SHORTEST: Final[Milliseconds] = 30
#: Half of the stretches of a table are longer than this, those of single words too: else its times are seconds.
MEDIAN: Final[Milliseconds] = 100
#: Rows from which it is told, and the share of them that lie within their recordings if they are seconds.
_TOLD_BY: Final = 1_000
_SHARE: Final = 0.9
#: How far two stretches of one speaker may overlap: annotators and programs round.
OVERLAP: Final[Milliseconds] = 100
#: The silence at which words of a CTM file become another stretch, and the longest stretch that is made of them.
PAUSE: Final[Milliseconds] = 500
LONGEST: Final[Milliseconds] = 28_000

_SECONDS_HINT: Final = "they look like seconds: write milliseconds, a thousand times as many"
_CLUSTER: Final = regex.compile(r"\X")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A stretch of a recording of this workspace."""

    recording: Recording
    #: Its `recording` is the id.
    stretch: TimedText
    #: Id of the segment, where the file names one.
    segment: str | None = None


def read_stretches(
    path: Path,
    *,
    store: Store,
    name: str | None = None,
    turns: Path | None = None,
    tier: str | None = None,
    refuse: Refuse = raise_error,
) -> Iterator[Found]:
    """
    Yield the stretches in *path*, a file or a folder, that can be used.

    Args:
        name: Name of the format; default: as `detect_format` finds it.
        turns: An RTTM file that says who speaks, where *path* does not.
        tier: Name of the tiers of an EAF file that hold the texts.
        refuse: Takes the errors about the others, E_CORRECTION or the format's own.

    Raises:
        InputError: The file as a whole cannot be read.
        UsageError: A tier was named, and the format has none to choose.
    """
    names = RecordingNames(store)
    checks = _Checks()
    speakers = _Speakers(turns, names) if turns is not None else None
    kind = name or detect_format(path)
    if tier is not None and kind != "eaf":
        raise UsageError(f"the tier {tier!r} was asked for, and {path.name} is {kind}", hint="leave --tier out")
    is_table = kind in ("table", "csv", "jsonl")
    for found in _read_table(path, store, names, refuse) if is_table else _read_format(path, kind, tier, names, refuse):
        try:
            named = found if speakers is None else speakers.name(found)
            yield replace(named, stretch=checks.check(named))
        except InputError as error:
            refuse(error)


def _read_format(path: Path, kind: str, tier: str | None, names: RecordingNames, refuse: Refuse) -> Iterator[Found]:
    form = get_format(kind, reading=True)
    for file, recording in _list_files(path, form.suffix if form.holds == "one" else None):
        extra = {"recording": recording} if recording is not None else {}
        extra |= {"tier": tier} if tier is not None else {}
        items = form.reader()(file, refuse=refuse, **extra)
        if kind in ("srt", "vtt"):
            items = (replace(item, text=" ".join((item.text or "").split())) for item in items)
        for stretch in join_words(items) if kind == "ctm" else items:
            try:
                known = names.find(stretch.recording, stretch.where)
            except InputError as error:
                refuse(error)
                continue
            yield Found(recording=known, stretch=replace(stretch, recording=known.id))


def _list_files(path: Path, suffix: str | None) -> Iterator[tuple[Path, str | None]]:
    """Yield *path*, or the files below it that end in *suffix*, with the names of their recordings."""
    if suffix is None or not path.is_dir():
        yield path, None
        return
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() == suffix.lower() and file.is_file():
            yield file, str(file.relative_to(path).with_suffix(""))


def join_words(items: Iterable[TimedText]) -> Iterator[TimedText]:
    """Join words of one recording, as CTM has them, to stretches between pauses."""
    words: list[Word] = []
    first: TimedText | None = None
    for item in items:
        word = item.words[0] if item.words else _word_of(item)
        is_apart = words and (word.start - words[-1].end > PAUSE or word.end - words[0].start > LONGEST)
        if first is not None and (is_apart or item.recording != first.recording):
            yield _join(first, words)
            words, first = [], None
        first = first or item
        words.append(word)
    if first is not None:
        yield _join(first, words)


def _word_of(item: TimedText) -> Word:
    return Word(text=item.text or "", start=item.start, end=item.end, probability=1.0)


def _join(first: TimedText, words: list[Word]) -> TimedText:
    text = " ".join(word.text for word in words)
    return replace(first, end=max(word.end for word in words), text=text, words=tuple(words))


def _read_table(path: Path, store: Store, names: RecordingNames, refuse: Refuse) -> Iterator[Found]:
    columns = (*COLUMNS, "path", "segment")
    table = Table(file=path, any_of=("segment", "recording", "path"), columns=columns, code=CODE)
    rows = _read_rows(table, store, names)
    first = list(islice(rows, _TOLD_BY))
    stretches = [row for row in first if isinstance(row, Found) and row.segment is None and not row.stretch.is_whole]
    length = _median_length(stretches)
    are_seconds = length is not None and length < MEDIAN and _are_seconds(stretches)
    for row in chain(first, rows):
        if isinstance(row, InputError):
            refuse(row)
        elif are_seconds:
            what = f"half of the stretches of {path.name} last {length} ms at most"
            refuse(InputError(f"{row.stretch.where}: {what}", code=CODE, hint=_SECONDS_HINT, item=row.stretch.where))
        else:
            yield row


def _read_rows(table: Table, store: Store, names: RecordingNames) -> Iterator[Found | InputError]:
    for row in table.entries():
        try:
            if isinstance(row, InputError):
                raise row
            yield (_read_segment_row(table, row, store) if _names_segment(row) else _read_span_row(table, row, names))
        except InputError as error:
            yield error


def _median_length(stretches: Sequence[Found]) -> Milliseconds | None:
    """Return the median of the lengths of *stretches*; ``None`` where there are none."""
    lengths = [found.stretch.end - found.stretch.start for found in stretches]
    return round(median(lengths)) if lengths else None


def _are_seconds(stretches: Sequence[Found]) -> bool:
    """Tell if the times of *stretches* lie within their recordings if they are taken for seconds."""
    fits = [end_in_seconds(found.stretch, found.recording.duration) for found in stretches]
    return sum(fits) >= _SHARE * len(fits)


def _names_segment(row: Row) -> bool:
    """Tell if a row is about a segment of ours; Common Voice has a column of that name beside its paths."""
    return bool(row.cells.get("segment")) and "path" not in row.cells


def _read_segment_row(table: Table, row: Row, store: Store) -> Found:
    name = row.cells["segment"].strip()
    segment = store.drafts.find_segment(name)
    recording = None if segment is None else store.recordings.find(segment.recording)
    if segment is None or recording is None:
        hint = "write the id of a segment of this workspace, or recording, start_ms and end_ms"
        raise table.fault(row.line, f"no segment {name[:64]!r}", column="segment", hint=hint)
    stretch = TimedText(
        recording=recording.id,
        start=segment.start,
        end=segment.end,
        text=_text_of(table, row),
        speaker=row.cells.get("speaker", "").strip() or segment.speaker,
        dialect=row.cells.get("dialect", "").strip() or segment.dialect,
        normalised=_normalised_of(row),
        where=table.locate(row.line),
    )
    return Found(recording=recording, stretch=stretch, segment=name)


def _read_span_row(table: Table, row: Row, names: RecordingNames) -> Found:
    name = row.cells.get("recording") or row.cells.get("path", "")
    if not name.strip():
        hint = "each row names a segment, or a recording with start_ms and end_ms"
        raise table.fault(row.line, "neither segment nor recording", column="recording", hint=hint)
    text = _text_of(table, row)
    # A row of a corpus of sentences is about the whole file; one that should have times is refused for lacking them.
    is_whole = not row.cells.keys() & {"recording", "start_ms", "end_ms"}
    times = [0, 0] if is_whole else [_time_of(table, row, column) for column in ("start_ms", "end_ms")]
    recording = names.find(name, table.locate(row.line, "recording"))
    stretch = TimedText(
        recording=recording.id,
        start=times[0],
        end=times[1],
        is_whole=is_whole,
        text=text,
        speaker=row.cells.get("speaker", "").strip() or None,
        dialect=row.cells.get("dialect", "").strip() or None,
        normalised=_normalised_of(row),
        where=table.locate(row.line, "end_ms"),
    )
    return Found(recording=recording, stretch=stretch)


def _time_of(table: Table, row: Row, column: str) -> Milliseconds:
    try:
        return from_milliseconds(row.cells.get(column, ""))
    except ValueError as error:
        hint = "write whole milliseconds from the start of the recording"
        raise table.fault(row.line, str(error), column=column, hint=hint) from None


def _text_of(table: Table, row: Row) -> str:
    text: str = row.cells.get("text", "")
    if not is_visible(text):
        hint = "leave the row out, or write what marks unintelligible speech"
        raise table.fault(row.line, "an empty text", column="text", hint=hint)
    if "\0" in text:
        raise table.fault(row.line, "a NUL character", column="text", hint="remove it")
    return text


def _normalised_of(row: Row) -> str | None:
    """Return the normalised tier; an empty cell says that nobody wrote one."""
    text = row.cells.get("normalised", "")
    return text if text.strip() else None


class _Speakers:
    """The turns of an RTTM file, by recording."""

    def __init__(self, file: Path, names: RecordingNames) -> None:
        self._turns: dict[str, list[TimedText]] = defaultdict(list)
        for turn in read_rttm(file):
            self._turns[names.find(turn.recording, turn.where).id].append(turn)

    def name(self, found: Found) -> Found:
        """Name the speaker of a stretch that has none by the turn that it shares most time with."""
        stretch = found.stretch
        if stretch.speaker is not None:
            return found
        shared: dict[str, int] = defaultdict(int)
        for turn in self._turns[found.recording.id]:
            if turn.speaker is not None:
                shared[turn.speaker] += max(0, min(turn.end, stretch.end) - max(turn.start, stretch.start))
        speaker = max(shared, key=lambda name: (shared[name], name), default=None)
        if not speaker or not shared[speaker]:
            return found
        return replace(found, stretch=replace(stretch, speaker=speaker))


class _Checks:
    """The stretches so far, by recording and speaker, and the rules that the next one has to hold."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str], list[tuple[Milliseconds, Milliseconds]]] = defaultdict(list)

    def check(self, found: Found) -> TimedText:
        """
        Return the stretch within its recording.

        Raises:
            InputError: E_CORRECTION: its times cannot be.
        """
        stretch, recording = found.stretch, found.recording
        if stretch.is_whole:
            return replace(stretch, start=0, end=recording.duration, is_whole=False)
        try:
            start, end = span(stretch.start, stretch.end)
            if end > recording.duration + TOLERANCE or start >= recording.duration or start == end:
                raise ValueError(f"{start} to {end} ms is no stretch of a recording of {recording.duration} ms")
            if found.segment is None:
                check_rate(stretch.text or "", end - start)
                self._check_overlap(recording, stretch)
        except ValueError as error:
            hint = "mend the times"
            if end_in_seconds(stretch, recording.duration):
                hint = _SECONDS_HINT
            raise InputError(f"{stretch.where}: {error}", code=CODE, hint=hint, item=stretch.where) from None
        return replace(stretch, end=min(end, recording.duration))

    def _check_overlap(self, recording: Recording, stretch: TimedText) -> None:
        speaker = stretch.speaker or recording.speaker or ("the only speaker" if recording.num_speakers == 1 else None)
        if speaker is None:
            return
        spans = self._spans[recording.id, speaker]
        position = bisect_left(spans, (stretch.start, stretch.end))
        # The same span again is a later text of the same stretch.
        for start, end in spans[max(0, position - 1) : position + 1]:
            shared = min(end, stretch.end) - max(start, stretch.start)
            if shared > OVERLAP and (start, end) != (stretch.start, stretch.end):
                raise ValueError(
                    f"{speaker[:60]} speaks from {start} to {end} ms already, {shared} ms of it at the same time"
                )
        spans.insert(position, (stretch.start, stretch.end))


def end_in_seconds(stretch: TimedText, duration: Milliseconds) -> bool:
    """Tell if the times of *stretch*, taken for seconds, lie within a recording of *duration*."""
    return stretch.end * 1_000 <= duration + TOLERANCE


def check_rate(text: str, duration: Milliseconds) -> None:
    """
    Refuse a *text* that nobody says in *duration*.

    Raises:
        ValueError: With a sentence.

    >>> check_rate("twenty-one letters here", 1)
    Traceback (most recent call last):
    ...
    ValueError: 20 letters in 1 ms are more than anybody says (40 a second)
    """
    letters = sum(cluster[0].isalnum() for cluster in _CLUSTER.findall(text))
    if letters > _SPARE + FASTEST * duration / 1_000 or (letters and duration < SHORTEST):
        raise ValueError(f"{letters} letters in {duration} ms are more than anybody says ({FASTEST:.0f} a second)")
