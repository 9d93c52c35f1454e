"""A breakdown counts single words, people, lengths, noise, and text that nobody said."""

from __future__ import annotations

import json

import pytest

from dialects.dialect import load_catalogue
from dialects.report.breakdown import Breakdown, breakdown, cluster_class
from dialects.scoring.hallucinations import foreign_share, is_hallucinated
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair, score
from tests.dialects.factories import corpus, pair


def of(*pairs: Pair) -> Breakdown:
    """The breakdown of pairs of one dialect."""
    (errors,) = breakdown(pairs, Preparer(load_catalogue())).values()
    return errors


def test_patterns_are_single_words_with_their_share_and_people() -> None:
    errors = of(
        *(pair("he is here", "he was here", id=f"s{n}", speaker=f"p{n % 3}") for n in range(5)),
        pair("a b", "a", id="t1"),
        pair("a", "a x y", id="t2"),
    )

    (was,) = errors.top("substitution")
    assert (was.reference, was.hypothesis, was.count, was.speakers) == ("is", "was", 5, 3)
    assert was.of_the_dialect
    assert was.share == pytest.approx(5 / 8)
    assert was.examples == ("s0", "s1", "s2")
    assert [(pattern.reference, pattern.count) for pattern in errors.top("deletion")] == [("b", 1)]
    assert [pattern.hypothesis for pattern in errors.top("insertion")] == ["x", "y"]
    assert not errors.top("insertion")[0].of_the_dialect


def test_patterns_add_up_to_the_errors() -> None:
    pairs = corpus(error_rate=0.5)
    for tag, errors in breakdown(pairs, Preparer(load_catalogue(), normaliser="none")).items():
        total = score([pair for pair in pairs if pair.dialect == tag])
        sums = {
            kind: sum(pattern.count for pattern in errors.top(kind, 10_000)) for kind in ("substitution", "deletion")
        }
        assert sums == {"substitution": total.substitutions, "deletion": total.deletions}
        assert sum(speaker.counts.errors for speaker in errors.speakers) == total.errors


def test_the_order_of_pairs_does_not_show() -> None:
    pairs = corpus(error_rate=0.5)
    prepare = Preparer(load_catalogue())

    def to_json(ordered: list[Pair]) -> str:
        return json.dumps({tag: errors.data() for tag, errors in breakdown(ordered, prepare).items()})

    assert to_json(pairs) == to_json(pairs[::-1])


def test_confused_clusters_are_found_inside_words() -> None:
    errors = of(pair("मेरी माता की", "मेरे माता का", dialect="hi"))

    assert errors.confusions == (("की", "का", 1), ("री", "रे", 1))
    assert errors.classes == {"vowel sign": 2}


@pytest.mark.parametrize(
    ("cluster", "kind"),
    [
        ("की", "vowel sign"),
        ("ज़", "nukta"),
        ("हूँ", "nasal"),
        ("हिं", "nasal"),
        ("क्", "virama"),
        ("१", "digit"),
        ("a", "Latin"),
        ("é", "Latin"),
        ("क", "other"),
        ("ക്", "virama"),
        ("ਹਂ"[-2:], "nasal"),
    ],
)
def test_a_cluster_is_classed_by_what_makes_it_hard(cluster: str, kind: str) -> None:
    assert cluster_class(cluster) == kind


def test_segments_fall_into_bins_of_length_and_noise() -> None:
    errors = of(
        pair("a", duration_s=1.99, snr_db=-3),
        pair("a", "b", id="s2", duration_s=2.0, snr_db=5.0),
        pair("a", id="s3", duration_s=400.0, snr_db=60.0),
        pair("a", id="s4"),
    )

    assert [(length_bin.label, length_bin.segments) for length_bin in errors.durations] == [
        ("0 – 2 s", 1),
        ("2 – 5 s", 1),
        ("20 s and more", 1),
    ]
    assert [noise_bin.label for noise_bin in errors.snrs] == ["below 5 dB", "5 – 10 dB", "20 dB and more"]
    assert [length_bin.counts.errors for length_bin in errors.durations] == [0, 1, 0]


def test_text_that_nobody_said_is_counted_by_the_hour() -> None:
    invented = of(
        pair("", "thank you", duration_s=1800.0),
        pair("", "thank you", id="s2", duration_s=1800.0),
        pair("", "", id="s3", duration_s=3600.0),
        pair("a", id="s4"),
    ).invented

    assert (invented.segments, invented.words, invented.hours, invented.words_per_hour) == (3, 4, 2.0, 2.0)
    assert invented.phrases == (("thank you", 2),)


def test_hours_of_silence_are_unknown_where_one_length_is() -> None:
    invented = of(pair("", "so", duration_s=10.0), pair("", "so", id="s2")).invented

    assert (invented.hours, invented.words_per_hour) == (None, None)


def test_equal_digits_of_one_number_are_no_loop() -> None:
    pairs = [pair("call 5555", "call 5555"), pair("go", "go go go go", id="s2")]
    (errors,) = breakdown(pairs, Preparer(load_catalogue())).values()

    assert errors.loops == ("s2",)


def test_a_sentence_said_three_times_is_a_loop_of_the_segment_and_made_up() -> None:
    said, drafted = "we went home", "We went home. We went home! We went home"
    (errors,) = breakdown([pair(said, drafted)], Preparer(load_catalogue())).values()

    assert errors.loops == ("s1",)
    assert is_hallucinated(Preparer(load_catalogue())(pair(said, drafted)))
    assert not is_hallucinated(Preparer(load_catalogue())(pair(drafted, drafted)))


def test_loops_and_foreign_scripts_are_listed_by_segment() -> None:
    errors = of(
        pair("हाँ जी", "ji ji ji ji", id="s1", dialect="hi"),
        pair("नमस्ते जी", "नमस्ते ji", id="s2", dialect="hi"),
        pair("हाँ", "", id="s3", dialect="hi"),
    )

    assert errors.loops == ("s1",)
    assert errors.foreign_scripts == ("s1",)


def test_the_share_of_another_script_is_one_of_letters() -> None:
    assert foreign_share("हिं ab 12!", "Deva") == pytest.approx(2 / 3)
    assert foreign_share("12 !", "Deva") is None
    assert foreign_share("漢かカ", "Jpan") == 0
    assert foreign_share("abc", "Zyyy") is None
    assert foreign_share("abc", "Nope") is None


def test_a_breakdown_is_plain_json() -> None:
    document = of(*corpus(dialects=["bho"]), pair("", "x", id="e", dialect="bho")).data(most=3)

    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert len(document["substitutions"]) == 3
    assert document["invented"]["phrases"] == [{"text": "x", "count": 1}]
