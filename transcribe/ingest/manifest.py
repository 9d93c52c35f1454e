"""
Plan what is taken in: named files and folders, or the rows of a manifest.

A manifest is a table, read twice and never held in memory.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast, get_args

from transcribe.consent_words import find_withheld
from transcribe.errors import Failure, InputError
from transcribe.ingest.item import Arrival
from transcribe.ingest.paths import Roots, describe_left_out, find_spelling, fold_path, readable, walk
from transcribe.ingest.sidecars import Sidecars
from transcribe.ingest.splits import STORED_LINE, Clash, Groups, Links, names_of
from transcribe.records import ChannelMode, DeclaredTurn, Split
from transcribe.tables import Row, Table

#: Split of recordings that are in the store already and share a speaker or the session; ``None`` without any.
SplitOf: TypeAlias = Callable[[Sequence[str], str | None], Split | None]

T = TypeVar("T")
#: Makes the error of a cell: column, what is wrong, what to do.
CellFault: TypeAlias = Callable[[str, str, str], InputError]

#: Facts that are kept as written.
FACTS: Final = ("dialect", "language", "speaker", "session", "consent", "licence", "source")
#: Columns with a meaning. Others are kept as facts.
COLUMNS: Final = frozenset({"path", *FACTS, "channel", "num_speakers", "text", "turns", "split"})
#: More people than a recording holds; a larger number is a slip.
MOST_SPEAKERS: Final = 1_000
#: Bytes of the longest value that a store can look up by.
LONGEST_KEY: Final = 2_000


def read_facts(cells: Mapping[str, str], fault: CellFault) -> dict[str, Any]:
    """
    Return the facts of *cells* under the names of ``Arrival``, without location, turns and group.

    Raises:
        InputError: As *fault* makes it.
    """
    _refuse_unfit(cells, fault)
    return {
        **{name: strip_cell(cells, name) for name in FACTS},
        "num_speakers": _read_speaker_count(cells, fault),
        "channel_mode": _read_choice(cells, "channel", get_args(ChannelMode), fault) or "mix",
        "split": _read_choice(cells, "split", get_args(Split), fault),
        "text": cells["text"] if cells.get("text", "").strip() else None,
        "facts": {name: value for name, value in cells.items() if name not in COLUMNS},
    }


def strip_cell(cells: Mapping[str, str], name: str) -> str | None:
    """
    Return a cell without the blanks around it, in Unicode's form NFC; ``None`` if it is empty.

    Blanks, or an accent as a character of its own, would make two speakers of one.
    """
    value = cells.get(name)
    return unicodedata.normalize("NFC", value.strip()) or None if value else None


def _refuse_unfit(cells: Mapping[str, str], fault: CellFault) -> None:
    for name, value in cells.items():
        if "\0" in value and name not in ("path", "turns"):
            raise fault(name, "a NUL character", "remove it")
        if len(value) > LONGEST_KEY // 4 and name in FACTS and len(value.encode()) > LONGEST_KEY:
            raise fault(name, f"over {LONGEST_KEY:,} bytes", "shorten it, or give the column another name")


def _read_choice(cells: Mapping[str, str], column: str, choices: Sequence[str], fault: CellFault) -> str | None:
    value = strip_cell(cells, column)
    if value is not None and value not in choices:
        hint = f"write {', '.join(choices[:-1])} or {choices[-1]}, or leave it empty"
        raise fault(column, f"{value[:40]!r} is none of its words", hint)
    return value


def _read_speaker_count(cells: Mapping[str, str], fault: CellFault) -> int | None:
    value = strip_cell(cells, "num_speakers")
    if value is None:
        return None
    digits = value.removesuffix(".0")  # a column of whole numbers with a gap in it comes as floats
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:9]) <= MOST_SPEAKERS):
        hint = f"write a whole number from 1 to {MOST_SPEAKERS:,}, or leave it empty"
        raise fault("num_speakers", f"{value[:40]!r} was given", hint)
    return int(digits)


class Manifest:
    """
    A manifest and the roots and defaults that its rows are read with.

    Args:
        file: CSV, JSONL or Parquet with a column ``path``.
        roots: Where its paths may lead.
        split_of: Asks the store.
        defaults: Columns for rows that leave them empty.
    """

    def __init__(
        self, file: Path, *, roots: Roots, split_of: SplitOf, defaults: Mapping[str, str] | None = None
    ) -> None:
        self._table = Table(file=file, any_of=("path",), columns=tuple(sorted(COLUMNS)))
        self._roots = roots
        # One question for each of them, however many rows they stand in.
        self._stored = lru_cache(maxsize=1 << 14)(split_of)
        self._defaults = dict(defaults or {})
        self._sidecars = Sidecars()

    def arrivals(self) -> Iterator[Arrival | Failure]:
        """
        Yield one arrival for each row, or the failure of a row that cannot be used; the rest goes on.

        Raises:
            InputError: The file as a whole is not readable (E_MANIFEST, E_JSON), or rows that hang together are put
                into different splits (E_SPLIT).
        """
        groups = self._groups()
        for row in self._table.entries():
            try:
                if isinstance(row, InputError):
                    raise row
                yield self._make_arrival(row, groups)
            except InputError as error:
                path = "" if isinstance(row, InputError) else row.cells.get("path", "").replace("\0", "\\0")
                item = path or str(error.item)
                yield Failure(item=readable(item), code=error.code, message=readable(str(error)))

    def find_refused(self, refusing: Collection[str]) -> Iterator[Arrival]:
        """Yield the rows whose consent withholds; *refusing* are the words that refuse. Bad rows are passed over."""
        nobody = Links().groups()
        for row in self._rows():
            if find_withheld({**self._defaults, **row.cells}.get("consent"), refusing) is not None:
                with suppress(InputError):
                    yield self._make_arrival(row, nobody)

    def _rows(self) -> Iterator[Row]:
        """Yield the rows that can be read."""
        return (row for row in self._table.entries() if isinstance(row, Row))

    def _groups(self) -> Groups:
        """Link the rows that must share a split, in a first pass; faults of rows wait for the second."""
        links = Links()
        for row in self._rows():
            cells = {**self._defaults, **row.cells}
            if not (cells.get("speaker") or cells.get("session") or cells.get("turns")):
                continue
            names = self._link_names(cells)
            split = cells.get("split", "").strip()
            links.add(row.cells.get("path", ""), names, line=row.line, split=_parse_split(split))
            self._link_to_store(links, row, cells)
        groups = links.groups()
        if groups.clash is not None:
            raise self._clash_error(groups.clash)
        return groups

    def _link_to_store(self, links: Links, row: Row, cells: Mapping[str, str]) -> None:
        """Add to *links* the splits that the store has for the row's speakers and its session."""
        speakers, session = self._list_speakers(cells), strip_cell(cells, "session")
        for linked_speakers, conversation in (*(((speaker,), None) for speaker in speakers), ((), session)):
            if (linked_speakers or conversation) and (settled := self._stored(linked_speakers, conversation)):
                names = names_of(linked_speakers, conversation)
                links.add(row.cells.get("path", ""), names, line=STORED_LINE, split=settled)

    def _clash_error(self, clash: Clash) -> InputError:
        name = self._table.file.name
        hint = "put all recordings that share a speaker or a conversation into one split, or leave the column empty"
        if clash.line == STORED_LINE:
            what = f"{self._table.locate(clash.other_line)} is put into {clash.other_split}"
            why = f"the workspace has people it is linked with in {clash.split}, where they stay"
        else:
            shared = self._name_shared(clash.line, clash.other_line)
            what = f"{name} puts {shared} into {clash.split} ({self._table.unit} {clash.line})"
            why = f"into {clash.other_split} ({self._table.unit} {clash.other_line})"
        return InputError(f"{what} and {why}", code="E_SPLIT", hint=hint, item=f"{name}:{clash.other_line}")

    def _name_shared(self, *lines: int) -> str:
        """Return a name that stands in all of *lines*, for a message."""
        names_by_row = [
            set(self._link_names({**self._defaults, **row.cells})) for row in self._rows() if row.line in lines
        ]
        common = sorted(set.intersection(*names_by_row)) if names_by_row else []
        return common[0] if common else "people who are linked by shared recordings"

    def _link_names(self, cells: Mapping[str, str]) -> tuple[str, ...]:
        return names_of(self._list_speakers(cells), strip_cell(cells, "session"))

    def _list_speakers(self, cells: Mapping[str, str]) -> list[str]:
        """List all declared speakers; a fault in the row is reported when the row is used."""
        speaker = strip_cell(cells, "speaker")
        try:
            turns, _ = self._read_turns(cells)
        except (InputError, ValueError):
            turns = ()
        return sorted({turn.speaker for turn in turns} | ({speaker} if speaker else set()))

    def _make_arrival(self, row: Row, groups: Groups) -> Arrival:
        def fault(column: str, what: str, hint: str) -> InputError:
            return self._table.fault(row.line, what, column=column, hint=hint)

        cells = {**self._defaults, **row.cells}
        if "path" not in cells:
            raise fault("path", "no path", "each row names a file")
        row_facts = read_facts(cells, fault)
        location = self._resolve(row, cells, "path", lambda: self._roots.locate(cells["path"]))
        turns, turns_at = self._resolve(row, cells, "turns", lambda: self._read_turns(cells))
        group = groups.of(self._link_names(cells))
        return Arrival(
            location=location,
            path=readable(fold_path(cells["path"])),
            manifest=self._table.file.name,
            line=row.line,
            **(row_facts | {"split": row_facts["split"] or (group.split if group else None)}),
            group=group.key if group else None,
            declared=turns,
            declared_at=turns_at,
        )

    def _resolve(self, row: Row, cells: Mapping[str, str], column: str, find: Callable[[], T]) -> T:
        """Call *find*, and raise E_PATH about *column* where it leads outside the roots."""
        try:
            return find()
        except ValueError as error:
            what = f"{cells[column][:200]!r} was asked for: {error}"
            hint = f"paths are relative to {self._roots.base}; name other folders with --root or ingest.allow_roots"
            raise self._table.fault(row.line, what, column=column, hint=hint, code="E_PATH") from None

    def _read_turns(self, cells: Mapping[str, str]) -> tuple[tuple[DeclaredTurn, ...], tuple[str, ...]]:
        """
        Read the turns of a row's sidecar and where each stands.

        Raises:
            ValueError: The sidecar lies outside the roots.
            InputError: The sidecar itself is faulty.
        """
        if not (written := cells.get("turns", "").strip()):
            return (), ()
        file = self._roots.locate(written)
        if not isinstance(file, Path):
            raise ValueError("a sidecar in an object store")
        return self._sidecars.turns(file, cells.get("path", ""), speaker=strip_cell(cells, "speaker"))


