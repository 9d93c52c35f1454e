"""
The closed list of steps that a normaliser may be made of: small functions from text to text.

Each gives the same on its own output, and canonically equivalent texts stay equivalent. A step that may change the
number of words says so. None removes a vowel sign of an Indic or Southeast Asian script; the one that removes a mark
(``drop-nukta``) is lossy, and a lossy step never feeds the primary rate.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import regex

#: A pure text function, idempotent up to canonical equivalence.
Step: TypeAlias = Callable[[str], str]

_ZERO_WIDTH = dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF))
#: Soft hyphen, Arabic letter mark, ZWSP, direction marks and embeddings, word joiner, isolates, BOM.
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
)
_APOSTROPHES = dict.fromkeys((0x2018, 0x2019, 0x201B, 0x02BC, 0xFF07, 0x0060, 0x00B4), "'")
#: Fathatan to sukun, superscript alef, and the Quranic signs. Hamza above and below are letters' parts and stay.
_HARAKAT = dict.fromkeys(
    (*range(0x064B, 0x0653), 0x0670, *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E5), 0x06E7, 0x06E8)
)
_ALEF = {0x0622: "ا", 0x0623: "ا", 0x0625: "ا", 0x0671: "ا"}
_KAF_YEH_TO_FARSI = {0x0643: "ک", 0x064A: "ی", 0x0649: "ی"}
#: Malayalam consonant, virama, joiner: the older spelling of the atomic chillu letters (Unicode 5.1).
_CHILLU = {"ണ്\u200d": "ൺ", "ന്\u200d": "ൻ", "ര്\u200d": "ർ", "ല്\u200d": "ൽ", "ള്\u200d": "ൾ", "ക്\u200d": "ൿ"}
#: Hyphen, non-breaking hyphen, figure dash, en dash, minus, and their small and wide forms.
_HYPHENS = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")
#: Tamil au written as e with the letter lla after it. A lla that carries a sign of its own is a letter: வெள்ளை, வெளி.
_TAMIL_AU = regex.compile(r"([ஒ\u0BC6])ள(?![\u0BBE-\u0BCD\u0BD7])")
_TAMIL_AU_LETTERS = {"ஒ": "ஔ", "\u0bc6": "\u0bcc"}
#: Vowels that were typed as another vowel with a sign and look the same (Unicode 15, tables 12-1, 12-10 and 12-37).
_TYPED_VOWELS = {
    **{"अा": "आ", "अो": "ओ", "अौ": "औ", "अॉ": "ऑ", "अॅ": "ॲ", "आे": "ओ", "आै": "औ", "आॅ": "ऑ", "एॅ": "ऍ", "एे": "ऐ"},
    **{"\u093e\u0947": "\u094b", "\u093e\u0948": "\u094c", "\u093e\u0945": "\u0949"},
    **{"অা": "আ", "ഇൗ": "ഈ", "ഉൗ": "ഊ", "എെ": "ഐ", "ഒാ": "ഓ", "ഒൗ": "ഔ"},
}
_TYPED_VOWEL = regex.compile("|".join(sorted(_TYPED_VOWELS, key=len, reverse=True)))
#: Malayalam nta with a chillu, with or without a virama, for the conjunct.
_CHILLU_NTA = regex.compile("ൻ്?റ")
#: Arabic letters for which Urdu and Persian have their own: kaf, yeh, alef maksura, heh, teh marbuta, heh with hamza.
_URDU_LETTERS = {0x0643: "ک", 0x064A: "ی", 0x0649: "ی", 0x0647: "ہ", 0x0629: "ۃ", 0x06C0: "ۂ", 0x06D5: "ہ"}
_INDIC_NASALS = regex.compile(r"ङ्(?=[क-घ])|ञ्(?=[च-झ])|ण्(?=[ट-ढ])|न्(?=[त-ध])|म्(?=[प-भ])")


class _ByCategory(dict[int, str | int | None]):
    """A translation table that looks up the category of a character when it first meets it."""

    def __init__(self, choose: Callable[[str, str], str | int | None]) -> None:
        super().__init__()
        self._choose = choose

    def __missing__(self, code: int) -> str | int | None:
        character = chr(code)
        self[code] = replacement = self._choose(character, unicodedata.category(character))
        return replacement


_PUNCTUATION = _ByCategory(lambda c, category: " " if category[0] == "P" else ord(c))
_OUTER_PUNCTUATION = _ByCategory(lambda c, category: " " if category[0] == "P" and c not in "'-" else ord(c))
_SYMBOLS = _ByCategory(lambda c, category: " " if category[0] == "S" else ord(c))
_DIGITS = _ByCategory(lambda c, category: str(unicodedata.decimal(c)) if category == "Nd" else ord(c))
_LATIN_BASE = regex.compile(r"(\p{Script=Latin})\p{Mn}+")


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _nfkc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _spaces(text: str) -> str:
    return " ".join(text.split())


def _fold_case(text: str) -> str:
    """Fold case fully but leave ß alone: ss for ß is Swiss spelling and a step of its own."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFD", text).replace("ẞ", "ß").split("ß")
    return unicodedata.normalize("NFC", "ß".join(part.casefold() for part in parts))


