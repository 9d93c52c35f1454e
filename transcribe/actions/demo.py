"""The whole circle on the corpus that ships with the package."""

from __future__ import annotations

import time
from pathlib import Path

from transcribe import embedded, workspace
from transcribe.actions.recordings import Source, import_corrections, ingest, run
from transcribe.actions.scoring import Scoring, wer
from transcribe.console import Answer, Console
from transcribe.wiring import Wiring

#: A dialect of the demo has few conversations: it is called reportable sooner, and the report says so.
DEMO_SETTINGS = {"report": {"provisional_words": 100, "reportable_speakers": 6, "reportable_words": 300}}
DEMO_NOTE = "this demo calls a dialect reportable from 6 blocks and 300 words; the default is 10 and 2000"


def demo(folder: Path, console: Console) -> Answer:
    """The whole circle on the corpus that ships with the package; a second time it goes on where it stopped."""
    corpus = embedded.demo_corpus()
    began = time.monotonic()
    place = workspace.create(folder, DEMO_SETTINGS)
    with Wiring.open(place) as wiring:
        console.note(f"demo in {place}: small models on synthetic speech; they show the way, not the state of the art")
        steps = [
            ingest(wiring, Source(manifest=corpus / "manifest.csv"), console),
            run(wiring, console),
            import_corrections(wiring, corpus / "corrections.jsonl"),
        ]
        for step in steps:
            console.note(str(step.text))
    scored = wer(place, Scoring(split="test"))
    failures = [failure for step in steps for failure in step.failures]
    console.note(f"took {time.monotonic() - began:.0f} s")
    return Answer(
        data={"workspace": str(place), "wer": scored.data},
        text=f"\n{scored.text}\n{DEMO_NOTE}\n{place}",
        warnings=scored.warnings,
        failures=failures,
    )