def _parse_split(text: str) -> Split | None:
    return cast(Split, text) if text in get_args(Split) else None


def plan(
    paths: Sequence[Path] = (),
    *,
    manifest: Path | None = None,
    root: Path | str | None = None,
    allow_roots: Sequence[str] = (),
    defaults: Mapping[str, str] | None = None,
    split_of: SplitOf = lambda speakers, session: None,
    warn: Callable[[str], None] = lambda warning: None,
) -> Iterator[Arrival | Failure]:
    """
    Yield the files to take in, one at a time: those of *paths* in their order, then those of *manifest*.

    What cannot be used comes as a failure in its place, and the rest goes on.

    Args:
        paths: Files, or folders that are searched for media.
        manifest: CSV, JSONL or Parquet with a column ``path``.
        root: What the manifest's paths are relative to; default is its folder. May be the URL of an object store.
        allow_roots: Other folders and URLs that the manifest may name.
        defaults: Facts for rows and files that have none of their own, by column.
        split_of: ``Store.split_of``: keeps people in the split that they are in.
        warn: Takes a warning about the files of each folder that are left out.

    Raises:
        InputError: A path that is not there; a manifest that cannot be read (E_MANIFEST, E_JSON) or that puts one
            speaker into two splits (E_SPLIT).
    """
    paths = [find_spelling(path) for path in paths]
    for path in paths:
        if not path.is_symlink() and not path.exists():
            raise InputError(
                f"{readable(path)} is not there", code="E_NOT_FOUND", hint="check the path", item=str(path)
            )
    yield from _plan_files(paths, defaults or {}, split_of, warn)
    if manifest is not None:
        roots = _find_roots(manifest, root, allow_roots)
        yield from Manifest(manifest, roots=roots, split_of=split_of, defaults=defaults).arrivals()


