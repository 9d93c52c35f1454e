"""A project's own names: read, told to the recogniser within its room, and spelt."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from transcribe.errors import InputError
from transcribe.glossary import Glossary, Term, count_bytes, fit, read_glossary
from transcribe.records import Word, join_words
from transcribe.redaction import fold_word

CATALOGUE = load_catalogue()


def write_glossary(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    file = folder / "glossary.tsv"
    file.write_bytes("\n".join(lines).encode(encoding))
    return file


def words(text: str) -> list[Word]:
    return [Word(text=t, start=n * 100, end=n * 100 + 90, probability=0.5) for n, t in enumerate(text.split())]


def test_names_come_in_the_files_order_with_canonical_tags(tmp_path: Path) -> None:
    lines = ["term\tdialect\tspoken", "Zilbarra\t\tsil bara", "", "रवि\tHI", '  Anna "Ann"  Rao\tta\t']
    for encoding in ("utf-8", "utf-8-sig"):
        glossary = read_glossary(write_glossary(tmp_path, *lines, encoding=encoding), CATALOGUE)
        assert glossary.terms == (
            Term(text="Zilbarra", spoken="sil bara"),
            Term(text="रवि", dialect="hi"),
            Term(text='Anna "Ann" Rao', dialect="ta"),
        )


@pytest.mark.parametrize("lines", [[], [""], ["term\tdialect\tspoken"], ["term"]])
def test_a_file_without_names_is_an_empty_glossary(tmp_path: Path, lines: list[str]) -> None:
    assert read_glossary(write_glossary(tmp_path, *lines), CATALOGUE) == Glossary()
    assert read_glossary(tmp_path / "none.tsv", CATALOGUE) == Glossary()


@pytest.mark.parametrize(
    ("lines", "code", "row"),
    [
        (["name\tdialect", "Ravi\thi"], "E_GLOSSARY", "row 1"),
        (["term\tdialect", "Ravi\t", "\thi"], "E_GLOSSARY", "row 3"),
        (["term\tdialect", "Ravi\thi\tRavvi"], "E_GLOSSARY", "row 2"),
        (["term\tdialect", "Ravi\thindii"], "E_DIALECT", "row 2"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named(tmp_path: Path, lines: list[str], code: str, row: str) -> None:
    with pytest.raises(InputError) as caught:
        read_glossary(write_glossary(tmp_path, *lines), CATALOGUE)
    assert caught.value.code == code
    assert row in caught.value.message and caught.value.hint


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_GLOSSARY: glossary.tsv row 2: byte 1 .* is not UTF-8"):
        read_glossary(write_glossary(tmp_path, "term", "Иван", encoding="cp1251"), CATALOGUE)


def test_a_name_of_a_wide_dialect_is_one_of_narrower_ones_and_of_no_other() -> None:
    glossary = Glossary(terms=tuple(Term(text=str(tag), dialect=tag) for tag in (None, "en", "en-IN", "hi")))
    assert [term.text for term in glossary.of("en-IN")] == ["None", "en", "en-IN"]
    assert [term.text for term in glossary.of("en-GB")] == ["None", "en"]
    assert [term.text for term in glossary.of(None)] == ["None"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=20), st.integers(0, 60))
def test_the_first_names_are_told_as_far_as_there_is_room(names: list[str], room: int) -> None:
    first_names, left_out = fit([Term(text=name) for name in names], count_bytes, room=room)
    names_once = list(dict.fromkeys(names))
    assert list(first_names) == names_once[: len(first_names)]
    assert len(first_names) + left_out == len(names_once)
    assert sum(count_bytes(f"{name}, ") for name in first_names) <= room
    if left_out:
        assert sum(count_bytes(f"{name}, ") for name in names_once[: len(first_names) + 1]) > room


def test_another_spelling_becomes_the_name_with_the_signs_around_it() -> None:
    glossary = Glossary(
        terms=(
            Term(text="Zilbarra", spoken="sil bara"),
            Term(text="Anna Rao", spoken="anarow"),
            Term(text="Sil", spoken="Sil"),
            Term(text="Iyer", spoken="eye er", dialect="ta"),
        )
    )
    spelt = glossary.spell(words("“Sil Bara,” said Anarow. sil! Eye er"), "hi")
    assert join_words(spelt) == "“Zilbarra,” said Anna Rao. Sil! Eye er"
    assert join_words(glossary.spell(words("Eye er."), "ta-IN")) == "Iyer."


@given(st.lists(st.sampled_from(["a", "B,", "(c", "d."]), max_size=12), st.sampled_from(["X", "X Y", "X Y Z"]))
def test_spelling_keeps_order_times_and_all_other_words(texts: list[str], name: str) -> None:
    drafted = words(" ".join(texts))
    spelt = Glossary(terms=(Term(text=name, spoken="a b"),)).spell(drafted, None)
    assert all(word.end <= following.start for word, following in pairwise(spelt))
    assert all(word.start < word.end for word in spelt)
    plain = " ".join(fold_word(word.text) for word in drafted)
    assert " ".join(fold_word(word.text) for word in spelt) == plain.replace("a b", name.casefold())
