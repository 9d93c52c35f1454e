"""A lead's pages: progress, quality, pay and objections, who heard what, people and their links, settings."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dialects.dialect import load_catalogue
from dialects.text.normalise import load_normaliser
from dialects.text.variants import read_variants
from tests.desk.conftest import PASSWORD, Room, operation, send, take
from transcribe.config import load
from transcribe.desk.auth import key_hash
from transcribe.desk.forecast import days_left, pace_of
from transcribe.desk.routes.review import add_variants
from transcribe.store.dashboard import Spelling

DAY = "2026-01-31T12:00:00.000Z"


def decide(eyes: TestClient, decision: str = "accept", **facts: Any) -> dict[str, Any]:
    review = eyes.get("/api/v1/review/next").json()
    lease, version = review["lease"], review["versions"][-1]["version"]
    verdict = {"op_id": f"verdict-{lease['fence']:04}", "segment": lease["segment"], "fence": lease["fence"]}
    answer = eyes.post(
        "/api/v1/verdicts", json=verdict | {"version": version, "decision": decision, "played_ms": 9_000} | facts
    )
    assert answer.status_code == 200, answer.text
    outcome: dict[str, Any] = answer.json()
    return outcome


def accept_segment(room: Room, typed: str = "said", **facts: Any) -> str:
    """Have a segment of asha's written and accepted, and return its id."""
    asha = room.clients.get("asha") or room.person("asha")
    eyes = room.clients.get("eyes") or room.person("eyes", "reviewer")
    [lease] = take(asha)
    send(asha, operation(lease, typed, f"operation-{lease['segment'][:8]}"))
    assert decide(eyes, **facts)["status"] == "applied"
    segment: str = lease["segment"]
    return segment


def test_progress_says_how_far_each_dialect_is_and_what_the_words_mean(room: Room) -> None:
    room.talk(count=3)
    lead = room.person("lead", "lead")
    accept_segment(room)
    progress = lead.get("/api/v1/progress").json()
    [row] = progress["dialects"]
    assert (row["dialect"], row["name"], row["segments"]) == ("hi", "Hindi", {"accepted": 1, "open": 2})
    assert row["waiting_ms"] + row["accepted_ms"] == row["sound_ms"] == row["drafted_ms"] == progress["sound_ms"]
    assert row["reviewed_ms"] == row["accepted_ms"] == row["pace_ms_a_day"]
    assert (row["days_left"], set(row["oldest"])) == (2, {"open"})
    assert {"waiting", "pace", "days_left"} <= set(progress["definitions"])


def test_a_pace_needs_work_and_a_day_at_least() -> None:
    assert pace_of(0, None, DAY) == 0
    assert pace_of(600, "2026-01-31T11:00:00.000Z", DAY) == 600
    assert pace_of(600, "2026-01-29T12:00:00.000Z", DAY) == 300
    assert pace_of(1_400, "2026-01-01T12:00:00.000Z", DAY) == 100
    assert days_left(601, 300) == 3


def test_quality_gives_agreement_with_its_interval_and_reasons_of_reviewers(room: Room) -> None:
    room.talk(count=2)
    accept_segment(room, "wrod", text="word", reasons=["typing"])
    [row] = room.person("data", "analyst").get("/api/v1/quality").json()["dialects"]
    assert (row["name"], row["reviewed"], row["reasons"], row["pairs"]) == ("Hindi", 1, {"typing": 1}, 0)
    assert (row["disagreement"], row["ci_low"], row["state"]) == (None, None, "suppressed")


def test_pay_is_zero_without_rates_and_by_the_rates_of_the_workspace(room: Room) -> None:
    room.talk(count=2)
    segment = accept_segment(room)
    lead = room.person("lead", "lead")
    assert lead.get("/api/v1/pay").json()["currency"] is None
    (room.folder / "rates.toml").write_text('currency = "INR"\nminute = 60\n')
    statement = lead.get("/api/v1/pay").json()
    [line] = statement["lines"]
    assert (statement["currency"], line["segment"], line["due"]) == ("INR", segment, True)
    assert line["amount"] == line["sound_ms"] / 1_000
    rows = list(csv.DictReader(io.StringIO(lead.get("/api/v1/pay?format=csv").text, newline="")))
    assert [(row["name"], row["segment"]) for row in rows] == [("asha", segment)]
    assert room.clients["asha"].get("/api/v1/people/me/pay").json()["lines"] == statement["lines"]
    assert room.clients["eyes"].get("/api/v1/people/me/pay").json()["lines"] == []
    (room.folder / "rates.toml").write_text("currency =")
    assert lead.get("/api/v1/pay").json()["error"]["code"] == "E_RATES"


