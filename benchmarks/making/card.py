"""The corpus' README, written from what its files hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.making.sound import Spoken, overlap_share
from benchmarks.making.texts import Script, VarietyFigures, figures_of

NAMES = {
    "en-US": "American English, American voices",
    "en-GB": "British English, British voices",
    "en-IN": "Indian English: British phonemes by Hindi voices and those of six other languages",
    "en-scotland": "Scottish English with Scots words, British and American voices; a weak dialect for Whisper base",
    "hi": "Hindi, Hindi voices and others; Whisper base writes much of it in Arabic letters",
    "hi-x-mixed": "Hindi and English switched inside sentences, the same voices",
    "ta": "Tamil by voices of other languages, because none of Kokoro's is Tamil",
}

#: What does not change, with the places of what does.
TEMPLATE = Path(__file__).with_name("card.md")


def card(scripts: Sequence[Script], turns: Mapping[str, Sequence[Spoken]]) -> str:
    """Give the README of the corpus of *scripts*, whose turns as spoken are in *turns* by name."""
    figures = figures_of(scripts)
    speech = {name: sum(turn.end - turn.start for turn in spoken) for name, spoken in turns.items()}
    overlapped = sum(overlap_share(spoken) * speech[name] for name, spoken in turns.items())
    return TEMPLATE.read_text(encoding="utf-8").format(
        count=len(scripts),
        minutes=sum(max(turn.end for turn in spoken) for spoken in turns.values()) / 60_000,
        varieties=len(figures),
        rows="\n".join(map(_row, figures)),
        shared=max(variety.shared for variety in figures),
        overlap=overlapped / sum(speech.values()),
    )


def _row(figures: VarietyFigures) -> str:
    splits = [str(figures.conversations[split]) for split in ("train", "test", "dev")]
    what = NAMES[figures.variety]
    cells = [f"`{figures.variety}`", what, *splits, str(figures.turns), str(figures.different_words)]
    return f"| {' | '.join(cells)} |"
