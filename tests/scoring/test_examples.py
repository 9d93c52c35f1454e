"""Examples of a report: under names that people know, with what may be heard of them and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from dialects.report.breakdown import Example
from dialects.scoring.word_errors import align
from tests.desk_setup import LOW, Desk
from tests.store.factories import correction, make_drafted, recording_id
from transcribe import audio
from transcribe.errors import UsageError
from transcribe.records import Segment
from transcribe.scoring.examples import check_desk, describe_examples, find_passages, write_clips
from transcribe.wiring import Wiring
from transcribe.workspace import create

TALK = "calls/Café 7"
ID = recording_id(TALK)
SEGMENT = Segment(recording=ID, speaker="A", start=0, end=2_000)


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    """One recording of a minute with its sound, and corrections on a segment, of a file, and of what is masked."""
    with Wiring.open(create(tmp_path / "w")) as wiring:
        Desk(wiring.store, wiring.audio_folder).add(TALK, [(0, 60_000, LOW)], duration=60_000)
        wiring.store.drafts.save(make_drafted(TALK))
        spans = {"desk/1": (0, 2_000), "file": (42_500, 44_000), "hidden": (20_000, 21_000), "end": (59_000, 60_000)}
        wiring.store.corrections.add(
            correction(id, TALK, start, end, segment=SEGMENT.id if id == "desk/1" else None)
            for id, (start, end) in spans.items()
        )
        wiring.store.redaction.add_mask(ID, 20_400, 20_600)
        yield wiring


def make_examples(*ids: str, masked: bool = False) -> dict[str, tuple[Example, ...]]:
    return {"hi": tuple(Example(id=id, path=align(["one"], ["two"]), masked=masked) for id in ids)}


def test_an_example_is_called_by_its_file_and_time_and_opens_at_the_desk(wiring: Wiring) -> None:
    passages = find_passages(wiring, {"desk/1", "file", "gone"})
    (desk, file, gone) = describe_examples(
        make_examples("desk/1", "file", "gone"), passages, "https://desk.example.org/"
    )["hi"]

    assert (desk.name, desk.link) == ("Café 7.flac 0:00.0", f"https://desk.example.org/#/segment/{SEGMENT.id}")
    assert (file.name, file.link) == ("Café 7.flac 0:42.5", None), "no segment of the desk was written there"
    assert (gone.name, gone.link) == (None, None)
    assert describe_examples(make_examples("desk/1"), passages, None)["hi"][0].link is None


def test_clips_stand_beside_the_page_as_long_as_the_segment_and_its_surroundings(
    wiring: Wiring, tmp_path: Path
) -> None:
    ids = ("desk/1", "file", "end")
    examples, files = write_clips(wiring, tmp_path / "out", make_examples(*ids), find_passages(wiring, ids))

    assert [(tmp_path / "out" / "clips" / file.name) for file in files] == files
    assert [example.clip for example in examples["hi"]] == [
        "clips/desk%252F1.webm",
        "clips/file.webm",
        "clips/end.webm",
    ]
    lengths = [measure(file) for file in files]
    assert lengths == pytest.approx([2_300, 2_100, 1_300], abs=80)


def test_nothing_that_is_masked_or_gone_is_written(wiring: Wiring, tmp_path: Path) -> None:
    passages = find_passages(wiring, {"hidden", "file"})

    assert write_clips(wiring, tmp_path, make_examples("hidden"), passages) == (make_examples("hidden"), [])
    assert write_clips(wiring, tmp_path, make_examples("file", masked=True), passages)[1] == []
    audio.locate(wiring.audio_folder, ID).unlink()
    assert write_clips(wiring, tmp_path, make_examples("file"), passages)[1] == []
    assert not list(tmp_path.glob("clips/*"))


def test_clips_of_an_earlier_report_do_not_stay(wiring: Wiring, tmp_path: Path) -> None:
    for id in ("file", "end"):
        write_clips(wiring, tmp_path, make_examples(id), find_passages(wiring, {id}))

    assert [file.name for file in (tmp_path / "clips").iterdir()] == ["end.webm"]


@pytest.mark.parametrize("address", ["desk", "javascript:alert(1)", "https://", "https://a.example/?x", "file:///etc"])
def test_what_no_browser_opens_as_a_desk_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="desk's address"):
        check_desk(address)


def measure(file: Path) -> float:
    """Decode a clip, and return its length in milliseconds."""
    with av.open(io.BytesIO(file.read_bytes())) as clip:
        samples = sum(frame.samples for frame in clip.decode(audio=0))
        return samples * 1_000 / clip.streams.audio[0].rate
