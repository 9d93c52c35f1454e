from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from tests.store.factories import DIARISATION, MODEL, SETTINGS, make_drafted, recording, recording_id, words
from transcribe.errors import InputError
from transcribe.records import Draft, Drafted, Segment, Turn, Word
from transcribe.store import Store
from transcribe.store.rows import turns_of

ID = recording_id("talk")


@pytest.fixture
def talk(store: Store) -> Store:
    """The store with one recording, ``talk``."""
    store.recordings.add([recording()])
    return store


def everything(store: Store, work: Drafted) -> Drafted:
    """Read the work that *store* saved as *work*."""
    turns, exclusive = store.drafts.fetch_turns(work.recording, work.diarisation) or ((), ())
    return replace(
        work,
        turns=turns,
        exclusive=exclusive,
        segments=tuple(store.drafts.fetch_segments(work.recording)),
        drafts=tuple(store.drafts.fetch(work.recording, work.model)),
    )


def test_work_comes_back_as_it_was_saved(talk: Store) -> None:
    work = make_drafted()
    rich = replace(
        work,
        turns=(Turn(recording=ID, speaker="A", start=0, end=9, dialect="hi", channel=1, label="0/S"), *work.turns),
        segments=tuple(replace(segment, dialect="bho", channel=0) for segment in work.segments),
        drafts=(),
        warnings=("W_NO_SPEECH: nobody speaks",),
    )
    spoken_words = (
        Word(text="क्\u200dष ", start=3, end=4, probability=0.1234),
        Word(text="", start=4, end=4, probability=1.0),
    )
    drafts = [
        Draft(
            segment=segment.id,
            model=MODEL,
            settings=SETTINGS,
            words=spoken_words,
            log_probability=None,
            flags=("loop",),
            alternative=alternative,
        )
        for segment, alternative in zip(rich.segments, ("कहा", None), strict=True)
    ]
    rich = replace(rich, drafts=tuple(drafts))
    assert talk.drafts.save(rich)
    assert everything(talk, rich) == rich


def test_the_turns_of_a_model_are_those_of_its_newest_run(talk: Store) -> None:
    talk.drafts.save(make_drafted())
    talk.drafts.save(make_drafted(spoken=[("C", 5, 6, "other")], settings="settings-2", diarisation="diarisation-2"))
    turns, exclusive = talk.drafts.fetch_turns_of_model(ID, MODEL) or ((), ())
    assert [turn.speaker for turn in turns] == [turn.speaker for turn in exclusive] == ["C"]
    assert talk.drafts.fetch_turns_of_model(ID, "nobody") is None


def test_turns_kept_before_labels_were_come_back_without() -> None:
    assert turns_of('[[0,9,"A",null,null]]', ID) == (Turn(recording=ID, speaker="A", start=0, end=9),)


def test_a_recording_without_speech_is_done_too(talk: Store) -> None:
    silent = make_drafted(spoken=())
    assert talk.drafts.save(silent)
    assert everything(talk, silent) == silent
    assert list(talk.attempts.fetch_pending(SETTINGS)) == []


def test_the_same_work_again_changes_nothing(talk: Store) -> None:
    talk.drafts.save(make_drafted())
    lines = list(talk.export.fetch_lines())
    assert not talk.drafts.save(make_drafted())
    assert not talk.drafts.save(make_drafted(spoken=[("C", 5, 6, "other")]))
    assert list(talk.export.fetch_lines()) == lines


def test_segments_and_drafts_come_in_time_order(talk: Store) -> None:
    spoken = [("B", 900, 1_000, "late"), ("B", 0, 50, "long"), ("A", 0, 50, "first"), ("C", 0, 40, "short")]
    talk.drafts.save(make_drafted(spoken=spoken))
    assert [segment.speaker for segment in talk.drafts.fetch_segments(ID)] == ["C", "A", "B", "B"]
    assert [draft.text for draft in talk.drafts.fetch(ID, MODEL)] == ["short", "first", "long", "late"]
    pairs = list(talk.drafts.fetch_with_segments(ID, MODEL))
    assert [segment.id for segment, _ in pairs] == [draft.segment for _, draft in pairs]


def test_probabilities_keep_four_digits(talk: Store) -> None:
    work = make_drafted(spoken=[("A", 0, 9, "one")])
    spoken_words = (Word(text="one", start=0, end=9, probability=0.123449),)
    talk.drafts.save(replace(work, drafts=(replace(work.drafts[0], words=spoken_words, log_probability=-0.00001),)))
    (draft,) = talk.drafts.fetch(ID, MODEL)
    assert (draft.words[0].probability, str(draft.log_probability)) == (0.1234, "0.0")


def test_another_recogniser_finds_the_turns_of_the_first_run(talk: Store) -> None:
    first = make_drafted()
    talk.drafts.save(first)
    assert talk.drafts.fetch_turns(ID, DIARISATION) == (first.turns, first.exclusive)
    assert talk.drafts.fetch_turns(ID, "another") is None
    assert talk.drafts.fetch_turns("nothing", DIARISATION) is None


