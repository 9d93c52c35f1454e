"""
What full windows are worth: the same speech drafted by boli and by the two ways that come first to mind.

    ours            turns packed into contiguous windows, as `boli run` does
    clip a turn     faster-whisper's BatchedInferencePipeline with one clip a diarised turn
    call a turn     WhisperModel.transcribe for one turn after another

All three use the same CTranslate2 folder, threads, beam and turns (the truth of the demo's conversations), in turn
A B C A B C …; medians are printed with their spread, and written to results/full_windows.json.

    python benchmarks/full_windows.py --repeats 5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import compare, write
from transcribe import embedded
from transcribe.backends import model_cache, model_catalogue
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.formats.line_files import read_rttm
from transcribe.pipeline.windows import join, pack, unite_speech
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Window
from transcribe.records import Turn


def conversations(count: int) -> list[tuple[Pcm, list[Turn]]]:
    """Sound and true turns of the demo's first *count* English conversations."""
    from faster_whisper import decode_audio

    found = []
    for path in sorted(embedded.demo_corpus().glob("en-*.opus"))[:count]:
        sound = decode_audio(str(path), sampling_rate=SAMPLE_RATE_HZ)
        turns = [
            Turn(recording=path.stem, speaker=t.speaker or "", start=t.start, end=t.end)
            for t in read_rttm(path.with_suffix(".rttm"))
        ]
        found.append(((sound * 32_767).astype(np.int16), turns))
    return found


def ours(recogniser: FasterWhisperRecogniser, pcm: Pcm, turns: list[Turn]) -> int:
    plans = pack(unite_speech(turns), duration=len(pcm) * 1000 // SAMPLE_RATE_HZ, longest=recogniser.window)
    windows = [Window(start=p.start, end=p.end, pieces=p.pieces, language="en") for p in plans]
    return len(join([heard.words for heard in recogniser.recognise(pcm, windows)], plans))


def clip_a_turn(model: Any, pcm: Pcm, turns: list[Turn]) -> int:
    from faster_whisper import BatchedInferencePipeline

    clips = [{"start": turn.start / 1000, "end": turn.end / 1000} for turn in turns]
    segments, _ = BatchedInferencePipeline(model).transcribe(
        pcm.astype(np.float32) / 32_768, language="en", clip_timestamps=clips, word_timestamps=True, temperature=0.0
    )
    return sum(len(segment.words or ()) for segment in segments)


def call_a_turn(model: Any, pcm: Pcm, turns: list[Turn]) -> int:
    sound = pcm.astype(np.float32) / 32_768
    words = 0
    for turn in turns:
        part = sound[turn.start * SAMPLE_RATE_HZ // 1000 : turn.end * SAMPLE_RATE_HZ // 1000]
        segments, _ = model.transcribe(
            part, language="en", word_timestamps=True, temperature=0.0, without_timestamps=True
        )
        words += sum(len(segment.words or ()) for segment in segments)
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a Whisper of CTranslate2; none: whisper-base")
    parser.add_argument("--conversations", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()

    from faster_whisper import WhisperModel

    folder = given.model or model_cache.folder_of(model_catalogue.need_entry("whisper-base"))
    recogniser = FasterWhisperRecogniser(folder, device="cpu", threads=given.threads)
    model = WhisperModel(str(folder), device="cpu", cpu_threads=given.threads)
    work = conversations(given.conversations)
    ways: dict[str, Callable[[], int]] = {
        "ours": lambda: sum(ours(recogniser, pcm, turns) for pcm, turns in work),
        "clip a turn": lambda: sum(clip_a_turn(model, pcm, turns) for pcm, turns in work),
        "call a turn": lambda: sum(call_a_turn(model, pcm, turns) for pcm, turns in work),
    }
    began = time.perf_counter()
    found = compare(ways, repeats=given.repeats)
    sound_s = sum(len(pcm) for pcm, _ in work) / SAMPLE_RATE_HZ
    turns = sum(len(turns) for _, turns in work)
    write(
        "full_windows",
        found,
        sound_s=round(sound_s, 1),
        turns=turns,
        threads=given.threads,
        took_s=round(time.perf_counter() - began, 1),
    )


if __name__ == "__main__":
    main()
