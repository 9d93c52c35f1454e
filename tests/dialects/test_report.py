"""The report: the numbers of interfaces.md, the same bytes every time, and no rate where too few people spoke."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jiwer
import kaldialign
import pandas as pd
import pytest

from dialects.errors import DialectError
from dialects.normalise import load_normaliser
from dialects.report import Report, build
from dialects.rows import Method
from dialects.scoring import score
from dialects.statistics import Thresholds
from tests.dialects.factories import corpus, pair

#: Small enough that made-up sets reach every state.
SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200),
    resamples=200,
)


def row(report: Report, dialect: str) -> dict[str, Any]:
    return next(entry for entry in report.data()["dialects"] if entry["dialect"] == dialect)


def test_each_dialect_has_the_promised_keys() -> None:
    data = build(corpus(), model="m1", method=SMALL).data()

    promised = """dialect name segments speakers blocks words hits substitutions deletions insertions wer ci_low ci_high
    state cer ger mer"""
    for entry in (*data["dialects"], data["overall"]):
        assert set(promised.split()) <= entry.keys()
    assert list(data["dialects"][0]) == list(data["overall"])
    assert data["model"] == "m1"
    assert [entry["dialect"] for entry in data["dialects"]] == ["bho", "en-IN", "en-US"]
    assert data["overall"]["dialect"] == "overall"


def test_counts_are_those_of_scoring_and_sum_to_the_overall_row() -> None:
    pairs = corpus()
    data = build(pairs, method=SMALL).data()

    kinds = ("hits", "substitutions", "deletions", "insertions", "words", "segments")
    for kind in kinds:
        assert data["overall"][kind] == sum(entry[kind] for entry in data["dialects"])
    counted = score([one for one in pairs if one.dialect == "bho"])
    assert row(build(pairs), "bho")["wer"] == counted.rate
    assert data["overall"]["hits"] + data["overall"]["substitutions"] + data["overall"]["deletions"] == sum(
        len(one.reference.split()) for one in pairs
    )


def test_the_second_engine_is_named_with_its_count() -> None:
    data = build(corpus(), method=SMALL).data()

    checked = data["checked_with"]
    assert checked["name"] == "jiwer"
    assert checked["words"] == data["overall"]["words"]
    assert checked["errors"] == sum(data["overall"][kind] for kind in ("substitutions", "deletions", "insertions"))
    assert build(corpus(), method=SMALL, with_recount=False).data()["checked_with"] is None


def test_the_same_pairs_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    pairs = corpus()
    for name, some in (("one", pairs), ("two", pairs[::-1])):
        report = build(some, model="m", method=SMALL)
        report.write_json(tmp_path / f"{name}.json")
        report.write_csv(tmp_path / f"{name}.csv")

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_dialects_row_does_not_depend_on_other_dialects() -> None:
    """A6; also where people of two dialects share a conversation."""
    pairs = [
        *(pair(id=f"a{n}", speaker=f"ann{n}", session=f"s{n}") for n in range(3)),
        *(pair(id=f"b{n}", speaker="bob", dialect="en-IN", session=f"s{n}") for n in range(3)),
    ]
    alone = [one for one in pairs if one.dialect == "en-US"]

    assert row(build(pairs), "en-US") == row(build(alone), "en-US")
    assert row(build(pairs), "en-US")["blocks"] == 3
    assert build(pairs).data()["overall"]["blocks"] == 1


def test_repeating_every_segment_leaves_the_interval() -> None:
    once = row(build(corpus(), method=SMALL), "bho")
    twice = row(build([*corpus(), *corpus()], method=SMALL), "bho")

    assert (once["ci_low"], once["ci_high"]) == (twice["ci_low"], twice["ci_high"])
    assert twice["segments"] == 2 * once["segments"]
    assert twice["design_effect"] > once["design_effect"]


def test_one_speaker_has_a_rate_and_no_interval() -> None:
    found = row(build([pair("a b", "a c")]), "en-US")

    assert (found["wer"], found["ci_low"], found["ci_high"], found["state"]) == (0.5, None, None, "suppressed")


def test_words_where_nobody_spoke_count_and_have_no_rate() -> None:
    found = row(build([pair("", "thank you for watching")]), "en-US")

    assert (found["insertions"], found["words"], found["wer"]) == (4, 0, None)
    assert (found["empty_references"], found["silence_insertions"]) == (1, 4)
    assert "empty_references" in found["flags"]


def test_a_reference_that_normalising_empties_is_counted_as_empty() -> None:
    found = row(build([pair("[noise] …", "so"), pair("so", id="s2")]), "en-US")

    assert (found["empty_references"], found["words"], found["insertions"]) == (1, 1, 1)


def test_a_missing_hypothesis_counts_as_deletions_and_is_told() -> None:
    report = build([pair("a b c", "", missing=True)])

    found = row(report, "en-US")
    assert (found["deletions"], found["missing_hypotheses"]) == (3, 1)
    assert "missing_hypotheses" in found["flags"]


def test_tables_show_no_rate_of_a_suppressed_dialect_and_json_does() -> None:
    pairs = [*corpus(), pair("a b c d", "a b c x", id="x", dialect="en-scotland")]
    report = build(pairs, method=SMALL)

    header, rows = report.table()
    shown = {line[0]: dict(zip(header, line, strict=True)) for line in rows}
    assert {shown["en-scotland"][column] for column in ("WER %", "95 % interval", "CER %", "S", "D", "I")} == {"–"}
    assert shown["en-scotland"]["words"] == "4"
    assert shown["bho"]["WER %"] != "–"
    assert row(report, "en-scotland")["wer"] == 0.25
    assert "en-scotland: too little to show a rate" in report.text()


def test_the_privacy_floor_takes_errors_out_of_every_file(tmp_path: Path) -> None:
    report = build([*corpus(), pair("a b c d", "a b c x", id="x", dialect="en-scotland")], method=SMALL)
    report.write_csv(tmp_path / "r.csv", privacy_floor=True)
    report.write_json(tmp_path / "r.json", privacy_floor=True)
    report.write_parquet(tmp_path / "r.parquet", privacy_floor=True)

    for table in (pd.read_csv(tmp_path / "r.csv"), pd.read_parquet(tmp_path / "r.parquet")):
        hidden = table[table.dialect == "en-scotland"].iloc[0]
        assert hidden[["hits", "substitutions", "wer", "ci_low", "cer", "wer_raw"]].isna().all()
        assert (hidden["words"], hidden["segments"], hidden["state"]) == (4, 1, "suppressed")
        assert table[table.dialect == "bho"].iloc[0][["hits", "wer"]].notna().all()
    hidden = json.loads((tmp_path / "r.json").read_text())["dialects"][-1]
    assert (hidden["dialect"], hidden["wer"], hidden["flags"]) == ("en-scotland", None, [])


def test_csv_holds_the_numbers_of_the_json(tmp_path: Path) -> None:
    report = build(corpus(), model="m1", method=SMALL)
    report.write_csv(tmp_path / "r.csv")

    table = pd.read_csv(tmp_path / "r.csv", keep_default_na=False)
    assert list(table.columns) == ["model", *report.data()["overall"]]
    assert [entry["wer"] for entry in report.data()["dialects"]] == pytest.approx(list(table.wer))


def test_each_dialect_brings_the_normaliser_of_its_script() -> None:
    report = build([pair("Hello", "hello,"), pair("१२।", "12", id="s2", dialect="bho-Deva")])
    data = report.data()

    assert data["overall"]["wer"] == 0.0
    assert data["normaliser"]["id"] == "deva-hi-v1,latn-en-v1"
    assert data["normaliser"]["by_script"]["Deva"] == [{"id": "deva-hi-v1", "hash": load_normaliser("deva-hi-v1").hash}]
    assert row(report, "bho-Deva")["normalisers"] == ["deva-hi-v1"]


def test_one_normaliser_can_be_asked_for() -> None:
    data = build([pair("Hello", "hello")], normaliser="none").data()

    assert data["overall"]["wer"] == 1.0
    assert (data["normaliser"]["id"], data["normaliser"]["hash"]) == ("none", load_normaliser("none").hash)


def test_a_stated_language_decides_the_normaliser() -> None:
    data = build([pair("१२", "12", dialect="en-IN", language="hi")]).data()

    assert data["dialects"][0]["dialect"] == "en-IN"
    assert data["normaliser"]["id"] == "deva-hi-v1"
    assert build([pair(dialect="hi-Latn", language="hi")]).data()["normaliser"]["id"] == "latn-v2"


def test_where_neither_dialect_nor_language_is_known_a_normaliser_is_needed() -> None:
    with pytest.raises(DialectError, match="E_NORMALISER_NEEDED"):
        build([pair(dialect="und")])
    assert build([pair(dialect="und")], normaliser="nfc").data()["dialects"][0]["name"] == "not stated"
    assert build([pair(dialect="und", language="ta")]).data()["normaliser"]["id"] == "taml-ta-v1"


def test_raw_and_lossy_rates_stand_beside_the_primary_one() -> None:
    found = row(build([pair("हिन्दी में।", "हिंदी में", dialect="hi")]), "hi")

    assert (found["wer_raw"], found["wer"], found["wer_lossy"]) == (1.0, 0.5, 0.0)


def test_a_script_without_spaces_leads_with_characters() -> None:
    report = build([pair("ฉันอ่านหนังสือ", "ฉันอ่านหนังสอ", dialect="th", speaker=f"p{n}") for n in range(30)], method=SMALL)

    header, rows = report.table()
    shown = dict(zip(header, rows[0], strict=True))
    assert (shown["WER %"], shown["CER %"]) == ("–", "7.1")
    assert row(report, "th")["primary"] == "cer"


def test_clusters_are_counted_beside_code_points() -> None:
    found = row(build([pair("அவன் நேற்று", "அவர் நேத்து", dialect="ta")]), "ta")

    assert (found["cer"], found["ger"]) == (0.3, 0.5)


def test_an_unlisted_dialect_keeps_its_row_and_warns() -> None:
    report = build([pair(dialect="en-GB-x-yorks")])

    assert row(report, "en-GB-x-yorks")["words"] == 3
    assert list(report.warnings) == ["W_DIALECT: en-GB-x-yorks is not in the catalogue; it inherits from en-GB"]
    with pytest.raises(DialectError, match="E_DIALECT"):
        build([pair(dialect="en-GB-x-yorks")], strict_dialects=True)


def test_tags_in_any_letter_case_are_one_dialect() -> None:
    data = build([pair(dialect="EN-us"), pair(dialect="en-US", id="s2")]).data()

    assert [entry["segments"] for entry in data["dialects"]] == [2]


def test_the_macro_rate_weighs_dialects_alike_and_leaves_suppressed_ones_out() -> None:
    pairs = [*corpus(dialects=["en-US"], segments=80), *corpus(dialects=["bho"]), pair("a", "b", dialect="en-scotland")]
    report = build(pairs, method=SMALL)

    rates = [row(report, dialect)["wer"] for dialect in ("en-US", "bho")]
    assert report.data()["macro_wer"] == pytest.approx(sum(rates) / 2)


def test_a_dominant_speaker_is_flagged() -> None:
    pairs = [pair(" ".join(["a"] * 90), speaker="ann"), pair("a b c", "b", speaker="bob", id="s2")]

    flags = row(build(pairs, method=SMALL), "en-US")["flags"]
    assert "one_speaker_dominates" in flags
    assert "speakers_differ_from_pool" in flags


def test_hours_are_known_where_segments_state_their_length() -> None:
    assert row(build([pair(duration_s=1800.0), pair(duration_s=900.0, id="s2")]), "en-US")["hours"] == 0.75
    assert row(build([pair()]), "en-US")["hours"] is None


def test_no_pairs_give_an_empty_report() -> None:
    report = build([])

    assert report.data()["dialects"] == []
    assert report.data()["overall"]["wer"] is None
    assert "overall" in report.text()


def test_the_text_has_a_line_for_each_dialect_and_says_how_it_was_made() -> None:
    text = build(corpus(), method=SMALL).text()

    lines = text.splitlines()
    assert lines[0].split()[:3] == ["dialect", "name", "segments"]
    assert [line.split()[0] for line in lines[2:6]] == ["bho", "en-IN", "en-US", "overall"]
    assert "jackknife over blocks of speakers" in text
    assert "min-edit/max-hit/1" in text


def test_allowed_spellings_are_free_in_their_own_column_and_told(tmp_path: Path) -> None:
    (tmp_path / "bho.tsv").write_text(
        "canonical\tvariant\tscope\tsource\tadded_by\tdate\nहव\tबा\tdialect\treviewer\tasha\t2026-03-31\n",
        encoding="utf-8",
    )
    pairs = [pair("ई हव", "ई बा", dialect="bho"), pair("ई हव", "ऊ हव", id="s2", dialect="bho")]
    report = build(pairs, variant_places=[tmp_path])

    found = row(report, "bho")
    assert (found["wer"], found["wer_variant"], found["forgiven"]) == (0.5, 0.25, 1)
    assert report.data()["forgiven"] == {"bho": [{"reference": "हव", "hypothesis": "बा", "count": 1}]}
    assert report.data()["variants"]["bho"]["rules"] == 1


def test_inline_alternatives_count_as_the_first_and_are_free_as_the_others() -> None:
    found = row(build([pair("{ white paper / whitepaper } here", "whitepaper here")]), "en-US")

    assert (found["words"], found["wer"], found["wer_variant"]) == (3, pytest.approx(2 / 3), 0.0)


def test_a_rule_between_frequent_words_is_left_out_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "hi.tsv").write_text(
        "canonical\tvariant\tscope\tsource\tadded_by\tdate\nकी\tकि\tdialect\treviewer\tasha\t2026-03-31\n",
        encoding="utf-8",
    )
    pairs = [pair("की कि " * 30, "कि कि " * 30, dialect="hi")]
    report = build(iter(pairs), variant_places=[tmp_path])

    assert row(report, "hi")["wer_variant"] == row(report, "hi")["wer"] == 0.5
    assert list(report.warnings) == [
        "W_VARIANT: hi has both की and कि as frequent words; the rule that makes them equal is left out"
    ]


def test_fillers_that_a_normaliser_names_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'id = "mine"\nversion = 1\nsteps = ["nfc", "spaces"]\n[tables]\noptional = ["um"]\n'
    )
    pairs = [pair("so um yes", "so yes")]
    found = row(build(pairs, normaliser="mine", normaliser_folders=[tmp_path]), "en-US")

    assert (found["wer"], found["wer_variant"]) == (pytest.approx(1 / 3), 0.0)


def test_two_models_on_the_same_speech_share_a_hash() -> None:
    pairs = corpus()
    worse = [dataclasses.replace(one, hypothesis="") for one in reversed(pairs)]

    one, other = build(pairs).data(), build(worse).data()
    assert one["references_hash"] == other["references_hash"]
    assert one["references_hash"] != build(pairs[1:]).data()["references_hash"]


def test_the_report_says_what_it_was_made_with() -> None:
    made = build([pair()]).data()["made_with"]

    assert {"python", "unicode", "rapidfuzz", "regex"} <= made.keys()
    assert made["rapidfuzz"].count(".") == 2


def test_two_other_engines_find_the_errors_of_every_dialect() -> None:
    """The whole report over 300 segments, three dialects and fifteen speakers, against jiwer and kaldialign."""
    pairs = corpus(error_rate=0.4)
    assert (len(pairs), len({one.speaker for one in pairs})) == (300, 15)

    for entry in build(pairs, normaliser="none").data()["dialects"]:
        own = [one for one in pairs if one.dialect == entry["dialect"]]
        theirs = jiwer.process_words([one.reference for one in own], [one.hypothesis for one in own])
        kaldi = kaldialign.batch_error_rate(
            [one.reference.split() for one in own], [one.hypothesis.split() for one in own]
        )

        errors = entry["substitutions"] + entry["deletions"] + entry["insertions"]
        assert errors == theirs.substitutions + theirs.deletions + theirs.insertions == kaldi["total"]
        assert entry["words"] == theirs.hits + theirs.substitutions + theirs.deletions == kaldi["ref_len"]
        assert entry["deletions"] - entry["insertions"] == theirs.deletions - theirs.insertions
        assert entry["wer"] == pytest.approx(theirs.wer)
