"""The dialect report as people and scripts ask for it: from a table, with files, gates and comparisons."""

from __future__ import annotations

import csv
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialects.report.utterances import FILES
from dialects.scoring.word_errors import Pair
from tests.acceptance.command import boli
from tests.commands.conftest import Run
from tests.dialects.factories import corpus, pair
from tests.store.factories import correction, make_drafted, recording
from transcribe.datasets import Rules, freeze
from transcribe.ingest import Arrival, plan
from transcribe.records import Lineage, Model, Quality
from transcribe.wiring import Wiring
from transcribe.workspace import COUNTS_FILE, create

COLUMNS = ("id", "reference", "hypothesis", "dialect", "speaker", "model", "duration_s")


def write(path: Path, pairs: list[Pair]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows([getattr(one, name) for name in COLUMNS] for one in pairs)
    return path


def speech(model: str | None = None, *, error_rate: float = 0.3, seed: int = 7) -> list[Pair]:
    """Three dialects that are reportable, twelve speakers each."""
    made = corpus(speakers=12, segments=20, error_rate=error_rate, seed=seed)
    return [replace(one, model=model, duration_s=4.0) for one in made]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "pairs.csv", speech())


def test_the_same_table_in_any_order_gives_the_same_bytes(run: Run, table: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = write(elsewhere / "other.csv", speech()[::-1])

    first = boli("wer", "--pairs", table, "--json", "--next", "3", "--by", "dialect,duration")
    assert first.code == 0
    assert first.out == run("wer", "--pairs", again, "--json", "--next", "3", "--by", "dialect,duration").out
    data = first.document["data"]
    assert [row["dialect"] for row in data["dialects"]] == ["bho", "en-IN", "en-US"]
    assert (data["by"][0]["keys"], data["next"][0]["wanted_half_width"]) == (["dialect", "duration"], 0.03)
    assert data["checked_with"]["errors"] == sum(
        data["overall"][kind] for kind in ("substitutions", "deletions", "insertions")
    )


def test_a_folder_holds_the_report_in_every_form_and_is_not_written_over(run: Run, table: Path, tmp_path: Path) -> None:
    said = run("wer", "--pairs", table, "--out", "out", "--html", "page.html")

    assert said.code == 0
    assert "wrote out/report.json" in said.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    data = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert len(data["breakdowns"]) == len(data["dialects"]) == 3
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "out" / "report.html").read_bytes()
    seglst = json.loads((tmp_path / "out" / "ref.seglst.json").read_text(encoding="utf-8"))
    assert len(seglst) == data["overall"]["segments"]

    assert run("wer", "--pairs", table, "--out", "out", "--json").document["error"]["code"] == "E_EXISTS"
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert run("wer", "--pairs", table, "--out", "out", "--overwrite").code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_gate_that_holds_ends_with_7_and_its_reason(run: Run, table: Path) -> None:
    assert run("wer", "--pairs", table, "--fail-if", "worst_reportable_wer>0.9").code == 0

    said = run("wer", "--pairs", table, "--fail-if", "worst_reportable_wer>0.05", "--json")
    assert (said.code, said.document["error"]["code"]) == (7, "E_GATE")
    assert "worst_reportable_wer > 0.05: 0." in said.document["error"]["message"]

    for_people = run("wer", "--pairs", table, "--fail-if", "worst_reportable_wer>0.05")
    assert for_people.code == 7
    assert "overall" in for_people.out
    assert "fails" in for_people.err


@pytest.mark.parametrize(
    ("option", "words"), [("--fail-if", "worst_wer>1"), ("--by", "dialect,speker"), ("--next", "0"), ("--split", "all")]
)
def test_an_option_without_a_meaning_is_wrong_usage(run: Run, table: Path, option: str, words: str) -> None:
    assert run("wer", "--pairs", table, option, words, "--json").code == (0 if option == "--split" else 2)


