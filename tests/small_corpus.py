"""Conversations in the synthetic speech that the embedded models know (`tests/speech`), and workspaces made of them."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.speaker_sets import Case
from tests.acceptance.command import must
from tests.conftest import ROOT
from transcribe import embedded, workspace
from transcribe.protocols import LabelledSpan, Pcm

FOLDER: Final = ROOT / "tests" / "speech"
EMBEDDED_MODELS: Final[Mapping[str, Mapping[str, Any]]] = {
    "recogniser": {"model": embedded.NAME},
    "diariser": {"model": embedded.NAME},
}
MANIFEST_COLUMNS: Final = ("path", "dialect", "session", "turns", "split", "consent", "licence", "source")


def sound_file(conversation: str) -> Path:
    return FOLDER / f"{conversation}.opus"


def sound_files(pattern: str = "*") -> list[Path]:
    """Files of all conversations whose names match *pattern*, by name."""
    return sorted(FOLDER.glob(f"{pattern}.opus"))


@functools.cache
def read_sound(conversation: str) -> Pcm:
    from faster_whisper import decode_audio

    sound = decode_audio(str(sound_file(conversation)), sampling_rate=16_000)
    return (sound * 32_767).round().astype(np.int16)


def read_turns(conversation: str) -> list[dict[str, Any]]:
    """Turns as corrections and sidecars have them: ``start_ms, end_ms, speaker, dialect, text``."""
    lines = (FOLDER / f"{conversation}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read_case(conversation: str) -> Case:
    """Sound of *conversation*, and who speaks when in it."""
    turns = read_turns(conversation)
    spans = (LabelledSpan(start=turn["start_ms"], end=turn["end_ms"], label=turn["speaker"]) for turn in turns)
    return Case(name=conversation, samples=read_sound(conversation), truth=tuple(spans))


def split_name(conversation: str) -> tuple[str, str]:
    """
    Dialect and split of a conversation.

    >>> split_name("en-scotland-dev-02")
    ('en-scotland', 'dev')
    """
    dialect, split, _ = conversation.rsplit("-", 2)
    return dialect, split


def make_drafted_workspace(
    folder: Path,
    conversations: Sequence[str],
    *,
    corrected: Collection[str] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    timeout: float = 1_200,
) -> Path:
    """
    Make the workspace *folder* by the real commands: ingest *conversations*, draft them by the embedded models, and
    take in the true texts of the *corrected* ones.

    Args:
        settings: More for its ``boli.toml``, by section.
        timeout: Seconds that drafting may take.
    """
    place = workspace.create(folder, {**EMBEDDED_MODELS, **(settings or {})})
    manifest = _write_manifest(place / "speech.csv", conversations)
    must("ingest", "--manifest", manifest, "--root", FOLDER, "--workspace", place)
    must("run", "--workspace", place, timeout=timeout)
    if corrected:
        must("import", "corrections", _write_corrections(place / "speech.jsonl", corrected), "--workspace", place)
    return place


def _write_manifest(file: Path, conversations: Sequence[str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(MANIFEST_COLUMNS)
        for name in conversations:
            dialect, split = split_name(name)
            rows.writerow((f"{name}.opus", dialect, name, f"{name}.jsonl", split, "synthetic", "CC0-1.0", "espeak-ng"))
    return file


def _write_corrections(file: Path, conversations: Collection[str]) -> Path:
    corrections = ({"recording": f"{name}.opus", **turn} for name in conversations for turn in read_turns(name))
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in corrections), encoding="utf-8")
    return file
