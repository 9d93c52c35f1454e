"""
How many drafts can be accepted without a person, how right are they, and does acceptance stop when the model is worse?

    python -m benchmarks.growing POOL --strong TAG [--weak TAG --improved POOL] [--seeds 5] [--reviewed 0.35]

POOL is what `benchmarks.pool` leaves. For each seed a part of the conversations of each dialect is written by "people"
(the truth), the rest is left to acceptance at a limit of 5 %, everything of the strongest dialect that is accepted is
written again blindly, and a second round follows. Then the same with a model that was made worse on purpose: every
fifth word of the drafts nobody has written is another, as sure as the one before. The weak dialect is measured twice:
in the same pool, and in another one that a model tuned for it has drafted. It works on copies; the pools stay as they
are.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from benchmarks.measuring import write
from transcribe.commands.pseudo_labels import accept_drafts
from transcribe.records import Correction, DeclaredTurn, Recording, Segment, content_id
from transcribe.store.rows import words_of
from transcribe.store.schema import DONE, DRAFTS, RECORDINGS
from transcribe.wiring import Wiring

LIMIT = 0.05
#: Milliseconds that a drafted segment may begin too late or end too early and still hold a word.
EDGE = 150


def truth(recording: Recording, segment: Segment) -> str:
    """What the speaker of *segment* says in it: declared words whose middle lies there."""
    return " ".join(
        word
        for turn in sorted(recording.declared, key=lambda one: one.start)
        if turn.speaker == segment.speaker
        for middle, word in spread(turn)
        if segment.start - EDGE <= middle <= segment.end + EDGE
    )


def spread(turn: DeclaredTurn) -> Iterator[tuple[float, str]]:
    """Words of *turn*, each with its middle if they are spread over it by their letters."""
    words = (turn.text or "").split()
    letters = sum(len(word) + 1 for word in words)
    at = float(turn.start)
    for word in words:
        length = (turn.end - turn.start) * (len(word) + 1) / letters
        yield at + length / 2, word
        at += length


def own_words(recording: Recording, segments: Sequence[Segment]) -> dict[str, str]:
    """What the speaker of each of *segments* says in it."""
    return {segment.id: truth(recording, segment) for segment in segments}


def people_write(
    wiring: Wiring,
    recordings: Iterable[Recording],
    only: set[str] | None = None,
    said: Callable[[Recording, Sequence[Segment]], dict[str, str]] = own_words,
) -> None:
    """Let people write the drafted segments of *recordings*, or *only* some, from the sound."""
    for recording in recordings:
        segments = list(wiring.store.drafts.fetch_segments(recording.id))
        texts = said(recording, segments)
        wiring.store.corrections.add(
            Correction(
                id=content_id(segment.id, "truth"),
                recording=recording.id,
                start=segment.start,
                end=segment.end,
                text=texts.get(segment.id) or "[noise]",
                speaker=segment.speaker,
                dialect=segment.dialect,
                segment=segment.id,
                author="truth",
            )
            for segment in segments
            if only is None or segment.id in only
        )


def worsen(wiring: Wiring, recordings: Sequence[str], chance: random.Random) -> None:
    """Put another word in the place of every fifth of the drafts of *recordings*, as sure as the one before."""
    with wiring.store.database.begin_write() as connection:
        found = (
            select(DRAFTS).join(DONE, DRAFTS.c.run == DONE.c.no).join(RECORDINGS, DONE.c.recording == RECORDINGS.c.no)
        )
        rows = connection.execute(found.where(RECORDINGS.c.id.in_(recordings))).all()
        vocabulary = sorted({word.text for row in rows for word in words_of(row.words)})
        for row in rows:
            words = [
                [
                    chance.choice(vocabulary) if chance.random() < 0.2 else word.text,
                    word.start,
                    word.end,
                    word.probability,
                ]
                for word in words_of(row.words)
            ]
            mine = update(DRAFTS).where(DRAFTS.c.run == row.run, DRAFTS.c.segment == row.segment)
            connection.execute(mine.values(words=json.dumps(words, ensure_ascii=False, separators=(",", ":"))))


def round_of(pool: Path, tag: str, seed: int, reviewed: float, *, worse: bool = False) -> dict[str, Any]:
    """One seed: what of the dialect *tag* is accepted, what the audit finds, and what a second round does."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "w"
        shutil.copytree(pool / "w", copy, ignore=shutil.ignore_patterns("audio", "reports"))
        with Wiring.open(copy, {"grow.audit_share": 1.0}) as wiring:
            every = list(wiring.store.recordings.fetch())
            rest: list[Recording] = []
            for dialect in sorted({str(one.dialect) for one in every}, key=lambda each: (each != tag, each)):
                recordings = [one for one in every if str(one.dialect) == dialect]
                chance.shuffle(recordings)
                written = recordings[: round(reviewed * len(recordings))]
                rest += recordings[len(written) :] if dialect == tag else []
                people_write(wiring, written)
            if worse:
                worsen(wiring, [one.id for one in rest], chance)
            first = told(wiring, tag)
            audits = {one.segment for one in wiring.store.pseudo_labels.fetch()}
            people_write(wiring, rest, audits)
            second = told(wiring, tag)
    unwritten = first["segments"] - first["reviewed"]
    facts = ("audited", "audited_words", "audited_errors", "wer", "ci_low", "ci_high", "state", "reason")
    return {
        "seed": seed,
        "accepted": first["change"],
        "unwritten": unwritten,
        "share": round(first["change"] / max(unwritten, 1), 4),
    } | {name: second[name] for name in facts}


def told(wiring: Wiring, tag: str) -> dict[str, Any]:
    """What another round of acceptance says of the dialect *tag*."""
    return next(dict(one) for one in accept_drafts(wiring, limit=LIMIT).data["dialects"] if one["dialect"] == tag)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--strong", required=True)
    parser.add_argument("--weak")
    parser.add_argument("--improved", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--reviewed", type=float, default=0.35)
    given = parser.parse_args()
    ways: dict[str, tuple[Path, str, bool]] = {
        "as it is": (given.pool, given.strong, False),
        "made worse": (given.pool, given.strong, True),
    }
    if given.weak and given.improved:
        ways |= {"weak": (given.pool, given.weak, False), "improved": (given.improved, given.weak, False)}
    found: dict[str, Any] = {}
    for name, (pool, tag, worse) in ways.items():
        found[name] = [round_of(pool, tag, seed, given.reviewed, worse=worse) for seed in range(given.seeds)]
        for row in found[name]:
            wer = "–" if row["wer"] is None else f"{row['wer']:.1%} ({row['ci_low']:.1%} – {row['ci_high']:.1%})"
            print(f"{tag} {name}: {row['share']:.0%} accepted, {row['audited']} audited, WER {wer}, {row['state']}")
    shares = {name: statistics.median(row["share"] for row in rows) for name, rows in found.items()}
    stopped = sum(row["state"] == "stopped" for row in found["made worse"])
    print(f"median shares {shares}; stopped in {stopped} of {given.seeds} where the model was made worse")
    facts = {"limit": LIMIT, "reviewed": given.reviewed, "strong": given.strong, "weak": given.weak}
    print(write("growing", found, **facts, median_shares=shares, stopped_when_worse=stopped))


if __name__ == "__main__":
    main()
