"""The people of the corpus."""

from collections import defaultdict
from dataclasses import replace

import pytest

from benchmarks.making.demo_corpus import SEED
from benchmarks.making.texts import Line, Script, read_scripts
from benchmarks.making.voices import ACCENTS, REGISTERS, VOICES, Person, Register, cast, spoken_register

SCRIPTS = read_scripts()
PEOPLE = cast(SCRIPTS, SEED)
REGISTER = {
    voice: register
    for regions in VOICES.values()
    for registers in regions.values()
    for register, voices in registers.items()
    for voice in voices
}


def everybody() -> list[Person]:
    return [person for pair in PEOPLE.values() for person in pair.values()]


def test_a_voice_stands_in_one_place_of_the_table() -> None:
    tables = [registers for regions in VOICES.values() for registers in regions.values()]
    listed = [voice for registers in tables for voices in registers.values() for voice in voices]

    assert len(listed) == len(set(listed))


def test_no_voice_is_heard_in_two_splits_whatever_it_speaks() -> None:
    splits = defaultdict(set)
    for script in SCRIPTS:
        for person in PEOPLE[script.name].values():
            splits[person.main].add(script.split)
            splits[person.partner].add(script.split)

    assert {voice: heard for voice, heard in splits.items() if len(heard) > 1} == {}


def test_everybody_is_one_of_a_kind() -> None:
    people = [replace(person, name="") for person in everybody()]

    assert len(set(people)) == len(people) == 2 * len(SCRIPTS)
    assert len({person.name for person in everybody()}) == len(people)


def test_the_main_voice_prevails_and_nobody_is_shifted_far() -> None:
    for person in everybody():
        assert person.main != person.partner
        assert 0.65 <= person.share <= 0.85
        assert 0.9 <= person.speed <= 1.15
        assert 0.92 <= person.warp <= 1.08


def test_two_people_of_a_conversation_differ() -> None:
    mains = [[person.main for person in pair.values()] for pair in PEOPLE.values()]
    alike = sum(REGISTER[first] == REGISTER[second] for first, second in mains)

    assert all(first != second for first, second in mains)
    assert alike <= 0.1 * len(mains)


def test_a_mix_stays_in_its_register() -> None:
    assert all(REGISTER[person.main] == REGISTER[person.partner] for person in everybody())


def test_hindi_voices_speak_hindi_in_train_and_test_alike() -> None:
    shares = {}
    for split in ("train", "test"):
        names = [script.name for script in SCRIPTS if script.variety == "hi" and script.split == split]
        mains = [person.main for name in names for person in PEOPLE[name].values()]
        shares[split] = sum(main[0] == "h" for main in mains) / len(mains)

    assert shares == {"train": 0.5, "test": 0.5}


@pytest.mark.parametrize(("variety", "firsts"), [("en-US", "a"), ("en-GB", "b"), ("en-scotland", "ab")])
def test_english_people_come_from_where_they_should(variety: str, firsts: str) -> None:
    mains = [person.main for script in SCRIPTS if script.variety == variety for person in PEOPLE[script.name].values()]

    assert {main[0] for main in mains} == set(firsts)


def test_the_people_of_a_group_do_not_depend_on_other_groups() -> None:
    alone = [script for script in SCRIPTS if script.variety == "ta" and script.split == "test"]

    assert cast(alone, SEED) == {script.name: PEOPLE[script.name] for script in alone}
    assert cast(alone, SEED + 1) != cast(alone, SEED)


@pytest.mark.parametrize(
    ("text", "register"),
    [
        ("मैं printout ले आती हूँ।", "high"),
        ("मैं slide design कर देता हूँ।", "low"),
        ("मैं अभी आया हूँ।", "low"),
        ("कल पैसे दूँगी।", "high"),
        ("शाम को जाऊंगा।", "low"),
        ("यह किताब अच्छी है।", None),
        ("I am late.", None),
    ],
)
def test_verbs_tell_who_speaks(text: str, register: Register | None) -> None:
    assert spoken_register([text]) == register


def test_words_of_two_women_bring_two_high_voices() -> None:
    lines = (Line(speaker="A", text="मैं कल आऊँगी।"), Line(speaker="B", text="मैं भी चलूँगी।"))
    for number in range(6):
        name = f"hi-train-{number:02}"
        pair = cast([Script(name=name, variety="hi", split="train", topic="talk", lines=lines)], number)[name]

        assert {REGISTER[person.main] for person in pair.values()} == {"high"}


def test_every_variety_that_is_written_has_an_accent() -> None:
    assert {script.variety for script in SCRIPTS} == set(ACCENTS)
    assert REGISTERS == ("low", "high")
