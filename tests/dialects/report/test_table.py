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
from dialects.report.table import Report, build
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from dialects.scoring.word_errors import Pair, score
from dialects.text.normalise import load_normaliser
from tests.dialects.factories import corpus, pair

#: Small enough that made-up sets reach every state.
SMALL = Method(
    thresholds=Thresholds(provisional_speakers=2, provisional_words=20, reportable_speakers=5, reportable_words=200),
    resamples=200,
)


def find_row(report: Report, dialect: str) -> dict[str, Any]:
    return next(row for row in report.data()["dialects"] if row["dialect"] == dialect)


def test_each_dialect_has_the_promised_keys() -> None:
    document = build(corpus(), model="m1", method=SMALL).data()

    promised = """dialect name segments speakers blocks words hits substitutions deletions insertions wer ci_low ci_high
    state cer ger mer"""
    for row in (*document["dialects"], document["overall"]):
        assert set(promised.split()) <= row.keys()
    assert list(document["dialects"][0]) == list(document["overall"])
    assert document["model"] == "m1"
    assert [row["dialect"] for row in document["dialects"]] == ["bho", "en-IN", "en-US"]
    assert document["overall"]["dialect"] == "overall"


def test_counts_are_those_of_scoring_and_sum_to_the_overall_row() -> None:
    pairs = corpus()
    document = build(pairs, method=SMALL).data()

    kinds = ("hits", "substitutions", "deletions", "insertions", "words", "segments")
    for kind in kinds:
        assert document["overall"][kind] == sum(row[kind] for row in document["dialects"])
    errors = score([pair for pair in pairs if pair.dialect == "bho"])
    assert find_row(build(pairs), "bho")["wer"] == errors.rate
    assert document["overall"]["hits"] + document["overall"]["substitutions"] + document["overall"]["deletions"] == sum(
        len(pair.reference.split()) for pair in pairs
    )


def test_the_second_engine_is_named_with_its_count() -> None:
    document = build(corpus(), method=SMALL).data()

    checked = document["checked_with"]
    assert checked["name"] == "jiwer"
    assert checked["words"] == document["overall"]["words"]
    assert checked["errors"] == sum(document["overall"][kind] for kind in ("substitutions", "deletions", "insertions"))
    assert build(corpus(), method=SMALL, with_recount=False).data()["checked_with"] is None


def test_the_same_pairs_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    pairs = corpus()
    for name, ordered in (("one", pairs), ("two", pairs[::-1])):
        report = build(ordered, model="m", method=SMALL)
        (tmp_path / f"{name}.json").write_text(json.dumps(report.data()))
        report.write_csv(tmp_path / f"{name}.csv")

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_dialects_row_does_not_depend_on_other_dialects() -> None:
    """A6; also where people of two dialects share a conversation."""
    pairs = [
        *(pair(id=f"a{n}", speaker=f"ann{n}", session=f"s{n}") for n in range(3)),
        *(pair(id=f"b{n}", speaker="bob", dialect="en-IN", session=f"s{n}") for n in range(3)),
    ]
    alone = [pair for pair in pairs if pair.dialect == "en-US"]

    assert find_row(build(pairs), "en-US") == find_row(build(alone), "en-US")
    assert find_row(build(pairs), "en-US")["blocks"] == 3
    assert build(pairs).data()["overall"]["blocks"] == 1


def test_repeating_every_segment_leaves_the_interval() -> None:
    once = find_row(build(corpus(), method=SMALL), "bho")
    doubled = find_row(build([*corpus(), *corpus()], method=SMALL), "bho")

    assert (once["ci_low"], once["ci_high"]) == (doubled["ci_low"], doubled["ci_high"])
    assert doubled["segments"] == 2 * once["segments"]
    assert doubled["design_effect"] > once["design_effect"]


def test_one_speaker_has_a_rate_and_no_interval() -> None:
    row = find_row(build([pair("a b", "a c")]), "en-US")

    assert (row["wer"], row["ci_low"], row["ci_high"], row["state"]) == (
        0.5,
        None,
        None,
        "suppressed",
    )


