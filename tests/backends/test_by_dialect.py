"""Several recognisers as one: each window is heard by the model of its dialect, and by no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.small_corpus import read_sound
from transcribe import embedded
from transcribe.backends import by_dialect
from transcribe.backends.by_dialect import ROUTES_FILE, DialectRecogniser, Routes, look
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.errors import InputError, MissingError
from transcribe.protocols import Pcm, Recogniser, Window

SCOTS = "en-scotland"


def whisper(folder: Path, **options: int) -> FasterWhisperRecogniser:
    return FasterWhisperRecogniser(folder, device="cpu", threads=1, **options)


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Whisper without some of the weights that it hears with: what it writes is something else."""
    folder = tmp_path_factory.mktemp("models") / "deaf"
    shutil.copytree(embedded.whisper(), folder)
    weights = bytearray((folder / "model.bin").read_bytes())
    offset = weights.index(b"encoder/conv2/weight") + 200
    weights[offset : offset + 20_000] = bytes(20_000)
    (folder / "model.bin").write_bytes(bytes(weights))
    return folder


@pytest.fixture(scope="module")
def speech() -> Pcm:
    return read_sound("en-GB-dev-01")[: 12 * 16_000]


def windows(*tags: str | None) -> list[Window]:
    return [
        Window(start=4_000 * number, end=4_000 * number + 4_000, language="en", dialect=tag)
        for number, tag in enumerate(tags)
    ]


def texts(recogniser: Recogniser, speech: Pcm, asked_windows: Sequence[Window]) -> list[str]:
    return [" ".join(word.text for word in answer.words) for answer in recogniser.recognise(speech, asked_windows)]


def test_each_window_is_heard_by_the_model_of_its_dialect(deaf: Path, speech: Pcm) -> None:
    plain, other = whisper(embedded.whisper()), whisper(deaf)
    routed = DialectRecogniser(plain, {SCOTS: other})
    asked_windows = windows("en-GB", SCOTS, None)

    routed_texts = texts(routed, speech, asked_windows)

    of_others = texts(plain, speech, [asked_windows[0], asked_windows[2]])
    assert routed_texts == [of_others[0], *texts(other, speech, [asked_windows[1]]), of_others[1]]
    assert routed_texts[1] not in texts(plain, speech, [asked_windows[1]])


def test_the_parts_and_who_hears_what_make_the_model(deaf: Path) -> None:
    plain, other = whisper(embedded.whisper()), whisper(deaf)
    ids = {
        DialectRecogniser(plain, {SCOTS: other}).id,
        DialectRecogniser(plain, {"hi": other}).id,
        DialectRecogniser(other, {SCOTS: plain}).id,
        plain.id,
        other.id,
    }
    assert len(ids) == 5


def test_a_look_finds_what_opening_would(tmp_path: Path, deaf: Path) -> None:
    places = {"ours": str(embedded.whisper()), "deaf": str(deaf), "routed": str(tmp_path)}
    by_dialect.write_routes(tmp_path, Routes(others="ours", by_dialect={SCOTS: "deaf"}))

    opened = DialectRecogniser(whisper(embedded.whisper()), {SCOTS: whisper(deaf)})

    model = look("routed", places.__getitem__)
    assert (model.id, model.window) == (opened.id, opened.window)
    assert look("deaf", places.__getitem__).id == whisper(deaf).id


def test_routes_come_back_as_they_were_written_and_later_ones_win(tmp_path: Path) -> None:
    routes = Routes(others="base", by_dialect={"hi": "one"}) | {"hi": "two", "ta": "two"}

    by_dialect.write_routes(tmp_path, routes)

    assert by_dialect.read_routes(tmp_path) == Routes(others="base", by_dialect={"hi": "two", "ta": "two"})
    assert [routes.choose_model(tag) for tag in ("hi", "ta", "en", None)] == ["two", "two", "base", "base"]


def test_a_folder_of_one_model_has_no_routes() -> None:
    assert by_dialect.read_routes(embedded.whisper()) is None


@pytest.mark.parametrize(
    "document",
    ["no JSON", "[]", "{}", json.dumps({"schema": "boli.dialects/1", "others": 3, "by_dialect": {}})],
)
def test_routes_that_cannot_be_read_are_refused(tmp_path: Path, document: str) -> None:
    (tmp_path / ROUTES_FILE).write_text(document)
    with pytest.raises(InputError, match="cannot be read"):
        by_dialect.read_routes(tmp_path)


def test_a_part_that_is_gone_is_named(tmp_path: Path) -> None:
    by_dialect.write_routes(tmp_path, Routes(others="ours", by_dialect={SCOTS: "./gone"}))
    places = {"ours": str(embedded.whisper()), "routed": str(tmp_path), "./gone": "./gone"}
    with pytest.raises(MissingError, match="gone"):
        look("routed", places.__getitem__)
