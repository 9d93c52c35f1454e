"""The circle of the diariser as a person types it: with the speakers as they are, and with speakers mixed up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from benchmarks.composed_conversations import (
    ComposedConversation,
    compose_conversations,
    deal_speakers,
    part_speakers,
    read_sentences,
)
from tests.acceptance.command import boli, killed, must
from transcribe.backends import model_cache, model_manifest
from transcribe.protocols import SAMPLE_RATE_HZ

COUNTS = {"train": 5, "dev": 3, "test": 8}
#: How much of each conversation is taken, in seconds.
LENGTH_S = 16
#: Seconds that a circle may take on a machine that is busy with other things.
LONGEST_S = 3_600
QUICK = {
    "BOLI_DIARISER_TRAIN__TRIALS": "40",
    "BOLI_DIARISER_TRAIN__LEAST_PEOPLE": "4",
    "BOLI_DIARISER_TRAIN__LEAST_SPEECH_S": "5",
}


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
    labels = deal_speakers([(turn.start, turn.end, turn.label) for turn in conversation.turns], seed)
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


@pytest.fixture
def quick(real_diariser: Path) -> dict[str, str]:
    """Surroundings in which little is tried, with the real diariser."""
    return QUICK | {model_cache.VARIABLE: str(real_diariser.parent)}


@pytest.fixture(scope="module")
def detuned(real_diariser: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real diariser with thresholds by which much speech is missed and one person is several."""
    import yaml

    folder = tmp_path_factory.mktemp("detuned") / "diariser"
    shutil.copytree(real_diariser, folder, ignore=shutil.ignore_patterns(model_manifest.MANIFEST_FILE))
    document = yaml.safe_load((folder / "config.yaml").read_text())
    document["params"]["clustering"]["threshold"] = 0.3
    document["params"]["segmentation"]["threshold"] = 0.85
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture(scope="module")
def ingested(
    parts: dict[str, list[ComposedConversation]], detuned: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
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
    (folder / "w" / "boli.toml").write_text(f'[diariser]\nmodel = "{detuned}"\n')
    must("ingest", "--manifest", folder / "manifest.csv", "--workspace", folder / "w")
    return folder / "w"


def corrected(ingested: Path, folder: Path, conversations: Iterable[ComposedConversation]) -> Path:
    shutil.copytree(ingested, folder / "w")
    (folder / "corrections.jsonl").write_text(lines_of(conversations))
    must("import", "corrections", folder / "corrections.jsonl", "--workspace", folder / "w")
    return folder / "w"


def models_of(workspace: Path, surroundings: dict[str, str]) -> dict[str, dict[str, Any]]:
    rows = must("models", "list", "--workspace", workspace, "--json", **surroundings).document["data"]["models"]
    return {row["name"]: row for row in rows}


def test_right_speakers_are_learnt_from_and_the_candidate_diarises_until_it_is_rolled_back(
    parts: dict[str, list[ComposedConversation]], ingested: Path, quick: dict[str, str], tmp_path: Path
) -> None:
    workspace = corrected(ingested, tmp_path, [one for own in parts.values() for one in own])

    def data_of(*arguments: str) -> dict[str, Any]:
        said = must(*arguments, "--workspace", workspace, "--json", timeout=LONGEST_S, **quick)
        return dict(said.document["data"])

    planned = data_of("improve", "--diariser", "--dry-run")
    assert planned["conversations"] == COUNTS
    assert planned["learns_voices"]
    killed("improve", "--diariser", "--workspace", workspace, after_s=8)
    improved = data_of("improve", "--diariser")
    overall = improved["evaluation"]["overall"]
    assert overall["der_after"] < overall["der_before"]
    assert overall["conversations"] == COUNTS["test"]
    assert not list((workspace / "models").glob(".voices.*"))
    assert data_of("improve", "--diariser")["known"]
    candidate = models_of(workspace, quick)[planned["candidate"]]
    assert (candidate["kind"], candidate["state"]) == ("diariser", "promoted")
    assert candidate["dataset"] == planned["dataset"]
    assert data_of("run", "--dry-run")["diariser"] == candidate["id"]
    fault_by_name = {model["name"]: model["fault"] for model in data_of("models", "verify")["models"]}
    assert fault_by_name[candidate["name"]] is None
    assert data_of("models", "rollback", "--kind", "diariser")["retired"] == candidate["id"]
    assert data_of("run", "--dry-run")["diariser"] != candidate["id"]


def test_speakers_that_were_mixed_up_are_refused_though_there_is_much_to_gain(
    parts: dict[str, list[ComposedConversation]], ingested: Path, quick: dict[str, str], tmp_path: Path
) -> None:
    learnt = [mix_up(one, number) for part in ("train", "dev") for number, one in enumerate(parts[part])]
    workspace = corrected(ingested, tmp_path, [*learnt, *parts["test"]])
    said = boli("improve", "--diariser", "--workspace", workspace, "--json", timeout=LONGEST_S, **quick)
    error = said.document["error"]
    assert (said.code, error["code"]) == (7, "E_GATE"), said.err
    assert "in the train part do not fit the voices" in error["message"]
    states = [row["state"] for row in models_of(workspace, quick).values() if row["name"].startswith("voices-")]
    assert states == ["candidate"]