def _fold_case_turkic(text: str) -> str:
    return _fold_case(_nfc(text).replace("I", "ı").replace("İ", "i"))


def _outer_punctuation(text: str) -> str:
    """Replace punctuation by a space, but keep an apostrophe or a hyphen between letters or digits."""
    text = text.translate(_OUTER_PUNCTUATION)
    if "'" not in text and "-" not in text:
        return text
    padded = f" {text} "
    inner = (
        character if character not in "'-" or (_in_word(padded[index - 1]) and _in_word(padded[index + 1])) else " "
        for index, character in enumerate(padded)
    )
    return "".join(inner)[1:-1]


def _in_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _fold_chillu(text: str) -> str:
    if "\u200d" in text:
        for spelt, atomic in _CHILLU.items():
            text = text.replace(spelt, atomic)
    return text


def _fold_tamil_au(text: str) -> str:
    text = _nfc(text)
    return _nfc(_TAMIL_AU.sub(lambda match: _TAMIL_AU_LETTERS[match[1]], text)) if "ள" in text else text


def _fold_typed_vowels(text: str) -> str:
    text = _nfc(text)
    return text if text.isascii() else _nfc(_TYPED_VOWEL.sub(lambda match: _TYPED_VOWELS[match[0]], text))


def _fold_urdu_letters(text: str) -> str:
    if text.isascii():
        return text
    # Yeh with hamza is one letter where the yeh is the Arabic one, so a Farsi yeh with hamza is that letter too.
    return _nfc(_nfc(text).translate(_URDU_LETTERS).replace("ی\u0654", "ئ"))


def _fold_latin_marks(text: str) -> str:
    if text.isascii():
        return text
    bare: str = _LATIN_BASE.sub(r"\1", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare)


def _drop_nukta(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).replace("\u093c", ""))


def _fold_nasals(text: str) -> str:
    folded: str = _INDIC_NASALS.sub("ं", unicodedata.normalize("NFC", text).replace("ँ", "ं"))
    return folded


def _drop_harakat(text: str) -> str:
    return text if text.isascii() else _nfc(_nfc(text).translate(_HARAKAT))


@dataclass(frozen=True, kw_only=True)
class StepFacts:
    """A step of the closed list."""

    apply: Step
    #: What it does, in the words of the documentation.
    does: str
    #: It may change the number of words.
    may_retokenise: bool = False
    #: It looks at neighbouring words, so it comes after all steps that look at one.
    across_words: bool = False
    #: It makes distinct words equal, so it may only stand under ``lossy``.
    lossy: bool = False