def plan_refused(
    manifest: Path, refusing: Collection[str], root: Path | str | None = None, allow_roots: Sequence[str] = ()
) -> Iterator[Arrival]:
    """Yield the rows of *manifest* whose consent withholds, by the words of *refusing* among others; see `plan`."""
    roots = _find_roots(manifest, root, allow_roots)
    return Manifest(manifest, roots=roots, split_of=lambda speakers, session: None).find_refused(refusing)


def _find_roots(manifest: Path, root: Path | str | None, allow_roots: Sequence[str]) -> Roots:
    return Roots(manifest.parent if root is None else root, [*([] if root is None else [root]), *allow_roots])


def _plan_files(
    paths: Sequence[Path], defaults: Mapping[str, str], split_of: SplitOf, warn: Callable[[str], None]
) -> Iterator[Arrival | Failure]:
    def fault(column: str, what: str, hint: str) -> InputError:
        return InputError(f"{column} for all files: {what}", code="E_FACT", hint=hint, item=column)

    shared_facts = read_facts(defaults, fault)
    speakers = [shared_facts["speaker"]] if shared_facts["speaker"] else []
    links = Links()
    links.add("", names_of(speakers, shared_facts["session"]), line=1)
    group = links.groups().of(names_of(speakers, shared_facts["session"]))
    if group is not None:
        shared_facts["split"] = split_of(speakers, shared_facts["session"]) or shared_facts["split"]
    for path in paths:
        left_out: Counter[str] = Counter()
        for file in walk(path, left_out=left_out) if path.is_dir() else (path,):
            if isinstance(file, Failure):
                yield file
            else:
                location = file.resolve() if file != path and file.is_symlink() else file
                yield Arrival(
                    location=location, path=readable(file), group=group.key if group else None, **shared_facts
                )
        if (warning := describe_left_out(left_out, path)) is not None:
            warn(warning)