def test_words_where_nobody_spoke_count_and_have_no_rate() -> None:
    row = find_row(build([pair("", "thank you for watching")]), "en-US")

    assert (row["insertions"], row["words"], row["wer"]) == (4, 0, None)
    assert (row["empty_references"], row["silence_insertions"]) == (1, 4)
    assert "empty_references" in row["flags"]


def test_a_reference_that_normalising_empties_is_counted_as_empty() -> None:
    row = find_row(build([pair("[noise] …", "so"), pair("so", id="s2")]), "en-US")

    assert (row["empty_references"], row["words"], row["insertions"]) == (1, 1, 1)


def test_a_missing_hypothesis_counts_as_deletions_and_is_told() -> None:
    report = build([pair("a b c", "", missing=True)])

    row = find_row(report, "en-US")
    assert (row["deletions"], row["missing_hypotheses"]) == (3, 1)
    assert "missing_hypotheses" in row["flags"]


def test_tables_show_no_rate_of_a_suppressed_dialect_and_json_does() -> None:
    pairs = [*corpus(), pair("a b c d", "a b c x", id="x", dialect="en-scotland")]
    report = build(pairs, method=SMALL)

    header, rows = report.table()
    cells = {line[0]: dict(zip(header, line, strict=True)) for line in rows}
    assert {cells["en-scotland"][column] for column in ("WER %", "95 % interval", "CER %", "S", "D", "I")} == {"–"}
    assert cells["en-scotland"]["words"] == "4"
    assert cells["bho"]["WER %"] != "–"
    assert find_row(report, "en-scotland")["wer"] == 0.25
    assert "en-scotland: too little to show a rate" in report.text()


def test_the_privacy_floor_takes_errors_out_of_file_and_data(tmp_path: Path) -> None:
    report = build([*corpus(), pair("a b c d", "a b c x", id="x", dialect="en-scotland")], method=SMALL)
    report.write_csv(tmp_path / "r.csv", privacy_floor=True)

    table = pd.read_csv(tmp_path / "r.csv")
    hidden = table[table.dialect == "en-scotland"].iloc[0]
    assert hidden[["hits", "substitutions", "wer", "ci_low", "cer", "wer_raw"]].isna().all()
    assert (hidden["words"], hidden["segments"], hidden["state"]) == (4, 1, "suppressed")
    assert table[table.dialect == "bho"].iloc[0][["hits", "wer"]].notna().all()
    hidden = report.data(privacy_floor=True)["dialects"][-1]
    assert (hidden["dialect"], hidden["wer"], hidden["flags"]) == ("en-scotland", None, [])


def test_the_total_less_the_rows_tells_nothing_of_what_is_suppressed() -> None:
    report = build([*corpus(), pair("a b c d", "a b c x", id="x", dialect="en-scotland")], method=SMALL)
    behind_floor, whole = report.data(privacy_floor=True), report.data()
    visible = [row for row in whole["dialects"] if row["dialect"] != "en-scotland"]
    for key in ("segments", "words", "hits", "substitutions", "deletions", "insertions"):
        assert behind_floor["overall"][key] == sum(row[key] for row in visible)
    assert behind_floor["checked_with"]["errors"] is None
    assert len(behind_floor["blocks"]["overall"]) == report.visible.blocks < report.overall.blocks
    assert whole["overall"]["words"] == behind_floor["overall"]["words"] + 4
    header, rows = report.table()
    total = dict(zip(header, rows[-1], strict=True))
    assert (total["name"], total["words"]) == ("all that is shown", f"{report.visible.counts.words:,}")
    assert int(total["S"]) == sum(row["substitutions"] for row in visible)
    assert "errors in" not in report.text()


def test_behind_the_privacy_floor_nothing_changes_where_all_is_shown() -> None:
    report = build(corpus(), method=SMALL)
    assert report.data(privacy_floor=True) == report.data()


