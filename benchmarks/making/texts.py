"""The written conversations that the demo's corpus speaks: their form, and what must be true of them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcribe.records import Split

#: The written conversations, a file a variety.
FOLDER = Path(__file__).parent / "conversations"
#: Most of the test's four-word sequences that the training of the same language may hold.
MOST_SHARED = 0.10

_HEADING = re.compile(r"# (?P<name>(?P<variety>\S+)-(?P<split>train|test|dev)-\d\d) (?P<topic>\S.*)")
_TURN = re.compile(r"(?P<speaker>[AB]): (?P<text>\S.*\S)")
# Digits would be read in any of several ways, and brackets and quotes are not said.
_UNSAID = re.compile(r"[\d()\[\]{}<>\"“”«»/\\*_#%&@+=|–—:;-]")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One turn as it is written."""

    #: ``A`` or ``B``
    speaker: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Script:
    """One written conversation of two people."""

    #: ``VARIETY-SPLIT-NN``
    name: str
    #: BCP 47 tag of what both people speak.
    variety: str
    split: Split
    topic: str
    lines: tuple[Line, ...]

    @property
    def language(self) -> str:
        """The language of the variety, as its first subtag names it."""
        return self.variety.split("-")[0]


@dataclass(frozen=True, kw_only=True)
class VarietyFigures:
    """Counts of one variety's texts."""

    variety: str
    conversations: Counter[str]
    turns: int
    running_words: int
    different_words: int
    #: Share of the test's four-word sequences that some training text of the same language holds.
    shared: float


def read_scripts(folder: Path = FOLDER) -> list[Script]:
    """
    Read all conversations of *folder*, ordered by file name, then as they are written.

    Raises:
        ValueError: If a line has neither form, holds what nobody can say, or breaks a rule of `check`.
    """
    scripts = [script for path in sorted(folder.glob("*.txt")) for script in _read_file(path)]
    check(scripts)
    return scripts


def check(scripts: Sequence[Script]) -> None:
    """
    Check *scripts* against each other.

    Raises:
        ValueError: If a name or a turn occurs twice, a conversation lacks one of its two people, or the training of a
            language holds more than `MOST_SHARED` of the four-word sequences of a variety's test.
    """
    for kind, entries in (
        ("conversation", [script.name for script in scripts]),
        ("turn", [line.text for script in scripts for line in script.lines]),
    ):
        repeated = [entry for entry, count in Counter(entries).items() if count > 1]
        if repeated:
            raise ValueError(f"each {kind} should occur once, but this one occurs again: {repeated[0]!r}")
    for script in scripts:
        if {line.speaker for line in script.lines} != {"A", "B"}:
            raise ValueError(f"{script.name} should have turns of both A and B")
    for figures in figures_of(scripts):
        if figures.shared > MOST_SHARED:
            raise ValueError(
                f"the training holds {figures.shared:.1%} of the four-word sequences of {figures.variety}'s test; "
                f"write other sentences until it is at most {MOST_SHARED:.0%}"
            )


def figures_of(scripts: Sequence[Script]) -> list[VarietyFigures]:
    """Count each variety of *scripts*, in their order."""
    figures = []
    for variety in dict.fromkeys(script.variety for script in scripts):
        members = [script for script in scripts if script.variety == variety]
        training = [it for it in scripts if it.language == members[0].language and it.split == "train"]
        spoken = [word for script in members for line in script.lines for word in words(line.text)]
        figures.append(
            VarietyFigures(
                variety=variety,
                conversations=Counter(script.split for script in members),
                turns=sum(len(script.lines) for script in members),
                running_words=len(spoken),
                different_words=len(set(spoken)),
                shared=shared_sequences((it for it in members if it.split == "test"), training),
            )
        )
    return figures


def shared_sequences(test: Iterable[Script], training: Iterable[Script]) -> float:
    """Give the share of the four-word sequences of *test*'s turns that a turn of *training* holds; 0 without any."""
    learned = set(_sequences(training))
    sequences = list(_sequences(test))
    return sum(sequence in learned for sequence in sequences) / len(sequences) if sequences else 0.0


def words(text: str) -> list[str]:
    """
    Give the words of *text* in small letters and without punctuation.

    >>> words("Och, it's late! कल आना।")
    ['och', "it's", 'late', 'कल', 'आना']
    """
    return re.sub(r"[.,?!।]", " ", text).casefold().split()


def _sequences(scripts: Iterable[Script]) -> Iterator[tuple[str, ...]]:
    for script in scripts:
        for line in script.lines:
            said = words(line.text)
            yield from zip(said, said[1:], said[2:], said[3:], strict=False)


def _read_file(path: Path) -> list[Script]:
    headings: list[re.Match[str]] = []
    lines: list[list[Line]] = []
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not row.strip():
            continue
        heading, turn = _HEADING.fullmatch(row.strip()), _TURN.fullmatch(row.strip())
        place = f"{path.name}, line {number}"
        if heading and heading["variety"] == path.stem:
            headings.append(heading)
            lines.append([])
        elif turn and lines:
            if _UNSAID.search(turn["text"]):
                raise ValueError(f"{place} should be written as it is said, without {_UNSAID.findall(turn['text'])}")
            lines[-1].append(Line(speaker=turn["speaker"], text=turn["text"]))
        else:
            raise ValueError(f"{place} should be '# {path.stem}-SPLIT-NN topic' or a turn 'A: ...', not {row!r}")
    return [_script(heading, tuple(turns)) for heading, turns in zip(headings, lines, strict=True)]


def _script(heading: re.Match[str], lines: tuple[Line, ...]) -> Script:
    split: Split = heading["split"]  # type: ignore[assignment]  # the pattern holds just the three
    return Script(name=heading["name"], variety=heading["variety"], split=split, topic=heading["topic"], lines=lines)
