"""
Manifests of public corpora, made from the folders as they are distributed.

Each layout follows a public description, which it names. Facts that the description does not state, such as the
speakers of some corpora, are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

from dialects.tables import is_sound, write_rows
from dialects.text_files import read_lines
from transcribe.errors import InputError, UsageError
from transcribe.ingest.paths import readable
from transcribe.ingest.timed import line_fault, read_stm
from transcribe.tables import Table, from_seconds

MANIFEST: Final = "boli-manifest.csv"
TURNS: Final = "boli-turns.jsonl"
SOUNDS: Final = "boli-audio"
#: Bytes of the largest sound within a Parquet file.
LARGEST: Final = 256 << 20

#: A row of a manifest, by column.
ManifestRow: TypeAlias = Mapping[str, str]

#: Folders of Kathbath, and the codes of their languages.
_KATHBATH_LANGUAGES: Final = {
    "bengali": "bn",
    "gujarati": "gu",
    "hindi": "hi",
    "kannada": "kn",
    "malayalam": "ml",
    "marathi": "mr",
    "odia": "or",
    "punjabi": "pa",
    "sanskrit": "sa",
    "tamil": "ta",
    "telugu": "te",
    "urdu": "ur",
}
#: Names that were taken out of the sound of CORAAL, and brackets around words that overlap.
_CORAAL_MARKS: Final = re.compile(r"/RD-[^/\s]*/|[\[\]]")
_CORAAL_PAUSE: Final = re.compile(r"\(pause [\d.]+\)")
_SPLITS: Final = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "test": "test"}


def list_common_voice(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the clips of one language of Common Voice: ``train.tsv, dev.tsv, test.tsv`` and the folder ``clips``.

    Columns as in https://github.com/common-voice/cv-dataset#fields. The accent that a speaker names in words is a fact,
    no dialect.
    """
    for split in ("train", "dev", "test"):
        file = folder / f"{split}.tsv"
        if not file.is_file():
            continue
        table = Table(file=file, any_of=(), required=("path", "sentence"), columns=("client_id", "locale"))
        for row in table.rows():
            cells = row.cells
            facts = {name: cells[name] for name in ("accents", "variant", "age", "gender") if name in cells}
            yield {
                "path": f"clips/{PurePosixPath(cells.get('path', '')).name}",
                "speaker": cells.get("client_id", ""),
                "language": cells.get("locale", ""),
                "text": cells.get("sentence", ""),
                "split": split,
                **facts,
            }


