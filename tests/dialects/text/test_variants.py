"""Variants forgive only what somebody allowed, never change the number of words, and never merge words silently."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.errors import DialectError
from dialects.scoring.word_errors import count
from dialects.text.normalise import load_normaliser
from dialects.text.variants import (
    COLUMNS,
    Span,
    Variant,
    VariantSet,
    least_edits,
    load_variants,
    parse_inline,
    read_variants,
    unescape,
)
from tests.dialects.factories import sentences

PLAIN = load_normaliser("none")
words = st.lists(st.sampled_from("abc"), max_size=3)


@st.composite
def references_with_spans(draw: st.DrawFn) -> tuple[list[str], list[Span]]:
    reference = draw(sentences)
    places = st.tuples(st.integers(0, len(reference)), st.integers(0, len(reference)), words)
    spans: list[Span] = []
    for first, second, instead in draw(st.lists(places, max_size=3)):
        if first != second or all(span.start != first or span.end != first for span in spans):
            spans.append(Span(start=min(first, second), end=max(first, second), words=tuple(instead)))
    return reference, spans


def all_ways(reference: list[str], spans: list[Span]) -> list[list[str]]:
    """Every text that the spans allow, one span at most for each reference word: slow, and obviously right."""
    ways = []
    for size in range(len(spans) + 1):
        for chosen in itertools.permutations(spans, size):
            if any(first.end > second.start for first, second in itertools.pairwise(chosen)):
                continue
            text: list[str] = []
            position = 0
            for span in chosen:
                text += [*reference[position : span.start], *span.words]
                position = span.end
            ways.append(text + reference[position:])
    return ways


def rule(canonical: str, variant: str, *, scope: str = "dialect", source: str = "reviewer") -> str:
    return "\t".join((canonical, variant, scope, source, "asha", "2026-03-31"))


def write(folder: Path, tag: str, *lines: str) -> None:
    (folder / f"{tag}.tsv").write_text("\n".join(["\t".join(COLUMNS), *lines]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "strict", "errors", "canonical"),
    [
        ("{ white paper / whitepaper } here", "whitepaper here", 2, 0, 3),
        ("i've { um / uh / @ } as far", "i've as far", 1, 0, 4),
        ("{मुंबई/मुम्बई} में {हूँ/हूं}", "मुम्बई में हूं", 2, 0, 3),
        ("{ @ / well } so", "well so", 1, 0, 1),
        ("{ white paper / whitepaper } here", "whitpaper here", 2, 1, 3),
    ],
)
def test_any_alternative_is_free_and_the_first_one_counts(
    reference: str, hypothesis: str, strict: int, errors: int, canonical: int
) -> None:
    """A3, and more."""
    reference_words, spans = parse_inline(reference).words(PLAIN)

    assert len(reference_words) == canonical
    assert sum(count(reference_words, hypothesis.split())[1:]) == strict
    assert least_edits(reference_words, spans, hypothesis.split()).errors == errors


@given(references_with_spans(), sentences)
def test_the_least_edits_are_those_of_the_best_way(
    reference_and_spans: tuple[list[str], list[Span]], hypothesis: list[str]
) -> None:
    reference, spans = reference_and_spans
    best = min(sum(count(way, hypothesis)[1:]) for way in all_ways(reference, spans))

    assert least_edits(reference, spans, hypothesis).errors == best


@given(references_with_spans(), sentences)
def test_variants_only_ever_forgive(reference_and_spans: tuple[list[str], list[Span]], hypothesis: list[str]) -> None:
    """A6: never more errors than strict, and one more variant never adds one."""
    reference, spans = reference_and_spans
    strict = sum(count(reference, hypothesis)[1:])
    errors = [least_edits(reference, spans[:size], hypothesis).errors for size in range(len(spans) + 1)]

    assert errors[0] == strict
    assert sorted(errors, reverse=True) == errors


def test_an_alternative_is_named_only_where_it_helped() -> None:
    spans = (Span(start=0, end=1, words=("x",)), Span(start=1, end=2, words=("y",)))

    assert least_edits(["a", "b"], spans, ["a", "y"]).used == ((("b",), ("y",)),)
    assert least_edits(["a", "b"], spans, ["a", "b"]).used == ()


def test_a_rule_holds_in_one_direction_and_does_not_chain() -> None:
    def make_rule(canonical: str, variant: str) -> Variant:
        return Variant(
            canonical=(canonical,),
            variant=(variant,),
            scope="dialect",
            source="reviewer",
            added_by="a",
            date="2026-01-01",
        )

    rules = VariantSet((make_rule("a", "b"), make_rule("b", "c")))

    assert least_edits(["a"], rules.spans(["a"]), ["b"]).errors == 0
    assert least_edits(["b"], rules.spans(["b"]), ["a"]).errors == 1
    assert least_edits(["a"], rules.spans(["a"]), ["c"]).errors == 1


def test_rules_of_several_words_apply_wherever_they_stand(tmp_path: Path) -> None:
    write(tmp_path, "bho", rule("जाऊँगा", "जाऊं गा"), rule("white paper", "whitepaper"))
    rules = load_variants("bho", PLAIN, tmp_path)

    spans = rules.spans(["the", "white", "paper", "and", "white", "paper"])
    assert [(span.start, span.end, span.words) for span in spans] == [(1, 3, ("whitepaper",)), (4, 6, ("whitepaper",))]
    assert least_edits(["जाऊँगा"], rules.spans(["जाऊँगा"]), ["जाऊं", "गा"]).errors == 0


def test_a_rule_of_one_segment_holds_there_alone(tmp_path: Path) -> None:
    write(tmp_path, "bho", rule("a", "b", scope="segment:s7"))
    rules = load_variants("bho", PLAIN, tmp_path)

    assert rules.spans(["a"], segment="s7")
    assert not rules.spans(["a"], segment="s8")
    assert not rules.spans(["a"])


def test_children_inherit_global_rules_only(tmp_path: Path) -> None:
    write(tmp_path, "en", rule("a", "b", scope="global"), rule("c", "d"))
    write(tmp_path, "en-GB", rule("e", "f"))

    assert {rule.canonical for rule in load_variants("en-GB-x-lancs", PLAIN, tmp_path).rules} == {("a",)}
    assert {rule.canonical for rule in load_variants("en-GB", PLAIN, tmp_path).rules} == {("a",), ("e",)}
    assert {rule.canonical for rule in load_variants("en", PLAIN, tmp_path).rules} == {("a",), ("c",)}


def test_what_no_person_vouches_for_never_counts(tmp_path: Path) -> None:
    write(tmp_path, "bho", rule("a", "b", source="llm"), rule("c", "d", source="dictionary"))

    assert [rule.canonical for rule in load_variants("bho", PLAIN, tmp_path).rules] == [("c",)]
    assert len(read_variants(tmp_path / "bho.tsv", PLAIN)) == 2


def test_a_workspace_file_replaces_the_packaged_one(tmp_path: Path) -> None:
    packaged = load_variants("hi", load_normaliser("indic-v2"))
    write(tmp_path, "hi", rule("a", "b"))

    assert (("हिन्दी",), ("हिंदी",)) in {(rule.canonical, rule.variant) for rule in packaged.rules}
    assert len(load_variants("hi", PLAIN, tmp_path).rules) == 1
    assert packaged.hash != VariantSet().hash


def test_a_dialect_without_a_file_has_no_rules() -> None:
    assert load_variants("en-US", PLAIN).rules == ()


def test_both_sides_are_normalised_like_the_texts(tmp_path: Path) -> None:
    write(tmp_path, "en", rule("Colour,", "COLOR"))

    assert load_variants("en", load_normaliser("latn-v1"), tmp_path).rules[0].variant == ("color",)


def test_a_rule_between_two_frequent_words_collides(tmp_path: Path) -> None:
    write(
        tmp_path,
        "hi",
        rule("की", "कि"),
        rule("हूँ", "हूं"),
        rule("गये", "गए", source="orthography"),
        rule("a b", "ab"),
    )
    rules = load_variants("hi", PLAIN, tmp_path)
    vocabulary = {"की": 400, "कि": 300, "हूँ": 90, "हूं": 2, "गये": 50, "गए": 60, "ab": 99}

    collided = rules.collisions(vocabulary)

    assert [rule.canonical for rule in collided] == [("की",)]
    assert [rule.canonical for rule in rules.without(collided).rules] == [("हूँ",), ("गये",), ("a", "b")]
    assert rules.collisions(vocabulary, frequent=1_000) == ()


def test_a_line_that_the_normaliser_makes_needless_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "hi", rule("पाँच", "पांच"), rule("पच्चीस", "25"), rule("हूँ", "हूं"))

    rules = load_variants("hi", load_normaliser("deva-hi-v1"), tmp_path).rules
    assert [rule.canonical for rule in rules] == [("हूँ",)]
    assert len(load_variants("hi", load_normaliser("indic-v2"), tmp_path).rules) == 3


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("a\tb\tdialect\treviewer\tasha", "date", "5 cells were found"),
        (rule("।", "b"), "canonical", "nothing is left"),
        (rule("a", ""), "variant", "nothing is left"),
        (rule("A", "a"), "variant", "both sides are the same"),
        (rule("a", "b", scope="everywhere"), "scope", "'everywhere' was found"),
        (rule("a", "b", source="guess"), "source", "'guess' was found"),
        ("a\tb\tdialect\treviewer\t\t2026-03-31", "added_by", "nobody vouches"),
        ("a\tb\tdialect\treviewer\tasha\tMarch", "date", "write a day"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named(tmp_path: Path, line: str, column: str, reason: str) -> None:
    write(tmp_path, "en", rule("x", "y"), line)

    with pytest.raises(DialectError, match="E_VARIANTS") as caught:
        load_variants("en", load_normaliser("indic-v2"), tmp_path)

    assert (caught.value.row, caught.value.column) == (3, column)
    assert reason in caught.value.message


def test_a_file_with_another_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "en.tsv").write_text("from\tto\n")

    with pytest.raises(DialectError, match="its header differs"):
        load_variants("en", PLAIN, tmp_path)


@pytest.mark.parametrize("text", ["a {b} c", "a } b", "a { b", r"a \{ b / c \}", "3/4 of it", ""])
def test_braces_without_alternatives_are_ordinary_text(text: str) -> None:
    assert parse_inline(text).pieces == ((unescape(text),) if text else ())


def test_an_inline_reference_counts_its_first_alternatives() -> None:
    assert parse_inline("{ white paper / whitepaper } here { @ / now }").text == "white paper here"
