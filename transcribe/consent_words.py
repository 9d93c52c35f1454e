"""The words of a manifest's consent column, and which of them withhold a recording."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from transcribe.records import Consent, Withheld

#: Words that refuse where they stand alone. A project adds its own (``dataset.refused_consent``).
REFUSING: Final = frozenset({"refused", "none", "no"})

#: Other languages' and programs' words for no; a form's number or a remark may hold them, so each stands alone.
_NO_WORDS: Final = (
    "0 f false n nao nein ni nie niet nil nee nej non não nope inte nicht not नहीं नही ना न मना इनकार இல்லை மறுப்பு "
    "ഇല്ല ഇല്ലാ না నో లేదు ಇಲ್ಲ نہیں انکار لا رفض"
)
_NO: Final = frozenset(_NO_WORDS.split())
#: Beginnings of words that refuse or withdraw wherever they stand: nobody writes them of a consent that holds.
_REFUSED: Final = re.compile(
    r"\b(?:refus|declin|den(?:y|ied)|reject|disagre|object(?:s|ed)\b|verweiger|abgelehnt|ablehn|rehus|rechaz|recus"
    r"|rifiut|negad|nega(?:to|ta|tive)|forbid|forbad|prohibit|disallow)"
    r"|\b(?:not|never|nicht|n't)\W+(?:\w+\W+)?(?:give|given|grant|obtain|receiv|consent|agree|permi|allow|sign|okay|ok\b"
    r"|erteilt|zugestimmt)"
    r"|\b(?:no|without|keine?|ohne|sans|sin|sem|senza)\W+(?:consent|agree|permi|einwilligung|zustimmung|accord|autori)"
    r"|अस्वीकार|अस्वीकृत|इनकार|மறுத்த|நிராகரி|നിരസി|অস্বীকার|తిరస్కర|انکار"
)
_WITHDRAWN: Final = re.compile(
    r"\b(?:withdr[ae]w|r[eé]vo[ckq]|retract|rescind|cancel|recall(?:ed|s)?\b|opt(?:ed|s)?\W?out|optout|taken?\W+back"
    r"|widerruf|widerrief|zurückgezogen|zurückgenommen|retir(?:é|ad)|ritirat|retrait|ingetrokken)"
    r"|वापस|निरस्त|रद्द|திரும்பப்|പിൻവലി|প্রত্যাহার|ఉపసంహర|واپس"
)
_DATE: Final = re.compile(r"\b\d[\d.:/-]*\d\b")
_UNKNOWN: Final = frozenset({"", "unknown", "n/a", "na", "nan", "null", "pending", "tbd", "?", "-", "–", "unbekannt"})


def read_consent(written: str | None, refusing: Collection[str] = REFUSING) -> Consent:
    """
    Return what *written*, as it stands in a manifest, says; a word of one's own, such as a form's number, gives.

    A refusal is read wherever one can be meant, with dates, stops and remarks around it: what is withheld by mistake
    can be given back, what was heard by mistake cannot be unheard.

    Args:
        refusing: Words that refuse where they stand alone, in lower case.

    >>> [read_consent(written) for written in ("Withdrawn, 3 May", "No.", "not given", "form 7", "unknown", None)]
    ['withdrawn', 'refused', 'refused', 'given', 'unknown', 'unknown']
    """
    text = " ".join(unicodedata.normalize("NFKC", written or "").casefold().split())
    if text in refusing:
        return "refused"
    if text in _UNKNOWN:
        return "unknown"
    alone = _strip(text)
    if _WITHDRAWN.search(text):
        return "withdrawn"
    return "refused" if alone in refusing or alone in _NO or _REFUSED.search(text) else "given"


def _strip(text: str) -> str:
    """Return the words of *text* without stops, dates and long numbers around them."""
    letters = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in _DATE.sub(" ", text))
    return " ".join(letters.split())


def find_withheld(written: str | None, refusing: Collection[str] = REFUSING) -> Withheld | None:
    """Return under which consent a recording is withheld; ``None`` where it is not."""
    consent = read_consent(written, refusing)
    return consent if consent == "refused" or consent == "withdrawn" else None
