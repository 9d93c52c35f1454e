"""Numbers count alike in words and in digits, and two different numbers never do."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.report.table import build
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import count
from dialects.text.normalise import load_normaliser
from dialects.text.number_words import Piece, load_number_words, value_of
from tests.dialects.factories import pair

NORMALISER = {"en": "latn-en-v1", "hi": "deva-hi-v1", "ta": "taml-ta-v1", "ml": "mlym-ml-v1"}
LANGUAGES = st.sampled_from(sorted(NORMALISER))
CRORE = 10_000_000


def fold(language: str, text: str) -> str:
    return load_normaliser(NORMALISER[language])(text)


def table(language: str) -> dict[str, dict[str, list[str]]]:
    file = resources.files("dialects") / "catalogue" / "numbers" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def words_of(language: str) -> dict[int, str]:
    return {int(number): spellings[0] for number, spellings in table(language)["words"].items()}


SMALL = {language: words_of(language) for language in NORMALISER}

# What a tens or hundreds word ends in where a unit is run together with it, and the units with it.
TAMIL_UNITS = dict(enumerate(("ொன்று", "ிரண்டு", "ிமூன்று", "ுநான்கு", "ைந்து", "ாறு", "ேழு", "ெட்டு", "ொன்பது"), start=1))
TAMIL_TENS = dict(enumerate(("இருபத்த", "முப்பத்த", "நாற்பத்த", "ஐம்பத்த", "அறுபத்த", "எழுபத்த", "எண்பத்த", "தொண்ணூற்ற"), start=2))
TAMIL_HUNDREDS = dict(
    enumerate(
        ("நூற்று", "இருநூற்று", "முந்நூற்று", "நானூற்று", "ஐந்நூற்று", "அறுநூற்று", "எழுநூற்று", "எண்ணூற்று", "தொள்ளாயிரத்து"),
        start=1,
    )
)
MALAYALAM_UNITS = dict(enumerate(("യൊന്ന്", "രണ്ട്", "മൂന്ന്", "നാല്", "യഞ്ച്", "യാറ്", "യേഴ്", "യെട്ട്", "യൊമ്പത്"), start=1))
MALAYALAM_TENS = dict(
    enumerate(("ഇരുപത്തി", "മുപ്പത്തി", "നാല്പത്തി", "അമ്പത്തി", "അറുപത്തി", "എഴുപത്തി", "എൺപത്തി", "തൊണ്ണൂറ്റി"), start=2)
)
MALAYALAM_HUNDREDS = dict(
    enumerate(("നൂറ്റി", "ഇരുനൂറ്റി", "മുന്നൂറ്റി", "നാനൂറ്റി", "അഞ്ഞൂറ്റി", "അറുനൂറ്റി", "എഴുനൂറ്റി", "എണ്ണൂറ്റി", "തൊള്ളായിരത്തി"), start=1)
)


def below_hundred(language: str, number: int) -> str:
    tens, unit = divmod(number, 10)
    if number in SMALL[language]:
        return SMALL[language][number]
    if language == "ta":
        return TAMIL_TENS[tens] + TAMIL_UNITS[unit]
    if language == "ml":
        return MALAYALAM_TENS[tens] + MALAYALAM_UNITS[unit]
    return f"{SMALL[language][10 * tens]} {SMALL[language][unit]}"


def below_thousand(language: str, number: int) -> str:
    hundreds, remainder = divmod(number, 100)
    if not hundreds:
        return below_hundred(language, remainder)
    if language in ("en", "hi"):
        parts = [SMALL[language][hundreds], "hundred" if language == "en" else "सौ"]
        return " ".join([*parts, below_hundred(language, remainder)] if remainder else parts)
    if not remainder:
        return SMALL[language][number] if hundreds > 1 else {"ta": "நூறு", "ml": "നൂറ്"}[language]
    joining = {"ta": TAMIL_HUNDREDS, "ml": MALAYALAM_HUNDREDS}[language]
    return f"{joining[hundreds]} {below_hundred(language, remainder)}"


SCALES = {
    "en": {CRORE: ("crore",) * 2, 100_000: ("lakh",) * 2, 1000: ("thousand",) * 2},
    "hi": {CRORE: ("करोड़",) * 2, 100_000: ("लाख",) * 2, 1000: ("हज़ार",) * 2},
    "ta": {CRORE: ("கோடி",) * 2, 100_000: ("லட்சம்", "லட்சத்து"), 1000: ("ஆயிரம்", "ஆயிரத்து")},
    "ml": {CRORE: ("കോടി",) * 2, 100_000: ("ലക്ഷം", "ലക്ഷത്തി"), 1000: ("ആയിരം", "ആയിരത്തി")},
}


def spell(language: str, number: int) -> str:
    """*number* in words, as people of India say it."""
    if number == 0:
        return SMALL[language][0]
    parts: list[str] = []
    for scale, (last, before_more) in SCALES[language].items():
        times, number = divmod(number, scale)
        if times:
            parts += [below_hundred(language, times), before_more if number else last]
    return " ".join([*parts, below_thousand(language, number)] if number else parts)


@given(LANGUAGES, st.integers(0, CRORE))
def test_a_number_in_words_counts_as_in_digits(language: str, number: int) -> None:
    assert fold(language, str(number)) == fold(language, spell(language, number))


@pytest.mark.parametrize("language", sorted(NORMALISER))
def test_every_number_below_a_thousand_counts_alike_in_words_and_digits(language: str) -> None:
    for number in range(1000):
        assert fold(language, str(number)) == fold(language, spell(language, number)), spell(language, number)


@given(LANGUAGES, st.integers(0, CRORE), st.integers(0, CRORE))
def test_two_different_numbers_never_count_alike(language: str, first: int, second: int) -> None:
    assert (fold(language, spell(language, first)) == fold(language, spell(language, second))) == (first == second)


@given(st.integers(0, 10**9))
def test_the_folded_words_are_the_digits_and_rows_of_zeros(number: int) -> None:
    words = fold("en", str(number)).split()

    assert str(number) == "".join(words)
    assert all(word in "123456789" or set(word) == {"0"} for word in words)


@pytest.mark.parametrize("language", sorted(NORMALISER))
def test_no_spelling_stands_for_two_numbers(language: str) -> None:
    spellings = [
        (spelling, int(number) if key != "bound" else -int(number))
        for key in ("words", "scales", "bound", "joining")
        for number, group in table(language).get(key, {}).items()
        for spelling in group
    ]
    values: dict[str, set[int]] = {}
    for spelling, number in spellings:
        values.setdefault(spelling, set()).add(abs(number))

    assert not {spelling for spelling, numbers in values.items() if len(numbers) > 1}


@pytest.mark.parametrize("language", sorted(NORMALISER))
def test_every_listed_spelling_counts_as_its_number(language: str) -> None:
    for key in ("words", "joining", "scales"):
        for number, group in table(language).get(key, {}).items():
            for spelling in group:
                if spelling not in table(language).get("scales_after_numbers", []):
                    assert fold(language, number) == fold(language, spelling), spelling


EQUAL = [
    ("en", "seven nine five", "7, 9, 5"),
    ("en", "seven nine five", "795"),
    ("en", "seven hundred and ninety five", "795"),
    ("en", "seven ninety-five", "795"),
    ("en", "1,20,000 rupees", "one lakh twenty thousand rupees"),
    ("en", "1,20,000", "120000"),
    ("en", "120,000", "1,20,000"),
    ("en", "5,000.50", "five thousand point five zero"),
    ("en", "at 5:30", "at five thirty"),
    ("en", "at 5:05", "at five oh five"),
    ("en", "99 Willow Lane 493", "ninety nine willow lane four nine three"),
    ("en", "the 21st of", "the twenty first of"),
    ("en", "the 21st of", "the twenty-first of"),
    ("en", "a 20 second timer", "a twenty second timer"),
    ("en", "50 %", "fifty percent"),
    ("en", "50%", "fifty per cent"),
    ("en", "double four triple seven", "44777"),
    ("en", "555\u20111234", "five five five one two three four"),
    ("en", "double oh seven", "007"),
    ("en", "four oh two", "402"),
    ("en", "nineteen ninety nine", "1999"),
    ("en", "a hundred dollars", "100 dollars"),
    ("en", "1.5 million", "one point five million"),
    ("en", "1.5 million", "1,500,000"),
    ("en", "5 thousand", "five thousand"),
    ("en", "No one came", "no-one came"),
    ("en", "a 21-year-old", "a twenty one year old"),
    ("en", "two thousand five hundred crore", "2,500 crore"),
    ("hi", "मेरे पास १२ आम", "मेरे पास बारह आम"),
    ("hi", "मेरे पास १२ आम", "मेरे पास 12 आम"),
    ("hi", "एक लाख बीस हज़ार", "१,२०,०००"),
    ("hi", "एक लाख बीस हजार", "1,20,000"),
    ("hi", "साढ़े तीन लाख", "3,50,000"),
    ("hi", "डेढ़ सौ", "150"),
    ("hi", "सवा लाख", "1,25,000"),
    ("hi", "पौने दो करोड़", "1,75,00,000"),
    ("hi", "पचास प्रतिशत", "५० %"),
    ("hi", "इक्कीसवाँ", "21वां"),
    ("hi", "पाँच दशमलव दो", "5.2"),
    ("hi", "twenty five रुपये", "25 रुपये"),
    ("hi", "दो अरब", "2,00,00,00,000"),
    ("ta", "இருபத்தைந்து", "25"),
    ("ta", "இருபத்தஞ்சு", "இருபத்தி ஐந்து"),
    ("ta", "ஒரு லட்சத்து இருபதாயிரம்", "1,20,000"),
    ("ta", "மூவாயிரத்து ஐந்நூறு", "3500"),
    ("ta", "நூற்றைம்பது ரூபாய்", "150 ரூபாய்"),
    ("ta", "௨௫", "இருபத்தைந்து"),
    ("ml", "ഇരുപത്തിയഞ്ച്", "25"),
    ("ml", "ഇരുപത്തഞ്ചു", "൨൫"),
    ("ml", "ഒരു ലക്ഷത്തി ഇരുപതിനായിരം", "1,20,000"),
    ("ml", "മൂവായിരത്തിയഞ്ഞൂറ്", "3500"),
    ("ml", "നൂറ്റമ്പത് രൂപ", "150 രൂപ"),
]

DIFFERENT = [
    ("en", "fifty", "fifteen"),
    ("en", "two hundred five", "2005"),
    ("en", "seven hundred", "seven"),
    ("en", "5.2", "52"),
    ("en", "5.2", "5 2"),
    ("en", "twenty first", "twenty one"),
    ("en", "first", "1"),
    ("en", "oh, two", "02"),
    ("en", "five lakh", "five crore"),
    ("en", "one thousand", "one hundred"),
    ("en", "one hundred and two hundred", "102 hundred"),
    ("en", "5 percent", "5 point"),
    ("hi", "पचास", "पंद्रह"),
    ("hi", "उनतीस", "उनतालीस"),
    ("hi", "बीस पाँच", "पच्चीस"),
    ("hi", "साढ़े तीन", "3"),
    ("hi", "अरब देश", "1000000000 देश"),
    ("hi", "तेरा", "13"),
    ("hi", "इक्कीसवां", "21"),
    ("ta", "இருபது", "பன்னிரண்டு"),
    ("ta", "முப்பது", "முந்நூறு"),
    ("ta", "வெள்ளை", "2"),
    ("ml", "അറുപത്", "ആറ്"),
    ("ml", "രണ്ടുമൂന്ന്", "23000"),
]


@pytest.mark.parametrize(("language", "first", "second"), EQUAL)
def test_the_same_number_counts_alike(language: str, first: str, second: str) -> None:
    assert fold(language, first) == fold(language, second)


@pytest.mark.parametrize(("language", "first", "second"), DIFFERENT)
def test_another_number_stays_an_error(language: str, first: str, second: str) -> None:
    assert fold(language, first) != fold(language, second)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one hundred and two hundred", "1 00 and 2 00"),
        ("five thousand six thousand", "5 000 6 000"),
        ("version 1.2.3", "version 1 2 3"),
        ("oh my two", "oh my 2"),
        ("wait a second", "wait a 2nd"),
        ("11th 12th 113th", "1 1th 1 2th 1 1 3th"),
        ("vitamin b12", "vitamin b12"),
        ("point taken", "point taken"),
        ("a cent per day", "a cent per day"),
    ],
)
def test_a_text_becomes(text: str, expected: str) -> None:
    assert expected == fold("en", text)


PIECES = (
    *(
        "one",
        "two",
        "five",
        "twenty",
        "fifteen",
        "hundred",
        "thousand",
        "lakh",
        "lakhs",
        "crore",
        "and",
        "a",
        "oh",
        "0",
    ),
    *("double", "triple", "point", "percent", "per", "cent", "7", "42", "1,20,000", "5.5", "%", "first", "3rd", "x-5"),
    *("twenty-five", "साढ़े", "डेढ़", "तीन", "सौ", "हज़ार", "अरब", "दशमलव", "21वां", "word", "oh-5", "007", "5-", "-"),
)
SENTENCES = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)


@given(st.sampled_from(["latn-en-v1", "deva-hi-v1", "taml-ta-v1", "indic-v3"]), SENTENCES)
def test_folding_twice_is_as_folding_once(name: str, text: str) -> None:
    normalise = load_normaliser(name)

    assert normalise(text) == normalise(normalise(text)) == normalise.apply(text)
    assert normalise.with_lossy(text) == normalise.with_lossy(normalise.with_lossy(text))


@given(SENTENCES)
def test_folded_words_know_the_parts_they_come_from(text: str) -> None:
    normalise = load_normaliser("deva-hi-v1")
    parts = text.split()
    words = normalise.split_parts(parts)

    assert normalise(text).split() == [word.text for word in words]
    assert all(0 <= word.first <= word.last < len(parts) for word in words)
    assert [word.first for word in words] == sorted(word.first for word in words)


def test_a_word_that_was_not_folded_comes_from_its_own_part() -> None:
    words = load_normaliser("latn-en-v1").split_parts(["I", "paid", "twenty", "five,", "thanks"])

    assert [word[:3] for word in words] == [("i", 0, 0), ("paid", 1, 1), ("2", 2, 2), ("5", 3, 3), ("thanks", 4, 4)]


def test_one_word_is_one_number_only() -> None:
    assert value_of([Piece(20, takes_units=True), Piece(5)]) == 25
    assert value_of([Piece(2), Piece(3)]) is None
    assert load_number_words(("ml",)).parse("രണ്ടുമൂന്ന്") is None


def errors(language: str, reference: str, hypothesis: str) -> tuple[int, ...]:
    ready = Preparer(load_catalogue())(pair(reference, hypothesis, dialect=language))
    return count(ready.reference, ready.hypothesis)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("seven nine five", "795", (3, 0, 0, 0)),
        ("seven nine five", "794", (2, 1, 0, 0)),
        ("it cost five lakh", "it cost 5", (3, 0, 1, 0)),
        ("it cost 5,00,000", "it cost five thousand", (3, 1, 0, 0)),
        ("fifteen", "fifty", (1, 0, 1, 1)),
    ],
)
def test_digits_and_rows_of_zeros_are_counted(reference: str, hypothesis: str, expected: tuple[int, ...]) -> None:
    assert expected == errors("en-IN", reference, hypothesis)


def test_the_report_counts_what_was_folded() -> None:
    report = build([pair("I have twenty five cows and 7 dogs", "I have 25 cows and 7 dogs", dialect="en-IN")])
    row = report.data()["dialects"][0]

    assert (row["words"], row["wer"]) == (8, 0.0)
    assert row["words_folded"] == len(["twenty", "five"]) + len(["25"])
    assert any("folded to digits" in note for note in report.notes())


def test_nothing_is_folded_where_a_strict_normaliser_is_asked_for() -> None:
    report = build([pair("seven nine five", "795", dialect="en-IN")], normaliser="latn-v1")
    row = report.data()["dialects"][0]

    assert (row["words"], row["substitutions"] + row["deletions"], row["words_folded"]) == (3, 3, 0)
    assert not any("folded" in note for note in report.notes())


def test_a_slot_of_a_reference_keeps_its_words_beside_a_number() -> None:
    ready = Preparer(load_catalogue())(pair("twenty { five / six } cows", "twenty six cows", dialect="en-IN"))

    assert ready.reference == ["2", "0", "5", "cows"]
    assert [(span.start, span.end, span.words) for span in ready.spans] == [(2, 3, ("6",))]
