"""Tags are read as BCP 47 says, the catalogue inherits, and what no reader can tell apart is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import NORMALISER_OF_SCRIPT, Catalogue, DialectTag, load_catalogue
from dialects.errors import DialectError
from dialects.text.normalise import load_normaliser


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("EN-us", "en-US"),
        ("en-029", "en-029"),
        ("EN-SCOTLAND", "en-scotland"),
        ("BHO-deva-X-Maur1239", "bho-Deva-x-maur1239"),
        ("en-gb-x-LANCS", "en-GB-x-lancs"),
        ("de-ch-1996", "de-CH-1996"),
        ("hi-Deva-IN-u-nu-DEVA-x-a", "hi-Deva-IN-u-nu-deva-x-a"),
        ("ar-arz", "arz"),
    ],
)
def test_a_tag_is_written_in_canonical_case(written: str, canonical: str) -> None:
    assert canonical == str(DialectTag.parse(written))


def test_a_glottocode_is_found_in_the_private_use_part() -> None:
    assert DialectTag.parse("bho-Deva-x-maur1239").glottocode == "maur1239"
    assert DialectTag.parse("en-GB-x-lancs").glottocode is None


_letters = st.sampled_from("abcdefghijklmnopqrstuvwyz")


@given(
    language=st.text(_letters, min_size=2, max_size=3),
    script=st.none() | st.text(_letters, min_size=4, max_size=4),
    region=st.none() | st.text(_letters, min_size=2, max_size=2) | st.from_regex(r"[0-9]{3}", fullmatch=True),
    variants=st.lists(st.from_regex(r"[a-z]{5,8}|[0-9][a-z]{3}", fullmatch=True), max_size=2, unique=True),
    private=st.lists(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), max_size=2),
)
def test_a_tag_comes_back_as_it_went_in(
    language: str, script: str | None, region: str | None, variants: list[str], private: list[str]
) -> None:
    text = "-".join(part for part in [language, script, region, *variants, *(["x", *private] * bool(private))] if part)

    tag = DialectTag.parse(text)

    assert text.lower() == str(tag).lower()
    assert tag == DialectTag.parse(str(tag))


@pytest.mark.parametrize(
    "text",
    ["", "en-", "-en", "e", "en--US", "en-GB-x-", "x-lancs", "en-US-GB", "en-abcdefghi", "en-1996-1996", "en-a", "12"],
)
def test_an_ill_formed_tag_is_refused(text: str) -> None:
    with pytest.raises(DialectError, match="E_DIALECT"):
        DialectTag.parse(text)


def test_parents_get_wider_one_subtag_at_a_time() -> None:
    wider = [str(tag) for tag in DialectTag.parse("en-Latn-GB-x-a-b").parents()]

    assert wider == ["en-GB-x-a-b", "en-Latn-GB-x-a", "en-GB-x-a", "en-Latn-GB", "en-GB", "en-Latn", "en"]


@pytest.mark.parametrize(
    ("text", "named", "nearest"),
    [
        ("en_US", "U+005F LOW LINE", "en-US"),
        ("\u0435n-US", "U+0435 CYRILLIC SMALL LETTER IE", "en-US"),
        ("en-US\u200f", "U+200F RIGHT-TO-LEFT MARK", "en-US"),
        ("\u202een-US", "U+202E RIGHT-TO-LEFT OVERRIDE", "en-US"),
        ("\uff25n-GB", "U+FF25 FULLWIDTH LATIN CAPITAL LETTER E", "en-GB"),
        ("hi\u0000", "U+0000 a control character", "hi"),
    ],
)
def test_a_look_alike_or_hidden_character_is_refused_by_name(
    catalogue: Catalogue, text: str, named: str, nearest: str
) -> None:
    with pytest.raises(DialectError) as caught:
        catalogue.find(text)

    assert caught.value.code == "E_DIALECT"
    assert named in caught.value.message
    assert caught.value.hint == f"did you mean {nearest}?"


@pytest.mark.parametrize(("text", "nearest"), [("eng-US", "en-US"), ("hindi", "hi"), ("tam", "ta"), ("bhoj", "bho")])
def test_an_unknown_language_is_refused_naming_the_nearest(catalogue: Catalogue, text: str, nearest: str) -> None:
    with pytest.raises(DialectError, match="is not in the catalogue") as caught:
        catalogue.find(text)

    assert caught.value.hint == f"did you mean {nearest}?"


def test_an_unlisted_tag_inherits_from_its_nearest_parent_and_says_so(catalogue: Catalogue) -> None:
    yorkshire = catalogue.find("en-GB-x-yorks")

    assert (yorkshire.tag, yorkshire.parent, yorkshire.normaliser) == ("en-GB-x-yorks", "en-GB", "latn-en-v1")
    assert yorkshire.warning == "W_DIALECT: en-GB-x-yorks is not in the catalogue; it inherits from en-GB"


def test_a_listed_tag_gives_no_warning(catalogue: Catalogue) -> None:
    assert catalogue.find("en-gb").warning is None


def test_only_listed_tags_are_taken_where_strictness_is_asked_for(catalogue: Catalogue) -> None:
    with pytest.raises(DialectError, match="only listed dialects"):
        catalogue.find("en-GB-x-yorks", strict=True)
    assert catalogue.find("en-GB-x-lancs", strict=True).listed


def test_the_usual_script_said_aloud_is_no_new_dialect(catalogue: Catalogue) -> None:
    bhojpuri = catalogue.find("bho-Deva", strict=True)

    assert (bhojpuri.tag, bhojpuri.name, bhojpuri.warning) == ("bho-Deva", "Bhojpuri", None)


def test_another_script_brings_its_own_normaliser_and_no_prompt(tmp_path: Path) -> None:
    (tmp_path / "hi.toml").write_text(
        'language = "hi"\nname = "Hindi"\nscript = "Deva"\nprompt = "नमस्ते"\nhotwords = ["जी"]\n'
    )
    latin = load_catalogue(tmp_path).find("hi-Latn-FJ")

    assert (latin.script, latin.normaliser, latin.prompt, latin.hotwords) == ("Latn", "latn-v2", None, ())


def test_hindi_mixed_with_english_keeps_the_words_of_both_scripts(catalogue: Catalogue) -> None:
    mixed = catalogue.find("hi-x-mixed", strict=True)
    normalise = load_normaliser(mixed.normaliser)

    assert (mixed.parent, mixed.language, mixed.script) == ("hi", "hi", "Deva")
    assert normalise("ऐसे Wrong figures भेजेंगे, तो manager साहब?") == "ऐसे wrong figures भेजेंगे तो manager साहब"


def test_a_glottocode_is_never_inherited(catalogue: Catalogue) -> None:
    assert catalogue.find("en").glottocode == "stan1293"
    assert catalogue.find("en-US").glottocode is None
    assert catalogue.find("bho-x-abcd1234").glottocode == "abcd1234"


PROMISED = (
    *("en-US", "en-GB", "en-029", "en-scotland", "en-IN", "en-GB-x-lancs", "en-GB-x-wmids", "en-US-x-nyc"),
    *("en-BE-x-fr", "en-DE-x-de", "hi", "bho", "awa", "mai", "mag", "raj", "ta", "te", "kn", "ml", "bn", "mr", "gu"),
    *("pa", "or", "as", "ur", "ne", "sd", "ks", "kok", "sat", "doi", "mni", "brx", "sa", "de", "gsw", "ar", "arz"),
    *("es", "fr", "pt", "sw", "zh", "ja", "th", "hi-x-mixed"),
)


@pytest.mark.parametrize("tag", PROMISED)
def test_the_catalogue_names_the_dialects_it_promises(catalogue: Catalogue, tag: str) -> None:
    assert catalogue.find(tag, strict=True).tag == tag


def test_every_entry_holds_together(catalogue: Catalogue) -> None:
    for tag, dialect in catalogue.dialects.items():
        parsed = DialectTag.parse(tag)
        assert tag == str(parsed) == dialect.tag
        assert dialect.parent is None or dialect.parent in catalogue.dialects
        assert load_normaliser(dialect.normaliser).id == dialect.normaliser
        assert parsed.script in (None, dialect.script)
        assert dialect.iso639_3 is None or len(dialect.iso639_3) == 3


def test_no_two_entries_share_a_glottocode_or_a_name(catalogue: Catalogue) -> None:
    dialects = catalogue.dialects.values()
    codes = [dialect.glottocode for dialect in dialects if dialect.glottocode]
    names = [dialect.name for dialect in dialects]

    assert len(codes) == len(set(codes))
    assert len(names) == len(set(names))


def test_every_script_has_a_normaliser_that_loads() -> None:
    assert {load_normaliser(name).id for name in NORMALISER_OF_SCRIPT.values()} == set(NORMALISER_OF_SCRIPT.values())


def test_a_workspace_adds_and_replaces_dialects(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(
        'language = "en"\n[[variety]]\ntag = "en-GB-x-yorks"\nname = "English, Yorkshire"\nhotwords = ["nowt"]\n'
    )
    (tmp_path / "kl.toml").write_text('language = "kl"\nname = "Kalaallisut"\nscript = "Latn"\n')

    catalogue = load_catalogue(tmp_path)

    assert catalogue.find("en-GB-x-yorks", strict=True).hotwords == ("nowt",)
    assert catalogue.find("en-GB-x-yorks-x").parent == "en-GB-x-yorks"
    assert catalogue.find("kl", strict=True).normaliser == "latn-v2"
    assert catalogue.hash != load_catalogue().hash


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('language = "kl"\nname = "x"\n', "needs language, name and script"),
        ('language = "kl"\nname = "x"\nscript = "Latn"\nnormalizer = "none"\n', "'normalizer', which means nothing"),
        ('language = "kl"\nname = "x"\nscript = "Latn"\n[[variety]]\ntag = "xx-YY"\nname = "y"\n', "has no entry"),
        ('language = "kl"\nname = "x"\nscript = "Latn"\n[[variety]]\nname = "y"\n', "needs a tag and a name"),
        ("language = ", "read as a dialect file"),
    ],
)
def test_a_broken_dialect_file_is_named_with_its_fault(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "kl.toml").write_text(text)

    with pytest.raises(DialectError, match="E_CATALOGUE") as caught:
        load_catalogue(tmp_path)

    assert reason in caught.value.message
    assert "kl.toml" in caught.value.message
