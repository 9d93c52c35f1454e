"""Proposals, decisions, counts and warnings where one voice is heard in two recordings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.acceptance.command import boli, must
from tests.calls import FIRST, SECOND, make_workspace
from transcribe import workspace
from transcribe.commands import datasets, privacy, speakers
from transcribe.commands.scoring import score_corrections
from transcribe.console import Answer
from transcribe.errors import GateFailed, InputError, UsageError
from transcribe.scoring.rules import ScoreRequest
from transcribe.wiring import Wiring


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    with Wiring.open(make_workspace(tmp_path / "w")) as opened:
        yield opened


def printed(answer: Answer) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(answer.text)
    return capture.get()


def codes(answer: Answer) -> list[str]:
    return [warning.partition(":")[0] for warning in answer.warnings]


def test_a_voice_of_two_recordings_is_proposed_with_how_sure_that_is(wiring: Wiring) -> None:
    answer = speakers.propose_links(wiring)
    [proposal] = answer.data["proposals"]
    assert answer.data["voices"] == 3
    assert proposal["probability"] > 0.9
    facts = [
        (speaker["name"], speaker["seconds"], speaker["recordings"][0]["split"]) for speaker in proposal["speakers"]
    ]
    assert facts == [(FIRST, 5.0, "train"), (SECOND, 6.0, "test")]
    assert proposal["id"] in printed(answer) and FIRST in printed(answer)


def test_what_was_decided_is_not_proposed_again_and_is_listed(wiring: Wiring) -> None:
    [proposal] = speakers.propose_links(wiring).data["proposals"]
    refused = speakers.decide_link(wiring, [proposal["id"]], accepted=False)
    assert refused.data["name"] is None
    assert speakers.propose_links(wiring).data["proposals"] == []
    accepted = speakers.decide_link(wiring, [FIRST, SECOND], accepted=True)
    assert codes(accepted) == ["W_LINKED"]
    assert speakers.propose_links(wiring).data["proposals"] == []
    listed = speakers.list_links(wiring)
    [link] = listed.data["links"]
    assert link["accepted"] and link["name"] == min(link["speakers"])
    assert FIRST in printed(listed)


def test_freezing_warns_of_a_likely_voice_and_goes_without_an_accepted_one(wiring: Wiring) -> None:
    first = datasets.freeze_dataset(wiring, "before")
    assert codes(first) == ["W_SAME_VOICE"] and FIRST in first.warnings[0]
    assert first.data["left_out"] == {}
    speakers.decide_link(wiring, [FIRST, SECOND], accepted=True)
    with pytest.raises(GateFailed):
        datasets.check_dataset(wiring, "before", leakage=True)
    second = datasets.freeze_dataset(wiring, "after")
    assert codes(second) == ["W_LINKED"] and "test and train" in second.warnings[0]
    assert second.data["left_out"] == {"speaker": 1}
    datasets.check_dataset(wiring, "after", leakage=True)


def test_freezing_says_nothing_of_voices_that_a_person_told_apart(wiring: Wiring) -> None:
    speakers.decide_link(wiring, [FIRST, SECOND], accepted=False)
    assert datasets.freeze_dataset(wiring, "refused").warnings == []


def test_linked_speakers_are_one_in_the_report(wiring: Wiring) -> None:
    def count() -> int:
        [row] = score_corrections(wiring.workspace, ScoreRequest()).data["dialects"]
        return int(row["speakers"])

    assert count() == 2
    speakers.decide_link(wiring, [FIRST, SECOND], accepted=True)
    assert count() == 1


@pytest.mark.parametrize(
    ("names", "code"), [([FIRST, "calls/c.flac/SPEAKER_00"], "E_SPEAKER"), (["ffffffff"], "E_PROPOSAL")]
)
def test_names_that_are_not_there_are_refused_with_the_nearest(wiring: Wiring, names: list[str], code: str) -> None:
    with pytest.raises(InputError) as error:
        speakers.decide_link(wiring, names, accepted=True)
    assert error.value.code == code
    assert ("nearest calls/" in error.value.message) == (code == "E_SPEAKER")
    assert wiring.store.speakers.fetch_links() == ()


def test_more_names_than_two_are_a_wrong_use(wiring: Wiring) -> None:
    with pytest.raises(UsageError):
        speakers.decide_link(wiring, ["a", "b", "c"], accepted=True)


def test_an_erasure_names_who_the_speaker_is_linked_with(wiring: Wiring) -> None:
    speakers.decide_link(wiring, [FIRST, SECOND], accepted=True)
    speaker, other = wiring.store.speakers.fetch_names()
    assert privacy.erase_audio(wiring, privacy.ErasureRequest(speaker=speaker), dry_run=False).data["linked"] == [other]
    assert speaker not in {voice.speaker for voice in wiring.store.speakers.fetch_voices()}
    assert wiring.store.speakers.fetch_links() == ()


def test_a_workspace_without_voices_says_what_keeps_them(tmp_path: Path) -> None:
    with Wiring.open(workspace.create(tmp_path / "w")) as empty:
        assert "boli run" in printed(speakers.propose_links(empty))
        assert "boli speakers" in printed(speakers.list_links(empty))


def test_a_voice_of_two_recordings_is_proposed_and_accepted_by_the_commands_a_person_types(tmp_path: Path) -> None:
    place = make_workspace(tmp_path / "w")
    here = ("--workspace", place, "--json")
    said = must("speakers", *here).document
    assert said["schema"] == "boli.speakers/1"
    [proposal] = said["data"]["proposals"]
    taken = must("speakers", "accept", proposal["id"], *here).document
    assert taken["schema"] == "boli.speakers-accept/1"
    [link] = must("speakers", "list", *here).document["data"]["links"]
    assert link["accepted"] and sorted(link["names"]) == [FIRST, SECOND]
    wrong = boli("speakers", "refuse", FIRST, "nobody", *here)
    assert (wrong.code, wrong.document["error"]["code"]) == (4, "E_SPEAKER")
