"""The media rows of the bad-input corpus, taken in as a user would: one verdict each, nothing left behind."""

from __future__ import annotations

import contextlib
import csv
import http.server
import os
import random
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.faults import changing, media
from transcribe import audio
from transcribe.errors import BoliError, InputError

LIMITS = audio.Limits(longest=2 * 3_600_000)
with (Path(__file__).parent / "media_verdicts.csv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table))


@dataclass(frozen=True)
class Corpus:
    """The made files, and what the loopback server was asked for."""

    folder: Path
    requests: list[str]


class _Canary(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append(self.path)  # type: ignore[attr-defined]
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a request is an assertion that fails, not a line on the screen."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    folder = tmp_path_factory.mktemp("corpus") / "media"
    requests: list[str] = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Canary) as server:
        server.requests = requests  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        media.make(folder, url=f"http://127.0.0.1:{server.server_port}")
        yield Corpus(folder, requests)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def audio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio")


def _take(source: Path, folder: Path, how: str) -> tuple[set[str], str]:
    """The codes of the verdict, "done" for one without any, and all that is said with it."""
    change = {"growing": changing.keep_growing, "replaced": changing.keep_replacing}.get(how)
    stream = int(how.removeprefix("stream=")) if how.startswith("stream=") else None
    with change(source) if change else contextlib.nullcontext():
        try:
            got = audio.receive(source, folder, limits=LIMITS, stream=stream, allow_partial=how == "allow_partial")
        except InputError as error:
            return {error.code}, str(error)
    return {line.partition(":")[0] for line in got.warnings} or {"done"}, " ".join(got.warnings)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['row']}-{row['file']}-{row['how']}".rstrip("-"))
def test_each_bad_file_gets_its_verdict(row: dict[str, str], corpus: Corpus, audio_folder: Path) -> None:
    expected = [set(codes.split()) for codes in row["expected"].split("|")]
    if row["row"] == "33":
        # Root reads whatever the mode says, and so it does.
        expected = [{"done" if os.geteuid() == 0 else "E_PERMISSION"}]

    codes, verdict = _take(corpus.folder / row["file"], audio_folder, row["how"])

    assert codes in expected, verdict
    assert all(words.strip() in verdict for words in row["words"].split(";"))
    assert row["file"] in verdict or not any(code.startswith("E_") for code in codes)
    assert "\n" not in verdict
    assert "<script" not in verdict


def test_every_media_row_of_the_corpus_is_in_the_table() -> None:
    assert {int(row["row"]) for row in ROWS} == set(range(1, 43))


def test_no_playlist_makes_a_request_or_reads_its_neighbour(corpus: Corpus, tmp_path: Path) -> None:
    neighbour = corpus.folder / "other_tenant.wav"
    os.utime(neighbour, (0, neighbour.stat().st_mtime))
    for row in ROWS:
        if "E_PLAYLIST" in row["expected"]:
            _take(corpus.folder / row["file"], tmp_path, "")

    untouched = neighbour.stat().st_atime == 0
    neighbour.read_bytes()
    if neighbour.stat().st_atime == 0:
        pytest.skip("this file system keeps no access times, so nobody can say what was read")
    assert untouched
    assert corpus.requests == []


def test_the_canary_would_have_sung(corpus: Corpus) -> None:
    import urllib.error
    import urllib.request

    url = (corpus.folder / "hls_http.m3u8").read_text(encoding="utf-8").split("\n")[3]

    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(url)
    answer.value.close()

    assert corpus.requests == ["/segment.ts"]
    corpus.requests.clear()


