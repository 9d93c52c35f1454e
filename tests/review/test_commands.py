"""The desk's commands, run as people run them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.acceptance.command import boli, command, environment, must
from tests.store.desk_factories import REVIEWED, operation, person, submit, take, talk
from tests.store.factories import MODEL
from transcribe.records import Model
from transcribe.store import Store


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace where asha has written two segments, of which one waits for a reviewer."""
    folder = tmp_path_factory.mktemp("commands") / "w"
    must("init", folder)
    with Store.open(f"sqlite:///{folder}/boli.db") as store:
        talk(store, count=3)
        asha = person(store)
        one, two = take(store, asha, 2)
        submit(store, asha, operation(one, "said", active=1))
        submit(store, asha, operation(two, "said"), rules=REVIEWED)
    return folder


def test_people_are_taken_in_listed_and_shut_out(place: Path) -> None:
    added = must("people", "add", "ravi", "--role", "reviewer", "--dialect", "bho", "-w", place, "--json").document
    assert added["schema"] == "boli.people-add/1"
    assert len(added["data"]["password"]) == 19
    assert boli("people", "add", "ravi", "--role", "lead", "-w", place).code == 4
    assert boli("people", "add", "mina", "--role", "owner", "-w", place).code == 2
    must("people", "disable", "ravi", "-w", place)
    listed = must("people", "list", "-w", place, "--json").document["data"]["people"]
    assert [(each["name"], each["roles"], each["disabled"]) for each in listed] == [
        ("asha", ["transcriber"], False),
        ("ravi", ["reviewer"], True),
    ]


def test_a_password_comes_from_stdin_and_is_never_shown(place: Path) -> None:
    done = subprocess.run(
        command("people", "password", "asha", "--password-stdin", "-w", place, "--json"),
        input="four plain words here\n",
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert "password" not in json.loads(done.stdout)["data"]
    assert "four plain words" not in done.stdout + done.stderr


def test_a_token_is_shown_once_and_can_be_ended(place: Path) -> None:
    made = must("people", "token", "asha", "--scope", "work", "-w", place, "--json").document["data"]
    assert (made["scopes"], len(made["token"]) >= 43) == (["work"], True)
    assert boli("people", "token", "asha", "--scope", "people", "-w", place).code == 2
    must("people", "token", "asha", "--end", made["id"], "-w", place)
    assert boli("people", "token", "asha", "--end", made["id"], "-w", place).code == 4


def test_the_queue_and_the_reviews_say_what_waits(place: Path) -> None:
    queue = must("queue", "-w", place, "--json").document["data"]
    assert [(each["dialect"], each["segments"]) for each in queue["dialects"]] == [
        ("hi", {"accepted": 1, "open": 1, "review": 1})
    ]
    review = must("review", "--verify", "-w", place, "--json").document["data"]
    assert [(each["state"], each["segments"]) for each in review["waiting"]] == [("review", 1)]
    assert review["verified"] is True


def test_reports_are_tables_for_people_and_documents_for_scripts(place: Path, tmp_path: Path) -> None:
    done = must("report", "productivity", "-w", place, "--json").document
    assert (done["schema"], done["data"]["people"][0]["segments"]) == ("boli.report-productivity/1", 2)
    assert "asha" in must("report", "productivity", "-w", place).out
    rates = tmp_path / "rates.toml"
    rates.write_text('currency = "INR"\nminute = 60.0\n')
    lines = tmp_path / "pay.csv"
    pay = must("report", "pay", "--rates", rates, "--csv", lines, "-w", place, "--json").document["data"]
    assert [(each["amount"], each["not_due"]) for each in pay["people"]] == [(1.0, 1.0)]
    assert len(lines.read_text().splitlines()) == 3
    assert boli("report", "pay", "--rates", tmp_path / "absent.toml", "-w", place).code == 4
    [row] = must("report", "quality", "-w", place, "--json").document["data"]["dialects"]
    assert (row["dialect"], row["pairs"]) == ("hi", 0)


@pytest.mark.parametrize("option", [("--host", "0.0.0.0"), ("--host", "192.168.0.9")])
def test_the_desk_does_not_open_to_others_without_tls(place: Path, option: tuple[str, str]) -> None:
    said = boli("serve", *option, "-w", place, "--json")
    assert (said.code, said.document["error"]["code"]) == (3, "E_OPEN")


def test_stretches_are_masked_listed_exported_as_marks_and_lifted(place: Path, tmp_path: Path) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("word 0\n", encoding="utf-8")
    found = must("mask", "--terms", terms, "-w", place, "--json").document["data"]
    assert (found["found"], [each["start"] for each in found["masks"]]) == (1, [0])
    must("export", tmp_path / "out.stm", "--format", "stm", "--of", "corrections", "-w", place)
    assert "said" not in (tmp_path / "out.stm").read_text() and "[masked]" in (tmp_path / "out.stm").read_text()
    with Store.open(f"sqlite:///{place}/boli.db") as store:
        store.add_model(Model(id=MODEL, place="elsewhere", name="scripted"))
        store.promote(MODEL)
    out = tmp_path / "report"
    must("export", tmp_path / "all.jsonl", "--canonical", "-w", place)
    must("wer", "--out", out, "--normaliser", "nfc", "-w", place, "--json")
    written = [tmp_path / "all.jsonl", *(out / name for name in ("aligned.jsonl", "report.html", "ref.trn"))]
    told = [file.read_text(encoding="utf-8") for file in written]
    told += [str(pq.read_table(out / "utterances.parquet").to_pylist())]
    assert not [each for each in told if "said" in each.replace("kind", "")]
    assert "[masked]" in told[0] and "[masked]" in told[-1]
    lifted = must("mask", "--lift", found["masks"][0]["id"], "-w", place, "--json").document["data"]
    assert lifted["masks"] == []
    assert boli("mask", "--lift", "none", "-w", place).code == 4
    assert boli("mask", "none.wav", "-w", place).code == 4
