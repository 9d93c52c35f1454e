"""Everything that decides what a draft says, and the keys that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dialects.dialect import Catalogue
from transcribe.config import fingerprint
from transcribe.glossary import FILE as GLOSSARY_FILE
from transcribe.glossary import Glossary, count_bytes, fit
from transcribe.pipeline.decoding_profile import Lever, format_lever
from transcribe.protocols import (
    LONGEST_WINDOW,
    Diariser,
    Recogniser,
    SpeechDetector,
)
from transcribe.records import Milliseconds

#: Changes when the rules of drafting change what is drafted, so that old work is not taken for new.
RULES: Final = 10


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """A quick recogniser that makes one pass over everything; where it disagrees, a draft is flagged."""

    recogniser: Recogniser
    #: Longest window that it was made for.
    window: Milliseconds = LONGEST_WINDOW
    #: Whisper's code of the only language that it knows; ``None``: it knows many.
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a draft says."""

    diariser: Diariser
    detector: SpeechDetector
    recogniser: Recogniser
    catalogue: Catalogue
    #: Longest window the recogniser was made for.
    window: Milliseconds
    join_gap: Milliseconds = 400
    longest: Milliseconds = 28_000
    second: SecondOpinion | None = None
    #: What helps single dialects, found on the dev part.
    levers: Mapping[str, Lever] = field(default_factory=dict)
    #: The project's own names.
    glossary: Glossary = field(default_factory=Glossary)
    #: Length of a text in the recogniser's tokens.
    count_tokens: Callable[[str], int] = count_bytes
    #: Decoding settings that change the text, as plain values.
    decoding: Mapping[str, object] = field(default_factory=dict)
    #: Recordings that the recogniser hears at once: how fast, not what.
    workers: int = 1

    @property
    def diarisation(self) -> str:
        """Key of the turns."""
        return fingerprint("turns", RULES, self.diariser.id)

    @property
    def settings(self) -> str:
        """Key of the drafts: the mark that says a recording is done."""
        # "once": of the words of one hearing, folded.
        second = None if self.second is None else ["once", self.second.recogniser.id, self.second.window]
        cutting = [self.join_gap, self.longest, self.window]
        return fingerprint(
            "drafts",
            RULES,
            self.diarisation,
            self.detector.id,
            self.recogniser.id,
            second,
            cutting,
            dict(self.decoding),
            self.catalogue.hash,
            *([{tag: format_lever(lever) for tag, lever in self.levers.items()}] if self.levers else []),
            *([["glossary", self.glossary.hash]] if self.glossary.terms else []),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about names that do not fit the recogniser's prompt, by the dialect that they are given for."""
        return tuple(
            f"W_GLOSSARY: {left_out} names of {GLOSSARY_FILE} for {dialect or 'all dialects'} do not fit into what the "
            "recogniser can be told beforehand; the first ones of the file are told"
            for dialect in self.glossary.dialects
            if (left_out := fit(self.glossary.of(dialect), self.count_tokens)[1])
        )

    def lever(self, dialect: str | None) -> Lever:
        """Return the lever of *dialect*: an empty one where none is set."""
        return self.levers.get(dialect or "", Lever())