def test_words_of_another_language_and_places_have_rows_of_their_own(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(
        "id,reference,hypothesis,dialect,speaker,context\n"
        "a,मैं ⟨en: high school⟩ गया,मैं hi school गया,hi,ann,clinic\n"
        "b,हाँ जी,हाँ,hi,bob,bank\n",
        encoding="utf-8",
    )
    document = run("wer", "--pairs", file, "--json", "--by", "codeswitch", "--by", "context").document["data"]
    by_language, by_place = document["by"]
    counts = ("words", "substitutions", "deletions", "insertions")

    assert {row["codeswitch"]: tuple(row[name] for name in counts) for row in by_language["groups"]} == {
        "own language": (4, 0, 1, 0),
        "en": (2, 1, 0, 0),
    }
    assert {row["context"]: tuple(row[name] for name in counts) for row in by_place["groups"]} == {
        "bank": (2, 0, 1, 0),
        "clinic": (4, 1, 0, 0),
    }


def test_a_regression_against_an_earlier_report_ends_with_7(run: Run, table: Path, tmp_path: Path) -> None:
    assert run("wer", "--pairs", table, "--out", "before").code == 0
    worse = [replace(one, hypothesis=one.hypothesis + " and more of it") for one in speech()]
    after = write(tmp_path / "after.csv", worse)

    assert run("wer", "--pairs", table, "--fail-if-regressed", "before").code == 0
    for before in ("before", "before/report.json", table):
        said = run("wer", "--pairs", after, "--fail-if-regressed", before, "--json")
        assert said.code == 7
        assert "bho regressed: WER" in said.document["error"]["message"]
    other = run("wer", "--pairs", after, "--normaliser", "none", "--fail-if-regressed", "before", "--json")
    assert (other.code, other.document["error"]["code"]) == (4, "E_NORMALISER_DIFFERS")


def test_several_models_have_a_report_each_and_are_compared(run: Run, tmp_path: Path) -> None:
    one, other = speech("base"), [replace(each, model="tuned", hypothesis=each.reference) for each in speech()]
    table = write(tmp_path / "models.csv", [*one, *other[:-1]])

    said = run("wer", "--pairs", table, "--json", "--out", "out").document
    base, tuned = said["data"]["models"]
    assert (base["model"], tuned["model"]) == ("base", "tuned")
    assert tuned["overall"]["missing_hypotheses"] == 1
    assert tuned["comparison"]["overall"]["verdict"] == "better"
    assert any("W_MISSING: tuned: 1 segments" in warning for warning in said["warnings"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"base", "tuned"}

    alone = run("wer", "--pairs", table, "--model", "tuned", "--json").document["data"]
    assert alone["dialects"] == tuned["dialects"]
    compared = run("compare", "base", "tuned", "--pairs", table, "--json").document
    assert (compared["schema"], compared["data"]) == ("boli.compare/1", tuned["comparison"])
    assert run("compare", "out/base", "out/tuned", "--json").document["data"] == tuned["comparison"]
    assert "bho: -" in run("compare", "base", "tuned", "--pairs", table).out
    assert run("compare", "base", "nobody", "--pairs", table, "--json").document["error"]["code"] == "E_MODEL"


def test_what_the_training_knew_is_refused_or_stands_in_rows_of_its_own(run: Run, table: Path, tmp_path: Path) -> None:
    known = speech()[0]
    train = tmp_path / "train.jsonl"
    train.write_text(json.dumps({"speaker": known.speaker, "text": "nothing of the test"}) + "\n", encoding="utf-8")

    said = run("wer", "--pairs", table, "--train", train, "--json")
    assert (said.code, said.document["error"]["code"]) == (4, "E_SEEN")
    data = run("wer", "--pairs", table, "--train", train, "--allow-seen", "--json").document["data"]
    rows = {row["training"]: row["segments"] for row in data["training"]["groups"]}
    assert rows == {"unseen": len(speech()) - 20, "speaker seen": 20}
    assert data["overall"]["segments"] == rows["unseen"]


def test_allowed_spellings_come_from_a_file(run: Run, tmp_path: Path) -> None:
    table = write(tmp_path / "p.csv", [pair("there is colour", "there is color", dialect="en-GB")])
    (tmp_path / "en-GB.tsv").write_text(
        "canonical\tvariant\tscope\tsource\tadded_by\tdate\ncolour\tcolor\tdialect\treviewer\tann\t2026-03-01\n"
    )

    (row,) = run("wer", "--pairs", table, "--variants", "en-GB.tsv", "--json").document["data"]["dialects"]
    assert (row["wer"], row["wer_variant"], row["forgiven"]) == (pytest.approx(1 / 3), 0.0, 1)
    assert run("wer", "--pairs", table, "--variants", "none.tsv", "--json").document["error"]["code"] == "E_VARIANTS"


def row(**facts: Any) -> str:
    return json.dumps({"id": "s1", "reference": "a", "hypothesis": "b", "dialect": "en", "speaker": "ann"} | facts)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("p.csv", b"id,reference,dialect,speaker\n", "row 1, column hypothesis"),
        ("p.jsonl", row(hypothesis=None).encode(), "row 1, column hypothesis"),
        ("p.jsonl", row(reference=float("nan")).encode(), "row 1"),
        ("p.jsonl", f"{row()}\n{row()}".encode(), "row 2, column id"),
        ("p.jsonl", row(dialect="en_US").encode(), "row 1, column dialect"),
        ("p.jsonl", row(dialect="\u0435n").encode(), "row 1, column dialect"),
        ("p.jsonl", row(reference="the p\u0430per").encode(), "row 1, column reference"),
        ("p.jsonl", row(reference="x" * 1_000_000).encode(), "row 1, column reference"),
        ("p.csv", b"id,reference,hypothesis,dialect,speaker\n1,a,b,en,\xd2\xc9\n", "row 2"),
    ],
)
def test_bad_input_ends_with_4_and_its_place(run: Run, tmp_path: Path, name: str, content: bytes, place: str) -> None:
    (tmp_path / name).write_bytes(content)

    said = run("wer", "--pairs", name, "--json")
    assert said.code == 4
    assert said.document["error"]["item"] == place
    assert len(said.document["error"]["message"]) < 300


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Eight recordings of one speaker each, drafted by the promoted model and by a better one, and corrected."""
    place = create(tmp_path / "w", {"report": {"provisional_words": 10, "reportable_words": 40}})
    with Wiring.open(place) as wiring:
        store = wiring.store
        store.models.add(Model(id="m" * 64, place="x", name="base", state="promoted"))
        store.models.add(Model(id="n" * 64, place="y", name="tuned"))
        for at in range(8):
            name = f"talk{at}"
            noise = Quality(
                level_dbfs=-20.0, snr_db=(4.0, 15.0, 30.0, None)[at % 4], clipped_share=0.0, bandwidth_hz=8_000
            )
            facts = {"speaker": name, "session": name, "split": "test", "quality": noise}
            store.recordings.add([recording(name, dialect="hi", **facts)])
            for model, text in (("m" * 64, "ek do tin chaar paanch"), ("n" * 64, "ek do teen chaar paanch")):
                said = [(name, 0, 2_000, text), ("other", 1_000, 1_500, "haan")]
                store.drafts.save(make_drafted(name, said, model=model, settings=model[:4]))
            store.corrections.add([correction(f"c{at}", name, speaker=name, text="ek do teen chaar paanch")])
    return place


def test_a_workspace_is_scored_and_its_models_are_compared(run: Run, workspace: Path) -> None:
    data = run("wer", "--workspace", workspace, "--by", "overlap", "--json").document["data"]
    (row,) = data["dialects"]
    assert (row["dialect"], row["segments"], row["substitutions"]) == ("hi", 8, 8)
    assert [group["overlap"] for group in data["by"][0]["groups"]] == ["alone"]

    found = run("compare", "base", "tuned", "--workspace", workspace, "--json").document["data"]
    (hindi,) = found["dialects"]
    assert (hindi["difference"], hindi["verdict"], hindi["p"]) == (-0.2, "better", 2 / 2**8)
    assert run("compare", "base", "none", "--workspace", workspace, "--json").document["error"]["code"] == "E_MODEL"


def test_a_workspace_is_scored_by_the_places_of_its_manifest_and_by_marked_languages(run: Run, workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        wiring.store.recordings.add(
            [recording("bank", dialect="hi", speaker="x", split="test", facts={"context": "bank"})]
        )
        wiring.store.drafts.save(make_drafted("bank", [("x", 0, 2_000, "haan cash ji")], model="m" * 64))
        wiring.store.corrections.add([correction("b", "bank", speaker="x", text="haan ⟨en: cash card⟩ ji")])
    by_place, by_language = run(
        "wer", "--workspace", workspace, "--by", "context", "--by", "codeswitch", "--json"
    ).document["data"]["by"]

    assert [(row["context"], row["words"], row["deletions"]) for row in by_place["groups"]] == [
        ("bank", 4, 1),
        ("unknown", 40, 0),
    ]
    assert [
        (row["codeswitch"], row["words"], row["substitutions"], row["deletions"]) for row in by_language["groups"]
    ] == [
        ("own language", 42, 8, 0),
        ("en", 2, 0, 1),
    ]


def test_a_workspace_is_scored_by_the_noise_that_was_measured(run: Run, workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        # All drafts have one word wrong. There is another one below 5 dB, one too many from 20 dB on, where "tin" is
        # right, and one is missing where the noise is unknown.
        for at, text in ((0, "ek do teen char paanch"), (2, "ek do tin chaar"), (3, "ek do tin chaar paanch aur")):
            said = correction(f"later{at}", f"talk{at}", speaker=f"talk{at}", text=text)
            wiring.store.corrections.add([said])
    data = run("wer", "--workspace", workspace, "--by", "snr", "--json").document["data"]
    counts = ("segments", "words", "hits", "substitutions", "deletions", "insertions")
    assert {group["snr"]: tuple(group[name] for name in counts) for group in data["by"][0]["groups"]} == {
        "below 5 dB": (2, 10, 7, 3, 0, 0),
        "10 – 20 dB": (2, 10, 8, 2, 0, 0),
        "20 dB and more": (2, 9, 8, 1, 0, 1),
        "unknown": (2, 11, 9, 1, 1, 0),
    }


def test_a_workspace_aligns_what_is_new_and_tells_the_same(run: Run, workspace: Path) -> None:
    first = run("wer", "--workspace", workspace, "--json").out
    kept = workspace / COUNTS_FILE
    assert kept_rows(kept) == 1, "all eight say the same, so one count is kept"

    with Wiring.open(workspace) as wiring:
        wiring.store.corrections.add([correction("late", "talk0", 0, 2_000, speaker="other", text="haan ji")])
    second = run("wer", "--workspace", workspace, "--json").out
    assert kept_rows(kept) == 2
    assert second != first
    kept.unlink()
    assert run("wer", "--workspace", workspace, "--json").out == second


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Four conversations of two people, in which one stretch of the second has the label of the first."""
    place = create(tmp_path / "t", {"report": {"provisional_words": 4, "reportable_words": 8}})
    with Wiring.open(place) as wiring:
        store = wiring.store
        store.models.add(Model(id="m" * 64, place="x", name="base", state="promoted"))
        for at in range(4):
            name = f"talk{at}"
            people = [f"{name}-a", f"{name}-b"]
            store.recordings.add([recording(name, dialect="en-US", session=name, split="test")])
            said = [
                (people[0], 0, 2_000, "one two"),
                (people[1], 2_000, 3_000, "three"),
                (people[1], 4_000, 5_000, "four"),
            ]
            work = make_drafted(name, said, model="m" * 64)
            labelled = tuple(replace(turn, label=label) for turn, label in zip(work.turns, "010", strict=True))
            store.drafts.save(replace(work, turns=labelled, exclusive=labelled))
            store.corrections.add(
                [
                    correction(f"c{at}-{start}", name, start, end, speaker=who, text=text)
                    for who, start, end, text in said
                ]
            )
    return place


