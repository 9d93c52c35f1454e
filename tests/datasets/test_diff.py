"""Two datasets side by side, a leak that somebody made by hand, and the card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dialects.dialect import load_catalogue
from transcribe.datasets import Rules, card, differ, leaks, manifest
from transcribe.datasets.diff import Compared
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


MARKET = "the bus to the market leaves at nine"


def make_drill(*, closed: bool, folder: Path) -> Frozen:
    """Three tested sentences, of which training says one and nearly another, and two short texts; it says one."""
    tested = [MARKET, "nobody else ever said this here", "we went home by the river road", "seven", "eight nine"]
    trained = [
        "The bus to the market leaves at TEN!",
        "we went home, by the river road",
        "Seven.",
        "Seven!",
        "quite other",
    ]
    examples = [make_example(f"t{number}", text, split="test") for number, text in enumerate(tested)]
    examples += [make_example(f"l{number}", text) for number, text in enumerate(trained)]
    examples.append(make_example("d", "watched speech of somebody", split="dev", speaker=None))
    return dataset(folder, [*examples, make_example("u", None)], closed_vocabulary=closed)


def test_a_check_tells_in_numbers_what_was_compared_and_what_was_not(tmp_path: Path) -> None:
    compared = leaks(make_drill(closed=True, folder=tmp_path / "d"), RULES).compared

    assert compared == Compared(
        tested=5, trained=6, unnamed=1, sentences=3, equal=1, near=1, short_equal=1, closed_vocabulary=True
    )
    told = "\n".join(compared.lines)
    assert "5 test texts with 6 of train and dev" in told
    assert "3 test texts; training says 1 of them too, and 1 nearly" in told
    assert "not compared: 2 test texts under 4 words; training says 1 of them too" in told
    assert "not held against training: the vocabulary is declared closed" in told
    assert "nothing" not in told


def test_a_sentence_that_training_nearly_says_is_named_and_an_equal_one_is_refused(tmp_path: Path) -> None:
    shared = leaks(make_drill(closed=False, folder=tmp_path / "d"), RULES)

    assert shared.near_ids == ("t0",)
    assert shared.warnings == ("W_NEAR: training nearly says 1 test texts, as t0",)
    assert shared.counts == {"sentence": 1}
    with pytest.raises(GateFailed, match="1 by sentence, as l1"):
        shared.refuse()


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
