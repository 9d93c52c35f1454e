"""The masked is in no word and no text that the store gives out, on both databases."""

from __future__ import annotations

import json

import pytest

from tests.store.desk_factories import PLAIN, operation, person, submit, take, talk
from tests.store.factories import MODEL, correction, make_drafted, recording
from transcribe.errors import InputError
from transcribe.records import DeclaredTurn
from transcribe.redaction import MASK, terms_of
from transcribe.store import Store


def test_a_masked_stretch_is_in_no_word_and_no_neighbour(store: Store) -> None:
    ids = talk(store, count=3)
    masked = store.redaction.add_mask(recording("talk").id, 1_000, 2_000)
    views = store.desk.fetch_views(ids)
    assert [word.text for word in views[ids[1]].words or ()] == [MASK]
    assert (views[ids[0]].after, views[ids[2]].before) == (MASK, MASK)
    assert views[ids[1]].masks == ((1_000, 2_000),)
    assert [mask.id for mask in store.redaction.fetch_masks()] == [masked.id]
    assert store.redaction.lift_mask(masked.id) and not store.redaction.lift_mask(masked.id)
    assert MASK not in str(store.desk.fetch_views(ids))


def test_what_people_typed_before_a_mask_is_hidden_after_it(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "word secret"))
    store.redaction.add_mask(recording("talk").id, 500, 1_000)
    assert [version.text for version in store.reviews.fetch_versions(lease.segment)] == [f"word {MASK}"]
    assert store.desk.fetch_views([lease.segment])[lease.segment].text == f"word {MASK}"
    [correction] = store.corrections.fetch()
    [(redacted, words)] = store.corrections.fetch_with_words(correction.recording)
    assert (correction.text, redacted.text) == ("word secret", f"word {MASK}")
    assert [word.text for word in words] == ["word", MASK]
    lost = submit(store, asha, operation(lease, "another", base=0))
    assert (lost.status, lost.server_text) == ("conflict", f"word {MASK}")


def test_a_stretch_that_is_not_in_the_recording_cannot_be_masked(store: Store) -> None:
    talk(store)
    for start, end in [(5, 5), (-1, 5), (10**9, 10**9 + 5)]:
        with pytest.raises(InputError):
            store.redaction.add_mask(recording("talk").id, start, end)


def test_a_clients_terms_are_found_in_every_run_once_and_lifted_ones_stay_lifted(store: Store) -> None:
    ids = talk(store, count=3)
    terms = terms_of(["word 1"])
    assert store.redaction.mask_terms(terms) == 1
    assert store.redaction.mask_terms(terms) == 0
    [mask] = store.redaction.fetch_masks()
    assert mask.by is None and mask.start <= 1_000 and mask.end >= 2_000
    store.redaction.lift_mask(mask.id)
    store.drafts.save(make_drafted("talk", [("A", 1_000, 2_000, "word 1")], settings="other"))
    assert store.redaction.mask_terms(terms) == 0
    assert store.redaction.mask_terms(terms_of(["word 1", "word 2"])) == 1
    store.database.terms = terms
    assert store.desk.fetch_views(ids)[ids[1]].words[0].text == MASK  # type: ignore[index]


def test_a_term_is_in_no_text_though_the_draft_heard_something_else(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "word Ravi"))
    store.database.terms = terms_of(["ravi"])
    redacted = f"word {MASK}"
    assert [version.text for version in store.reviews.fetch_versions(lease.segment)] == [redacted]
    assert submit(store, asha, operation(lease, "another", base=0)).server_text == redacted
    [(corrected, _)] = store.corrections.fetch_with_words(recording("talk").id)
    assert corrected.text == redacted
    assert "Ravi" not in "\n".join(store.export.fetch_lines())
    [span] = store.corrections.fetch_scoring_spans(MODEL)
    assert (span.reference, span.hypothesis) == (redacted, redacted)
    [talked] = store.dataset_source.fetch()
    assert talked.masked == ((0, 1_000),)


def test_what_is_masked_is_compared_on_neither_side(store: Store) -> None:
    talk(store, count=2)
    store.corrections.add([correction("one", end=2_000, text="word nil and word 1", speaker="A")])
    [span] = store.corrections.fetch_scoring_spans(MODEL)
    assert (span.reference, span.hypothesis) == ("word nil and word 1", "word 0 word 1")
    store.redaction.add_mask(recording("talk").id, 600, 900)
    [span] = store.corrections.fetch_scoring_spans(MODEL)
    assert (span.reference, span.hypothesis) == (f"word {MASK} word 1", f"word {MASK} word 1")


def test_the_canonical_text_has_marks_in_place_of_what_is_masked(store: Store) -> None:
    turns = tuple(
        DeclaredTurn(start=start, end=start + 1_000, speaker="A", text=text)
        for start, text in [(0, "word 0"), (1_000, "hid")]
    )
    talk(store, count=2, declared=turns)
    store.corrections.add([correction("one", end=2_000, text="word 0 word hid", speaker="A")])
    whole = "\n".join(store.export.fetch_lines())
    mask = store.redaction.add_mask(recording("talk").id, 1_600, 1_900)
    lines = [json.loads(line) for line in store.export.fetch_lines()]
    assert "hid" not in json.dumps(lines)
    assert [line["text"] for line in lines if line["kind"] == "correction"] == [f"word 0 word {MASK}"]
    drafted = [[word[0] for word in line["words"]] for line in lines if line["kind"] == "draft"]
    assert drafted == [["word", "0"], ["word", MASK]]
    store.redaction.lift_mask(mask.id)
    assert "\n".join(store.export.fetch_lines()) == whole


def test_drafts_that_were_not_searched_are_not_laid_out(store: Store) -> None:
    newest = store.desk.find_newest_run()
    store.recordings.add([recording("new", dialect="hi")])
    store.drafts.save(make_drafted("new", [("A", 0, 1_000, "word")]))
    assert store.desk.lay_out(PLAIN, upto=newest) == 0
    assert store.desk.lay_out(PLAIN, upto=store.desk.find_newest_run()) == 1


def test_a_second_opinion_at_the_desk_has_nothing_that_is_masked(store: Store) -> None:
    store.recordings.add([recording("talk", dialect="hi")])
    work = make_drafted("talk", [("A", 0, 3_000, "my name is")], alternative="my name was")
    store.drafts.save(work)
    store.desk.lay_out(PLAIN, draw=lambda: 0.5)
    segment = work.segments[0].id
    assert store.desk.fetch_views([segment])[segment].alternative == "my name was"
    store.redaction.add_mask(recording("talk").id, 1_100, 1_900)
    assert store.desk.fetch_views([segment])[segment].alternative == f"my {MASK}"
