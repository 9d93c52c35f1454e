"""
A pool of conversations from the demo's generator, by voices that no model has heard, drafted in a workspace.

    python -m benchmarks.pool DIR [--conversations 285] [--dialect TAG ...] [--model FOLDER]

The truth stands in the declared turns. DIR/corpus has the recordings, DIR/w the workspace; a second time it goes on
where it stopped. 285 conversations, shared among the demo's dialects, are three hours.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from transcribe.actions.recordings import Source, ingest, run
from transcribe.console import Console
from transcribe.embedded import make_demo
from transcribe.embedded.make_demo import PLAN, Part
from transcribe.embedded.voices import demo_voices
from transcribe.wiring import Wiring
from transcribe.workspace import create

#: Another one than the demo's, so that no voice of the pool is known.
SEED = 91_003


def prepare(place: Path, conversations: int, *, dialects: Sequence[str] = (), model: Path | None = None) -> None:
    """
    Make, ingest and draft a pool.

    Args:
        conversations: How many, the same number of each dialect.
        dialects: Those of the demo's that it is to have; none named: all.
        model: Folder of the Whisper that drafts, in CTranslate2; none: the embedded one.
    """
    corpus = place / "corpus"
    if not (corpus / "manifest.csv").exists():
        make_demo.SEED = SEED
        make_demo.make(corpus, list(_parts(conversations, dialects or list(PLAN))))
    console = Console("boli")
    chosen = {} if model is None else {"recogniser.model": str(model)}
    with Wiring.open(create(place / "w"), chosen) as wiring:
        ingest(wiring, Source(manifest=corpus / "manifest.csv"), console)
        run(wiring, console)


def _parts(conversations: int, dialects: Sequence[str]) -> Iterator[Part]:
    each = -(-conversations // len(dialects))
    for dialect in dialects:
        voices = iter(demo_voices(dialect, 2 * each, SEED))
        for number in range(each):
            name = f"{dialect}-pool-{number:03}"
            yield Part(name=name, dialect=dialect, split="train", low=next(voices), high=next(voices))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--conversations", type=int, default=285)
    parser.add_argument("--dialect", action="append", default=[], choices=list(PLAN))
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    prepare(given.place, given.conversations, dialects=given.dialect, model=given.model)


if __name__ == "__main__":
    main()
