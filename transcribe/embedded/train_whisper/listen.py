"""Greedy transcription with the network in training, to watch its word error rate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from transcribe.embedded.train_whisper.batches import Features, Scribe
from transcribe.embedded.train_whisper.model import SmallWhisper
from transcribe.embedded.train_whisper.windows import Window

LONGEST_TEXT = 60


def greedy(net: SmallWhisper, scribe: Scribe, windows: Sequence[Window]) -> list[str]:
    """Text of each of *windows*, which are told their language."""
    special = scribe.special
    features = Features()([window.samples for window in windows], [False] * len(windows))
    starts = [
        scribe.special_rows(special.start, special.languages[w.language], special.transcribe, special.no_timestamps)
        for w in windows
    ]
    end = scribe.special_rows(special.end)[0]
    with torch.no_grad():
        memory = net.encoder(features, 16, 0.0)
        rows = torch.tensor(starts)
        for _ in range(LONGEST_TEXT):
            states, _ = net.decoder(rows, memory, 0.0)
            following: Tensor = net.logits(states[:, -1]).argmax(-1)
            following = following.where(rows[:, -1] != end, torch.tensor(end))
            rows = torch.cat([rows, following[:, None]], dim=1)
            if bool((following == end).all()):
                break
    full = [[scribe.compact.full[row] for row in line if row < special.end] for line in rows[:, 4:].tolist()]
    return [scribe.tokenizer.decode(line).strip() for line in full]


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(hypothesis) + 1))
    for place, word in enumerate(reference, 1):
        corner, row[0] = row[0], place
        for at, other in enumerate(hypothesis, 1):
            corner, row[at] = row[at], min(corner + (word != other), row[at] + 1, row[at - 1] + 1)
    return row[-1]


def error_rate(windows: Sequence[Window], texts: Sequence[str]) -> float:
    """Errors of *texts* by the words of *windows*."""
    references = [[word.text for turn in window.turns for word in turn] for window in windows]
    errors = sum(distance(reference, text.split()) for reference, text in zip(references, texts, strict=True))
    return errors / max(1, sum(map(len, references)))
