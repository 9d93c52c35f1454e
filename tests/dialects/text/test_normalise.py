"""Normalisers change what they say they change, twice as once, and never a vowel sign."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.errors import DialectError
from dialects.text.normalise import (
    GUARDED_SCRIPTS,
    Normaliser,
    WordMemory,
    guarded_marks,
    hash_of,
    load_normaliser,
    marks_of,
    normaliser_ids,
)
from dialects.text.steps import STEPS
from tests.dialects.factories import texts

#: Those that the catalogue's dialects are compared by.
IN_USE = sorted({dialect.normaliser for dialect in load_catalogue().dialects.values()} - {"none"})
EVERY_ID = st.sampled_from(normaliser_ids())
#: These read a table, and do nothing without one.
OWN_STEPS = sorted(set(STEPS) - {"drop-tags", "read-number-marks", "fold-numbers", "map"})


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@given(st.sampled_from(OWN_STEPS), texts)
def test_a_step_done_twice_is_as_done_once(name: str, text: str) -> None:
    step = STEPS[name].apply

    assert nfc(step(nfc(text))) == nfc(step(nfc(step(nfc(text)))))


@given(st.sampled_from(OWN_STEPS), texts)
def test_a_step_treats_equivalent_texts_alike(name: str, text: str) -> None:
    step = STEPS[name].apply

    assert nfc(step(nfc(text))) == nfc(step(unicodedata.normalize("NFD", text)))


@given(st.sampled_from([name for name in OWN_STEPS if not STEPS[name].may_retokenise]), texts)
def test_only_steps_that_say_so_change_the_number_of_words(name: str, text: str) -> None:
    assert len(text.split()) == len(STEPS[name].apply(text).split())


@pytest.mark.parametrize("name", sorted(name for name in STEPS if not STEPS[name].lossy))
def test_no_plain_step_removes_a_vowel_sign(name: str) -> None:
    for script, letter, mark in guarded_marks():
        composed, stepped = nfc(letter + mark), STEPS[name].apply(nfc(letter + mark))
        assert marks_of(unicodedata.normalize("NFD", composed)) == marks_of(unicodedata.normalize("NFD", stepped)), (
            script
        )


def test_marks_of_all_guarded_scripts_are_tried() -> None:
    assert set(GUARDED_SCRIPTS) == {script for script, _, _ in guarded_marks()}
    assert len(guarded_marks()) > 400


@given(EVERY_ID, texts)
def test_a_normaliser_done_twice_is_as_done_once(name: str, text: str) -> None:
    normalise = load_normaliser(name)

    assert normalise(text) == normalise(normalise(text))


@given(EVERY_ID.filter(lambda name: name != "none"), texts)
def test_canonically_equivalent_texts_become_the_same(name: str, text: str) -> None:
    normalise = load_normaliser(name)

    assert normalise(nfc(text)) == normalise(unicodedata.normalize("NFD", text))


@given(EVERY_ID, texts)
def test_remembered_words_give_what_the_steps_give(name: str, text: str) -> None:
    normalise = load_normaliser(name)

    assert normalise.apply(text) == normalise(text)


@given(EVERY_ID, texts)
def test_the_lossy_fold_is_stable_too(name: str, text: str) -> None:
    normalise = load_normaliser(name)

    assert normalise.with_lossy(text) == normalise.with_lossy(normalise.with_lossy(text))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("indic-v1", "क्\u200dया अवनी  आई।", "क्या अवनी आई"),
        ("indic-v1", "मेरी (१२) ₹५", "मेरी १२ ५"),
        ("indic-v1+digits", "मेरी १२", "मेरी 12"),
        ("indic-v2", "\u200eमेरी\u200f १२ [noise] Dilli।", "मेरी 12 dilli"),
        ("indic-v2", "അവന്\u200d", "അവൻ"),
        ("latn-v1", "He said “Don’t re-do it”, ok? [laughter] 'em", "he said don't re-do it ok em"),
        ("latn-v1", "Straße um y'all gonna", "straße um y'all gonna"),
        ("latn-v1", "blåbær jeg så", "blåbær jeg så"),
        ("latn-swiss-v1", "Straße", "strasse"),
        ("latn-turkic-v1", "IĞDIR İzmir", "ığdır izmir"),
        ("arab-v1", "كَتَبَ الوَلَدُ ١٢", "كتب الولد 12"),
        ("arab-v1", "أحمد", "أحمد"),
        ("arab-ks-v1", "كَتَب", "كَتَب"),
        ("arab-ur-v1", "می\u200cروم", "می روم"),
        ("unspaced-v1", "ฉัน\u200bอ่าน", "ฉัน อ่าน"),
        ("all-v1", "Привет, МИР!", "привет мир"),
        ("none", " a\u00a0 b ", " a\u00a0 b "),
        ("latn-v2", "hello[laughter] [laughter], [BLANK_AUDIO] [Music]. <unk>um", "hello um"),
        ("latn-v2", "a[b] [c] (aside) 2 < 3 > 1", "a b c aside 2 3 1"),
        ("latn-v2", "(laughs) *coughs* [Background Noise] <v-noise> [ Silence ] ［music］ hello(LAUGHTER)", "hello"),
        ("all-v1", "[MUSIC PLAYING] да[laughter], re\u2010do re\u2011do", "да re-do re-do"),
        ("arab-v1", "[BLANK_AUDIO] نعم[laughter]،", "نعم"),
        ("unspaced-v1", "[laughter], ไป[noise]", "ไป"),
        ("latn-swiss-v1", "ja[laughter], re\u2010do", "ja re-do"),
        ("latn-turkic-v1", "evet[laughter], re\u2011do", "evet re-do"),
        ("indic-v3", "हाँ[laughter], [BLANK_AUDIO] १,२०,०००", "हाँ 1 2 0000"),
        (
            "latn-v2",
            "re\u2010do re\u2011do re\u2012do re\u2013do re\u2212do re\ufe63do re\uff0ddo",
            " ".join(["re-do"] * 7),
        ),
        ("latn-v2", "yes \u2013 no \u2212 maybe, well\u2014no", "yes no maybe well no"),
        ("latn-v2", "six hundred", "six hundred"),
    ],
)
def test_a_text_becomes(name: str, text: str, expected: str) -> None:
    assert expected == load_normaliser(name)(text)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("indic-v2", "ज़मीन हिन्दी हूँ", "जमीन हिंदी हूं"),
        ("arab-v1", "أحمد مدرسة", "احمد مدرسه"),
        ("arab-ur-v1", "كيا", "کیا"),
        ("latn-v1", "blåbær", "blabær"),
    ],
)
def test_distinct_spellings_meet_only_in_the_lossy_column(name: str, first: str, second: str) -> None:
    normalise = load_normaliser(name)

    assert normalise(first) != normalise(second)
    assert normalise.with_lossy(first) == normalise.with_lossy(second)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("arab-ur-v2", "\u0643\u06cc\u0627", "\u06a9\u06cc\u0627"),
        ("arab-ur-v2", "\u06c1\u06cc\u06ba", "\u0647\u064a\u06ba"),
        ("arab-ur-v2", "\u06af\u0626\u06cc", "\u06af\u06cc\u0654\u06cc"),
        ("arab-ur-v2", "\u0645\u062f\u0631\u0633\u06c3", "\u0645\u062f\u0631\u0633\u0629"),
        ("arab-ks-v2", "\u06a9\u06be", "\u0643\u06be"),
        ("taml-ta-v1", "\u0b95\u0bcc\u0bb0\u0bb5\u0bae\u0bcd", "\u0b95\u0bc6\u0bb3\u0bb0\u0bb5\u0bae\u0bcd"),
        ("taml-ta-v1", "\u0b94\u0bb5\u0bc8", "\u0b92\u0bb3\u0bb5\u0bc8"),
        ("mlym-ml-v1", "അവ\u0d7b", "അവന്\u200d"),
        ("mlym-ml-v1", "എ\u0d28\u0d4d\u0d31െ", "എ\u0d7b\u0d31െ"),
        ("mlym-ml-v1", "എ\u0d28\u0d4d\u0d31െ", "എ\u0d7b\u0d4d\u0d31െ"),
        ("mlym-ml-v1", "\u0d08", "\u0d07\u0d57"),
        ("deva-hi-v1", "\u0906म", "\u0905\u093eम"),
        ("deva-hi-v1", "क\u094bई", "क\u093e\u0947ई"),
        ("indic-v3", "\u0986ম", "\u0985\u09beম"),
        ("indic-v3", "হঠা\u09ce", "হঠা\u09a4\u09cd\u200d"),
        ("indic-v3", "\u0a06ਮ", "\u0a05\u0a3eਮ"),
        ("indic-v3", "\u0a09ਹ", "\u0a73\u0a41ਹ"),
        ("indic-v3", "\u0a93ળખ", "\u0a85\u0acbળખ"),
        ("indic-v3", "\u0b06ମ", "\u0b05\u0b3eମ"),
        ("indic-v3", "\u0c13ం", "\u0c12\u0c55ం"),
        ("indic-v3", "\u0c94ಷಧ", "\u0c92\u0cccಷಧ"),
        ("indic-v3", "\u0d86ව", "\u0d85\u0dcfව"),
        ("deva-hi-v1", "सु\u0931\u094dया", "सु\u0930\u094d\u200dया"),
        ("deva-hi-v1", "दु\u0903ख", "दु:ख"),
        ("taml-ta-v1", "\u0bb6\u0bcd\u0bb0\u0bc0", "\u0bb8\u0bcd\u0bb0\u0bc0"),
        *(("mlym-ml-v1", chillu, f"{letter}\u0d4d\u200d") for chillu, letter in zip("ൺൻർൽൾൿ", "ണനരലളക", strict=True)),
        ("unspaced-v1", "\u0e41ม", "\u0e40\u0e40ม"),
        ("unspaced-v1", "น\u0e49\u0e33", "น\u0e4d\u0e49\u0e32"),
        ("unspaced-v1", "น\u0e49\u0e33", "น\u0e49\u0e4d\u0e32"),
        ("unspaced-v1", "ガ", "ｶﾞ"),
        ("arab-v1", "\u0643\u062a\u0627\u0628\u064a", "\u06a9\u062a\u0627\u0628\u064a"),
        ("arab-v1", "\u0628\u064a\u062a", "\u0628\u06cc\u062a"),
        ("arab-v1", "\u0639\u0644\u0649", "\u0639\u0644\u06cc"),
        ("arab-v1", "\u0644\u0627", "\ufefb"),
        ("arab-ps-v1", "\u06a9\u0648\u0631", "\u0643\u0648\u0631"),
        ("arab-sd-v1", "\u0647\u0646", "\u06c1\u0646"),
        ("latn-v2", "\u0219coal\u0103", "\u015fcoal\u0103"),
        ("latn-v2", "\ufb01nd ĳs", "find ijs"),
        ("latn-v2", "\uff21bc", "abc"),
        ("all-v1", "ג\u05f3ירפה", "ג'ירפה"),
        ("all-v1", "בית\u05beספר", "בית-ספר"),
        ("all-v1", "ա\u058aբ", "ա-բ"),
        ("mlym-ml-v1", "യ\u0d4cവനം", "യ\u0d57വനം"),
        ("mlym-ml-v1", "\u0d54", "മ\u0d4d\u200d"),
        ("arab-ur-v2", "\u06aaتاب", "\u06a9تاب"),
        ("arab-ur-v2", "ا\u06e4پ", "آپ"),
        ("arab-v1", "\u06aaتاب", "\u0643تاب"),
        ("arab-ps-v1", "\u06aaور", "\u06a9ور"),
        ("indic-v3", "\u09b0াত", "\u09ac\u09bcাত"),
        *(("deva-hi-v1", f"{stem}\u0903", f"{stem}:") for stem in ("अत", "प्राय", "संभवत", "पुन", "क्रमश", "प्रात", "नम")),
        ("deva-hi-v1", "(विशेषत\u0903)", "(विशेषत:)"),
    ],
)
def test_spellings_that_look_and_mean_the_same_meet(name: str, first: str, second: str) -> None:
    assert load_normaliser(name)(first) == load_normaliser(name)(second)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("arab-ur-v2", "\u06c1", "\u06be"),
        ("arab-ur-v2", "\u06a9", "\u06af"),
        ("arab-ur-v2", "\u06cc", "\u06d2"),
        ("taml-ta-v1", "\u0bb5\u0bc6\u0bb3\u0bbf", "\u0bb5\u0bcc\u0bbf"),
        ("taml-ta-v1", "வெள்ளை", "வௌ்ளை"),
        ("mlym-ml-v1", "\u0d7b", "\u0d28"),
        ("deva-hi-v1", "क\u093e", "क\u0947"),
        ("deva-hi-v1", "ज़मीन", "जमीन"),
        ("deva-hi-v1", "सु\u0930\u094dया", "सु\u0931\u094dया"),
        ("arab-ps-v1", "\u064a", "\u06cc"),
        ("arab-sd-v1", "\u06aa", "\u06a9"),
        ("arab-v1", "\u0639\u0644\u064a", "\u0639\u0644\u0649"),
        *(("deva-hi-v1", f"{word}\u0903 हाँ", f"{word}: हाँ") for word in ("बात", "उत्तर", "राम", "बहुत", "समय")),
        ("indic-v3", "ব", "ব়"),
    ],
)
def test_letters_that_only_look_alike_stay_apart(name: str, first: str, second: str) -> None:
    assert load_normaliser(name)(first) != load_normaliser(name)(second)


@pytest.mark.parametrize("name", ["whisper", "whisper-basic", "basic", "BasicTextNormalizer", "remove_diacritics"])
def test_the_whisper_normaliser_cannot_be_asked_for(name: str, tmp_path: Path) -> None:
    with pytest.raises(DialectError, match="makes WER lower and not better"):
        load_normaliser(name)
    (tmp_path / "mine.toml").write_text(f'id = "mine"\nversion = 1\nsteps = ["nfc", "{name}"]\n')
    with pytest.raises(DialectError, match="does not exist; it deletes vowel signs"):
        load_normaliser("mine", tmp_path)


@pytest.mark.parametrize("replacement", ["", " ", "ि"])
def test_a_table_that_touches_a_vowel_sign_is_refused_when_loaded(tmp_path: Path, replacement: str) -> None:
    (tmp_path / "mine.toml").write_text(
        f'id = "mine"\nversion = 1\nsteps = ["nfc", "map"]\n[tables.map]\n"ी" = "{replacement}"\n'
    )

    with pytest.raises(DialectError, match=r"U\+0940 DEVANAGARI VOWEL SIGN II"):
        load_normaliser("mine", tmp_path)


def test_a_lossy_step_cannot_stand_among_the_plain_ones() -> None:
    with pytest.raises(DialectError, match="distinct words equal"):
        Normaliser(id="x", version=1, steps=("nfc", "drop-nukta"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('id = "other"\nversion = 1\nsteps = []\n', 'needs id = "mine"'),
        ('id = "mine"\nsteps = []\n', "needs id"),
        ('id = "mine"\nversion = 1\nsteps = ["nfd"]\n', "the step 'nfd', which does not exist"),
        ('id = "mine"\nversion = 1\nsteps = []\nprimary = "der"\n', "write wer or cer"),
        ('id = "mine"\nversion = 1\nsteps = ["map"]\n[tables.map]\na = "b"\nb = "c"\n', "twice is as once"),
        ('id = "mine"\nversion = 1\nsteps = []\n[tables]\nwords = []\n', "tables may be"),
        ('id = "mine"\nversion = 1\nsteps = ["spaces", "fold-numbers", "nfc"]\n', "put it last"),
        ('id = "mine"\nversion = 1\nsteps = ["fold-numbers"]\n', "no step 'spaces'"),
        (
            'id = "mine"\nversion = 1\nsteps = ["spaces", "fold-numbers"]\n[tables]\nnumbers = ["tlh"]\n',
            "the number words of 'tlh'",
        ),
        ("id = ", "read as a normaliser"),
    ],
)
def test_a_broken_normaliser_file_is_refused_with_its_fault(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "mine.toml").write_text(text)

    with pytest.raises(DialectError, match="E_NORMALISER") as caught:
        load_normaliser("mine", tmp_path)

    assert reason in str(caught.value)


def test_an_unknown_id_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DialectError, match=r"there is none; choose one of .*indic-v1"):
        load_normaliser("indic-v9")


def test_a_workspace_normaliser_wins_over_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "latn-v1.toml").write_text('id = "latn-v1"\nversion = 2\nsteps = ["nfc", "spaces"]\n')

    assert load_normaliser("latn-v1", tmp_path)("A,  b") == "A, b"


def test_the_hash_follows_whatever_decides_the_output() -> None:
    plain = Normaliser(id="x", version=1, steps=("nfc", "spaces"))
    others = [
        Normaliser(id="x", version=2, steps=("nfc", "spaces")),
        Normaliser(id="x", version=1, steps=("nfc",)),
        Normaliser(id="x", version=1, steps=("nfc", "spaces"), lossy=("fold-alef",)),
        Normaliser(id="x", version=1, steps=("nfc", "spaces"), tables={"tags": ["[x]"]}),
        Normaliser(id="x", version=1, steps=("nfc", "spaces"), tables={"numbers": ["en"]}),
    ]

    assert len({normaliser.hash for normaliser in (plain, *others)}) == 6
    assert plain.hash == Normaliser(id="x", version=1, steps=("nfc", "spaces")).hash


def test_a_set_of_normalisers_has_one_hash_in_any_order() -> None:
    first, second = load_normaliser("latn-v1"), load_normaliser("indic-v2")

    assert hash_of([first]) == first.hash
    assert hash_of([first, second]) == hash_of([second, first, second]) != first.hash


def test_memory_of_words_stays_bounded() -> None:
    memory = WordMemory(str.upper, most=3)

    assert [memory[word] for word in "abcdab"] == list("ABCDAB")
    assert len(memory) <= 3


@pytest.mark.parametrize("name", IN_USE)
@pytest.mark.parametrize("tag", ["[laughter],", "[BLANK_AUDIO]", "a[laughter]", "<noise>a", "[music playing]"])
def test_no_language_scores_a_tag_as_a_word(name: str, tag: str) -> None:
    assert load_normaliser(name)(tag) in ("", "a")


def test_a_colon_behind_a_label_and_in_a_time_is_no_visarga() -> None:
    assert load_normaliser("deva-hi-v1")("उत्तर: समय: १२:३० बात:") == "उत्तर समय 1 2 3 0 बात"


@pytest.mark.parametrize("name", IN_USE)
@pytest.mark.parametrize("hyphen", ["\u2010", "\u2011"])
def test_in_no_language_are_hyphens_of_two_kinds_an_error(name: str, hyphen: str) -> None:
    normalise = load_normaliser(name)

    assert normalise(f"a{hyphen}b c{hyphen}d") == normalise("a-b c-d")
