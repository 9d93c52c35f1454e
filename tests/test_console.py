"""What a command says: one document on stdout, everything else on stderr, and the exit code that fits."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import RenderableType
from rich.text import Text

from transcribe.console import Answer, Console, printable
from transcribe.errors import BoliError, ConfigError, Failure, InputError, Interrupted, MissingError, PartlyFailed
from transcribe.progress import Meter
from transcribe.terminal import table

Captured = pytest.CaptureFixture[str]

FAILED = Failure(item="b.wav", code="E_MEDIA", message="b.wav was read as audio; it holds none")


def document(capsys: Captured) -> dict[str, Any]:
    """The one JSON document on stdout."""
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    content = json.loads(out)
    assert isinstance(content, dict)
    return content


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


def test_for_people_the_result_goes_to_stdout_and_warnings_to_stderr(capsys: Captured) -> None:
    console = Console("ls")
    assert console.run(lambda: console.answer(Answer(data={}, text="2 recordings", warnings=["W_DIALECT: odd"]))) == 0
    assert capsys.readouterr() == ("2 recordings\n", "W_DIALECT: odd\n")


def test_for_scripts_the_result_is_one_document(capsys: Captured) -> None:
    console = Console("ls", as_json=True)
    answer = Answer(data={"names": ["बोली"]}, text="never shown", warnings=["W_DIALECT: odd"])
    assert console.run(lambda: console.answer(answer)) == 0
    assert document(capsys) == {
        "schema": "boli.ls/1",
        "ok": True,
        "data": {"names": ["बोली"]},
        "warnings": ["W_DIALECT: odd"],
    }


def test_a_table_is_drawn_whole_when_stdout_is_no_terminal(capsys: Captured) -> None:
    from rich.table import Table

    table = Table("name", "text")
    table.add_row("x" * 60, "y" * 100)
    Console("ls").answer(Answer(data={}, text=table))
    out = capsys.readouterr().out
    assert "x" * 60 in out
    assert "y" * 100 in out
    assert "\x1b" not in out


def test_failures_among_the_items_end_with_6_after_the_result(capsys: Captured) -> None:
    console = Console("run")
    assert console.run(lambda: console.answer(Answer(data={}, text="1 done", failures=[FAILED]))) == 6
    out, err = capsys.readouterr()
    assert out == "1 done\n"
    assert "b.wav" in err
    assert FAILED.message in err


def test_failures_stand_in_the_document(capsys: Captured) -> None:
    console = Console("run", as_json=True)
    assert console.run(lambda: console.answer(Answer(data={"done": 1}, failures=[FAILED]))) == 6
    content = document(capsys)
    assert (content["ok"], content["data"]) == (False, {"done": 1})
    assert content["failures"] == [{"item": "b.wav", "code": "E_MEDIA", "message": FAILED.message}]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("unknown key"), 3),
        (InputError("no audio"), 4),
        (MissingError("no GPU"), 5),
        (PartlyFailed("1 failed", [FAILED]), 6),
        (Interrupted("stopped"), 130),
        (KeyboardInterrupt(), 130),
        (RuntimeError("a bug"), 1),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_every_error_is_said_once_and_ends_with_its_code(
    capsys: Captured, error: BaseException, code: int, as_json: bool
) -> None:
    assert Console("run", as_json=as_json).run(raising(error)) == code
    out, err = capsys.readouterr()
    assert (out.count("\n"), err.count("\n")) == ((1, 0) if as_json else (0, 1))


def test_an_error_document_names_code_hint_and_item(capsys: Captured) -> None:
    error = InputError("a.wav is empty", code="E_MEDIA", hint="record it again", item="a.wav")
    Console("ingest", as_json=True).run(raising(error))
    assert document(capsys) == {
        "schema": "boli.error/1",
        "ok": False,
        "error": {"code": "E_MEDIA", "message": "a.wav is empty", "hint": "record it again", "item": "a.wav"},
    }


def test_a_traceback_is_shown_only_when_asked_for(capsys: Captured) -> None:
    Console("run").run(raising(RuntimeError("a bug")))
    assert "Traceback" not in capsys.readouterr().err
    Console("run", debug=True).run(raising(RuntimeError("a bug")))
    assert "Traceback" in capsys.readouterr().err


def test_the_cause_of_an_error_is_shown_when_asked_for(capsys: Captured) -> None:
    def body() -> None:
        try:
            raise OSError("disk gone")
        except OSError as cause:
            raise BoliError("could not save") from cause

    Console("run", debug=True).run(body)
    assert "disk gone" in capsys.readouterr().err


def test_what_a_body_gives_back_is_the_exit_code(capsys: Captured) -> None:
    assert Console("gate").run(lambda: 7) == 7
    assert Console("gate").run(lambda: "text is no code") == 0


def test_nan_never_reaches_a_document(capsys: Captured) -> None:
    console = Console("wer", as_json=True)
    assert console.run(lambda: console.answer(Answer(data={"wer": float("nan")}))) == 1
    assert document(capsys)["ok"] is False


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_result_that_the_terminal_cannot_write_is_escaped_not_lost(
    monkeypatch: pytest.MonkeyPatch, as_json: bool, encoding: str
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, errors="strict"))
    console = Console("ls", as_json=as_json)
    name = "caf\xe9-\udcff.wav"
    assert console.run(lambda: console.answer(Answer(data={"name": name}, text=name))) == 0
    output = written.getvalue().decode(encoding)
    assert json.loads(output)["data"]["name"] == name if as_json else output.startswith("caf")


def test_file_names_cannot_paint_the_terminal(capsys: Captured) -> None:
    evil = "\x1b[31mred\x07.wav"
    failure = Failure(item=evil, code="E_MEDIA", message=f"{evil} holds nothing")
    console = Console("run")
    console.run(lambda: console.answer(Answer(data={}, warnings=[f"W_NO_SPEECH: {evil}"], failures=[failure])))
    console.run(raising(InputError(f"{evil} is empty")))
    out, err = capsys.readouterr()
    assert not {"\x1b", "\x07"} & set(out + err)


@given(st.text())
def test_printable_text_is_printable_whatever_came_in(text: str) -> None:
    escaped = printable(text)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in escaped)
    escaped.encode()


def test_letters_of_every_script_stay_as_they_are() -> None:
    assert printable("क्‍ष العربية ਬੋਲੀ") == "क्‍ष العربية ਬੋਲੀ"


def lines(capsys: Captured) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_plain_progress_is_a_line_for_each_tenth(capsys: Captured) -> None:
    with Console("run", progress="plain").progress("drafting", items=200) as progress:
        for _ in range(200):
            progress.step()
    output_lines = lines(capsys)
    assert [line.split(",")[0] for line in output_lines] == [f"drafting: {n} of 200" for n in range(20, 201, 20)]


def test_ten_items_give_ten_lines(capsys: Captured) -> None:
    with Console("run", progress="plain").progress("drafting", items=10) as progress:
        for _ in range(10):
            progress.step()
    assert len(lines(capsys)) == 10


def test_progress_of_unknown_length_ends_with_the_count(capsys: Captured) -> None:
    with Console("import", progress="plain").progress("importing", items=None) as progress:
        for _ in range(3):
            progress.step()
    assert lines(capsys) == ["importing: 3"]


def test_nothing_to_do_says_nothing(capsys: Captured) -> None:
    with Console("run", progress="plain").progress("drafting", items=0):
        pass
    assert lines(capsys) == []


def test_a_failure_at_the_end_is_counted_in_the_last_line(capsys: Captured) -> None:
    with Console("run", progress="plain").progress("drafting", items=2, sound=60_000) as progress:
        progress.step(sound=60_000)
        progress.step(failed=True)
    assert lines(capsys)[-1].startswith("drafting: 2 of 2, 1 failed, 1.0 min of audio")


def test_progress_for_scripts_is_one_event_a_line(capsys: Captured) -> None:
    with Console("run", progress="jsonl").progress("drafting", items=2, sound=4_000) as progress:
        progress.step(sound=1_000)
        progress.step(sound=3_000)
    events = [json.loads(line) for line in lines(capsys)]
    assert [(event["event"], event["done"], event["audio_ms"]) for event in events] == [
        ("progress", 1, 1_000),
        ("progress", 2, 4_000),
    ]
    assert events[0]["audio_total_ms"] == 4_000


def test_work_in_stages_is_one_percentage(capsys: Captured) -> None:
    with Console("improve", progress="plain").stages("improving", {"freezing": 20, "tuning": 980}) as tell:
        tell("freezing", 1.0)
        tell("tuning", 0.1)
        tell("tuning", 1.0)
    assert [line.split(", ")[1].split(" left")[0] for line in lines(capsys)] == ["tuning: 12%", "tuning: 100%"]


def test_progress_can_be_turned_off(capsys: Captured) -> None:
    with Console("run", progress="none").progress("drafting", items=1) as progress:
        progress.step()
    assert lines(capsys) == []


def test_bars_count_items_and_failures(capsys: Captured) -> None:
    with Console("run", progress="bars").progress("drafting", items=2, sound=120_000) as progress:
        progress.step(sound=60_000)
        progress.step(sound=60_000, failed=True)
    err = capsys.readouterr().err
    assert "2/2" in err
    assert "1 failed" in err


def test_without_a_terminal_there_are_no_bars(capsys: Captured) -> None:
    with Console("run").progress("drafting", items=1) as progress:
        progress.step()
    assert [line.split(",")[0] for line in lines(capsys)] == ["drafting: 1 of 1"]


def test_no_time_left_is_told_before_anything_is_done() -> None:
    meter = Meter(title="drafting", items=2, sound=60_000)
    meter.add(sound=0, failed=True, items=1)
    assert meter.seconds_left is None


@given(st.lists(st.integers(0, 10_000), max_size=20), st.booleans())
def test_the_share_grows_from_nothing_to_all(sounds: list[int], has_length: bool) -> None:
    meter = Meter(title="t", items=len(sounds), sound=sum(sounds) if has_length else None)
    shares = [meter.share or 0.0]
    for sound in sounds:
        meter.add(sound=sound, failed=False, items=1)
        shares.append(meter.share or 0.0)
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert shares[-1] == pytest.approx(1.0 if sounds else 0.0)


@pytest.mark.parametrize(
    ("arguments", "command", "as_json"),
    [
        (["run"], "run", False),
        (["wer", "--json"], "wer", True),
        (["import", "corrections", "f.csv"], "import-corrections", False),
        (["config", "show", "--json"], "config-show", True),
        (["models", "-w", "folder"], "models", False),
        ([], "help", False),
    ],
)
def test_the_name_of_a_command_is_known_before_its_words_are_parsed(
    arguments: list[str], command: str, as_json: bool
) -> None:
    console = Console("")
    console.speak_for(arguments, {"config": ["show"], "import": ["corrections"], "models": ["list"]})
    assert (console.command, console.as_json) == (command, as_json)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (FileNotFoundError(2, "No such file or directory", "x.csv"), 4, "x.csv is not there"),
        (IsADirectoryError(21, "Is a directory", "x"), 4, "x is a folder, and no file"),
        (PermissionError(13, "Permission denied", "x"), 8, "x cannot be used: permission denied"),
        (OSError(28, "No space left on device"), 8, "a file cannot be used: no space left on device"),
    ],
)
def test_an_error_of_a_file_is_told_in_words(capsys: Captured, error: OSError, code: int, message: str) -> None:
    assert Console("run").run(raising(error)) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", ["a\x1b[31mred", table(("who",), [("a\x1b[31mred",)]), Text("a\x1b[31mred")])
def test_no_name_in_an_answer_obeys_to_the_terminal(text: RenderableType, capsys: pytest.CaptureFixture[str]) -> None:
    Console("status").answer(Answer(data={}, text=text, warnings=("b\x9b31m \u202egnp",)))
    out, err = capsys.readouterr()
    assert "a\\x1b[31mred" in out
    assert "\x1b" not in out + err
    assert "b\\x9b31m \\u202egnp" in err