def list_fleurs(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the recordings of FLEURS: ``<language>/<split>.tsv`` without a head, sounds in ``<language>/audio/<split>``.

    The seven fields are id, file, text as written, text, letters, samples and gender, as the dataset at
    https://huggingface.co/datasets/google/fleurs reads them. Speakers are not stated.
    """
    for file in sorted(folder.rglob("*.tsv")):
        if file.stem not in ("train", "dev", "test"):
            continue
        for number, fields in _read_fields(file, 7):
            places = (f"audio/{file.stem}/{fields[1]}", f"audio/{fields[1]}", f"{file.stem}/{fields[1]}")
            yield {
                "path": _find_sound(folder, file.parent, places, file, number),
                "language": file.parent.name.partition("_")[0],
                "text": fields[2],
                "split": file.stem,
                "gender": fields[6].lower(),
            }


def list_edacc(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the conversations of EdAcc: ``dev/stm, test/stm`` and the recordings in ``data``; turns go to a file of ours.

    As the README of its version 1.0 says (https://groups.inf.ed.ac.uk/edacc). Read speech, which it marks as not to be
    scored, has no turn. What speakers say of their accents, in words, is no dialect.
    """
    turns: list[Mapping[str, Any]] = []
    sounds: dict[str, ManifestRow] = {}
    for split in ("dev", "test"):
        file = folder / split / "stm"
        for placed in read_stm(file) if file.is_file() else ():
            stretch = placed.stretch
            if stretch.recording not in sounds:
                path = _find_sound(folder, folder / "data", (f"{stretch.recording}.wav",), file, placed.line)
                sounds[stretch.recording] = {
                    "path": path,
                    "session": stretch.recording,
                    "language": "en",
                    "split": split,
                    "turns": TURNS,
                }
            turns.append(_to_turn(stretch.recording, stretch.start, stretch.end, stretch.speaker, stretch.text))
    _write_turns(folder, turns)
    yield from sounds.values()


def list_coraal(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the interviews of CORAAL: ``*.wav`` with a ``.txt`` of the same name each, a table of turns.

    The columns Spkr, StTime, EnTime and Content are read, in seconds, as by
    https://nvidia.github.io/NeMo-speech-data-processor/sdp/config-docs/english/coraal/config.html. A pause has no turn;
    names that were taken out of the sound have no words, and brackets around overlapping words go. There is no split.
    """
    sounds = {file.stem: file for file in sorted(folder.rglob("*.wav"))}
    turns: list[Mapping[str, Any]] = []
    taken: list[ManifestRow] = []
    for file in sorted(folder.rglob("*.txt")):
        if file.stem not in sounds:
            continue
        turns += _read_coraal_turns(file)
        path = sounds[file.stem].relative_to(folder).as_posix()
        taken.append({"path": path, "session": file.stem, "language": "en", "turns": TURNS})
    _write_turns(folder, turns)
    yield from taken


def _read_coraal_turns(file: Path) -> Iterator[dict[str, Any]]:
    table = Table(file=file, any_of=(), required=("Spkr", "StTime", "EnTime", "Content"), code="E_LAYOUT")
    for row in table.rows():
        text = " ".join(_CORAAL_MARKS.sub(" ", row.cells.get("Content", "")).split())
        if not text or _CORAAL_PAUSE.fullmatch(text):
            continue
        try:
            start, end = (from_seconds(row.cells.get(name, "")) for name in ("StTime", "EnTime"))
        except ValueError as error:
            raise table.fault(row.line, str(error), hint="fetch the file again") from error
        yield _to_turn(file.stem, start, end, row.cells.get("Spkr"), text)


def list_kathbath(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the sentences of Kathbath: ``<language>/<split>/transcription_n2w.txt``, the sounds beside it.

    As https://github.com/AI4Bharat/IndicSUPERB says, whose scripts read the two fields between tabs: the sound, named
    ``<id>-<speaker>-<gender>.m4a``, and the text. Sounds that were made WAV are found too.
    """
    for file in sorted(folder.rglob("transcription_n2w.txt")):
        language, split = file.parent.parent.name.lower(), file.parent.name.lower()
        if language not in _KATHBATH_LANGUAGES:
            what = f"the folder {language[:80]!r} is no language of Kathbath"
            hint = f"there are {', '.join(_KATHBATH_LANGUAGES)}"
            raise InputError(what, code="E_LAYOUT", hint=hint, item=str(file))
        for number, (name, text) in _read_fields(file, 2):
            facts = name.rpartition(".")[0].split("-")
            if len(facts) != 3:
                what = f"{name[:80]!r} is not <id>-<speaker>-<gender>.m4a"
                raise line_fault(file, "E_LAYOUT")(number, what, "fetch the file again")
            names = (name, f"{name.rpartition('.')[0]}.wav")
            places = tuple(f"{place}{one}" for one in names for place in ("", "audio/", f"audio/{facts[1]}/"))
            yield {
                "path": _find_sound(folder, file.parent, places, file, number),
                "speaker": f"kathbath-{language}-{facts[1]}",
                "language": _KATHBATH_LANGUAGES[language],
                "text": text,
                "split": "test" if split.startswith("test") else _SPLITS.get(split, ""),
                "gender": {"f": "female", "m": "male"}.get(facts[2], ""),
            }


def list_hugging_face(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the rows of a dataset of the Hugging Face Hub: ``*.parquet`` with a column of sounds, which are unpacked.

    As https://huggingface.co/docs/hub/datasets-audio says; a split is named by the file or its folder. The other
    columns keep their names: those that `boli ingest` knows under them are taken, the rest are facts.
    """
    for file in sorted(folder.rglob("*.parquet")):
        place = file.relative_to(folder).with_suffix("")
        words = re.split("[^a-z]+", place.as_posix().lower())
        split = next((_SPLITS[word] for word in reversed(words) if word in _SPLITS), "")
        for number, record in _read_parquet(file):
            sound = next((cell for cell in record.values() if isinstance(cell, dict) and cell.get("bytes")), None)
            if sound is None or not isinstance(sound["bytes"], bytes):
                raise line_fault(file, "E_LAYOUT")(number, "it holds no sound", "fetch the file again")
            suffix = PurePosixPath(str(sound.get("path") or "")).suffix or ".wav"
            facts = {name: str(cell) for name, cell in record.items() if isinstance(cell, str | int | float)}
            path = _unpack(folder, sound["bytes"], f"{'-'.join(place.parts)}-{number:06}{suffix}")
            yield {"split": split, **facts, "path": path}


def list_svarah(folder: Path) -> Iterator[ManifestRow]:
    """
    Yield the recordings of Svarah: ``data/test-*.parquet`` with the sounds in ``audio_filepath``, which are unpacked.

    Columns as on https://huggingface.co/datasets/ai4bharat/Svarah; all but sound, duration and text are facts. Speakers
    are not stated.
    """
    for file in sorted((folder / "data").glob("*.parquet")):
        split = _SPLITS.get(file.name.partition("-")[0], "")
        for number, record in _read_parquet(file):
            sound = record.pop("audio_filepath", None)
            if not isinstance(sound, dict) or not isinstance(sound.get("bytes"), bytes):
                raise line_fault(file, "E_LAYOUT")(number, "audio_filepath holds no sound", "fetch the file again")
            record.pop("duration", None)
            facts = {name: str(value) for name, value in record.items() if value is not None and name != "text"}
            path = _unpack(folder, sound["bytes"], str(sound.get("path") or f"{file.stem}-{number}.wav"))
            yield {"path": path, "language": "en", "text": str(record.get("text") or ""), "split": split, **facts}


LAYOUTS: Final[Mapping[str, Callable[[Path], Iterator[ManifestRow]]]] = {
    "common-voice": list_common_voice,
    "coraal": list_coraal,
    "edacc": list_edacc,
    "fleurs": list_fleurs,
    "hugging-face": list_hugging_face,
    "kathbath": list_kathbath,
    "svarah": list_svarah,
}


def write_manifest(name: str, folder: Path) -> tuple[Path, int]:
    """
    Write the manifest of the corpus *name* into its *folder*, and return it with the count of its rows.

    Raises:
        UsageError: There is no such layout.
        InputError: E_LAYOUT, where the folder is not laid out so, with file and line.
    """
    if name not in LAYOUTS:
        raise UsageError(f"the layout {name!r} was asked for", hint=f"there are {', '.join(LAYOUTS)}")
    rows = list(LAYOUTS[name](folder))
    if not rows:
        description = (LAYOUTS[name].__doc__ or "").strip().splitlines()[0]
        hint = f"name the folder of the corpus. {description.replace('Yield', 'Looked for', 1)}"
        raise InputError(f"{readable(folder)} is not laid out as {name}", code="E_LAYOUT", hint=hint, item=str(folder))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    file = folder / MANIFEST
    with file.open("w", encoding="utf-8", newline="") as stream:
        write_rows([columns, *([row.get(column, "") for column in columns] for row in rows)], stream)
    return file, len(rows)


def _to_turn(recording: str, start: int, end: int, speaker: str | None, text: str | None) -> dict[str, Any]:
    return {"recording": recording, "start_ms": start, "end_ms": end, "speaker": speaker, "text": text}


def _write_turns(folder: Path, turns: Iterable[Mapping[str, Any]]) -> None:
    lines = "".join(f"{json.dumps(turn, ensure_ascii=False)}\n" for turn in turns)
    (folder / TURNS).write_text(lines, encoding="utf-8")


def _read_fields(file: Path, count: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the numbered lines of *file* as *count* fields between tabs, where quotes are text."""
    fault = line_fault(file, "E_LAYOUT")
    with file.open("rb") as stream:
        for number, line in enumerate(read_lines(stream, fault), 1):
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) != count:
                raise fault(number, f"{len(fields)} fields between tabs, not {count}", "fetch the file again")
            yield number, fields


def _find_sound(folder: Path, base: Path, places: tuple[str, ...], file: Path, number: int) -> str:
    """Return the first of *places* below *base* that is there, relative to *folder*, or the first of all."""
    for place in places:
        if ".." in PurePosixPath(place).parts or place.startswith("/"):
            raise line_fault(file, "E_LAYOUT")(number, f"{place[:80]!r} leads elsewhere", "fetch the file again")
        if (base / place).is_file():
            return (base / place).relative_to(folder).as_posix()
    return (base / places[0]).relative_to(folder).as_posix()


def _read_parquet(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    try:
        source = parquet.ParquetFile(file, pre_buffer=False)
        if not any(is_sound(column.type) for column in source.schema_arrow):
            raise InputError(
                f"{file.name} has no column of sounds", code="E_LAYOUT", hint="fetch it again", item=file.name
            )
        number = 0
        for batch in source.iter_batches(batch_size=16, use_threads=False):
            for record in batch.to_pylist():
                number += 1
                yield number, record
    except (pyarrow.ArrowException, OSError) as error:
        message = f"{file.name} cannot be read as Parquet: {error}"
        raise InputError(message, code="E_LAYOUT", hint="fetch the file again", item=file.name) from error


def _unpack(folder: Path, sound: bytes, name: str) -> str:
    """Write *sound* below *folder*, under the last part of *name*, and return its path there."""
    base = PurePosixPath(name.replace("\\", "/")).name.replace("\0", "")
    if len(sound) > LARGEST or base in ("", ".", ".."):
        what = f"a sound {base[:80]!r} of {len(sound):,} bytes"
        raise InputError(what, code="E_LAYOUT", hint=f"at most {LARGEST:,} bytes are unpacked, under a name", item=base)
    target = folder / SOUNDS / base
    target.parent.mkdir(exist_ok=True)
    if not target.is_file() or target.read_bytes() != sound:
        if target.exists():
            raise InputError(f"two sounds are called {base}", code="E_LAYOUT", hint=f"empty {target.parent}", item=base)
        target.write_bytes(sound)
    return f"{SOUNDS}/{base}"
