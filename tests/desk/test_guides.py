"""How dialects are written down, and the second text that a guide may ask for, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.command import must
from tests.desk.conftest import Room, operation, send, take
from transcribe.redaction import terms_of


def write_guide(room: Room, name: str, text: str) -> None:
    (room.folder / "guides").mkdir(exist_ok=True)
    (room.folder / "guides" / f"{name}.toml").write_text(text, encoding="utf-8")


def test_a_guide_has_the_rules_of_the_package_and_of_the_project(room: Room) -> None:
    asha = room.person("asha")
    packaged = asha.get("/api/v1/guides/hi").json()
    assert packaged["dialect"] == "hi" and not packaged["normalised"]
    assert {"id", "say", "good", "bad"} == set(packaged["rules"][0])
    write_guide(room, "hi", 'normalised = true\n[[rule]]\nid = "own"\nsay = "Our way."\n')
    merged = asha.get("/api/v1/guides/hi").json()
    assert merged["normalised"] and merged["rules"][-1]["say"] == {"en": "Our way."}
    assert merged["version"] != packaged["version"]


def test_what_is_no_dialect_has_no_guide_and_a_broken_one_is_named(room: Room) -> None:
    asha = room.person("asha")
    assert asha.get("/api/v1/guides/not a tag").status_code == 404
    write_guide(room, "hi", "no toml")
    answer = asha.get("/api/v1/guides/hi")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "E_GUIDE")


def test_a_guide_has_the_projects_names_of_the_dialect_and_none_that_are_masked(room: Room) -> None:
    asha = room.person("asha")
    rows = ["term\tdialect\tspoken", "Zilbarra\t\tsil bara", "रवि\thi\t", "Nandigama\tta\t", "Ravi Kumar\t\tmister K"]
    (room.folder / "glossary.tsv").write_text("\n".join(rows), encoding="utf-8")
    room.store.database.terms = terms_of(["ravi kumar"])
    names = asha.get("/api/v1/guides/hi").json()["names"]
    assert names == [{"term": "Zilbarra", "spoken": "sil bara"}, {"term": "रवि", "spoken": None}]
    (room.folder / "glossary.tsv").write_text("name\nRavi\n", encoding="utf-8")
    answer = asha.get("/api/v1/guides/hi")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "E_GLOSSARY")


def test_both_texts_go_from_the_writer_through_review_to_what_is_exported(room: Room, tmp_path: Path) -> None:
    room.talk(count=1)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    assert lease["normalised"] is None
    [outcome] = send(asha, operation(lease, "वो आया", normalised="वह आया", guideline="hi-1"))
    assert outcome["status"] == "applied"
    assert asha.get(f"/api/v1/segments/{lease['segment']}/history").json()["versions"][0]["normalised"] == "वह आया"
    review = eyes.get("/api/v1/review/next").json()
    assert (review["lease"]["normalised"], review["versions"][0]["normalised"]) == ("वह आया", "वह आया")
    review_lease = review["lease"]
    verdict = {
        "op_id": "verdict-1",
        "segment": review_lease["segment"],
        "fence": review_lease["fence"],
        "version": 1,
        "decision": "accept",
    }
    answer = eyes.post("/api/v1/verdicts", json=verdict | {"normalised": "वह आया।", "played_ms": 60_000})
    assert answer.json()["status"] == "applied", answer.text
    [correction] = room.store.corrections.fetch(standing=True)
    assert (correction.text, correction.normalised) == ("वो आया", "वह आया।")
    assert {version.more["guideline"] for version in room.store.reviews.fetch_versions(lease["segment"])} == {"hi-1"}
    (room.folder / "boli.toml").write_text("", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    must("export", out, "--format", "jsonl", "--of", "corrections", "-w", room.folder)
    [line] = [json.loads(row) for row in out.read_text(encoding="utf-8").splitlines()]
    assert (line["text"], line["normalised"]) == ("वो आया", "वह आया।")
