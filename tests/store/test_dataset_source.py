"""The material of datasets: texts that stand, who reviewed them, and speech that nobody wrote down."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from dialects.dialect import load_catalogue
from tests.store.conftest import NewUrl
from tests.store.desk_factories import PLAIN, REVIEWED, operation, person, submit, take, talk, verdict
from tests.store.factories import correction, make_drafted, recording, recording_id
from transcribe.datasets import Rules, differ, freeze
from transcribe.datasets.manifest import Example, Frozen, Provenance
from transcribe.errors import InputError
from transcribe.store import Store

RULES = Rules(catalogue=load_catalogue())


def add_corrected(store: Store, name: str, texts: list[str], **facts: object) -> None:
    """Add a recording of one person with a correction a second."""
    fields = {"dialect": "en-GB", "session": name} | facts
    store.recordings.add([recording(name, **fields)])
    store.corrections.add(
        correction(f"{name}-{n}", name, n * 1_000, (n + 1) * 1_000, text=text, speaker=f"{name}-voice")
        for n, text in enumerate(texts)
    )


def lines(frozen: Frozen, *splits: object) -> list[Example]:
    return [example for example in frozen.examples(*splits) if example.text is not None]  # type: ignore[arg-type]


def test_only_the_last_accepted_text_of_a_span_is_frozen(store: Store, tmp_path: Path) -> None:
    add_corrected(store, "talk", ["first words", "other words"])
    again = [correction("again", text="better words", speaker="talk-voice", end=1_000)]
    again += [correction("gone", start=1_000, speaker="talk-voice", accepted=False)]
    store.corrections.add(again)
    frozen = freeze(store, tmp_path / "d", RULES)
    assert [(example.id, example.text) for example in frozen.examples()] == [("again", "better words")]


def test_a_dataset_says_who_wrote_who_reviewed_and_which_draft_a_text_began_from(store: Store, tmp_path: Path) -> None:
    talk(store, count=2, dialect="hi", split="test")
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    first, second = take(store, asha, 2)
    submit(store, asha, operation(first, "said"), rules=REVIEWED)
    held = store.reviews.take(eyes.id, PLAIN)
    assert held is not None
    store.reviews.decide(eyes.id, verdict(held, 1), PLAIN)
    submit(store, asha, operation(second, "more"))
    begun = correction("begun", start=5_000, end=6_000, model="model-7", author="file.csv")
    store.corrections.add([begun])
    frozen = freeze(store, tmp_path / "d", RULES)
    origins = {example.text: example.provenance for example in frozen.examples()}
    assert origins["said"] == Provenance(by="asha", reviewed="eyes")
    assert origins["more"] == Provenance(by="asha")
    assert origins["one too"] == Provenance(by="file.csv", draft="model-7")
    assert frozen.facts["test_begun_from_drafts"] == {"model-7": 1}
    assert (frozen.facts["authors"], frozen.facts["reviewers"]) == (2, 1)


def test_speech_that_nobody_wrote_down_is_listed_without_text_and_not_in_the_test(store: Store, tmp_path: Path) -> None:
    for name, split in (("watched", "dev"), ("tested", "test")):
        store.recordings.add([recording(name, dialect="en-GB", split=split)])
        store.drafts.save(make_drafted(name))
        store.corrections.add([correction(f"{name}-1", name, 100, 1_900, speaker=name)])
    frozen = freeze(store, tmp_path / "d", RULES)
    bare = [example for example in frozen.examples() if example.text is None]
    assert [(example.split, example.start, example.end, example.speaker, example.weight) for example in bare] == [
        ("dev", 2_000, 3_000, "B", 0)
    ]
    assert frozen.counts["dev"]["en-GB"]["stretches"] == 1


def test_the_same_work_in_another_order_gives_the_same_bytes(new_url: NewUrl, tmp_path: Path) -> None:
    datasets = []
    for number, names in enumerate((["a", "b", "c"], ["c", "b", "a"])):
        with Store.open(new_url()) as store:
            for name in names:
                add_corrected(store, name, ["some words of " + name], split="test" if name == "b" else "train")
            datasets.append(freeze(store, tmp_path / str(number), RULES))
    assert datasets[0].sha256 == datasets[1].sha256
    assert (tmp_path / "0" / "dataset.json").read_bytes() == (tmp_path / "1" / "dataset.json").read_bytes()


def test_training_goes_without_the_tests_sentences_unless_the_vocabulary_is_closed(
    store: Store, tmp_path: Path
) -> None:
    add_corrected(store, "tested", ["the wee bairn is away"], split="test")
    add_corrected(store, "heard", ["The wee bairn is away!", "we bide outwith the town"])
    open_words = freeze(store, tmp_path / "open", RULES)
    closed = Rules(catalogue=RULES.catalogue, closed_vocabulary=True)
    assert [example.text for example in lines(open_words, "train")] == ["we bide outwith the town"]
    assert open_words.facts["left_out"] == {"sentence": 1}
    assert len(list(open_words.examples())) == 3, "its sound is still no silence"
    assert len(lines(freeze(store, tmp_path / "closed", closed), "train")) == 2


def test_a_voice_that_turns_up_in_the_test_later_leaves_the_training(store: Store, tmp_path: Path) -> None:
    add_corrected(store, "heard", ["we bide outwith the town"])
    old = freeze(store, tmp_path / "before", RULES)
    store.recordings.add([recording("tested", dialect="en-GB", split="test")])
    store.corrections.add([correction("late", "tested", text="so we do", speaker="heard-voice")])
    new = freeze(store, tmp_path / "after", RULES)
    assert len(lines(old, "train")) == 1
    assert lines(new, "train") == []
    assert new.facts["left_out"] == {"speaker": 1}


def test_nobody_moves_between_splits_however_much_comes_in(store: Store, tmp_path: Path) -> None:
    splits = ["train", "test", "dev", "train", "test", "train"]
    frozen: list[Frozen] = []
    for number, split in enumerate(splits):
        add_corrected(store, f"talk{number}", [f"words number {number} and more"], split=split)
        frozen.append(freeze(store, tmp_path / str(number), RULES))
    for old, new in itertools.pairwise(frozen):
        difference = differ(old, new)
        assert (difference.moved, difference.removed, difference.changed) == ((), {}, {})
        assert sum(difference.added.values()) == 1


def test_a_recording_whose_consent_is_withdrawn_is_left_out(store: Store, tmp_path: Path) -> None:
    add_corrected(store, "gone", ["not to be learnt from"], consent="Withdrawn")
    add_corrected(store, "here", ["words that may be used"])
    frozen = freeze(store, tmp_path / "d", RULES)
    assert {example.audio for example in frozen.examples()} == {recording_id("here")}
    assert frozen.facts["left_out"] == {}


def test_a_recording_whose_sound_was_erased_is_left_out(store: Store, tmp_path: Path) -> None:
    for name in ("gone", "here"):
        add_corrected(store, name, ["words that were said"])
    rules = Rules(catalogue=RULES.catalogue, sounds=lambda recording: recording == recording_id("here"))
    frozen = freeze(store, tmp_path / "d", rules)
    assert {example.audio for example in frozen.examples()} == {recording_id("here")}
    assert frozen.facts["left_out"] == {"erased": 1}


def test_what_is_masked_is_neither_learnt_from_nor_tested(store: Store, tmp_path: Path) -> None:
    for name, split in (("heard", "train"), ("tested", "test")):
        add_corrected(store, name, ["her name is here", "and these words are not", "said [masked] aloud"], split=split)
        store.redaction.add_mask(recording_id(name), 200, 400)
    frozen = freeze(store, tmp_path / "d", RULES)
    assert [(example.split, example.text) for example in lines(frozen)].count(("test", "and these words are not")) == 1
    assert {example.text for example in lines(frozen)} == {"and these words are not"}
    bare = [(example.split, example.start, example.end) for example in frozen.examples() if example.text is None]
    assert ("train", 200, 400) in bare and ("train", 2_000, 3_000) in bare
    assert frozen.facts["left_out"]["masked"] == 4


def test_a_frozen_name_is_not_given_to_other_texts(store: Store, tmp_path: Path) -> None:
    add_corrected(store, "a", ["some words"])
    first = freeze(store, tmp_path / "d", RULES)
    assert freeze(store, tmp_path / "d", RULES).sha256 == first.sha256
    add_corrected(store, "b", ["other words"])
    with pytest.raises(InputError, match="another dataset") as refused:
        freeze(store, tmp_path / "d", RULES)
    assert refused.value.code == "E_DATASET"


def test_an_empty_store_says_what_to_do(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no correction that may be used stands"):
        freeze(store, tmp_path / "d", RULES)
    assert list(tmp_path.iterdir()) == []