def test_refused_files_leave_nothing_behind(corpus: Corpus, tmp_path: Path) -> None:
    for name in ("trunc.mp3", "many_nan.wav", "chained_rates.ogg", "encrypted.mp4", "random.mp3"):
        with pytest.raises(InputError):
            audio.receive(corpus.folder / name, tmp_path, limits=LIMITS)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused_and_not_opened(path: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_NOT_REGULAR: \w+ is a device, not a file"):
        audio.receive(Path(path), tmp_path)


def test_a_link_inside_the_root_is_followed(corpus: Corpus, tmp_path: Path) -> None:
    link = tmp_path / "linked.wav"
    link.symlink_to(corpus.folder / "noise.wav")

    assert audio.receive(link, tmp_path / "kept", root=corpus.folder.parent).duration == 2_000


def test_a_file_outside_the_root_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_NOT_REGULAR: noise\.wav lies outside of"):
        audio.receive(corpus.folder / "noise.wav", tmp_path / "kept", root=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_a_file_of_somebody_else_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = folder / "theirs.wav"
        source.write_bytes(media.wav(media.tone(1)))
        source.chmod(0)
        os.seteuid(65_534)
        try:
            with pytest.raises(InputError, match=r"E_PERMISSION: theirs\.wav may not be read"):
                audio.receive(source, folder / "kept")
        finally:
            os.seteuid(0)


def test_one_bad_file_stops_no_other(corpus: Corpus, tmp_path: Path) -> None:
    names = ("noise.wav", "random.mp3", "silence.wav", "selfref.m3u8", "m4a_as.wav", "fifo.wav", "music.wav")
    jobs = [audio.Job(source=corpus.folder / name) for name in names]

    answers = list(audio.receive_many(jobs, tmp_path, limits=LIMITS, workers=3))

    assert [job.source.name for job, _ in answers] == list(names)
    codes = [got.code if isinstance(got, InputError) else "done" for _, got in answers]
    assert codes == ["done", "E_NOT_AUDIO", "done", "E_PLAYLIST", "done", "E_NOT_REGULAR", "done"]


def test_opposite_phase_is_heard_through_one_channel(corpus: Corpus, tmp_path: Path) -> None:
    got = audio.receive(corpus.folder / "opposite.wav", tmp_path)

    assert np.abs(audio.read_samples(got.path)).max() > 8_000


def test_what_is_no_number_is_silent_and_the_rest_is_there(corpus: Corpus, tmp_path: Path) -> None:
    got = audio.receive(corpus.folder / "few_nan.wav", tmp_path)

    assert 9_000 < np.abs(audio.read_samples(got.path)[1_000:]).max() < 11_000


def test_chained_recordings_of_one_kind_are_taken_whole(corpus: Corpus, tmp_path: Path) -> None:
    assert audio.receive(corpus.folder / "chained_alike.ogg", tmp_path).duration == 6_000


#: A file of each container and codec, whole, odd or cut.
_MUTATED = (
    *("m4a_as.wav", "trunc.mp3", "chained_alike.ogg", "times_negative.mkv", "phone.amr", "alaw.wav", "gsm.wav"),
    *("trunc.flac", "three_tracks.mkv", "encrypted.mp4", "chained_rates.ogg", "video_only.mp4", "few_nan.wav"),
    *(
        "gap.webm",
        "gap.m4a",
        "gap.flv",
        "late.mp4",
        "back.ts",
        "hole.flac",
        "cut.opus",
        "cut.aac",
        "cut.avi",
        "cut.wma",
    ),
    *("cut.caf", "two_data.wav", "rifx.wav", "data_first.wav", "xing_half.mp3", "g722.wav", "flac.wav", "aac.avi"),
    *("opposite_part.wav", "six_channels.wav", "size_small.wav", "size_small.w64", "size_small.aiff", "size_large.caf"),
    *("cut.mpg", "cut.mp2", "g722.avi", "film.webm", "film_short.mp4"),
)
#: What sizes and time stamps are when they go wrong.
_EXTREMES = tuple(value.to_bytes(4, order) for order in ("big", "little") for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF))


def _mutated(corpus: Corpus, draw: random.Random) -> bytes:
    """
    A made file with some bytes or a number changed, and a piece cut out, doubled, moved, or lost from its end.

    Changes are more frequent near the beginning, where headers are.
    """
    data = bytearray((corpus.folder / draw.choice(_MUTATED)).read_bytes()[:100_000])
    for _ in range(draw.choice((0, 1, 8, 64))):
        offset = int(len(data) * draw.random() ** 3)
        data[offset] = draw.choice((0, 0xFF, 0x7F, draw.randrange(256)))
    if draw.random() < 0.3:
        offset = int((len(data) - 4) * draw.random() ** 4)
        data[offset : offset + 4] = draw.choice(_EXTREMES)
    if draw.random() < 0.4:
        offset, length = draw.randrange(len(data)), draw.randrange(1, 2_000)
        piece = data[offset : offset + length]
        kind = draw.choice(("lost", "doubled", "moved", "zeroed"))
        data[offset : offset + length] = {"doubled": piece * 2, "zeroed": bytes(len(piece))}.get(kind, b"")
        if kind == "moved":
            target = draw.randrange(len(data) + 1)
            data[target:target] = piece
    if draw.random() < 0.2:
        del data[draw.randrange(1, len(data)) :]
    return bytes(data)


def _survive(corpus: Corpus, folder: Path, *, seed: int, files: int) -> Counter[str]:
    """
    Every mutated file is taken or refused with a sentence, and leaves nothing: no crash, no hang, no memory above the
    bound, no lost server.
    """
    draw = random.Random(seed)
    source = folder / "mutated.bin"
    codes: Counter[str] = Counter()
    for number in range(files):
        source.write_bytes(_mutated(corpus, draw))
        try:
            audio.receive(source, folder / "kept", limits=LIMITS, stream=1, allow_partial=True)
            codes["done"] += 1
        except InputError as error:
            codes[error.code] += 1
            assert "\n" not in str(error), f"file {number} of seed {seed}"
            assert error.code not in ("E_DECODER", "E_TOO_SLOW", "E_MEMORY"), f"file {number} of seed {seed}: {error}"
        except BoliError as error:
            pytest.fail(f"file {number} of seed {seed}: {error}")
    assert list((folder / "kept").rglob("*.part")) == []
    assert corpus.requests == []
    return codes


def test_mutated_media_is_taken_or_refused(corpus: Corpus, tmp_path: Path) -> None:
    _survive(corpus, tmp_path, seed=1, files=150)


@pytest.mark.soak
def test_twenty_thousand_mutated_files_are_taken_or_refused(
    corpus: Corpus, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    codes: Counter[str] = Counter()
    for seed in range(2, 42):
        folder = tmp_path / str(seed)
        folder.mkdir()
        codes += _survive(corpus, folder, seed=seed, files=500)
        shutil.rmtree(folder)
    for code, number in sorted(codes.items()):
        record_property(code, number)


@pytest.mark.soak
def test_ten_hours_pass_in_512_megabytes(corpus: Corpus, tmp_path: Path) -> None:
    got = audio.receive(corpus.folder / "bomb10h.flac", tmp_path, limits=audio.Limits(longest=12 * 3_600_000))

    assert abs(got.duration - 36_000_000) < 3_000
