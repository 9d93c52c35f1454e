"""Whatever a corpus looks like, training knows nothing of what is tested."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from transcribe.datasets.leakage import Ledger, Spellings, sentence_of
from transcribe.datasets.manifest import Cell, Example

SPELLINGS = Spellings(load_catalogue())
STRONGER = {"train": ("dev", "test"), "dev": ("test",), "test": ()}
SENTENCES = ["the wee bairn is away", "The wee bairn is away!", "aye", "we bide outwith the town", "", None]


@st.composite
def corpora(draw: st.DrawFn) -> list[Example]:
    return [
        Example(
            id=str(number),
            audio=draw(st.sampled_from("abcd")) * 64,
            start=number,
            end=number + draw(st.integers(1, 9)),
            text=draw(st.sampled_from(SENTENCES)),
            dialect=draw(st.sampled_from(["en-scotland", "en-GB", None])),
            speaker=draw(st.sampled_from(["ann", "bob", "cat", None])),
            linked=draw(st.sampled_from([None, "ann", "dee"])),
            session=draw(st.sampled_from(["s1", "s2", "s3", None])),
            split=draw(st.sampled_from(["train", "dev", "test"])),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


def keep_examples(corpus: list[Example], *, closed_vocabulary: bool) -> list[Example]:
    ledger = Ledger(SPELLINGS)
    for example in corpus:
        ledger.add(example)
    reasons = ledger.reasons(closed_vocabulary=closed_vocabulary)
    return [
        example for example, reason in zip(corpus, reasons, strict=True) if reason is None and example.text is not None
    ]


def conversation(example: Example) -> str:
    return example.session or example.audio


@settings(max_examples=150)
@given(corpora(), st.booleans())
def test_what_is_kept_shares_no_speaker_conversation_or_sentence_with_a_stronger_split(
    corpus: list[Example], closed: bool
) -> None:
    trained = keep_examples(corpus, closed_vocabulary=closed)
    for example in trained:
        tested = [other for other in corpus if other.split in STRONGER[example.split]]
        assert example.person not in {other.person for other in tested}
        assert conversation(example) not in {conversation(other) for other in tested}
        sentences = {sentence_of(other, SPELLINGS) for other in tested if other.split == "test"} - {""}
        assert closed or sentence_of(example, SPELLINGS) not in sentences


@settings(max_examples=50)
@given(corpora())
def test_the_test_is_never_touched_and_a_closed_vocabulary_keeps_more(corpus: list[Example]) -> None:
    open_words, closed_words = (keep_examples(corpus, closed_vocabulary=closed) for closed in (False, True))
    assert [example for example in corpus if example.split == "test" and example.text is not None] == [
        example for example in open_words if example.split == "test"
    ]
    assert set(open_words) <= set(closed_words)


@settings(max_examples=50)
@given(corpora())
def test_each_stretch_counts_where_it_was_found(corpus: list[Example]) -> None:
    ledger = Ledger(SPELLINGS)
    for example in corpus:
        ledger.add(example)
    assert list(ledger.cells()) == [Cell.of(example) for example in corpus]


def test_a_sentence_is_known_again_in_another_spelling_and_a_short_one_is_not() -> None:
    first, second, short = (
        Example(id=text, audio="a" * 64, start=0, end=1, text=text, dialect="en-scotland")
        for text in ("The wee bairn, is AWAY", "the wee bairn is away.", "aye right enough")
    )
    assert sentence_of(first, SPELLINGS) == sentence_of(second, SPELLINGS) != ""
    assert sentence_of(short, SPELLINGS) == ""
