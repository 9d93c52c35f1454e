"""The written conversations and their rules."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.making.texts import Line, Script, check, figures_of, read_scripts, shared_sequences
from transcribe.records import Split

TALK = """# en-GB-train-01 market, tomatoes
A: Those tomatoes are rather soft today.
B: Take the green ones, they keep.

# en-GB-test-01 bank, a lost card
A: My card has gone, and so has my purse.
B: Where did you see it last?
"""


def written(folder: Path, text: str, name: str = "en-GB.txt") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def script(name: str, *texts: str, variety: str = "en-GB", split: Split = "train") -> Script:
    lines = tuple(Line(speaker="AB"[number % 2], text=text) for number, text in enumerate(texts))
    return Script(name=name, variety=variety, split=split, topic="talk", lines=lines)


def test_conversations_are_read_with_names_topics_and_turns(tmp_path: Path) -> None:
    market, bank = read_scripts(written(tmp_path, TALK))

    assert (market.name, market.variety, market.split, market.topic) == (
        "en-GB-train-01",
        "en-GB",
        "train",
        "market, tomatoes",
    )
    assert bank.lines[0] == Line(speaker="A", text="My card has gone, and so has my purse.")
    assert bank.language == "en"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("A: At 9 o'clock sharp, please.", "line 4 should be written as it is said"),
        ("A: She said (quietly) that it rains.", "line 4 should be written as it is said"),
        ("C: Nobody knows me.", "line 4 should be '# en-GB-SPLIT-NN topic' or a turn"),
        ("# en-US-train-01 another file's", "line 4 should be"),
        ("# en-GB-exam-01 no such split", "line 4 should be"),
        ("A: Those tomatoes are rather soft today.", "each turn should occur once"),
    ],
)
def test_what_breaks_a_rule_is_named(tmp_path: Path, wrong: str, message: str) -> None:
    lines = TALK.splitlines()
    lines.insert(3, wrong)

    with pytest.raises(ValueError, match=message):
        read_scripts(written(tmp_path, "\n".join(lines)))


def test_a_name_occurs_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="each conversation should occur once"):
        read_scripts(written(tmp_path, TALK.replace("test-01", "train-01")))


def test_both_people_speak() -> None:
    with pytest.raises(ValueError, match="turns of both A and B"):
        check([script("en-GB-train-01", "I talk to nobody but myself.")])


def test_the_test_may_not_be_learnt_by_heart() -> None:
    learnt = "the bus to the old market leaves"
    training = script("en-US-train-01", learnt, "fine", variety="en-US")
    test = script("en-GB-test-01", f"{learnt} late", "good", split="test")

    # Of five sequences of the test's seven words and more, four are in the training: another variety, one language.
    assert shared_sequences([test], [training]) == 4 / 5
    with pytest.raises(ValueError, match=r"holds 80\.0% of the four-word sequences of en-GB's test"):
        check([training, test])


def test_sequences_do_not_cross_turns() -> None:
    training = script("en-GB-train-01", "one two", "three four")
    test = script("en-GB-test-01", "one two three four", "five", split="test")

    assert shared_sequences([test], [training]) == 0.0


def test_the_committed_conversations_hold_what_the_demo_needs() -> None:
    figures = {entry.variety: entry for entry in figures_of(read_scripts())}

    assert list(figures) == ["en-GB", "en-IN", "en-US", "en-scotland", "hi-x-mixed", "hi", "ta"]
    assert figures["hi"].conversations == Counter(train=21, test=12, dev=3)
    assert figures["en-scotland"].conversations == Counter(train=22, test=12, dev=3)
    assert all(entry.conversations["train"] >= 4 for entry in figures.values())
    assert all(entry.conversations["test"] >= 6 for entry in figures.values())
    assert all(entry.conversations["dev"] >= 2 for entry in figures.values())
    assert all(entry.different_words > entry.running_words * 0.4 for entry in figures.values())
    assert all(entry.shared <= 0.02 for entry in figures.values())
