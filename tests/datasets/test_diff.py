"""Two datasets side by side, a leak that somebody made by hand, and the card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dialects.dialect import load_catalogue
from transcribe.datasets import Rules, card, differ, leaks, manifest
from transcribe.datasets.manifest import Example, Frozen, Provenance
from transcribe.errors import GateFailed

RULES = Rules(catalogue=load_catalogue())


def make_example(id: str, text: str | None = "some words of their own", **facts: object) -> Example:
    facts_by_default = {"id": id, "audio": id * 64, "start": 0, "end": 3_600_000, "text": text, "dialect": "en-GB"}
    return Example(**{**facts_by_default, "session": id, "speaker": f"voice {id}"} | facts)  # type: ignore[arg-type]


def dataset(folder: Path, examples: Sequence[Example], **facts: object) -> Frozen:
    return manifest.write(folder, examples, facts)


def test_a_difference_is_counted_by_split(tmp_path: Path) -> None:
    earlier = dataset(tmp_path / "a", [make_example("a"), make_example("b"), make_example("c", split="test")])
    after = dataset(
        tmp_path / "b",
        [make_example("a", "better words"), make_example("c", split="test"), make_example("d", split="dev")],
    )
    difference = differ(earlier, after)
    assert (difference.added, difference.removed, difference.changed, difference.moved) == (
        {"dev": 1},
        {"train": 1},
        {"train": 1},
        (),
    )
    assert differ(earlier, earlier).same


def test_what_moved_between_splits_is_named(tmp_path: Path) -> None:
    earlier = dataset(tmp_path / "a", [make_example("a", split="test")])
    after = dataset(tmp_path / "b", [make_example("a", split="train")])
    assert differ(earlier, after).moved == (f"recording {'a' * 12}", "speaker voice a")


@pytest.mark.parametrize(
    ("same", "reason"), [({"speaker": "ann"}, "speaker"), ({"session": "s"}, "conversation"), ({}, "sentence")]
)
def test_a_leak_is_refused_with_its_kind_and_an_example(tmp_path: Path, same: dict[str, str], reason: str) -> None:
    texts = ("words of a kind", "words of a kind" if reason == "sentence" else "words of another kind")
    made = dataset(
        tmp_path / "d", [make_example("a", texts[0], split="test", **same), make_example("b", texts[1], **same)]
    )
    with pytest.raises(GateFailed, match=f"1 by {reason}, as b") as refused:
        leaks(made, RULES).refuse()
    assert (refused.value.code, refused.value.exit_code) == ("E_LEAKAGE", 7)


def test_a_dataset_without_leaks_passes_and_tells_of_drafts(tmp_path: Path) -> None:
    begun = make_example("a", split="test", provenance=Provenance(draft="model-1"))
    made = dataset(
        tmp_path / "d", [begun, make_example("b", "quite other words here"), make_example("c", None, speaker="voice a")]
    )
    shared = leaks(made, RULES)
    shared.refuse()
    assert shared.begun_from_drafts == {"model-1": 1}


def test_a_card_tells_sizes_origins_and_limits_and_nobodys_name(tmp_path: Path) -> None:
    origin = Provenance(by="Asha Devi", reviewed="Ravi")
    facts = {"origins": {"person": 1, "reviewed": 1}, "authors": 1, "reviewers": 1, "left_out": {"speaker": 2}}
    made = dataset(tmp_path / "d", [make_example("a", provenance=origin)], **facts, licences={"CC|0\n# x": 3_600_000})
    text = card("2026-11", made)
    assert made.sha256 in text
    assert "| train | en-GB | 1 | 5 | 1.00 | 0 |" in text
    assert "2 stretches were left out because their speaker is heard in a stronger split" in text
    assert "CC/0 # x (1.00 h)" in text
    assert "Asha" not in text and "Ravi" not in text
