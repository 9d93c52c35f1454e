"""Which tiers of an EAF file hold the texts."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from transcribe.errors import InputError
from transcribe.formats.tiers import read_eaf

SLOTS = {"t1": 500, "t2": 1_500, "t3": 600, "t4": 1_400, "t5": None, "t6": 2_000, "t7": 3_000, "t8": None}
TYPES = {
    **{"ref": None, "tx": "Symbolic_Association", "mb": "Symbolic_Subdivision"},
    **{"inc": "Included_In", "sub": "Time_Subdivision"},
}


def tier(name: str, *annotations: str, kind: str = "tx", parent: str | None = None, participant: str = "Asha") -> str:
    above = f" PARENT_REF={quoteattr(parent)}" if parent else ""
    facts = f"LINGUISTIC_TYPE_REF={quoteattr(kind)} PARTICIPANT={quoteattr(participant)} TIER_ID={quoteattr(name)}"
    return f"<TIER {facts}{above}>{''.join(annotations)}</TIER>"


def aligned(id: str, first: str, last: str, text: str) -> str:
    slots = f'TIME_SLOT_REF1="{first}" TIME_SLOT_REF2="{last}"'
    annotation = f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="{id}" {slots}><ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>'
    return f"<ANNOTATION>{annotation}</ALIGNABLE_ANNOTATION></ANNOTATION>"


def symbolic(id: str, above: str, text: str, previous: str | None = None) -> str:
    before = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ""
    annotation = f'<REF_ANNOTATION ANNOTATION_ID="{id}" ANNOTATION_REF="{above}"{before}>'
    return f"<ANNOTATION>{annotation}<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"


def root(text: str = "A_001", name: str = "ref@A", **facts: str) -> str:
    return tier(name, aligned("a1", "t1", "t2", text), kind="ref", **facts)


def tx(text: str = "जी हाँ", name: str = "tx@A", parent: str = "ref@A", above: str = "a1", **facts: str) -> str:
    return tier(name, symbolic(f"{name}-1", above, text), parent=parent, **facts)


def read(
    folder: Path, *tiers: str, name: str | None = None
) -> tuple[list[tuple[int, int, str | None, str | None]], list[str]]:
    slots = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="{id}"' + (f' TIME_VALUE="{time}"' if time is not None else "") + "/>"
        for id, time in SLOTS.items()
    )
    types = "".join(
        f'<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="{id}"' + (f' CONSTRAINTS="{constraint}"' if constraint else "") + "/>"
        for id, constraint in TYPES.items()
    )
    content = (
        f'<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/><TIME_ORDER>{slots}</TIME_ORDER>{"".join(tiers)}{types}'
    )
    (folder / "t.eaf").write_text(
        '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">{content}'
        "</ANNOTATION_DOCUMENT>",
        encoding="utf-8",
    )
    errors: list[InputError] = []
    items = [
        (item.start, item.end, item.speaker, item.text)
        for item in read_eaf(folder / "t.eaf", tier=name, refuse=errors.append)
    ]
    return items, [str(error) for error in errors]


SAID = [(500, 1_500, "Asha", "जी हाँ")]


@pytest.mark.parametrize(
    "tiers",
    [
        [root(), tx("yes indeed", "ft@A"), tx()],
        [root(""), tx("001", "id@A"), tx()],
        [root(), tx("17", "id@A"), tx(parent="id@A", above="id@A-1")],
        [root("Interview_2026.001"), tx()],
        [root("00:01.5"), tx()],
        [root("Segment 12"), tx()],
        [root("Interview 2026 001"), tx(name="Hindi")],
        [root("interview_a.wav"), tx(name="Hindi")],
        [root(), tx("हाँ-COP", "mb@A"), tx("N", "ps@A"), tx("yes", "ge@A"), tx()],
        [root(), tx("yes indeed", "A_phrase-gls-en"), tx("1", "A_phrase-segnum-en"), tx(name="A_phrase-txt-hi")],
        [root("जी हाँ", "Transcription"), tx("yes indeed", "Phrase Free Translation", parent="Transcription")],
        [root("जी हाँ", "Asha"), tx("N V", "%mor@Asha", parent="Asha"), tx("ji haan", "%pho@Asha", parent="Asha")],
        [root("जी हाँ", "Asha"), tx("जी", "words@A", parent="Asha")],
        [root(), tier("w@A", symbolic("a3", "a1", "हाँ", "a2"), symbolic("a2", "a1", "जी"), kind="mb", parent="ref@A")],
        [
            root(),
            tier("w@A", aligned("a2", "t1", "t5", "जी"), aligned("a3", "t5", "t2", "हाँ"), kind="sub", parent="ref@A"),
        ],
        [root(""), tx(), tier("notes", aligned("n1", "t6", "t7", "a dog barks outside"), participant="")],
        [root(), tx(), tier("chunks", aligned("n1", "t6", "t7", "12"), kind="ref", participant="")],
    ],
)
def test_the_texts_are_found_by_names_types_and_contents(tmp_path: Path, tiers: list[str]) -> None:
    assert read(tmp_path, *tiers) == (SAID, [])


def test_what_is_included_in_an_annotation_has_times_of_its_own(tmp_path: Path) -> None:
    tiers = [root(), tier("tx@A", aligned("a2", "t3", "t4", "जी हाँ"), kind="inc", parent="ref@A")]
    assert read(tmp_path, *tiers) == ([(600, 1_400, "Asha", "जी हाँ")], [])


def test_sentences_that_subdivide_an_annotation_share_its_time(tmp_path: Path) -> None:
    parts = (
        aligned("a2", "t1", "t5", "जी हाँ"),
        aligned("a3", "t5", "t8", "वह आया"),
        aligned("a4", "t8", "t2", "घर गया"),
    )
    items, errors = read(tmp_path, root(), tier("tx@A", *parts, kind="sub", parent="ref@A"))
    assert (items, errors) == (
        [(500, 833, "Asha", "जी हाँ"), (833, 1_166, "Asha", "वह आया"), (1_166, 1_500, "Asha", "घर गया")],
        [],
    )


def test_words_below_words_keep_the_order_of_both(tmp_path: Path) -> None:
    words = tier("id@A", symbolic("b2", "a1", "2", "b1"), symbolic("b1", "a1", "1"), kind="mb", parent="ref@A")
    parts = [symbolic("c3", "b2", "आया"), symbolic("c2", "b1", "हाँ", "c1"), symbolic("c1", "b1", "जी")]
    assert read(tmp_path, root(), words, tier("tx@A", *parts, kind="mb", parent="id@A")) == (
        [(500, 1_500, "Asha", "जी हाँ आया")],
        [],
    )


def test_tiers_in_doubt_are_refused_by_name_and_can_be_chosen(tmp_path: Path) -> None:
    tiers = [root(), tx("जी हाँ", "one@A"), tx("जी नहीं", "two@A")]
    items, [error] = read(tmp_path, *tiers)
    assert items == []
    assert "one@A, two@A" in error
    assert "--tier" in error
    for name in ("two@A", "two"):
        assert read(tmp_path, *tiers, name=name) == ([(500, 1_500, "Asha", "जी नहीं")], [])
    _, [error] = read(tmp_path, *tiers, name="three")
    assert "no tier 'three' among ref@A, one@A, two@A" in error


def test_translations_alone_are_no_texts(tmp_path: Path) -> None:
    items, [error] = read(tmp_path, root(), tx("yes indeed", "ft@A"))
    assert items == []
    assert "ref@A, ft@A" in error


def test_two_speakers_have_a_tier_each_and_what_has_no_text_is_empty(tmp_path: Path) -> None:
    refs = tier(
        "ref@A", aligned("a1", "t1", "t2", "A_001"), aligned("a2", "t6", "t7", "A_002"), kind="ref", participant=""
    )
    other = tier("ref@B", aligned("b1", "t1", "t2", "B_001"), kind="ref", participant="")
    texts = [tx(participant=""), tx("नहीं", "tx@B", parent="ref@B", above="b1", participant="")]
    assert read(tmp_path, refs, other, *texts) == (
        [(500, 1_500, "A", "जी हाँ"), (500, 1_500, "B", "नहीं"), (2_000, 3_000, "A", "")],
        [],
    )


@pytest.mark.parametrize(
    ("name", "speaker"),
    [("Transcription", None), ("Asha", "Asha"), ("speech", None), ("default", None), ("Asha_transcription", "Asha")],
)
def test_a_tier_that_is_called_by_what_it_holds_names_nobody(tmp_path: Path, name: str, speaker: str | None) -> None:
    items, errors = read(tmp_path, root("जी हाँ", name, participant=""))
    assert (items, errors) == ([(500, 1_500, speaker, "जी हाँ")], [])


def test_numbers_that_were_said_are_texts_where_there_is_nothing_else(tmp_path: Path) -> None:
    assert read(tmp_path, root("42", "Asha"))[0] == [(500, 1_500, "Asha", "42")]
    assert read(tmp_path, root("7"), tx("42"))[0] == [(500, 1_500, "Asha", "42")]


def test_tiers_that_refer_to_each_other_in_a_circle_are_read_or_refused(tmp_path: Path) -> None:
    tiers = [root(parent="tx@A"), tx()]
    items, errors = read(tmp_path, *tiers)
    assert items or errors
