"""One voice in several recordings by the commands a person types."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.command import boli, must
from tests.calls import FIRST, SECOND, make_workspace


def test_a_voice_of_two_recordings_is_proposed_and_accepted(tmp_path: Path) -> None:
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
