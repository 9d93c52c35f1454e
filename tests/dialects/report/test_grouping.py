"""Parts add up to the whole; a person is shown for himself, and a small part by its size only."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.errors import DialectError
from dialects.report.grouping import KEYS, group_pairs, parse_keys
from dialects.report.table import build
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from dialects.scoring.word_errors import Pair
from tests.dialects.factories import corpus, pair, sentences

SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200),
    resamples=20,
)


def tables(pairs: list[Pair], *keys: str) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = group_pairs(pairs, Preparer(load_catalogue()), keys, method=SMALL).data()[
        "groups"
    ]
    return groups


@pytest.mark.parametrize("key", KEYS)
def test_the_parts_of_any_key_add_up_to_the_whole(key: str) -> None:
    pairs = [*corpus(), pair("a b c", "a c", id="x", duration_s=3.0, snr_db=12.0)]
    whole = build(pairs, method=SMALL).data()["overall"]

    for name in ("segments", "words", "substitutions", "deletions", "insertions"):
        assert sum(int(str(group[name])) for group in tables(pairs, key)) == whole[name]


def test_groups_by_dialect_are_the_rows_of_the_report() -> None:
    rows = build(corpus(), method=SMALL).data()["dialects"]

    for group, row in zip(tables(corpus(), "dialect"), rows, strict=True):
        assert {name: row[name] for name in group} == group


def test_lengths_stand_in_their_order() -> None:
    pairs = [pair(id=str(number), duration_s=length) for number, length in enumerate([12.0, 1.0, 30.0, 6.0])]

    labels = [group["duration"] for group in tables([*pairs, pair(id="none")], "duration")]
    assert labels == ["0 – 2 s", "5 – 10 s", "10 – 20 s", "20 s and more", "unknown"]


def test_a_person_is_shown_without_an_interval_and_hidden_by_the_privacy_floor() -> None:
    grouping = group_pairs(corpus(), Preparer(load_catalogue()), ["dialect", "speaker"], method=SMALL)
    (group, *_) = grouping.data()["groups"]

    assert (group["state"], group["ci_low"]) == ("individual", None)
    assert group["wer"] is not None
    assert grouping.data(privacy_floor=True)["groups"][0]["wer"] is None
    assert "individual" in grouping.text()


def test_a_group_of_too_few_shows_its_size_only() -> None:
    grouping = group_pairs([pair("a b", "a c")], Preparer(load_catalogue()), ["dialect"], method=SMALL)

    assert "50.0" not in grouping.text()
    assert "suppressed" in grouping.text()


def test_a_group_is_never_hidden_alone() -> None:
    """By context in one dialect: the street has too few people, and would follow from the row of the dialect."""
    pairs = [
        pair("a b c d", "a b e f", id=f"{context}{number}", speaker=f"{context}{number}", context=context)
        for context, people in (("bank", 6), ("clinic", 5), ("street", 1))
        for number in range(people)
    ]
    grouping = group_pairs(pairs, Preparer(load_catalogue()), ["dialect", "context"], method=SMALL)
    assert [group["wer"] for group in grouping.data()["groups"]] == [0.5, 0.5, 0.5]
    behind_floor = grouping.data(privacy_floor=True)["groups"]
    rate_by_context = {group["context"]: group["wer"] for group in behind_floor}
    assert rate_by_context == {"bank": 0.5, "clinic": None, "street": None}
    states = [line.split()[-1] for line in grouping.text().splitlines()[2:]]
    assert states == ["provisional", "suppressed", "suppressed"]


def test_words_of_another_script_and_overlaps_are_told_apart() -> None:
    pairs = [
        pair("मेरा phone कहाँ है", id="mixed", dialect="hi", overlapped=True),
        pair("मेरा फ़ोन कहाँ है", id="pure", dialect="hi", overlapped=False),
    ]

    assert [group["script"] for group in tables(pairs, "script")] == ["one script", "other scripts too"]
    assert [group["overlap"] for group in tables(pairs, "overlap")] == ["alone", "overlapped"]


def test_a_key_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(DialectError, match="did you mean speaker") as caught:
        parse_keys("dialect,speker")
    assert caught.value.code == "E_BY"


def test_a_grouping_is_plain_json() -> None:
    document = group_pairs(corpus(segments=2), Preparer(load_catalogue()), ["dialect", "snr"], method=SMALL).data()

    assert json.loads(json.dumps(document, allow_nan=False)) == document


#: Ann: 5 words of Hindi, of which one is wrong, and 4 of English, one of them wrong and one missing; a word too many
#: within the English. Bob: 4 words of Hindi, all right, and one too many; 1 of Tamil, right.
SWITCHED = [
    pair(
        "मैं ⟨en: high school main street⟩ तक गया था अब",
        "मैं hi school the main तक गई था अब",
        id="a",
        dialect="hi",
        context="clinic",
    ),
    pair("यह ⟨ta-IN: வீடு⟩ है", "यह வீடு तो है", id="b", dialect="hi", speaker="bob", context="street"),
    pair("हाँ जी", "हाँ जी", id="c", dialect="hi", speaker="bob"),
]


def find_counts(groups: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [tuple(group[name] for name in ("words", "substitutions", "deletions", "insertions")) for group in groups]


def test_words_of_another_language_are_scored_apart() -> None:
    groups = tables(SWITCHED, "codeswitch")

    assert [(group["codeswitch"], group["segments"], group["speakers"]) for group in groups] == [
        ("own language", 3, 2),
        ("en", 1, 1),
        ("ta", 1, 1),
    ]
    # Hindi: मैं तक गया था अब, यह है, हाँ जी; गया is wrong and तो too many, between Tamil and Hindi. English: high is
    # heard as hi, the is too many between two English words, and street is missing.
    assert find_counts(groups) == [(9, 1, 0, 1), (4, 1, 1, 1), (1, 0, 0, 0)]


def test_words_of_another_language_are_scored_apart_within_each_speaker() -> None:
    groups = tables(SWITCHED, "speaker", "codeswitch")

    assert [(group["speaker"], group["codeswitch"], group["words"]) for group in groups] == [
        ("ann", "own language", 5),
        ("ann", "en", 4),
        ("bob", "own language", 4),
        ("bob", "ta", 1),
    ]


def test_errors_are_told_by_where_they_were_made() -> None:
    groups = tables(SWITCHED, "context")

    assert [group["context"] for group in groups] == ["clinic", "street", "unknown"]
    assert find_counts(groups) == [(9, 2, 1, 1), (3, 0, 0, 1), (2, 0, 0, 0)]


def test_a_mark_of_another_language_is_no_word_and_changes_no_count() -> None:
    (marked,) = tables(SWITCHED[:1], "dialect")
    plain = [pair("मैं high school main street तक गया था अब", SWITCHED[0].hypothesis, id="a", dialect="hi")]

    assert marked["words"] == 9
    assert tables(plain, "dialect") == [marked]


MARKED = st.lists(st.tuples(st.sampled_from([None, "en", "ta"]), sentences.filter(bool)), max_size=5)


@given(MARKED, sentences)
def test_however_languages_mix_the_parts_add_up_to_the_whole(
    parts: list[tuple[str | None, list[str]]], hypothesis: list[str]
) -> None:
    texts = [" ".join(words) if tag is None else f"⟨{tag}: {' '.join(words)}⟩" for tag, words in parts]
    pairs = [pair(" ".join(texts), " ".join(hypothesis), dialect="hi")]
    (whole,) = tables(pairs, "dialect")

    for name in ("words", "hits", "substitutions", "deletions", "insertions"):
        assert sum(int(str(group[name])) for group in tables(pairs, "codeswitch")) == whole[name]
