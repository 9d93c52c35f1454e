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

from dialects.text.non_speech import drop_named_sounds, drop_non_speech

#: A pure text function, idempotent up to canonical equivalence.
Step: TypeAlias = Callable[[str], str]

_ZERO_WIDTH = dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF))
#: Soft hyphen, Arabic letter mark, ZWSP, direction marks and embeddings, word joiner, isolates, BOM.
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
)
#: Quotation marks, modifier letters, accents that are typed for them, and the marks of Armenian and Hebrew.
_APOSTROPHES = dict.fromkeys((0x2018, 0x2019, 0x201B, 0x02BB, 0x02BC, 0x055A, 0x05F3, 0xFF07, 0x0060, 0x00B4), "'")
#: Fathatan to sukun, superscript alef, and the Quranic signs. Hamza above and below are letters' parts and stay.
_HARAKAT = dict.fromkeys(
    (*range(0x064B, 0x0653), 0x0670, *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E5), 0x06E7, 0x06E8)
)
_ALEF = {0x0622: "ا", 0x0623: "ا", 0x0625: "ا", 0x0671: "ا"}
_KAF_YEH_TO_FARSI = {0x0643: "ک", 0x064A: "ی", 0x0649: "ی"}
#: Malayalam consonant, virama, joiner: the older spelling of the atomic chillu letters (Unicode 5.1).
_CHILLU = {
    "ണ്\u200d": "ൺ",
    "ന്\u200d": "ൻ",
    "ര്\u200d": "ർ",
    "ല്\u200d": "ൽ",
    "ള്\u200d": "ൾ",
    "ക്\u200d": "ൿ",
    "മ്\u200d": "ൔ",
}
#: Hyphens of Armenian and Hebrew, hyphen bullet, non-breaking hyphen, figure dash, en dash, minus, small and wide ones.
_HYPHENS = dict.fromkeys((0x058A, 0x05BE, 0x2043, 0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")
#: Tamil au written as e with the letter lla after it. A lla that carries a sign of its own is a letter: வெள்ளை, வெளி.
_TAMIL_AU = regex.compile(r"([ஒ\u0BC6])ள(?![\u0BBE-\u0BCD\u0BD7])")
_TAMIL_AU_LETTERS = {"ஒ": "ஔ", "\u0bc6": "\u0bcc"}
#: Letters that were typed as others and look the same: the tables of vowels that are not to be written so (Unicode 15,
#: chapters 12 and 13), Bengali khanda ta and the Marathi eyelash ra before they had letters of their own, Tamil shri,
#: Thai and Lao ae and am. Each line: letter, then the ways to type it.
_TYPED = """
ऄ अॆ|आ अा|ई र्इ|ऊ उु|ऍ एॅ|ऎ एॆ|ऐ एे|ऑ अॉ आॅ|ऒ अॊ आॆ|ओ अो आे|औ अौ आै|ॲ अॅ|ो \u093e\u0947|ौ \u093e\u0948|ॉ \u093e\u0945
আ অা|ৠ ঋৃ|র ব়
ਆ ਅਾ|ਇ ੲਿ|ਈ ੲੀ|ਉ ੳੁ|ਊ ੳੂ|ਏ ੲੇ|ਐ ਅੈ|ਓ ੳੋ|ਔ ਅੌ
આ અા|ઍ અૅ|એ અે|ઐ અૈ|ઑ અૉ આૅ|ઓ અો આે|ઔ અૌ આૈ
ଆ ଅା|ଐ ଏୗ|ଔ ଓୗ
ஆ அூ|ஶ்ரீ ஸ்ரீ
ఓ ఒౕ|ఔ ఒౌ|ీ \u0c3f\u0c55|ే \u0c46\u0c55|ో \u0c4a\u0c55
ಊ ಉಾ|ಔ ಒೌ|ೠ ಋಾ
ഈ ഇൗ|ഊ ഉൗ|ഐ എെ|ഓ ഒാ|ഔ ഒൗ
ආ අා|ඇ අැ|ඈ අෑ|ඌ උෟ|ඎ ඍෘ|ඐ ඏෟ|ඒ එ්|ඓ එෙ|ඕ ඔ්|ඖ ඔෟ
ৎ ত্\u200d|ऱ् र्\u200d
แ เเ|ำ \u0e4d\u0e32|ແ ເເ|ຳ \u0ecd\u0eb2
"""
_TYPED_LETTERS = {
    unicodedata.normalize("NFC", typed): letter
    for letter, *ways in (entry.split() for entry in _TYPED.replace("|", "\n").splitlines() if entry)
    for typed in ways
}
_TYPED_LETTER = regex.compile("|".join(sorted(_TYPED_LETTERS, key=len, reverse=True)))
#: Thai and Lao am around a tone mark, in either order, as people type it.
_TYPED_AM = regex.compile("\u0e4d([\u0e48-\u0e4b])\u0e32|\u0ecd([\u0ec8-\u0ecb])\u0eb2")
#: A colon inside a word of Devanagari, which keyboards give for visarga.
_COLON_VISARGA = regex.compile("(?<=[\u0905-\u0939\u093e-\u094c]):(?=[\u0915-\u0939])")
#: Hindi words that end in visarga, and are none without: a colon behind another word ends a label or begins a list.
_VISARGA_ENDS = """
अत इत स्वत अंतत अन्तत अंशत आंशिकत संभवत सम्भवत विशेषत मुख्यत प्रमुखत सामान्यत साधारणत मूलत पूर्णत संपूर्णत सम्पूर्णत फलत
परिणामत स्पष्टत वस्तुत प्रथमत प्रधानत स्वभावत निश्चयत अनिवार्यत प्रकृतित यथार्थत कार्यत धर्मत जातित नियमत
विधित अर्थत गुणत शब्दत न्यायत उभयत सर्वत प्राय प्रायश पुन प्रात नम छ क्रमश अक्षरश शब्दश शतश कोटिश
"""
_LAST_VISARGA = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}])({'|'.join(_VISARGA_ENDS.split())}):(?![\p{{L}}\p{{M}}\p{{N}}])"
)
#: The modern sign of Malayalam au, for the older one in two parts.
_MALAYALAM_AU = regex.compile("(?<=[\u0d15-\u0d3a])\u0d57")
#: Malayalam nta with a chillu, with or without a virama, for the conjunct.
_CHILLU_NTA = regex.compile("ൻ്?റ")
#: Letters for which Urdu and Persian have their own: kaf, swash kaf, yeh, alef maksura, heh, teh marbuta, hamza on heh.
_URDU_LETTERS = {0x0643: "ک", 0x06AA: "ک", 0x064A: "ی", 0x0649: "ی", 0x0647: "ہ", 0x0629: "ۃ", 0x06C0: "ۂ", 0x06D5: "ہ"}
#: Urdu heh goal and teh marbuta goal, which look like the letters of Arabic.
_HEH_GOAL = {0x06C1: "ه", 0x06C3: "ة"}
_ARABIC_LETTERS = {**_HEH_GOAL, 0x06A9: "ك", 0x06AA: "ك"}
_PASHTO_LETTERS = {**_HEH_GOAL, 0x0643: "ک", 0x06AA: "ک", 0x0649: "ی"}
#: Farsi yeh at the end of a word has no dots, as alef maksura; elsewhere it has those of yeh.
_LAST_FARSI_YEH = regex.compile(r"ی(?![\p{L}\p{M}\u200d])")
#: Cedilla for comma below, as Romanian has been typed since before it had letters of its own; turned e; script g.
_LATIN_LETTERS = {
    **{0x0218: "Ş", 0x0219: "ş", 0x021A: "Ţ", 0x021B: "ţ"},
    **{0x018E: "Ə", 0x01DD: "ə", 0xA7AC: "G", 0x0261: "g"},
}
#: Digraphs of Latin, radicals, ligatures, positional forms, wide and narrow forms.
_PRESENTATION_FORMS = regex.compile(
    "[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u2e80-\u2fd5\ufb00-\ufdff\ufe70-\ufefc\uff01-\uffef]+"
)
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


