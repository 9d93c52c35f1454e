"""
Combine several recognisers: a dialect goes to the model that was tuned for it, all others to the one before.

A tuned model gains in the dialects that it was tuned for and forgets a little of the others. Where it drafts only what
it was tuned for, nobody pays for that. Such a model is a folder with one small file, which names the parts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.model_manifest import check_manifest, write_manifest
from transcribe.backends.whisper_folder import find
from transcribe.config import fingerprint
from transcribe.errors import InputError
from transcribe.protocols import Heard, Pcm, Recogniser, Window
from transcribe.records import Milliseconds, Word

SCHEMA: Final = "boli.dialects/1"
ROUTES_FILE: Final = "dialects.json"

#: Gives the folder, or the hub id, that a place names.
Resolve: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The model of each dialect; a model is named by its location, as the store names it."""

    others: str
    by_dialect: Mapping[str, str]

    def choose_model(self, dialect: str | None) -> str:
        """Return the model for *dialect*."""
        return self.by_dialect.get(dialect or "", self.others)

    def __or__(self, more: Mapping[str, str]) -> Routes:
        """Return these routes with *more* in place of what they say of the same dialects."""
        return Routes(others=self.others, by_dialect={**self.by_dialect, **more})


def read_routes(folder: Path) -> Routes | None:
    """
    Return the routes of the model in *folder*; ``None`` where it is one model for all.

    Raises:
        InputError: E_MODEL if the file cannot be read, E_MODEL_CHECKSUM if it is not what its manifest states.
    """
    file = folder / ROUTES_FILE
    if not file.is_file():
        return None
    check_manifest(folder)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        others, by_dialect = document["others"], document["by_dialect"]
        if document["schema"] != SCHEMA or not all(isinstance(model, str) for model in (others, *by_dialect.values())):
            raise ValueError(f"it is no {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = f"write {SCHEMA} with others, a place, and by_dialect, a place for each tag"
        raise InputError(f"{file} cannot be read ({error!r})", code="E_MODEL", hint=hint, item=str(file)) from error
    return Routes(others=others, by_dialect=by_dialect)


def write_routes(folder: Path, routes: Routes) -> None:
    """Make *folder* a model of *routes*, with its manifest; what the folder holds besides is whole by then."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{ROUTES_FILE}.part"
    document = {"schema": SCHEMA, "others": routes.others, "by_dialect": dict(sorted(routes.by_dialect.items()))}
    part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / ROUTES_FILE)
    write_manifest(folder, folder.name, routes=sorted(routes.by_dialect))


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The id and the longest window of a model that was not loaded."""

    id: str
    window: Milliseconds


def look(location: str, resolve: Resolve, *, allow_download: bool = False) -> Looked:
    """
    Return hash and longest window of the model at *location*, of one model or of several by dialect.

    Raises:
        MissingError: A part is not on this machine.
        InputError: E_MODEL if a part is no Whisper in CTranslate2's format.
    """

    def look_at_part(part: str) -> Looked:
        whisper = find(resolve(part), allow_download=allow_download)
        return Looked(id=whisper.id, window=whisper.window)

    routes = read_routes(Path(resolve(location)))
    if routes is None:
        return look_at_part(location)
    parts = {part: look_at_part(part) for part in {routes.others, *routes.by_dialect.values()}}
    ids = {tag: parts[part].id for tag, part in routes.by_dialect.items()}
    return Looked(id=_combine_ids(parts[routes.others].id, ids), window=min(part.window for part in parts.values()))


class DialectRecogniser:
    """The recogniser that sends each window to the recogniser of its dialect."""

    def __init__(self, others: FasterWhisperRecogniser, by_dialect: Mapping[str, FasterWhisperRecogniser]) -> None:
        self.others, self.by_dialect = others, by_dialect
        self.id = _combine_ids(others.id, {tag: part.id for tag, part in by_dialect.items()})
        self.window: Milliseconds = min(part.window for part in (others, *by_dialect.values()))
        self.workers = min(part.workers for part in (others, *by_dialect.values()))

    @property
    def only_language(self) -> str | None:
        """The Whisper code of the one language that all parts were made for; ``None``: they know many."""
        languages = {part.only_language for part in (self.others, *self.by_dialect.values())}
        return languages.pop() if len(languages) == 1 else None

    def count_tokens(self, text: str) -> int:
        """Count the tokens of *text* in the part that needs most."""
        return max(part.count_tokens(text) for part in (self.others, *self.by_dialect.values()))

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        """Recognise each window, in the same order."""
        answers: dict[int, Heard] = {}
        for recogniser, numbers in self._group_by_part(windows).items():
            answers.update(zip(numbers, recogniser.recognise(pcm, [windows[index] for index in numbers]), strict=True))
        return [answers[number] for number in range(len(windows))]

    def align_texts(self, pcm: Pcm, windows: Sequence[Window], texts: Sequence[str]) -> list[tuple[Word, ...]]:
        """Return the words of each of *texts* with their times, by the model of its dialect, in the same order."""
        words: dict[int, tuple[Word, ...]] = {}
        for recogniser, numbers in self._group_by_part(windows).items():
            part = ([windows[number] for number in numbers], [texts[number] for number in numbers])
            words.update(zip(numbers, recogniser.align_texts(pcm, *part), strict=True))
        return [words[number] for number in range(len(windows))]

    def _group_by_part(self, windows: Sequence[Window]) -> dict[FasterWhisperRecogniser, list[int]]:
        """Return the indices of the windows that each part recognises."""
        indices: dict[FasterWhisperRecogniser, list[int]] = defaultdict(list)
        for number, window in enumerate(windows):
            indices[self.by_dialect.get(window.dialect or "", self.others)].append(number)
        return indices


def part_id(recogniser: Recogniser, dialect: str | None) -> str:
    """Return the id of the model that hears *dialect*: of the recogniser itself, where it is one for all."""
    if isinstance(recogniser, DialectRecogniser):
        return recogniser.by_dialect.get(dialect or "", recogniser.others).id
    return recogniser.id


def _combine_ids(others: str, by_dialect: Mapping[str, str]) -> str:
    return fingerprint("by dialect", others, dict(by_dialect))[:32]
