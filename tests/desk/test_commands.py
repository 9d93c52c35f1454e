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
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace where asha has written two segments, of which one waits for a reviewer."""
    folder = tmp_path_factory.mktemp("commands") / "w"
    must("init", folder)
    with Store.open(f"sqlite:///{folder}/boli.db") as store:
        talk(store, count=3)
        asha = person(store)
        first, second = take(store, asha, 2)
        submit(store, asha, operation(first, "said", active=1))
        submit(store, asha, operation(second, "said"), rules=REVIEWED)
    return folder


def test_people_are_taken_in_listed_and_shut_out(workspace: Path) -> None:
    added = must("people", "add", "ravi", "--role", "reviewer", "--dialect", "bho", "-w", workspace, "--json").document
    assert added["schema"] == "boli.people-add/1"
    assert len(added["data"]["password"]) == 19
    assert boli("people", "add", "ravi", "--role", "lead", "-w", workspace).code == 4
    assert boli("people", "add", "mina", "--role", "owner", "-w", workspace).code == 2
    must("people", "disable", "ravi", "-w", workspace)
    listed = must("people", "list", "-w", workspace, "--json").document["data"]["people"]
    assert [(person["name"], person["roles"], person["disabled"]) for person in listed] == [
        ("asha", ["transcriber"], False),
        ("ravi", ["reviewer"], True),
    ]


def test_a_password_comes_from_stdin_and_is_never_shown(workspace: Path) -> None:
    done = subprocess.run(
        command("people", "password", "asha", "--password-stdin", "-w", workspace, "--json"),
        input="four plain words here\n",
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert "password" not in json.loads(done.stdout)["data"]
    assert "four plain words" not in done.stdout + done.stderr


def test_a_token_is_shown_once_and_can_be_ended(workspace: Path) -> None:
    made = must("people", "token", "asha", "--scope", "work", "-w", workspace, "--json").document["data"]
    assert (made["scopes"], len(made["token"]) >= 43) == (["work"], True)
    assert boli("people", "token", "asha", "--scope", "people", "-w", workspace).code == 2
    must("people", "token", "asha", "--end", made["id"], "-w", workspace)
    assert boli("people", "token", "asha", "--end", made["id"], "-w", workspace).code == 4


def test_the_queue_and_the_reviews_say_what_waits(workspace: Path) -> None:
    queue = must("queue", "-w", workspace, "--json").document["data"]
    assert [(row["dialect"], row["segments"]) for row in queue["dialects"]] == [
        ("hi", {"accepted": 1, "open": 1, "review": 1})
    ]
    review = must("review", "--verify", "-w", workspace, "--json").document["data"]
    assert [(row["state"], row["segments"]) for row in review["waiting"]] == [("review", 1)]
    assert review["verified"] is True


def test_reports_are_tables_for_people_and_documents_for_scripts(workspace: Path, tmp_path: Path) -> None:
    done = must("report", "productivity", "-w", workspace, "--json").document
    assert (done["schema"], done["data"]["people"][0]["segments"]) == ("boli.report-productivity/1", 2)
    assert "asha" in must("report", "productivity", "-w", workspace).out
    rates = tmp_path / "rates.toml"
    rates.write_text('currency = "INR"\nminute = 60.0\n')
    lines = tmp_path / "pay.csv"
    pay = must("report", "pay", "--rates", rates, "--csv", lines, "-w", workspace, "--json").document["data"]
    assert [(sums["amount"], sums["not_due"]) for sums in pay["people"]] == [(1.0, 1.0)]
    assert len(lines.read_text().splitlines()) == 3
    assert boli("report", "pay", "--rates", tmp_path / "absent.toml", "-w", workspace).code == 4
    [row] = must("report", "quality", "-w", workspace, "--json").document["data"]["dialects"]
    assert (row["dialect"], row["pairs"]) == ("hi", 0)


@pytest.mark.parametrize("option", [("--host", "0.0.0.0"), ("--host", "192.168.0.9")])
def test_the_desk_does_not_open_to_others_without_tls(workspace: Path, option: tuple[str, str]) -> None:
    refused = boli("serve", *option, "-w", workspace, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (3, "E_OPEN")


def test_stretches_are_masked_listed_exported_as_marks_and_lifted(workspace: Path, tmp_path: Path) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("word 0\n", encoding="utf-8")
    masking = must("mask", "--terms", terms, "-w", workspace, "--json").document["data"]
    assert (masking["found"], [stretch["start"] for stretch in masking["masks"]]) == (1, [0])
    must("export", tmp_path / "out.stm", "--format", "stm", "--of", "corrections", "-w", workspace)
    assert "said" not in (tmp_path / "out.stm").read_text() and "[masked]" in (tmp_path / "out.stm").read_text()
    with Store.open(f"sqlite:///{workspace}/boli.db") as store:
        store.add_model(Model(id=MODEL, place="elsewhere", name="scripted"))
        store.promote(MODEL)
    out = tmp_path / "report"
    must("export", tmp_path / "all.jsonl", "--canonical", "-w", workspace)
    must("wer", "--out", out, "--normaliser", "nfc", "-w", workspace, "--json")
    written = [tmp_path / "all.jsonl", *(out / name for name in ("aligned.jsonl", "report.html", "ref.trn"))]
    texts = [file.read_text(encoding="utf-8") for file in written]
    texts += [str(pq.read_table(out / "utterances.parquet").to_pylist())]
    assert not [text for text in texts if "said" in text.replace("kind", "")]
    assert "[masked]" in texts[0] and "[masked]" in texts[-1]
    lifted = must("mask", "--lift", masking["masks"][0]["id"], "-w", workspace, "--json").document["data"]
    assert lifted["masks"] == []
    assert boli("mask", "--lift", "none", "-w", workspace).code == 4
    assert boli("mask", "none.wav", "-w", workspace).code == 4
