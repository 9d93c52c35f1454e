"""How a dialect is written down: the package's rules and a project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialects.dialect import load_catalogue
from dialects.errors import DialectError
from dialects.text.guide import load_guide
from dialects.text.normalise import load_normaliser

CATALOGUE = load_catalogue()


def project(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("tag", "reader"), [("hi", "hi"), ("bho", "hi"), ("ta", "ta")])
def test_the_packaged_rules_speak_to_their_readers_and_show_spellings(tag: str, reader: str) -> None:
    guide = load_guide(CATALOGUE, tag)
    assert len(guide.rules) >= 4 and not guide.normalised
    for rule in guide.rules:
        assert rule.say["en"] and rule.say[reader] and rule.good and rule.bad
        assert not set(rule.good) & set(rule.bad)


def test_a_narrower_dialect_has_the_rules_of_the_wider_one(tmp_path: Path) -> None:
    folder = project(tmp_path, hi_FJ='[[rule]]\nid = "numbers"\nsay = "Digits stand as digits."\n')
    wide, narrow = load_guide(CATALOGUE, "hi"), load_guide(CATALOGUE, "hi-FJ", folder)
    assert [rule.id for rule in narrow.rules] == [rule.id for rule in wide.rules]
    assert {rule.id: rule.say["en"] for rule in narrow.rules}["numbers"] == "Digits stand as digits."


def test_a_project_adds_rules_and_asks_for_a_second_text(tmp_path: Path) -> None:
    text = 'normalised = true\n[[rule]]\nid = "own"\nsay = "Our way."\ngood = ["one"]\n'
    guide = load_guide(CATALOGUE, "ta-LK", project(tmp_path, ta=text))
    assert guide.normalised
    assert guide.rules[-1].id == "own"


def test_a_version_stands_for_one_content(tmp_path: Path) -> None:
    plain = load_guide(CATALOGUE, "hi")
    assert plain.version == load_guide(CATALOGUE, "hi", tmp_path).version
    folder = project(tmp_path, hi='[[rule]]\nid = "own"\nsay = "Our way."\n')
    assert load_guide(CATALOGUE, "hi", folder).version != plain.version
    assert plain.version.startswith("hi-")


@pytest.mark.parametrize(
    "text",
    [
        *("no toml", "other = 1", 'normalised = "yes"', '[[rule]]\nsay = "no id"', '[[rule]]\nid = "no sentence"'),
        '[[rule]]\nid = "x"\nsay = "y"\nworse = []',
    ],
)
def test_a_broken_guide_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DialectError) as caught:
        load_guide(CATALOGUE, "hi", project(tmp_path, hi=text))
    assert caught.value.code == "E_GUIDE" and "hi.toml" in caught.value.message


def test_a_language_without_rules_has_an_empty_guide() -> None:
    assert load_guide(CATALOGUE, "sa").rules == ()


def test_what_a_rule_calls_wrong_is_not_what_the_normaliser_cannot_tell() -> None:
    """Two spellings of one rule may count alike; numbers in words and digits do, but not in a strict count."""
    normalise = load_normaliser("indic-v2")
    [numbers] = [rule for rule in load_guide(CATALOGUE, "hi").rules if rule.id == "numbers"]
    assert not {normalise(spelling) for spelling in numbers.good} & {normalise(spelling) for spelling in numbers.bad}
