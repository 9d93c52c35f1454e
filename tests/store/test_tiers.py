"""The second text beside the one as said: kept, hidden, scored, exported and erased with it, on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.exc import DBAPIError

from tests.store.desk_factories import PLAIN, REVIEWED, operation, person, submit, take, talk, verdict
from tests.store.factories import MODEL, correction, recording
from transcribe.redaction import MASK
from transcribe.store import Store
from transcribe.store.erasure import Erasure


def standing(store: Store) -> list[tuple[str, str | None]]:
    return [(correction.text, correction.normalised) for correction in store.corrections.fetch(standing=True)]


def test_both_texts_stand_and_the_second_is_hidden_like_the_first(store: Store) -> None:
    [segment] = talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "word nil", more={"normalised": "word null"}))
    assert standing(store) == [("word nil", "word null")]
    assert store.desk.fetch_views([segment])[segment].normalised == "word null"
    store.redaction.add_mask(recording("talk").id, 500, 1_000)
    redacted = f"word {MASK}"
    [version] = store.reviews.fetch_versions(segment)
    assert (version.text, version.more["normalised"]) == (redacted, redacted)
    assert store.desk.fetch_views([segment])[segment].normalised == redacted
    [(correction, _)] = store.corrections.fetch_with_words(recording("talk").id)
    assert (correction.text, correction.normalised) == (redacted, redacted)
    assert "null" not in json.dumps(
        [json.loads(line)["normalised"] for line in store.export.fetch_lines() if "nil" in line]
    )


def test_the_tier_that_is_asked_for_is_scored_and_the_other_stands_in_for_it(store: Store) -> None:
    talk(store, count=2)
    store.corrections.add(
        [
            correction("one", end=1_000, text="word nil", speaker="A", normalised="word 0"),
            correction("two", start=1_000, end=2_000, text="word one", speaker="A"),
        ]
    )
    assert [span.reference for span in store.corrections.fetch_scoring_spans(MODEL)] == ["word nil", "word one"]
    assert [span.reference for span in store.corrections.fetch_scoring_spans(MODEL, tier="normalised")] == [
        "word 0",
        "word one",
    ]


@pytest.mark.parametrize(
    ("texts", "stands"),
    [
        ({}, ("said", "spelt")),
        ({"text": "said", "normalised": "spelt"}, ("said", "spelt")),
        ({"normalised": "spelled"}, ("said", "spelled")),
        ({"text": "says"}, ("says", None)),
        ({"text": "says", "normalised": "spelled"}, ("says", "spelled")),
    ],
)
def test_a_reviewer_changes_either_text(store: Store, texts: dict[str, str], stands: tuple[str, str | None]) -> None:
    [segment] = talk(store, count=1)
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "said", more={"normalised": "spelt"}), rules=REVIEWED)
    held = store.reviews.take(eyes.id, PLAIN)
    assert held is not None
    assert store.reviews.decide(eyes.id, verdict(held, 1, **texts), PLAIN).status == "applied"
    assert standing(store) == [stands]
    assert len(store.reviews.fetch_versions(segment)) == (1 if stands == ("said", "spelt") else 2)


def test_a_second_text_is_erased_and_never_changed(store: Store) -> None:
    talk(store, count=1, speaker="A")
    store.corrections.add([correction("one", end=1_000, text="a", speaker="A", normalised="b")])
    for change in ("normalised = 'c'", "normalised = NULL", "text = '', accepted = false"):
        with pytest.raises(DBAPIError), store.database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE corrections SET {change}")
    forgotten = Erasure(recording=recording("talk").id, path="", spans=None, duration=60_000, segments=())
    store.erasure.erase([forgotten])
    assert [(correction.text, correction.normalised) for correction in store.corrections.fetch()] == [("", None)]