def test_behind_the_privacy_floor_a_report_of_nothing_visible_says_nothing() -> None:
    report = build([pair("a b c d", "a b c x", id="x", dialect="en-scotland")], method=SMALL)
    assert report.data(privacy_floor=True)["overall"]["wer"] is None
    assert {report.table()[1][-1][column] for column in range(5, 11)} == {"–"}


def test_csv_holds_the_numbers_of_the_json(tmp_path: Path) -> None:
    report = build(corpus(), model="m1", method=SMALL)
    report.write_csv(tmp_path / "r.csv")

    table = pd.read_csv(tmp_path / "r.csv", keep_default_na=False)
    assert list(table.columns) == ["model", *report.data()["overall"]]
    assert [row["wer"] for row in report.data()["dialects"]] == pytest.approx(list(table.wer))


def test_each_dialect_brings_the_normaliser_of_its_script() -> None:
    report = build([pair("Hello", "hello,"), pair("१२।", "12", id="s2", dialect="bho-Deva")])
    document = report.data()

    assert document["overall"]["wer"] == 0.0
    assert document["normaliser"]["id"] == "deva-hi-v1,latn-en-v1"
    assert document["normaliser"]["by_script"]["Deva"] == [
        {"id": "deva-hi-v1", "hash": load_normaliser("deva-hi-v1").hash}
    ]
    assert find_row(report, "bho-Deva")["normalisers"] == ["deva-hi-v1"]


def test_one_normaliser_can_be_asked_for() -> None:
    document = build([pair("Hello", "hello")], normaliser="none").data()

    assert document["overall"]["wer"] == 1.0
    assert (document["normaliser"]["id"], document["normaliser"]["hash"]) == ("none", load_normaliser("none").hash)


def test_a_stated_language_decides_the_normaliser() -> None:
    document = build([pair("१२", "12", dialect="en-IN", language="hi")]).data()

    assert document["dialects"][0]["dialect"] == "en-IN"
    assert document["normaliser"]["id"] == "deva-hi-v1"
    assert build([pair(dialect="hi-Latn", language="hi")]).data()["normaliser"]["id"] == "latn-v2"


def test_where_neither_dialect_nor_language_is_known_a_normaliser_is_needed() -> None:
    with pytest.raises(DialectError, match="E_NORMALISER_NEEDED"):
        build([pair(dialect="und")])
    assert build([pair(dialect="und")], normaliser="nfc").data()["dialects"][0]["name"] == "not stated"
    assert build([pair(dialect="und", language="ta")]).data()["normaliser"]["id"] == "taml-ta-v1"


def test_raw_and_lossy_rates_stand_beside_the_primary_one() -> None:
    row = find_row(build([pair("हिन्दी में।", "हिंदी में", dialect="hi")]), "hi")

    assert (row["wer_raw"], row["wer"], row["wer_lossy"]) == (1.0, 0.5, 0.0)


def test_a_script_without_spaces_leads_with_characters() -> None:
    report = build([pair("ฉันอ่านหนังสือ", "ฉันอ่านหนังสอ", dialect="th", speaker=f"p{n}") for n in range(30)], method=SMALL)

    header, rows = report.table()
    cells = dict(zip(header, rows[0], strict=True))
    assert (cells["WER %"], cells["CER %"]) == ("–", "7.1")
    assert find_row(report, "th")["primary"] == "cer"


def test_clusters_are_counted_beside_code_points() -> None:
    row = find_row(build([pair("அவன் நேற்று", "அவர் நேத்து", dialect="ta")]), "ta")

    assert (row["cer"], row["ger"]) == (0.3, 0.5)


def test_an_unlisted_dialect_keeps_its_row_and_warns() -> None:
    report = build([pair(dialect="en-GB-x-yorks")])

    assert find_row(report, "en-GB-x-yorks")["words"] == 3
    assert list(report.warnings) == ["W_DIALECT: en-GB-x-yorks is not in the catalogue; it inherits from en-GB"]
    with pytest.raises(DialectError, match="E_DIALECT"):
        build([pair(dialect="en-GB-x-yorks")], strict_dialects=True)