def test_each_model_keeps_its_drafts_of_the_same_segments(talk: Store) -> None:
    talk.drafts.save(make_drafted(spoken=[("A", 0, 9, "old")]))
    talk.drafts.save(make_drafted(spoken=[("A", 0, 9, "new")], model="model-2", settings="settings-2"))
    assert [draft.text for draft in talk.drafts.fetch(ID, MODEL)] == ["old"]
    assert [draft.text for draft in talk.drafts.fetch(ID, "model-2")] == ["new"]
    assert len(list(talk.drafts.fetch_segments(ID))) == 1
    assert talk.status.count().drafts == 2


def test_the_newest_run_of_a_model_counts_and_the_older_can_be_asked_for(talk: Store) -> None:
    talk.drafts.save(make_drafted(spoken=[("A", 0, 9, "old"), ("A", 20, 30, "gone")]))
    talk.drafts.save(make_drafted(spoken=[("A", 0, 9, "new"), ("B", 40, 50, "more")], settings="settings-2"))
    assert [draft.text for draft in talk.drafts.fetch(ID, MODEL)] == ["new", "more"]
    assert [draft.text for draft in talk.drafts.fetch(ID, MODEL, settings=SETTINGS)] == ["old", "gone"]
    assert [(segment.start, segment.end) for segment in talk.drafts.fetch_segments(ID)] == [(0, 9), (40, 50)]


def test_a_segment_of_an_older_run_can_still_be_found(talk: Store) -> None:
    talk.drafts.save(make_drafted(spoken=[("A", 20, 30, "gone")]))
    talk.drafts.save(make_drafted(spoken=[("A", 0, 9, "new")], settings="settings-2"))
    gone = Segment(recording=ID, speaker="A", start=20, end=30)
    assert talk.drafts.find_segment(gone.id) == gone
    assert talk.drafts.find_segment("nothing") is None


def test_a_segment_takes_the_dialect_of_its_newest_run(talk: Store) -> None:
    work = make_drafted(spoken=[("A", 0, 9, "one")])
    talk.drafts.save(work)
    again = make_drafted(spoken=[("A", 0, 9, "one")], settings="settings-2")
    talk.drafts.save(replace(again, segments=(replace(work.segments[0], dialect="hi"),)))
    assert [segment.dialect for segment in talk.drafts.fetch_segments(ID)] == ["hi"]


def test_nothing_is_known_of_a_recording_that_was_never_run(talk: Store) -> None:
    assert list(talk.drafts.fetch_segments(ID)) == list(talk.drafts.fetch(ID, MODEL)) == []


def unfit_work() -> dict[str, Drafted]:
    work = make_drafted()
    first, second = work.drafts
    return {
        "unknown recording": make_drafted("nobody"),
        "segment twice": replace(work, segments=work.segments * 2),
        "two drafts of a segment": replace(work, drafts=(first, first, second)),
        "draft of no segment": replace(work, segments=work.segments[:1]),
        "another model": replace(work, drafts=(first, replace(second, model="model-2"))),
        "another recording's turn": replace(work, turns=(Turn(recording="b", speaker="A", start=0, end=1),)),
        "end before start": replace(work, exclusive=(Turn(recording=ID, speaker="A", start=2, end=1),)),
        "before the start": make_drafted(spoken=[("A", -1, 1, "one")]),
        "no number": replace(work, drafts=(replace(first, log_probability=float("nan")), second)),
        "NUL": replace(work, drafts=(replace(first, words=words("one \x00", 0, 9)), second)),
        "half a pair": replace(work, drafts=(first, replace(second, words=words("\ud83d", 0, 9)))),
    }


@pytest.mark.parametrize("name", unfit_work())
def test_work_whose_parts_do_not_fit_is_refused_whole(talk: Store, name: str) -> None:
    with pytest.raises(InputError):
        talk.drafts.save(unfit_work()[name])
    assert talk.status.count().segments == 0
    assert talk.drafts.fetch_turns(ID, DIARISATION) is None
    assert len(list(talk.attempts.fetch_pending(SETTINGS))) == 1


class PowerCut(Exception):
    """The machine stops."""


def test_whatever_statement_fails_leaves_everything_as_it_was(talk: Store) -> None:
    """Fail the first statement of the saving, then the second, until one saving passes whole."""
    lines, work = list(talk.export.fetch_lines()), make_drafted()
    statements = 0

    def cut(*_: object) -> None:
        nonlocal statements
        statements -= 1
        if statements == 0:
            raise PowerCut

    event.listen(talk.database.engine, "before_cursor_execute", cut)
    failed = 0
    while True:
        statements = failed + 1
        try:
            talk.drafts.save(work)
            break
        except PowerCut:
            failed += 1
            assert list(talk.export.fetch_lines()) == lines
            assert len(list(talk.attempts.fetch_pending(SETTINGS))) == 1
    event.remove(talk.database.engine, "before_cursor_execute", cut)
    assert failed > 5
    assert everything(talk, work) == work