def fold_typed_letters(text: str) -> str:
    if text.isascii():
        return text
    text = _TYPED_AM.sub(lambda match: f"{match[1]}\u0e33" if match[1] else f"{match[2]}\u0eb3", _nfc(text))
    text = _LAST_VISARGA.sub("\\1\u0903", _COLON_VISARGA.sub("\u0903", text))
    text = _MALAYALAM_AU.sub("\u0d4c", text)
    return _nfc(_TYPED_LETTER.sub(lambda match: _TYPED_LETTERS[match[0]], text))


def _fold_urdu_letters(text: str) -> str:
    if text.isascii():
        return text
    # Yeh with hamza is one letter where the yeh is the Arabic one, so a Farsi yeh with hamza is that letter too.
    text = _nfc(text).translate(_URDU_LETTERS).replace("ی\u0654", "ئ")
    return _nfc(text.replace("ا\u06e4", "آ"))


def _fold_yeh(text: str) -> str:
    text = _LAST_FARSI_YEH.sub("ى", text.replace("ی\u0654", "ئ"))
    return _nfc(text.replace("ی", "ي"))


def _fold_presentation_forms(text: str) -> str:
    if text.isascii():
        return text
    return _nfc(_PRESENTATION_FORMS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), _nfc(text)))


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
    #: What it drops may have blanks inside, so it and the steps before it work on a whole text.
    inside_blanks: bool = False
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
    "drop-non-speech": StepFacts(
        apply=drop_non_speech,
        does="tags in square and angle brackets go, and names of sounds in brackets of any kind",
        may_retokenise=True,
        inside_blanks=True,
    ),
    "drop-named-sounds": StepFacts(
        apply=drop_named_sounds,
        does="names of sounds in brackets go; other words in brackets are speech, as where people overlap",
        may_retokenise=True,
        inside_blanks=True,
    ),
    "fold-hyphens": StepFacts(apply=lambda text: text.translate(_HYPHENS), does="hyphens of all kinds become -"),
    "fold-chillu-nta": StepFacts(
        apply=lambda text: _CHILLU_NTA.sub("ന്റ", text) if "ൻ" in text else text,
        does="Malayalam nta spelt with a chillu becomes the conjunct",
    ),
    "fold-tamil-au": StepFacts(apply=_fold_tamil_au, does="Tamil au written as e and the letter lla becomes one sign"),
    "fold-typed-letters": StepFacts(
        apply=fold_typed_letters, does="an Indic, Thai or Lao letter typed as others becomes the one it looks like"
    ),
    "fold-presentation-forms": StepFacts(
        apply=_fold_presentation_forms,
        does="ligatures, digraphs, wide, narrow and positional forms become plain letters",
        may_retokenise=True,
    ),
    "fold-latin-letters": StepFacts(
        apply=lambda text: _nfc(text).translate(_LATIN_LETTERS), does="ș ț ǝ ɡ become ş ţ ə g"
    ),
    "fold-arabic-letters": StepFacts(
        apply=lambda text: _fold_yeh(_nfc(text).translate(_ARABIC_LETTERS)),
        does="Farsi kaf, heh goal and yeh become the letters of Arabic that look like them",
    ),
    "fold-sindhi-letters": StepFacts(
        apply=lambda text: _fold_yeh(_nfc(text).translate(_HEH_GOAL)),
        does="as for Arabic, but Sindhi has kaf and keheh, which are two letters",
    ),
    "fold-pashto-letters": StepFacts(
        apply=lambda text: _nfc(_nfc(text).translate(_PASHTO_LETTERS)),
        does="Arabic kaf, alef maksura and heh goal become the letters of Pashto, which has two letters yeh",
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
    #: The next four read the tables of the normaliser that names them.
    "drop-tags": StepFacts(apply=_nfc, does="delete the tokens listed under tables.tags", may_retokenise=True),
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