@pytest.mark.parametrize("path", ["pay", "productivity", "quality", "people/me/pay"])
@pytest.mark.parametrize("moment", ["yesterday", "2026-1-1", "2026-01-01' OR 1=1", ""])
def test_a_moment_that_is_none_is_refused(room: Room, path: str, moment: str) -> None:
    lead = room.clients.get("lead") or room.person("lead", "lead")
    assert lead.get(f"/api/v1/{path}", params={"since": moment}).status_code == 422


def test_somebody_objects_to_a_line_and_a_lead_answers(room: Room) -> None:
    room.talk(count=2)
    segment = accept_segment(room)
    asha, lead = room.clients["asha"], room.person("lead", "lead")
    objection = {"segment": segment, "note": "it was longer"}
    assert asha.post("/api/v1/people/me/objections", json=objection).json()["outcome"] is None
    assert room.person("ravi").post("/api/v1/people/me/objections", json=objection).status_code == 404
    [waiting] = lead.get("/api/v1/objections?waiting=true").json()
    assert (waiting["name"], waiting["note"]) == ("asha", "it was longer")
    address = f"/api/v1/objections/{waiting['id']}"
    assert lead.post(address, json={"outcome": "right", "answer": "paid with the next"}).json()["outcome"] == "right"
    assert lead.post(address, json={"outcome": "stays", "answer": "no"}).status_code == 404
    assert lead.get("/api/v1/objections?waiting=true").json() == []
    [listed] = asha.get("/api/v1/people/me/pay").json()["objections"]
    assert (listed["outcome"], listed["answer"]) == ("right", "paid with the next")


def test_people_see_their_weeks_and_what_became_of_their_texts(room: Room) -> None:
    room.talk(count=3)
    segment = accept_segment(room, "wrod", text="word", reasons=["typing"], note="look")
    room.clock.go(7 * 86_400)
    room.service.identity_by_key.clear()
    work = room.sign_in("asha").get("/api/v1/people/me/work").json()
    assert [week["segments"] for week in work["weeks"]] == [0, 0, 0, 0, 0, 0, 1, 0]
    assert (work["week"]["segments"], work["all"]["segments"]) == (0, 1)
    assert work["all"]["words_changed"] > 0
    [decision] = room.clients["asha"].get("/api/v1/people/me/decisions").json()
    assert (decision["segment"], decision["text"], decision["became"], decision["note"]) == (
        segment,
        "wrod",
        "word",
        "look",
    )
    assert "eyes" not in str(decision)


def test_a_day_begins_where_the_person_is(room: Room) -> None:
    room.talk(count=2)
    accept_segment(room)
    room.clock.go(7 * 3_600)  # 19:00 UTC, past midnight in India
    asha = room.clients["asha"]
    spans = [asha.get(f"/api/v1/people/me/work?offset_min={offset}").json()["today"] for offset in (0, 330)]
    assert [span["segments"] for span in spans] == [1, 0]


def test_who_heard_what_is_paged_and_looking_is_written_down(room: Room) -> None:
    room.talk(count=2)
    asha, lead = room.person("asha"), room.person("lead", "lead")
    for lease in take(asha, 2):
        assert asha.get(lease["audio_url"]).status_code == 200
    first = lead.get("/api/v1/heard?count=1").json()
    second = lead.get(f"/api/v1/heard?count=1&before={first['before']}").json()
    segments = [page["listenings"][0]["segment"] for page in (first, second)]
    assert len(set(segments)) == 2
    assert lead.get(f"/api/v1/heard?before={second['before']}").json() == {"listenings": [], "before": None}
    assert lead.get("/api/v1/heard?person=ravi").json()["listenings"] == []
    recording = first["listenings"][0]["recording"]
    assert len(lead.get(f"/api/v1/heard?recording={recording}&person=asha").json()["listenings"]) == 2
    rows = list(csv.DictReader(io.StringIO(lead.get("/api/v1/heard?format=csv").text, newline="")))
    assert [row["segment"] for row in rows] == segments