def test_tags_in_any_letter_case_are_one_dialect() -> None:
    document = build([pair(dialect="EN-us"), pair(dialect="en-US", id="s2")]).data()

    assert [row["segments"] for row in document["dialects"]] == [2]


def test_the_macro_rate_weighs_dialects_alike_and_leaves_suppressed_ones_out() -> None:
    pairs = [*corpus(dialects=["en-US"], segments=80), *corpus(dialects=["bho"]), pair("a", "b", dialect="en-scotland")]
    report = build(pairs, method=SMALL)

    rates = [find_row(report, dialect)["wer"] for dialect in ("en-US", "bho")]
    assert report.data()["macro_wer"] == pytest.approx(sum(rates) / 2)


def test_a_dominant_speaker_is_flagged() -> None:
    pairs = [pair(" ".join(["a"] * 90), speaker="ann"), pair("a b c", "b", speaker="bob", id="s2")]

    flags = find_row(build(pairs, method=SMALL), "en-US")["flags"]
    assert "one_speaker_dominates" in flags
    assert "speakers_differ_from_pool" in flags


def test_hours_are_known_where_segments_state_their_length() -> None:
    assert find_row(build([pair(duration_s=1800.0), pair(duration_s=900.0, id="s2")]), "en-US")["hours"] == 0.75
    assert find_row(build([pair()]), "en-US")["hours"] is None


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
    report = build(pairs, variant_paths=[tmp_path])

    row = find_row(report, "bho")
    assert (row["wer"], row["wer_variant"], row["forgiven"]) == (0.5, 0.25, 1)
    assert report.data()["forgiven"] == {"bho": [{"reference": "हव", "hypothesis": "बा", "count": 1}]}
    assert report.data()["variants"]["bho"]["rules"] == 1


def test_inline_alternatives_count_as_the_first_and_are_free_as_the_others() -> None:
    row = find_row(build([pair("{ white paper / whitepaper } here", "whitepaper here")]), "en-US")

    assert (row["words"], row["wer"], row["wer_variant"]) == (3, pytest.approx(2 / 3), 0.0)


def test_a_rule_between_frequent_words_is_left_out_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "hi.tsv").write_text(
        "canonical\tvariant\tscope\tsource\tadded_by\tdate\nकी\tकि\tdialect\treviewer\tasha\t2026-03-31\n",
        encoding="utf-8",
    )
    pairs = [pair("की कि " * 30, "कि कि " * 30, dialect="hi")]
    report = build(iter(pairs), variant_paths=[tmp_path])

    assert find_row(report, "hi")["wer_variant"] == find_row(report, "hi")["wer"] == 0.5
    assert list(report.warnings) == [
        "W_VARIANT: hi has both की and कि as frequent words; the rule that makes them equal is left out"
    ]


def test_fillers_that_a_normaliser_names_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'id = "mine"\nversion = 1\nsteps = ["nfc", "spaces"]\n[tables]\noptional = ["um"]\n'
    )
    pairs = [pair("so um yes", "so yes")]
    row = find_row(build(pairs, normaliser="mine", normaliser_folders=[tmp_path]), "en-US")

    assert (row["wer"], row["wer_variant"]) == (pytest.approx(1 / 3), 0.0)


def test_two_models_on_the_same_speech_share_a_hash() -> None:
    pairs = corpus()
    worse = [dataclasses.replace(pair, hypothesis="") for pair in reversed(pairs)]

    document, worse_document = build(pairs).data(), build(worse).data()
    assert document["references_hash"] == worse_document["references_hash"]
    assert document["references_hash"] != build(pairs[1:]).data()["references_hash"]


def test_the_report_says_what_it_was_made_with() -> None:
    versions = build([pair()]).data()["made_with"]

    assert {"python", "unicode", "rapidfuzz", "regex"} <= versions.keys()
    assert versions["rapidfuzz"].count(".") == 2


