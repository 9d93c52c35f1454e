"""Files into a real store, through the real decoder."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from dialects.dialect import load_catalogue
from tests.ingest.factories import manifest, sound
from transcribe.errors import Failure, InputError
from transcribe.ingest import Arrival, Ingested, Rules, Shares, ingest, plan, plan_refused
from transcribe.records import DeclaredTurn, Recording
from transcribe.store import Store


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "boli.db"
    Store.open(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture
def store(tmp_path: Path, template: bytes) -> Iterator[Store]:
    (tmp_path / "boli.db").write_bytes(template)
    opened = Store.open(f"sqlite:///{tmp_path / 'boli.db'}")
    yield opened
    opened.close()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


RULES = Rules(catalogue=load_catalogue())


def take(
    store: Store, *paths: Path, manifest: Path | None = None, rules: Rules = RULES, dry_run: bool = False
) -> Ingested:
    arrivals = plan(paths, manifest=manifest, split_of=store.recordings.find_split)
    refused = plan_refused(manifest, rules.refusing) if manifest is not None else ()
    folder = _audio(store)
    return ingest(arrivals, refused=refused, store=store, audio_folder=folder, rules=rules, workers=2, dry_run=dry_run)


def _audio(store: Store) -> Path:
    return Path(store.database.engine.url.database or "").parent / "audio"


def only(store: Store) -> Recording:
    (recording,) = store.recordings.fetch()
    return recording


def test_a_file_becomes_a_recording_and_again_changes_nothing(store: Store, inbox: Path) -> None:
    path = sound(inbox / "a.wav", seconds=0.5)
    first = take(store, path)
    again = take(store, path)
    assert (first.new, first.present, first.failed, first.warnings) == (1, 0, (), ())
    assert (first.milliseconds, first.bytes) == (500, path.stat().st_size)
    assert (again.new, again.present, again.failed, again.warnings, again.milliseconds) == (0, 1, (), (), 0)
    recording = only(store)
    assert (recording.path, recording.duration, recording.rate_hz, recording.channels) == (str(path), 500, 16_000, 1)
    assert (recording.dialect, recording.language, recording.speaker) == (None, None, None)
    assert (_audio(store) / recording.id[:2] / f"{recording.id}.flac").is_file()


def test_facts_of_a_manifest_reach_the_store_and_language_follows_from_the_dialect(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav", seconds=2)
    (inbox / "t.jsonl").write_text('{"start_ms": 0, "end_ms": 2900, "speaker": "Asha", "dialect": "BHO-deva"}\n')
    row = {"path": "a.wav", "dialect": "bho-deva", "session": "s1", "turns": "t.jsonl", "split": "dev", "age": "44"}
    take(store, manifest=manifest(inbox / "m.csv", [row]))
    recording = only(store)
    assert (recording.path, recording.dialect, recording.language) == ("a.wav", "bho-Deva", "bho")
    assert (recording.session, recording.split, recording.facts) == ("s1", "dev", {"age": "44"})
    assert recording.declared == (DeclaredTurn(start=0, end=2_000, speaker="Asha", dialect="bho-Deva"),)


def test_one_bad_file_never_stops_the_batch(store: Store, inbox: Path) -> None:
    for number in range(12):
        sound(inbox / f"good{number:02d}.wav", pitch_hz=200 + number)
    (inbox / "bad0.mp3").touch()
    (inbox / "bad1.mp3").write_text("only some words\n" * 20)
    (inbox / "bad2.wav").write_bytes(b"RIFF\x24\0\0\0WAVE")
    (inbox / "bad3.mp3").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    os.mkfifo(inbox / "bad4.wav")
    (inbox / "bad5.wav").symlink_to("/etc/passwd")
    outcome = take(store, inbox)
    assert (outcome.new, outcome.present) == (12, 0)
    assert [(Path(failure.item).name, failure.code) for failure in sorted(outcome.failed, key=lambda f: f.item)] == [
        ("bad0.mp3", "E_EMPTY"),
        ("bad1.mp3", "E_NOT_AUDIO"),
        ("bad2.wav", "E_NO_SAMPLES"),
        ("bad3.mp3", "E_PLAYLIST"),
        ("bad4.wav", "E_NOT_REGULAR"),
        ("bad5.wav", "E_NOT_REGULAR"),
    ]
    assert set(store.attempts.fetch_failures("ingest")) == set(outcome.failed)
    assert all(
        failure.message.startswith(f"{failure.code}: ") and "; " in failure.message for failure in outcome.failed
    )


def test_a_failure_is_forgotten_when_the_file_is_taken_later(store: Store, inbox: Path) -> None:
    (inbox / "a.wav").touch()
    assert len(take(store, inbox).failed) == 1
    sound(inbox / "a.wav")
    assert take(store, inbox).new == 1
    assert store.attempts.fetch_failures("ingest") == ()


def test_the_same_sound_under_two_names_is_one_recording_with_a_warning(store: Store, inbox: Path) -> None:
    for name in ("a.wav", "b.wav"):
        sound(inbox / name)
    rows = [{"path": name} for name in ("a.wav", "b.wav", "a.wav")]
    outcome = take(store, manifest=manifest(inbox / "m.csv", rows))
    assert (outcome.new, outcome.present) == (1, 2)
    assert [warning.split(":")[0] for warning in outcome.warnings] == ["W_DUPLICATE", "W_DUPLICATE"]
    assert store.recordings.find_by_path("b.wav") == only(store)


def test_facts_that_come_too_late_are_not_taken_in_silence(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav")
    take(store, manifest=manifest(inbox / "m.csv", [{"path": "a.wav", "dialect": "hi", "split": "train"}]))
    again = take(store, manifest=manifest(inbox / "m.csv", [{"path": "a.wav", "dialect": "bho", "split": "test"}]))
    assert again.warnings == (
        "W_KEPT: a.wav is there already; dialect, split stay as they are; boli relabel mends them",
    )
    assert only(store).dialect == "hi"


def test_a_reference_becomes_a_correction_of_the_whole_recording_once(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav", seconds=0.5)
    file = manifest(inbox / "m.csv", [{"path": "a.wav", "dialect": "hi", "text": "जी हाँ"}])
    for _ in range(2):
        take(store, manifest=file)
    (correction,) = store.corrections.fetch()
    assert (correction.start, correction.end, correction.text) == (0, 500, "जी हाँ")
    assert (correction.speaker, correction.dialect, correction.author) == (None, "hi", "m.csv")


def test_a_turn_beyond_the_recording_fails_and_names_its_line(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav", seconds=1)
    (inbox / "t.rttm").write_text("SPEAKER a 1 0 1 <NA> <NA> A <NA> <NA>\nSPEAKER a 1 1 1.1 <NA> <NA> A <NA> <NA>\n")
    (failure,) = take(store, manifest=manifest(inbox / "m.csv", [{"path": "a.wav", "turns": "t.rttm"}])).failed
    assert (failure.item, failure.code) == ("a.wav", "E_SEGMENT")
    assert "t.rttm line 2" in failure.message
    assert list(store.recordings.fetch()) == []


def test_a_dialect_the_catalogue_lacks_is_taken_with_one_warning_or_refused_if_strict(
    store: Store, inbox: Path
) -> None:
    for number in range(2):
        sound(inbox / f"{number}.wav", pitch_hz=200 + number)
    file = manifest(inbox / "m.csv", [{"path": f"{number}.wav", "dialect": "hi-x-nowh1234"} for number in range(2)])
    strict = take(store, manifest=file, rules=Rules(catalogue=RULES.catalogue, strict_dialects=True))
    assert [failure.code for failure in strict.failed] == ["E_DIALECT", "E_DIALECT"]
    outcome = take(store, manifest=file)
    assert outcome.new == 2
    assert [warning.split(":")[0] for warning in outcome.warnings] == ["W_DIALECT"]


@pytest.mark.parametrize("tag", ["hindi!", "xx-Deva", "h\u0456", "hi\u202e", "h", "hi_IN"])
def test_a_tag_nobody_can_mean_is_refused_with_line_and_nearest(store: Store, inbox: Path, tag: str) -> None:
    sound(inbox / "a.wav")
    (failure,) = take(store, manifest=manifest(inbox / "m.csv", [{"path": "a.wav", "dialect": tag}])).failed
    assert failure.code == "E_DIALECT"
    assert "m.csv row 2" in failure.message
    assert "did you mean" in failure.message


def test_what_no_database_can_keep_fails_alone(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav")
    sound(inbox / "b.wav", pitch_hz=300)
    deep = "/".join(["x" * 200] * 11)
    sound(inbox / deep / "c.wav", pitch_hz=400)
    rows = [{"path": path} for path in ("a.wav", f"{deep}/c.wav", "b.wav")]
    outcome = take(store, manifest=manifest(inbox / "m.csv", rows))
    assert (outcome.new, [failure.code for failure in outcome.failed]) == (2, ["E_TEXT"])


def test_a_dry_run_counts_and_changes_nothing(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav")
    take(store, inbox)
    size = sound(inbox / "b.wav", pitch_hz=300).stat().st_size + (inbox / "a.wav").stat().st_size
    sound(inbox / "c.wav", pitch_hz=300)
    os.mkfifo(inbox / "pipe.wav")
    files = sorted(_audio(store).rglob("*"))
    outcome = take(store, inbox, dry_run=True)
    assert (outcome.new, outcome.present, outcome.milliseconds) == (1, 2, None)
    assert outcome.bytes == size + (inbox / "c.wav").stat().st_size
    assert [failure.code for failure in outcome.failed] == ["E_NOT_REGULAR"]
    assert sorted(_audio(store).rglob("*")) == files
    assert len(list(store.recordings.fetch())) == 1
    assert store.attempts.fetch_failures() == ()


def test_splits_are_drawn_by_group_and_stay(store: Store, inbox: Path) -> None:
    for number in range(6):
        sound(inbox / f"{number}.wav", pitch_hz=200 + number)
    rows = [{"path": f"{number}.wav", "speaker": f"S{number % 2}"} for number in range(4)]
    take(
        store, manifest=manifest(inbox / "m.csv", rows), rules=Rules(catalogue=RULES.catalogue, shares=Shares(test=0.5))
    )
    splits = {speaker: {r.split for r in store.recordings.fetch() if r.speaker == speaker} for speaker in ("S0", "S1")}
    assert all(len(drawn_splits) == 1 for drawn_splits in splits.values())
    everybody = Rules(catalogue=RULES.catalogue, shares=Shares(dev=1, test=0))
    rows = [{"path": "4.wav", "speaker": "S0"}, {"path": "5.wav", "speaker": "new"}]
    take(store, manifest=manifest(inbox / "m2.csv", rows), rules=everybody)
    assert {store.recordings.find_by_path("4.wav").split} == splits["S0"]  # type: ignore[union-attr]
    assert store.recordings.find_by_path("5.wav").split == "dev"  # type: ignore[union-attr]


def test_a_file_of_an_object_store_is_copied_decoded_and_the_copy_removed(store: Store, inbox: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="object stores are an extra")
    fsspec.filesystem("memory").pipe("/calls/a.wav", sound(inbox / "a.wav").read_bytes())
    file = manifest(inbox / "m.csv", [{"path": "memory://calls/a.wav"}, {"path": "memory://calls/missing.wav"}])
    arrivals = plan(manifest=file, allow_roots=["memory://calls"])
    outcome = ingest(arrivals, store=store, audio_folder=_audio(store), rules=RULES, workers=1)
    assert (outcome.new, [failure.code for failure in outcome.failed]) == (1, ["E_NOT_FOUND"])
    assert only(store).path == "memory://calls/a.wav"
    assert [path.suffix for path in _audio(store).iterdir() if path.is_file()] == []


def test_what_a_killed_run_left_half_written_goes_with_the_next_one_but_not_with_a_dry_one(
    store: Store, inbox: Path
) -> None:
    leftover = _audio(store) / "ab" / ".abcd.x.part"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    path = sound(inbox / "a.wav", seconds=0.5)
    take(store, path, dry_run=True)
    assert leftover.exists()
    assert take(store, path).new == 1
    assert not leftover.exists()


def test_what_was_taken_is_kept_when_the_batch_breaks_off(store: Store, inbox: Path) -> None:
    def broken() -> Iterator[Arrival | Failure]:
        yield from plan([sound(inbox / "a.wav")])
        yield from plan([sound(inbox / "b.wav", pitch_hz=300)])
        raise RuntimeError("the list broke off")

    with pytest.raises(RuntimeError, match="the list broke off"):
        ingest(broken(), store=store, audio_folder=_audio(store), rules=RULES, workers=1)
    assert take(store, inbox).new + len(list(store.recordings.fetch())) >= 2
    assert len(list(store.recordings.fetch())) == 2


def test_progress_hears_of_every_file(store: Store, inbox: Path) -> None:
    steps: list[tuple[int, bool]] = []

    class Heard:
        def step(self, *, sound: int = 0, failed: bool = False, items: int = 1) -> None:
            steps.append((sound, failed))

    sound(inbox / "a.wav", seconds=0.5)
    (inbox / "b.wav").touch()
    ingest(plan([inbox]), store=store, audio_folder=_audio(store), rules=RULES, progress=Heard())
    assert sorted(steps) == [(0, True), (500, False)]


def test_real_speech_is_taken_with_its_speakers(store: Store, speech: Path, inbox: Path) -> None:
    lines = (speech / "fsdd" / "manifest.csv").read_text().splitlines()
    (inbox / "m.csv").write_text("\n".join([lines[0], *lines[1::250]]) + "\n")
    arrivals = plan(manifest=inbox / "m.csv", root=speech, split_of=store.recordings.find_split)
    outcome = ingest(arrivals, store=store, audio_folder=_audio(store), rules=RULES, workers=2)
    assert (outcome.new, outcome.failed) == (len(lines[1::250]), ())
    assert all(recording.speaker and recording.language == "en" for recording in store.recordings.fetch())
    assert len(list(store.corrections.fetch())) == outcome.new


def test_consent_that_changes_in_a_manifest_is_taken_with_its_history(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav")

    def state(name: str, consent: str) -> Ingested:
        return take(store, manifest=manifest(inbox / name, [{"path": "a.wav", "consent": consent, "licence": "CC0"}]))

    assert state("first.csv", "given").new == 1
    withdrawn = state("second.csv", "withdrawn")
    assert (withdrawn.new, withdrawn.present, withdrawn.changed, withdrawn.refused) == (0, 1, 1, 0)
    assert withdrawn.warnings == ("W_CHANGED: consent of a.wav was given, and is withdrawn",)
    assert list(store.recordings.fetch()) == []
    again = state("first.csv", "given")
    assert again.changed == 0 and [warning[:6] for warning in again.warnings] == ["W_KEPT"]
    assert list(store.recordings.fetch()) == []
    (inbox / "a.wav").unlink()
    assert state("third.csv", "refused").changed == 1, "by its path, where the file is not here any more"
    sound(inbox / "a.wav")
    assert state("fourth.csv", "given").changed == 1
    recording = only(store)
    history = store.facts.fetch_history([recording.id])
    told = [(change.source, change.before, change.after) for change in history if change.name == "consent"]
    assert told == [
        ("first.csv", None, "given"),
        ("second.csv", "given", "withdrawn"),
        ("third.csv", "withdrawn", "refused"),
        ("fourth.csv", "refused", "given"),
    ]


def test_a_withdrawal_finds_its_recording_by_a_path_spelt_otherwise_and_by_new_bytes(store: Store, inbox: Path) -> None:
    for number, name in enumerate(("a.wav", "b.wav", "café.wav")):
        sound(inbox / name, pitch_hz=200 + 50 * number)
    take(store, manifest=manifest(inbox / "m.csv", [{"path": name} for name in ("a.wav", "b.wav", "café.wav")]))
    for name in ("a.wav", "café.wav"):
        (inbox / name).unlink()
    sound(inbox / "b.wav", pitch_hz=500)
    names = ("./a.wav", ".//b.wav", unicodedata.normalize("NFD", "café.wav"))
    rows = [{"path": name, "consent": "withdrawn"} for name in names]
    outcome = take(store, manifest=manifest(inbox / "w.csv", rows))
    assert (outcome.changed, outcome.new, outcome.failed) == (3, 0, ())
    assert list(store.recordings.fetch()) == []
    assert len(store.facts.fetch_withheld()) == 3


def _withdraw_until(url: str, file: Path, at: int) -> None:
    """Ingest the manifest *file*, and die as statement number *at*, or a commit after it, begins."""
    with Store.open(url) as store:
        count = itertools.count()

        def die(*_: object) -> None:
            if next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(store.database.engine, "before_cursor_execute", die)
        event.listen(store.database.engine, "commit", die)
        take(store, manifest=file)
    os._exit(0)


def test_withdrawals_of_a_manifest_that_is_killed_anywhere_are_all_there_or_none(tmp_path: Path, inbox: Path) -> None:
    url = f"sqlite:///{tmp_path / 'boli.db'}"
    names = [sound(inbox / f"{number}.wav", pitch_hz=200 + 20 * number).name for number in range(6)]
    with Store.open(url) as store:
        take(store, manifest=manifest(inbox / "m.csv", [{"path": name, "consent": "given"} for name in names]))
        ids = {recording.id for recording in store.recordings.fetch()}
    file = manifest(inbox / "w.csv", [{"path": name, "consent": "withdrawn"} for name in names])
    for killed in range(200):
        child = multiprocessing.get_context("fork").Process(target=_withdraw_until, args=(url, file, killed))
        child.start()
        child.join()
        with Store.open(url) as store:
            withheld = set(store.facts.fetch_withheld())
        if withheld == ids:
            break
        assert withheld == set(), f"killed at statement {killed}"
    assert killed >= 20 and withheld == ids


def test_a_withdrawal_that_names_nothing_is_a_failure(store: Store, inbox: Path) -> None:
    sound(inbox / "a.wav")
    take(store, manifest=manifest(inbox / "m.csv", [{"path": "a.wav"}]))
    [failure] = take(store, manifest=manifest(inbox / "w.csv", [{"path": "typo.wav", "consent": "withdrawn"}])).failed
    assert (failure.item, failure.code) == ("typo.wav", "E_RECORDING")


def test_a_name_in_two_unicode_forms_is_one_person(store: Store, inbox: Path) -> None:
    rows = [
        {"path": f"{number}.wav", "speaker": unicodedata.normalize(form, "José"), "split": split}
        for number, (form, split) in enumerate((("NFC", "train"), ("NFD", "test")))
    ]
    for number, row in enumerate(rows):
        sound(inbox / row["path"], pitch_hz=200 + 50 * number)
    with pytest.raises(InputError, match=r"E_SPLIT.*José"):
        take(store, manifest=manifest(inbox / "m.csv", rows))


def test_what_is_refused_is_left_out_or_kept_withheld_where_the_rules_say_so(store: Store, inbox: Path) -> None:
    rows = [{"path": f"{word}.wav", "consent": word} for word in ("refused", "Withdrawn", "nein", "yes")]
    for number, row in enumerate(rows):
        sound(inbox / row["path"], pitch_hz=200 + 50 * number)
    file = manifest(inbox / "m.csv", rows)
    rules = replace(RULES, refusing=frozenset({"nein"}))
    outcome = take(store, manifest=file, rules=rules)
    assert (outcome.new, outcome.refused, outcome.failed) == (1, 3, ())
    assert [warning[:9] for warning in outcome.warnings] == ["W_REFUSED"] * 3
    assert only(store).path == "yes.wav"
    assert len(list(_audio(store).rglob("*.flac"))) == 1
    kept = take(store, manifest=file, rules=replace(rules, keep_refused=True))
    assert (kept.new, kept.refused, only(store).path) == (3, 0, "yes.wav")
    assert set(store.facts.fetch_withheld().values()) == {"refused", "withdrawn"}
    assert [pending.path for pending in store.attempts.fetch_pending("any")] == ["yes.wav"]
