"""The sound of a segment: for who holds it, for ten minutes, and written down."""

from __future__ import annotations

import io

import av
import pytest

from tests.desk.conftest import Room, operation, send, take


def test_a_holder_hears_the_segment_in_opus_and_it_is_written_down(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    answer = asha.get(lease["audio_url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/webm")
    assert answer.headers["cache-control"] == "private, no-store"
    with av.open(io.BytesIO(answer.content)) as sound:
        assert sound.streams.audio[0].codec_context.name in ("opus", "libopus")
        length = sum(frame.samples for frame in sound.decode(audio=0)) / 48_000 * 1_000
    assert abs(length - (lease["clip_end_ms"] - lease["clip_start_ms"])) < 150
    assert [(listening.name, listening.segment) for listening in room.store.dashboard.fetch_listenings()] == [
        ("asha", lease["segment"])
    ]


def test_a_player_may_ask_for_parts_and_is_written_down_once(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    whole = asha.get(lease["audio_url"]).content
    part = asha.get(lease["audio_url"], headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert len(room.store.dashboard.fetch_listenings()) == 1


@pytest.mark.parametrize(
    ("span", "codes"),
    [
        ("bytes=5-4", {400}),
        ("bytes=99999999-", {416}),
        ("bytes=0-" + "9" * 20, {206}),
        ("items=0-5", {400}),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 10_000, 2)), {200, 400, 416}),
    ],
)
def test_odd_parts_are_answered_and_never_break_the_desk(room: Room, span: str, codes: set[int]) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    assert asha.get(lease["audio_url"], headers={"range": span}).status_code in codes


def test_the_waveform_fits_the_clip(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    drawn = asha.get(lease["peaks_url"]).json()
    seconds = (lease["clip_end_ms"] - lease["clip_start_ms"]) / 1_000
    assert (drawn["per_second"], drawn["start_ms"]) == (20, lease["clip_start_ms"])
    assert abs(len(drawn["peaks"]) / 2 - seconds * 20) <= 1
    assert max(drawn["peaks"]) > 0


def test_nobody_else_hears_it_by_any_trick(room: Room) -> None:
    room.talk()
    asha, ravi = room.person("asha"), room.person("ravi")
    [lease], [other] = take(asha), take(ravi)
    url = lease["audio_url"]
    path, _, signed = url.partition("?signed=")
    broken = ("A" if signed[0] != "A" else "B") + signed[1:]
    tries = {
        "another person": ravi.get(url),
        "nobody": room.stranger().get(url),
        "another segment": asha.get(url.replace(lease["segment"], other["segment"])),
        "no signature": asha.get(path),
        "an edited one": asha.get(f"{path}?signed={broken}"),
        "another's signature": asha.get(f"{path}?{other['audio_url'].partition('?')[2]}"),
        "another method": asha.post(url),
        "the head": asha.head(url),
        "encoded twice": asha.get(f"{path}?signed={signed.replace('.', '%252e')}"),
        "another host": asha.get(url, headers={"host": "evil.example"}),
    }
    assert {why: answer.status_code for why, answer in tries.items() if answer.status_code < 400} == {}
    assert all(answer.headers["content-type"] == "application/json" for answer in tries.values() if answer.content)
    assert room.store.dashboard.fetch_listenings() == ()


def test_an_address_ends_after_ten_minutes(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    room.clock.go(599)
    assert asha.get(lease["audio_url"]).status_code == 200
    room.clock.go(1)
    assert asha.get(lease["audio_url"]).status_code == 404
    fresh = asha.get(f"/api/v1/segments/{lease['segment']}").json()["audio_url"]
    assert asha.get(fresh).status_code == 200


def test_an_address_ends_with_the_hold(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    first, second = take(asha, 2)
    send(asha, operation(first, "done"))
    asha.delete(f"/api/v1/leases/{second['id']}")
    assert [asha.get(lease["audio_url"]).status_code for lease in (first, second)] == [404, 404]
    assert asha.get(f"/api/v1/segments/{first['segment']}").json()["audio_url"] is None
    [again] = take(asha, segments=[first["segment"]])
    assert (again["text"], asha.get(again["audio_url"]).status_code) == ("done", 200)


def test_a_reviewer_hears_what_they_look_at(room: Room) -> None:
    room.talk()
    asha, eyes = room.person("asha"), room.person("eyes", "reviewer")
    [lease] = take(asha)
    url = eyes.get(f"/api/v1/segments/{lease['segment']}").json()["audio_url"]
    assert eyes.get(url).status_code == 200
    assert asha.get(url).status_code == 404


def test_sound_that_is_gone_is_told_and_nothing_breaks(room: Room) -> None:
    room.talk()
    asha = room.person("asha")
    [lease] = take(asha)
    for file in (room.folder / "audio").rglob("*.flac"):
        file.unlink()
    answer = asha.get(lease["audio_url"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "E_LOST")