def test_what_corrections_brought_is_told_of_models_of_one_family(run: Run, workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        store = wiring.store
        store.recordings.add([recording("learnt", dialect="hi", speaker="ann", session="learnt", split="train")])
        store.corrections.add([correction("t1", "learnt", 0, 30_000, speaker="ann", text="ek do")])
        rules = Rules(catalogue=wiring.catalogue)
        freeze(store, workspace / "datasets" / "first", rules)
        lineage = Lineage(base="m" * 64, dataset="first", dataset_sha256="x")
        store.models.add(Model(id="n" * 64, place="y", name="tuned"), lineage=lineage)
        store.models.add(Model(id="o" * 64, place="z", name="stranger"))

    said = run("wer", "--workspace", workspace, "--split", "test", "--next", "5", "--json").document["data"]
    (curve,) = said["learning"]
    assert curve["models"] == [
        {"model": "base", "minutes": 0.0, "wer": 0.2},
        {"model": "tuned", "minutes": 0.5, "wer": 0.0},
    ]
    assert curve["forecast"] == []
    assert "3 models are needed" in run("wer", "--workspace", workspace, "--split", "test", "--next", "5").out


def test_conversations_cost_what_a_wrong_name_costs(run: Run, talk: Path, tmp_path: Path) -> None:
    pytest.importorskip("meeteval", reason="meeteval is not installed (extra 'meetings')")
    page = tmp_path / "p.html"
    said = run("wer", "--workspace", talk, "--conversations", "--html", page, "--json").document
    data = said["data"]

    assert data["overall"]["wer"] == 0.0, "each word was heard where it was said"
    found = data["conversations"]["overall"]
    assert (found["conversations"], found["words"], found["cpwer"], found["di_cpwer"]) == (4, 16, 0.5, 0.0)
    assert found["cost_of_diarisation"] == 0.5
    assert data["conversations"]["turns"]["confusion_ms"] == 4 * 1_000
    assert said["warnings"] == []
    assert "Who said it?" in page.read_text(encoding="utf-8")
    assert "cpWER" in run("wer", "--workspace", talk, "--conversations").out


def test_conversations_without_meeteval_name_the_command_that_mends_it(
    run: Run, talk: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcribe.scoring.conversations.EXTRAS", (("no_such_package", "meetings"),))
    said = run("wer", "--workspace", talk, "--conversations", "--json")
    assert (said.code, said.document["error"]["hint"]) == (5, "pip install 'boli[meetings]'")
    assert run("wer", "--pairs", table, "--conversations", "--json").code == 2


def kept_rows(kept: Path) -> int:
    connection = sqlite3.connect(kept)
    try:
        return int(connection.execute("SELECT count(*) FROM counts").fetchone()[0])
    finally:
        connection.close()


_HEADS = (
    ("path", "id", "reference", "hypothesis", "dialect", "speaker"),
    ("Path ", "ID", "Reference", "HYPOTHESIS", "Dialect", "Speaker ID"),
    ("Datei", "Kennung", "Referenz", "Hypothese", "Mundart", "Sprecherin"),
)


@pytest.mark.parametrize("head", _HEADS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_wer_and_ingest_take_every_spelling_of_one_table(
    run: Run, tmp_path: Path, delimiter: str, encoding: str, head: tuple[str, ...]
) -> None:
    rows = [head, *(("a.wav", f"s{n}", "ab, cd", "ab", "en-US", f"Zoë {n}") for n in range(3)), ("",) * 6]
    lines = [delimiter.join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows]
    table = tmp_path / "table.csv"
    table.write_bytes("\r\n".join(lines).encode(encoding))

    scored = run("wer", "--pairs", table, "--json").document["data"]
    [row] = scored["dialects"]
    assert (row["dialect"], row["segments"], row["speakers"]) == ("en-US", 3, 3)
    assert (row["deletions"], row["hits"]) == (3, 3)
    arrivals = [arrival for arrival in plan(manifest=table) if isinstance(arrival, Arrival)]
    assert [(arrival.path, arrival.dialect, arrival.speaker) for arrival in arrivals] == [
        ("a.wav", "en-US", f"Zoë {n}") for n in range(3)
    ]