def test_a_link_lets_somebody_new_choose_a_password_once(room: Room) -> None:
    lead, newcomer = room.person("lead", "lead"), room.stranger()
    invitation = lead.post("/api/v1/people", json={"name": "मीना", "roles": ["transcriber"], "dialects": ["hi"]}).json()
    assert newcomer.post("/api/v1/invitations/look", json={"key": invitation["key"]}).json() == {"name": "मीना"}
    answer = newcomer.post("/api/v1/invitations", json={"key": invitation["key"], "password": PASSWORD})
    assert (answer.json()["name"], answer.json()["dialects"]) == ("मीना", ["hi"])
    assert newcomer.get("/api/v1/session").status_code == 200
    again = room.stranger().post("/api/v1/invitations", json={"key": invitation["key"], "password": PASSWORD})
    assert (again.status_code, again.json()["error"]["code"]) == (404, "E_INVITATION")
    room.sign_in("मीना")
    [_, meena] = lead.get("/api/v1/people").json()
    assert (meena["name"], meena["has_password"], meena["invited_until"]) == ("मीना", True, None)


def test_a_link_is_good_for_a_week_and_ends_with_the_next(room: Room) -> None:
    lead = room.person("lead", "lead")
    invitation = lead.post("/api/v1/people", json={"name": "ravi", "roles": ["reviewer"]}).json()
    fresh = lead.post(f"/api/v1/people/{invitation['person']}/invitation").json()
    stranger = room.stranger()
    assert stranger.post("/api/v1/invitations/look", json={"key": invitation["key"]}).status_code == 404
    assert stranger.post("/api/v1/invitations/look", json={"key": fresh["key"]}).status_code == 200
    room.clock.go(7 * 86_400)
    assert stranger.post("/api/v1/invitations/look", json={"key": fresh["key"]}).status_code == 404


def test_a_page_of_another_site_uses_no_invitation(room: Room) -> None:
    invitation = room.person("lead", "lead").post("/api/v1/people", json={"name": "ravi", "roles": ["reviewer"]}).json()
    body = {"key": invitation["key"], "password": PASSWORD}
    answer = room.stranger().post("/api/v1/invitations", json=body, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert room.store.invitations.find_person(key_hash(invitation["key"])) is not None


def test_a_lead_changes_others_and_never_their_own_rights(room: Room) -> None:
    lead = room.person("lead", "lead")
    asha = room.person("asha")
    ids = {person["name"]: person["id"] for person in lead.get("/api/v1/people").json()}
    changed = lead.patch(f"/api/v1/people/{ids['asha']}", json={"roles": ["reviewer"], "dialects": ["bho"]}).json()
    assert [(person["roles"], person["dialects"]) for person in changed if person["name"] == "asha"] == [
        (["reviewer"], ["bho"])
    ]
    assert asha.post("/api/v1/leases", json={}).status_code == 403
    assert lead.patch(f"/api/v1/people/{ids['asha']}", json={"disabled": True}).status_code == 200
    assert asha.get("/api/v1/session").status_code == 401
    assert lead.post(f"/api/v1/people/{ids['asha']}/invitation").status_code == 422
    assert lead.patch(f"/api/v1/people/{ids['lead']}", json={"roles": ["transcriber"]}).status_code == 403
    assert lead.patch(f"/api/v1/people/{ids['lead']}", json={"disabled": True}).status_code == 403
    assert lead.post("/api/v1/people", json={"name": "x", "roles": ["lead"], "dialects": ["xx1"]}).status_code == 422


def test_settings_change_at_once_and_are_written_down_with_the_comments_kept(room: Room) -> None:
    file = room.folder / "boli.toml"
    file.write_text("# ours\n[desk]\nport = 9\n")
    lead = room.person("lead", "lead")
    answer = lead.patch("/api/v1/settings", json={"rounds": 1, "shading": False, "bitrate": 24_000})
    settings = {setting["name"]: setting for setting in answer.json()["settings"]}
    assert (settings["rounds"]["value"], settings["rounds"]["changed"], settings["review_share"]["changed"]) == (
        1,
        True,
        False,
    )
    assert (room.service.rules.rounds, room.service.settings.shading) == (1, False)
    assert file.read_text().startswith("# ours\n[desk]\nport = 9\n")
    assert load(file, environment={}).desk.bitrate == 24_000
    assert lead.get("/api/v1/session").json()["shading"] is False
    for days in (90, None):
        assert lead.patch("/api/v1/settings", json={"sound_retention_days": days}).status_code == 200
        assert load(file, environment={}).desk.sound_retention_days == days


@pytest.mark.parametrize(
    "values", [{"host": "0.0.0.0"}, {"rounds": -1}, {"rounds": "many"}, {"review_share": 2}, {"x": 1}]
)
def test_a_setting_that_is_not_for_a_page_or_out_of_bounds_is_refused(room: Room, values: dict[str, Any]) -> None:
    answer = room.person("lead", "lead").patch("/api/v1/settings", json=values)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "E_SETTING")
    assert not (room.folder / "boli.toml").exists()


