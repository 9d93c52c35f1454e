"""The circle of the diariser as a person types it: with the speakers as they are, and with speakers mixed up."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from benchmarks.composed_conversations import ComposedConversation, compose_conversations, part_speakers, read_sentences
from tests.acceptance.command import boli, must
from transcribe.protocols import SAMPLE_RATE_HZ

COUNTS = {"train": 5, "dev": 3, "test": 6}
#: How much of each conversation is taken, in seconds.
LENGTH_S = 16
#: Seconds that a circle may take on a machine that is busy with other things.
LONGEST_S = 3_600
FEW = ("BOLI_DIARISER_TRAIN__TRIALS", "BOLI_DIARISER_TRAIN__LEAST_PEOPLE", "BOLI_DIARISER_TRAIN__LEAST_SPEECH_S")
QUICK = dict(zip(FEW, ("40", "4", "5"), strict=True))


def compose(speech: Path) -> dict[str, list[ComposedConversation]]:
    sentences = read_sentences(speech / "dialects" / "speechocean762")
    people = part_speakers(list(sentences), {"train": 8, "dev": 4, "test": 8})
    return {
        part: list(
            compose_conversations(
                {who: sentences[who] for who in own}, part, "en-CN", COUNTS[part], seed=number, length_s=LENGTH_S
            )
        )
        for number, (part, own) in enumerate(people.items())
    }


def mix_up(conversation: ComposedConversation, seed: int) -> ComposedConversation:
    """Deal the speakers of the turns out by lot."""
    labels = [turn.label for turn in conversation.turns]
    random.Random(seed).shuffle(labels)
    turns = (replace(turn, label=label) for turn, label in zip(conversation.turns, labels, strict=True))
    return replace(conversation, turns=tuple(turns))


def lines_of(conversations: Iterable[ComposedConversation]) -> str:
    """The corrections, as they are imported."""
    return "".join(
        json.dumps(
            {
                "recording": f"{conversation.name}.wav",
                "start_ms": turn.start,
                "end_ms": turn.end,
                "speaker": turn.label,
                "text": text,
            }
        )
        + "\n"
        for conversation in conversations
        for turn, text in zip(conversation.turns, conversation.texts, strict=True)
    )


@pytest.fixture(scope="module")
def parts(speech: Path, real_diariser: Path) -> dict[str, list[ComposedConversation]]:
    return compose(speech)


@pytest.fixture(scope="module")
def ingested(parts: dict[str, list[ComposedConversation]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the recordings, and nothing corrected yet."""
    import soundfile

    folder = tmp_path_factory.mktemp("voices")
    rows = ["path,dialect,session,split"]
    for part, conversations in parts.items():
        for one in conversations:
            soundfile.write(folder / f"{one.name}.wav", one.pcm, SAMPLE_RATE_HZ, subtype="PCM_16")
            rows.append(f"{one.name}.wav,en-CN,{one.name},{part}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    must("init", folder / "w")
    must("ingest", "--manifest", folder / "manifest.csv", "--workspace", folder / "w")
    return folder / "w"


def corrected(ingested: Path, folder: Path, conversations: Iterable[ComposedConversation]) -> Path:
    shutil.copytree(ingested, folder / "w")
    (folder / "corrections.jsonl").write_text(lines_of(conversations))
    must("import", "corrections", folder / "corrections.jsonl", "--workspace", folder / "w")
    return folder / "w"


def models_of(workspace: Path) -> dict[str, dict[str, Any]]:
    rows = must("models", "list", "--workspace", workspace, "--json").document["data"]["models"]
    return {row["name"]: row for row in rows}


def test_right_speakers_are_learnt_from_or_refused_with_a_reason_and_nothing_is_half_done(
    parts: dict[str, list[ComposedConversation]], ingested: Path, tmp_path: Path
) -> None:
    workspace = corrected(ingested, tmp_path, [one for own in parts.values() for one in own])
    planned = must("improve", "--diariser", "--dry-run", "--workspace", workspace, "--json", **QUICK).document["data"]
    assert planned["conversations"] == COUNTS
    assert planned["learns_voices"]
    said = boli("improve", "--diariser", "--workspace", workspace, "--json", timeout=LONGEST_S, **QUICK)
    assert said.code in (0, 7), said.err
    assert not list((workspace / "models").glob(".voices.*"))
    must("models", "verify", "--workspace", workspace)
    models = models_of(workspace)
    if said.code == 7:
        assert said.document["error"]["code"] == "E_GATE"
        assert models.get(planned["candidate"], {"state": "candidate"})["state"] == "candidate"
        return
    data = said.document["data"]
    assert data["decision"]["promoted"]
    overall = data["evaluation"]["overall"]
    assert overall["der_after"] < overall["der_before"]
    assert overall["conversations"] == COUNTS["test"]
    assert models[planned["candidate"]]["state"] == "promoted"
    plan = must("run", "--dry-run", "--workspace", workspace, "--json").document["data"]
    assert plan["diariser"] == models[planned["candidate"]]["id"]
    again = must("improve", "--diariser", "--workspace", workspace, "--json", **QUICK).document["data"]
    assert again["known"]
    back = must("models", "rollback", "--kind", "diariser", "--workspace", workspace, "--json").document["data"]
    assert back["retired"] == plan["diariser"]


def test_speakers_that_were_mixed_up_are_refused(
    parts: dict[str, list[ComposedConversation]], ingested: Path, tmp_path: Path
) -> None:
    learnt = [mix_up(one, number) for part in ("train", "dev") for number, one in enumerate(parts[part])]
    workspace = corrected(ingested, tmp_path, [*learnt, *parts["test"]])
    said = boli("improve", "--diariser", "--workspace", workspace, "--json", timeout=LONGEST_S, **QUICK)
    assert (said.code, said.document["error"]["code"]) == (7, "E_GATE"), said.err
    states = [row["state"] for row in models_of(workspace).values() if row["name"].startswith("voices-")]
    assert "promoted" not in states