def test_two_other_engines_find_the_errors_of_every_dialect() -> None:
    """The whole report over 300 segments, three dialects and fifteen speakers, against jiwer and kaldialign."""
    pairs = corpus(error_rate=0.4)
    assert (len(pairs), len({pair.speaker for pair in pairs})) == (300, 15)

    for row in build(pairs, normaliser="none").data()["dialects"]:
        of_dialect = [pair for pair in pairs if pair.dialect == row["dialect"]]
        jiwer_output = jiwer.process_words(
            [pair.reference for pair in of_dialect], [pair.hypothesis for pair in of_dialect]
        )
        kaldi = kaldialign.batch_error_rate(
            [pair.reference.split() for pair in of_dialect], [pair.hypothesis.split() for pair in of_dialect]
        )

        errors = row["substitutions"] + row["deletions"] + row["insertions"]
        assert errors == jiwer_output.substitutions + jiwer_output.deletions + jiwer_output.insertions == kaldi["total"]
        assert (
            row["words"] == jiwer_output.hits + jiwer_output.substitutions + jiwer_output.deletions == kaldi["ref_len"]
        )
        assert row["deletions"] - row["insertions"] == jiwer_output.deletions - jiwer_output.insertions
        assert row["wer"] == pytest.approx(jiwer_output.wer)


def make_family(**words_by_dialect: int) -> list[Pair]:
    """Four speakers of each dialect, each with a word in ten wrong."""
    return [
        pair("w " * 10, "w " * 9 + "x", id=f"{tag}{number}", dialect=tag, speaker=f"{tag}{number % 4}")
        for tag, words in ((name.replace("_", "-"), words) for name, words in words_by_dialect.items())
        for number in range(words // 10)
    ]


def test_a_wider_dialect_sums_what_is_below_it_and_the_total_has_each_row_once() -> None:
    report = build(make_family(en_US=200, en_US_x_nyc=100, en_US_x_south=300, en_IN=400), method=SMALL)
    document = report.data()

    (whole,) = document["sums"]
    assert (whole["dialect"], whole["sum_of"]) == ("en-US", ["en-US", "en-US-x-nyc", "en-US-x-south"])
    assert (whole["words"], whole["substitutions"], whole["speakers"]) == (600, 60, 12)
    assert document["overall"]["words"] == sum(row["words"] for row in document["dialects"]) == 1_000
    _, rows = report.table()
    assert [row[0] for row in rows] == ["en-IN", "en-US", "en-US-x-nyc", "en-US-x-south", "en-US *", "overall"]
    assert rows[-2][-1].startswith("sum of 3 rows")


def test_a_wider_dialect_that_nobody_speaks_itself_is_summed_and_a_language_is_not() -> None:
    report = build(make_family(en_US_x_nyc=100, en_US_x_south=300, en_IN=400), method=SMALL)

    assert [(sum.row.dialect, sum.parts) for sum in report.sums] == [("en-US", ("en-US-x-nyc", "en-US-x-south"))]
    assert build(make_family(en_US=100, en_IN=100), method=SMALL).sums == ()


def test_no_sum_gives_away_a_row_that_is_suppressed() -> None:
    alone = make_family(en_US=400, en_US_x_nyc=10)
    report = build(alone, method=SMALL)
    (whole,) = report.sums

    assert whole.row.state == "suppressed"
    _, rows = report.table()
    assert set(rows[-2][5:11]) == {"–"}
    # Small rows that together are enough hide each other.
    many = build(make_family(en_US_x_a=10, en_US_x_b=10, en_US_x_c=10), method=SMALL)
    assert [row.state for row in many.rows] == ["suppressed"] * 3
    assert many.sums[0].row.state != "suppressed"


def test_a_suppressed_report_says_nothing_of_its_errors_anywhere() -> None:
    report = build([pair(" ".join(["w"] * 400), " ".join(["w"] * 377))], method=SMALL)

    assert report.overall.counts.errors == 23
    assert report.overall.state == "suppressed"
    assert "23" not in report.text().replace(report.data()["normaliser"]["hash"][:12], "")
    assert "377" not in report.text()
    assert "23 errors" in build(make_family(en_US=230), method=SMALL).text()