def test_a_setting_of_the_environment_is_shown_as_fixed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOLI_DESK__ROUNDS", "2")
    lead = room.person("lead", "lead")
    fixed = {setting["name"]: setting["fixed"] for setting in lead.get("/api/v1/settings").json()["settings"]}
    assert (fixed["rounds"], fixed["bitrate"]) == (True, False)
    assert lead.patch("/api/v1/settings", json={"rounds": 1}).status_code == 422


def test_sending_back_needs_one_of_the_reasons(room: Room) -> None:
    room.talk(count=1)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    send(asha, operation(take(asha)[0], "said"))
    lease = eyes.get("/api/v1/review/next").json()["lease"]
    verdict = {"op_id": "verdict-1", "segment": lease["segment"], "fence": lease["fence"], "version": 1}
    for reasons in ([], ["lazy"]):
        answer = eyes.post("/api/v1/verdicts", json=verdict | {"decision": "send_back", "reasons": reasons})
        assert answer.status_code == 422
    answer = eyes.post("/api/v1/verdicts", json=verdict | {"decision": "send_back", "reasons": ["dialect_form"]})
    assert answer.json()["status"] == "applied"


def test_a_reviewer_who_is_still_there_keeps_the_segment(room: Room) -> None:
    room.talk(count=1)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    send(asha, operation(take(asha)[0], "said"))
    first = eyes.get("/api/v1/review/next").json()["lease"]
    room.clock.go(600)
    again = eyes.get("/api/v1/review/next").json()["lease"]
    assert (again["id"], again["fence"]) == (first["id"], first["fence"])
    assert again["until"] > first["until"]


def test_texts_that_differ_come_without_names_times_or_the_machines_words(room: Room) -> None:
    room.talk(count=1)
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    send(asha, operation(lease, "this"))
    send(asha, operation(lease, "that", "operation-2", base_version=7))
    review = eyes.get("/api/v1/review/next").json()
    assert (review["kind"], review["lease"]["draft"]) == ("disputed", None)
    assert sorted(version["text"] for version in review["versions"]) == ["that", "this"]
    assert {(version["at"], version["author"], version["mine"]) for version in review["versions"]} == {
        (None, None, False)
    }


def test_what_a_reviewer_finds_right_too_is_free_in_scoring(room: Room) -> None:
    room.talk(count=2)
    segment = accept_segment(room, "नहीं", variants=[["नहीं", "नाहीं"], ["same", "same"]])
    lines = read_variants(room.folder / "variants" / "hi.tsv", load_normaliser("none"))
    assert [(line.canonical, line.variant, line.source, line.added_by) for line in lines][-1] == (
        ("नहीं",),
        ("नाहीं",),
        "reviewer",
        "eyes",
    )
    listed = room.clients["eyes"].get("/api/v1/spellings?dialect=hi").json()
    assert next((spelling["written"], spelling["other"], spelling["segment"]) for spelling in listed) == (
        "नहीं",
        "नाहीं",
        segment,
    )


def test_a_spelling_is_kept_once_beside_lines_written_by_hand(tmp_path: Path) -> None:
    spelling = Spelling(dialect="ta", written="அ\tஆ", other="இ", segment="s", name="r k", at=DAY)
    assert add_variants(tmp_path, [spelling, spelling], load_catalogue()) == 1
    file = tmp_path / "ta.tsv"
    file.write_text(file.read_text(encoding="utf-8") + "அ\tஈ\tdialect\treviewer\tus\t2026-01-01", encoding="utf-8")
    assert add_variants(tmp_path, [spelling], load_catalogue()) == 0
    unknown = Spelling(dialect="und", written="a", other="b", segment="s", name="r", at=DAY)
    other = Spelling(dialect="ta", written="அ", other="உ", segment="s", name="r", at=DAY)
    assert add_variants(tmp_path, [unknown, other], load_catalogue()) == 1
    assert len(read_variants(file, load_normaliser("none"))) == 3
