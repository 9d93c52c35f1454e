"""A frozen dataset gives back what was put in, and notices every change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.datasets import manifest as frozen
from transcribe.datasets.manifest import Example, Provenance
from transcribe.errors import InputError

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    start = draw(st.integers(0, 10_000))
    return Example(
        audio=draw(st.sampled_from("ab")) * 64,
        id=draw(st.uuids()).hex,
        session=draw(st.none() | TEXTS),
        guideline=draw(st.none() | TEXTS),
        start=start,
        end=start + draw(st.integers(1, 28_000)),
        text=draw(st.none() | TEXTS),
        dialect=draw(st.sampled_from([None, "hi", "en-scotland"])),
        language=draw(st.sampled_from([None, "hi", "en"])),
        speaker=draw(st.none() | TEXTS),
        linked=draw(st.none() | TEXTS),
        channel=draw(st.sampled_from([None, 0, 1])),
        split=draw(st.sampled_from(["train", "dev", "test"])),
        provenance=Provenance(kind=draw(st.sampled_from(["person", "pseudo"])), by=draw(st.none() | TEXTS)),
        weight=draw(st.floats(0, 1)),
    )


@settings(max_examples=25)
@given(made=st.lists(examples(), max_size=6), data=st.data())
def test_the_same_examples_in_any_order_are_the_same_dataset(
    made: list[Example], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("frozen")
    first = frozen.write(folder / "a", made, {"why": "a test"})
    again = frozen.write(folder / "b", data.draw(st.permutations(made)))

    assert first.sha256 == again.sha256
    assert frozen.read_dataset(folder / "a") == first
    assert sorted(map(repr, first.examples())) == sorted(map(repr, made))
    assert list(first.examples("dev", "test")) == [example for example in first.examples() if example.split != "train"]


def make_example(text: str = "aye", **facts: object) -> Example:
    return Example(**{"id": text, "audio": "a" * 64, "start": 0, "end": 900, "text": text} | facts)  # type: ignore[arg-type]


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    frozen.write(tmp_path / "d", [make_example()])
    manifest = tmp_path / "d" / frozen.MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b"aye", b"nay"))

    with pytest.raises(InputError, match="changed after it was frozen"):
        frozen.read_dataset(tmp_path / "d")


def test_a_flip_in_any_byte_of_what_was_counted_is_found(tmp_path: Path) -> None:
    frozen.write(tmp_path / "d", [make_example("aye")])
    facts = tmp_path / "d" / frozen.FACTS
    whole = facts.read_bytes()
    for position in range(len(whole)):
        facts.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        with pytest.raises(InputError):
            frozen.read_dataset(tmp_path / "d")


def test_a_frozen_folder_takes_no_other_dataset(tmp_path: Path) -> None:
    frozen.write(tmp_path / "d", [make_example()])

    with pytest.raises(InputError, match="another dataset"):
        frozen.write(tmp_path / "d", [make_example("nay")])


def test_a_line_of_another_shape_is_named(tmp_path: Path) -> None:
    frozen.write(tmp_path / "d", [make_example()])
    manifest, facts = tmp_path / "d" / frozen.MANIFEST, tmp_path / "d" / frozen.FACTS
    # As a dataset from before what stands in this file had a hash of its own.
    document = {name: field for name, field in json.loads(facts.read_text()).items() if name != "facts_sha256"}
    manifest.write_text(json.dumps({"who": "knows"}) + "\n")
    facts.write_text(json.dumps(document | {"sha256": frozen.hashlib.sha256(manifest.read_bytes()).hexdigest()}))

    with pytest.raises(InputError, match="line 1"):
        list(frozen.read_dataset(tmp_path / "d").examples())


def test_counts_leave_out_speech_that_nobody_has_written_down(tmp_path: Path) -> None:
    made = [
        make_example("aye right", dialect="en-scotland"),
        make_example("aye", split="dev"),
        Example(**{**vars(make_example()), "text": None}),
    ]

    assert frozen.write(tmp_path / "d", made).counts == {
        "dev": {"und": {"stretches": 1, "words": 1, "milliseconds": 900}},
        "train": {"en-scotland": {"stretches": 1, "words": 2, "milliseconds": 900}},
    }


def test_what_is_not_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    def fill(writer: frozen.Writer) -> None:
        writer.add(make_example())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frozen.make(tmp_path / "d", fill)

    assert list(tmp_path.iterdir()) == []
