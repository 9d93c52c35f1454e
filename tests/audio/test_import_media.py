"""Sound comes in once, exactly."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.audio.signals import loudest_hz, saved, tone
from tests.faults import media
from transcribe import audio
from transcribe.errors import InputError, UnfitError
from transcribe.protocols import Pcm
from transcribe.sandbox import Level, Sandbox

ROOT = Path(__file__).resolve().parents[2]
samples = arrays(np.int16, st.integers(1, 5_000))


def test_receiving_gives_place_length_and_facts(tmp_path: Path) -> None:
    source = saved(tmp_path, tone(1.5))

    got = audio.receive(source, tmp_path / "kept")

    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert got == audio.Received(
        sha256=sha256,
        path=tmp_path / "kept" / sha256[:2] / f"{sha256}.flac",
        duration=1_500,
        rate_hz=16_000,
        channels=1,
        codec="pcm_s16le",
        quality=got.quality,
    )
    assert got.quality is not None
    assert audio.duration(got.path) == 1_500


@settings(max_examples=25, deadline=None)
@given(pcm=samples)
def test_sound_at_16_khz_comes_through_sample_by_sample(tmp_path_factory: pytest.TempPathFactory, pcm: Pcm) -> None:
    folder = tmp_path_factory.mktemp("exact")

    got = audio.receive(saved(folder, pcm), folder / "kept")

    assert np.array_equal(audio.read_samples(got.path), pcm)


@pytest.mark.parametrize(("codec", "container"), [("flac", "flac"), ("flac", "matroska"), ("alac", "ipod")])
def test_lossless_containers_come_through_sample_by_sample(tmp_path: Path, codec: str, container: str) -> None:
    media.encode(tmp_path / "talk", media.noise(3), codec=codec, container=container)

    got = audio.receive(tmp_path / "talk", tmp_path / "kept")

    assert audio.read_samples(got.path).tobytes() == media.noise(3)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_other_rates_keep_length_and_pitch(tmp_path: Path, rate_hz: int) -> None:
    pcm = np.frombuffer(media.tone(2, rate_hz=rate_hz, pitch_hz=440), np.int16)

    got = audio.receive(saved(tmp_path, pcm, rate_hz=rate_hz), tmp_path / "kept")

    assert got.rate_hz == rate_hz
    assert got.duration == pytest.approx(2_000, abs=1)
    assert loudest_hz(audio.read_samples(got.path)) == pytest.approx(440, abs=1)


def test_real_speech_comes_in(speech: Path, tmp_path: Path) -> None:
    got = audio.receive(speech / "speech" / "jfk.flac", tmp_path)

    assert (got.rate_hz, got.channels, got.codec, got.warnings) == (44_100, 2, "flac", ())
    assert got.duration == pytest.approx(11_000, abs=10)


def test_known_content_is_not_decoded_again(tmp_path: Path) -> None:
    first = audio.receive(saved(tmp_path, tone()), tmp_path / "kept")
    written = first.path.stat().st_mtime_ns

    again = audio.receive(saved(tmp_path, tone(), name="the same.wav"), tmp_path / "kept")

    assert again == first
    assert again.path.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["cut the sound", "remove the sound", "cut the facts", "remove the facts"])
def test_what_a_crash_left_half_is_made_again(tmp_path: Path, damage: str) -> None:
    source = saved(tmp_path, tone())
    whole = audio.receive(source, tmp_path / "kept")
    victim = whole.path if damage.endswith("sound") else whole.path.with_suffix(".json")
    if damage.startswith("cut"):
        victim.write_bytes(victim.read_bytes()[:-5])
    else:
        victim.unlink()

    assert audio.receive(source, tmp_path / "kept") == whole
    assert np.array_equal(audio.read_samples(whole.path), tone())


def test_channels_kept_apart_are_read_apart_and_together(tmp_path: Path) -> None:
    first, second = tone(pitch_hz=200), tone(pitch_hz=500)
    source = saved(tmp_path, np.stack((first, second), axis=1))

    got = audio.receive(source, tmp_path / "kept", channel_mode="split")

    assert np.array_equal(audio.read_samples(got.path, channel=0), first)
    assert np.array_equal(audio.read_samples(got.path, channel=1), second)
    assert np.array_equal(audio.read_samples(got.path), np.rint((first.astype(float) + second) / 2).astype(np.int16))


def test_sound_taken_mixed_can_be_taken_apart_later_and_stays_so(tmp_path: Path) -> None:
    source = saved(tmp_path, np.stack((tone(pitch_hz=200), tone(pitch_hz=500)), axis=1))
    mixed = audio.receive(source, tmp_path / "kept")
    samples = audio.read_samples(mixed.path)

    audio.receive(source, tmp_path / "kept", channel_mode="split")
    audio.receive(source, tmp_path / "kept", channel_mode="mix")

    assert np.array_equal(audio.read_samples(mixed.path, channel=1), tone(pitch_hz=500))
    assert np.abs(audio.read_samples(mixed.path).astype(int) - samples).max() <= 1


def test_another_track_of_a_known_file_is_refused(tmp_path: Path) -> None:
    media.encode(tmp_path / "talk.mka", media.tone(1), codec="flac", container="matroska")
    audio.receive(tmp_path / "talk.mka", tmp_path / "kept", stream=1)

    with pytest.raises(InputError, match=r"E_STREAM: talk\.mka was received before with audio track 1"):
        audio.receive(tmp_path / "talk.mka", tmp_path / "kept", stream=2)


def test_processor_time_is_bounded(tmp_path: Path) -> None:
    media.silent_flac(tmp_path / "long.flac", 10, declared=False)

    with pytest.raises(InputError, match=r"E_TOO_SLOW: long\.flac was still not decoded"):
        audio.receive(tmp_path / "long.flac", tmp_path / "kept", limits=audio.Limits(cpu_s=1, cpu_s_a_second=0))

    assert [path for path in (tmp_path / "kept").rglob("*") if path.is_file()] == []


def test_written_bytes_are_bounded(tmp_path: Path) -> None:
    source = saved(tmp_path, np.frombuffer(media.noise(20), np.int16))

    with pytest.raises(InputError, match="E_TOO_LONG"):
        audio.receive(source, tmp_path / "kept", limits=audio.Limits(written_bytes=100_000))


def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    media.silent_flac(tmp_path / "hour.flac", 1)
    with (
        Sandbox("transcribe.audio.decoding:decode") as sandbox,
        (tmp_path / "hour.flac").open("rb") as source,
        (tmp_path / "out.flac").open("w+b") as target,
    ):
        files = (source.fileno(), target.fileno())
        outcome = sandbox.run({"longest": 7_200_000}, descriptors=files, bounds=audio.Limits().bounds())

    assert outcome.answer is not None
    assert outcome.answer["duration"] == pytest.approx(3_600_000, abs=3_000)
    assert outcome.peak_bytes < 150 << 20


def test_a_folder_that_cannot_be_written_is_the_fault_of_no_file(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file stands in the way", encoding="utf-8")

    with pytest.raises(UnfitError, match="E_FOLDER"):
        audio.receive(saved(tmp_path, tone()), tmp_path / "kept")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_NOT_FOUND: nowhere\.wav is not there"):
        audio.receive(tmp_path / "nowhere.wav", tmp_path / "kept")


def test_odd_names_are_taken_and_shown_escaped(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/-a\nb\t\xff\xe2\x80\xae.wav"))
    odd.write_bytes(b"")

    with pytest.raises(InputError) as refused:
        audio.receive(odd, tmp_path / "kept")

    assert refused.value.message.startswith(r"-a\nb\t\xff\u202e.wav is 0 bytes long")
    assert refused.value.message.isprintable()


def test_many_files_are_taken_as_they_come(tmp_path: Path) -> None:
    endless = (
        audio.Job(source=saved(tmp_path, tone(pitch_hz=100 + number), name=f"{number}.wav"))
        for number in itertools.count()
    )

    answers = itertools.islice(audio.receive_many(endless, tmp_path / "kept", workers=2), 5)

    assert [job.source.name for job, got in answers if isinstance(got, audio.Received)] == [
        f"{number}.wav" for number in range(5)
    ]
    assert len(list(tmp_path.glob("*.wav"))) < 20


def test_media_is_decoded_where_nothing_can_be_sealed(tmp_path: Path) -> None:
    source, target = saved(tmp_path, tone(1.5)), tmp_path / "out.flac"

    with Sandbox("tests.unsealed:decode") as sandbox, source.open("rb") as incoming, target.open("w+b") as outgoing:
        descriptors = (incoming.fileno(), outgoing.fileno())
        outcome = sandbox.run({"longest": 2_000}, descriptors=descriptors, bounds=audio.Limits().bounds())

        assert sandbox.level < Level.SEALED

    assert outcome.answer is not None
    assert outcome.answer["duration"] == 1_500
    assert np.array_equal(audio.read_samples(target), tone(1.5))


def test_importing_audio_loads_no_decoder() -> None:
    code = (
        "import sys, transcribe.audio\n"
        "print([m for m in ('av', 'pydub', 'soundfile', 'soxr', 'torch', 'torchaudio') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