#: Every step there is. A name that is not here cannot be configured.
STEPS: Mapping[str, StepFacts] = {
    "nfc": StepFacts(apply=_nfc, does="canonical composition"),
    "nfkc": StepFacts(apply=_nfkc, does="compatibility composition", may_retokenise=True, lossy=True),
    "spaces": StepFacts(apply=_spaces, does="runs of white space become one space, none at the ends"),
    "drop-zero-width": StepFacts(
        apply=lambda text: text.translate(_ZERO_WIDTH), does="delete ZWSP, ZWNJ, ZWJ, BOM", may_retokenise=True
    ),
    "drop-invisible": StepFacts(
        apply=lambda text: text.translate(_INVISIBLE), does="delete BOM, ZWSP, direction marks", may_retokenise=True
    ),
    "drop-joiners": StepFacts(
        apply=lambda text: text.translate({0x200C: None, 0x200D: None}), does="delete ZWNJ, ZWJ", may_retokenise=True
    ),
    "zwnj-to-space": StepFacts(
        apply=lambda text: text.replace("\u200c", " "), does="ZWNJ becomes a space", may_retokenise=True
    ),
    "zwsp-to-space": StepFacts(
        apply=lambda text: text.replace("\u200b", " "), does="ZWSP becomes a space", may_retokenise=True
    ),
    "punctuation-to-space": StepFacts(
        apply=lambda text: text.translate(_PUNCTUATION), does="category P becomes a space", may_retokenise=True
    ),
    "outer-punctuation-to-space": StepFacts(
        apply=_outer_punctuation, does="as before, but in-word apostrophe and hyphen stay", may_retokenise=True
    ),
    "symbols-to-space": StepFacts(
        apply=lambda text: text.translate(_SYMBOLS), does="category S becomes a space", may_retokenise=True
    ),
    "apostrophes": StepFacts(apply=lambda text: text.translate(_APOSTROPHES), does="curly apostrophes become straight"),
    "fold-case": StepFacts(apply=_fold_case, does="case folding, ß kept"),
    "fold-case-turkic": StepFacts(apply=_fold_case_turkic, does="case folding with dotless ı"),
    "digits-to-ascii": StepFacts(apply=lambda text: text.translate(_DIGITS), does="category Nd becomes 0 to 9"),
    "fold-chillu": StepFacts(apply=_fold_chillu, does="Malayalam chillu spelt with a joiner becomes one letter"),
    "fold-hyphens": StepFacts(apply=lambda text: text.translate(_HYPHENS), does="hyphens of all kinds become -"),
    "fold-chillu-nta": StepFacts(
        apply=lambda text: _CHILLU_NTA.sub("ന്റ", text) if "ൻ" in text else text,
        does="Malayalam nta spelt with a chillu becomes the conjunct",
    ),
    "fold-tamil-au": StepFacts(apply=_fold_tamil_au, does="Tamil au written as e and the letter lla becomes one sign"),
    "fold-typed-vowels": StepFacts(
        apply=_fold_typed_vowels, does="an Indic vowel typed as another one and a sign becomes the letter it looks like"
    ),
    "fold-urdu-letters": StepFacts(
        apply=_fold_urdu_letters, does="Arabic kaf, yeh, heh and teh marbuta become those of Urdu and Persian"
    ),
    "ss-for-eszett": StepFacts(apply=lambda text: text.replace("ß", "ss").replace("ẞ", "SS"), does="ß becomes ss"),
    "drop-tatweel": StepFacts(
        apply=lambda text: text.replace("\u0640", ""), does="delete the Arabic stretching line", may_retokenise=True
    ),
    "drop-harakat": StepFacts(apply=_drop_harakat, does="delete Arabic vowel marks", may_retokenise=True),
    "fold-alef": StepFacts(apply=lambda text: _nfc(text).translate(_ALEF), does="آ أ إ ٱ become ا", lossy=True),
    "fold-yeh": StepFacts(apply=lambda text: text.replace("ى", "ي"), does="ى becomes ي", lossy=True),
    "fold-heh": StepFacts(apply=lambda text: text.replace("ة", "ه"), does="ة becomes ه", lossy=True),
    "kaf-yeh-to-farsi": StepFacts(
        apply=lambda text: _nfc(text).translate(_KAF_YEH_TO_FARSI), does="ك ي become ک ی", lossy=True
    ),
    "fold-latin-marks": StepFacts(apply=_fold_latin_marks, does="å becomes a, in Latin script only", lossy=True),
    "drop-nukta": StepFacts(apply=_drop_nukta, does="delete the Devanagari dot below", lossy=True),
    "fold-nasals": StepFacts(
        apply=_fold_nasals, does="Devanagari nasal + virama and chandrabindu become anusvara", lossy=True
    ),
    #: The next five read the tables of the normaliser that names them.
    "drop-tags": StepFacts(apply=_nfc, does="delete the tokens listed under tables.tags", may_retokenise=True),
    "drop-glued-tags": StepFacts(
        apply=_nfc, does="delete what tables.tags lists, inside words and beside punctuation too", may_retokenise=True
    ),
    "read-number-marks": StepFacts(
        apply=_nfc,
        does="grouping commas go, a decimal point and % become words of the first of tables.numbers",
        may_retokenise=True,
    ),
    "fold-numbers": StepFacts(
        apply=_nfc,
        does="numbers, in words of tables.numbers or in digits, become digits",
        may_retokenise=True,
        across_words=True,
    ),
    "map": StepFacts(apply=_nfc, does="replace the characters listed under tables.map"),
}
