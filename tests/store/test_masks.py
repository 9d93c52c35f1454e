"""What is masked is in no word and no text that the store gives out, on both databases."""

from __future__ import annotations

import pytest

from tests.store.desk_factories import PLAIN, operation, person, submit, take, talk
from tests.store.factories import drafted, recording
from transcribe.errors import InputError
from transcribe.masking import MASK, terms_of
from transcribe.store import Store


def test_a_masked_stretch_is_in_no_word_and_no_neighbour(store: Store) -> None:
    ids = talk(store, count=3)
    masked = store.add_mask(recording("talk").id, 1_000, 2_000)
    views = store.views(ids)
    assert [word.text for word in views[ids[1]].words or ()] == [MASK]
    assert (views[ids[0]].after, views[ids[2]].before) == (MASK, MASK)
    assert views[ids[1]].masks == ((1_000, 2_000),)
    assert [each.id for each in store.masks()] == [masked.id]
    assert store.lift_mask(masked.id) and not store.lift_mask(masked.id)
    assert MASK not in str(store.views(ids))


def test_what_people_typed_before_a_mask_is_hidden_after_it(store: Store) -> None:
    talk(store, count=1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "word secret"))
    store.add_mask(recording("talk").id, 500, 1_000)
    assert [each.text for each in store.versions(lease.segment)] == [f"word {MASK}"]
    assert store.views([lease.segment])[lease.segment].text == f"word {MASK}"
    [correction] = store.corrections()
    [(shown, words)] = store.corrected(correction.recording)
    assert (correction.text, shown.text) == ("word secret", f"word {MASK}")
    assert [each.text for each in words] == ["word", MASK]
    lost = submit(store, asha, operation(lease, "another", base=0))
    assert (lost.status, lost.server_text) == ("conflict", f"word {MASK}")


def test_a_stretch_that_is_not_in_the_recording_cannot_be_masked(store: Store) -> None:
    talk(store)
    for start, end in [(5, 5), (-1, 5), (10**9, 10**9 + 5)]:
        with pytest.raises(InputError):
            store.add_mask(recording("talk").id, start, end)


def test_a_clients_terms_are_found_in_every_run_once_and_lifted_ones_stay_lifted(store: Store) -> None:
    ids = talk(store, count=3)
    terms = terms_of(["word 1"])
    assert store.mask_terms(terms) == 1
    assert store.mask_terms(terms) == 0
    [mask] = store.masks()
    assert mask.by is None and mask.start <= 1_000 and mask.end >= 2_000
    store.lift_mask(mask.id)
    store.save_drafted(drafted("talk", [("A", 1_000, 2_000, "word 1")], settings="other"))
    assert store.mask_terms(terms) == 0
    assert store.mask_terms(terms_of(["word 1", "word 2"])) == 1
    assert store.views(ids, terms=terms)[ids[1]].words[0].text == MASK  # type: ignore[index]


def test_drafts_that_were_not_searched_are_not_laid_out(store: Store) -> None:
    newest = store.newest_run()
    store.add_recordings([recording("new", dialect="hi")])
    store.save_drafted(drafted("new", [("A", 0, 1_000, "word")]))
    assert store.lay_out(PLAIN, upto=newest) == 0
    assert store.lay_out(PLAIN, upto=store.newest_run()) == 1
