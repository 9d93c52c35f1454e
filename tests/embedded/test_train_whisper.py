"""The trainer of the embedded Whisper: its short cuts change nothing that the engine would see."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra train is not installed")

import torch

from transcribe.embedded import texts
from transcribe.embedded.train_whisper import bank, tokenizer
from transcribe.embedded.train_whisper.bank import Utterance
from transcribe.embedded.train_whisper.batches import IGNORED, PADDING_FRAMES, Features, Scribe, collate
from transcribe.embedded.train_whisper.listen import distance
from transcribe.embedded.train_whisper.model import EDGE_POSITIONS, ENCODER_POSITIONS, Shape, SmallWhisper, deepened
from transcribe.embedded.train_whisper.windows import Mix, Shelf, Window, lay_out

SHAPE = Shape(width=32, heads=4, encoder_layers=2, decoder_layers=2, vocabulary=50, phones=5)


def utterance(speaker: str, text: str) -> Utterance:
    words = text.split()
    rng = np.random.default_rng(len(text))
    samples = rng.integers(-9_000, 9_000, 6_400 * len(words)).astype(np.int16)
    starts = tuple(400 * place for place in range(len(words)))
    phones = tuple((start, "a") for start in starts)
    return Utterance(
        samples=samples, words=tuple(words), starts=starts, phones=phones, speaker=speaker, language="en", kind="speech"
    )


@pytest.fixture(scope="module")
def scribe() -> Scribe:
    words = texts.vocabulary("en-GB") + texts.vocabulary("ta")
    return Scribe(tokenizer.learn(words, 900), [bank.SILENCE, "a"])


@pytest.fixture
def shelf() -> Shelf:
    return Shelf([utterance("a", "no thank you"), utterance("b", "the bus is late"), utterance("c", "good morning")])


def windows(shelf: Shelf, count: int, mix: Mix | None = None) -> list[Window]:
    rng = random.Random(4)
    return [lay_out(rng, shelf, mix or Mix(empty=0.0), 6_000) for _ in range(count)]


def test_drawing_every_padding_position_gives_the_whole_30_seconds() -> None:
    torch.manual_seed(1)
    encoder = SmallWhisper(SHAPE).eval().encoder
    sound = torch.randn(1, 80, 200)
    padding = torch.full((1, 80, 3000 - 200), -0.7)
    whole = torch.cat([sound, padding], dim=2)
    with torch.no_grad():
        content = (200 + PADDING_FRAMES) // 2 - EDGE_POSITIONS
        short = encoder(whole[:, :, : 200 + PADDING_FRAMES], ENCODER_POSITIONS - content, 0.0)
        full = encoder(whole, 0, 0.0)
    # The convolutions see the end of the 30 s as silence of their own; nothing else differs.
    assert torch.allclose(short.states[:, :content], full.states[:, :content], atol=2e-2)


def test_features_are_those_of_the_engine() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    sound = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    theirs = FeatureExtractor()(sound)[..., :-1]
    ours = Features()([sound], [False])[0].numpy()
    assert np.allclose(ours[:, : theirs.shape[1]], theirs, atol=2e-3)
    assert not ours[:, theirs.shape[1] :].any()


def test_the_compact_rows_have_the_probabilities_of_the_whole_vocabulary(scribe: Scribe) -> None:
    compact = scribe.compact
    scores = torch.randn(compact.size)
    whole = scores[torch.tensor(compact.expansion())].log_softmax(0)
    scores[compact.shared] += float(np.log(compact.rows_shared))
    rows = torch.tensor(compact.rows(compact.full))
    assert torch.allclose(scores.log_softmax(0)[rows], whole[torch.tensor(compact.full)], atol=1e-4)


@pytest.mark.parametrize("overlapping", [0.0, 1.0])
def test_words_lie_inside_their_window_in_the_order_of_turns(shelf: Shelf, overlapping: float) -> None:
    for window in windows(shelf, 40, Mix(empty=0.0, overlapping=overlapping)):
        length = len(window.samples) * 1000 // 16_000
        starts = [turn[0].start for turn in window.turns]
        assert starts == sorted(starts)
        assert window.turns
        for turn in window.turns:
            assert all(0 <= word.start < word.end <= length + 20 for word in turn)


def test_turns_overlap_only_where_the_mix_says_so(shelf: Shelf) -> None:
    def overlaps(window: Window) -> int:
        return sum(a[-1].end > b[0].start for a, b in zip(window.turns, window.turns[1:], strict=False))

    assert sum(map(overlaps, windows(shelf, 30, Mix(empty=0.0, overlapping=0.0)))) == 0
    assert sum(map(overlaps, windows(shelf, 30, Mix(empty=0.0, overlapping=1.0)))) > 5


def test_the_targets_of_a_window_read_as_its_text(shelf: Shelf, scribe: Scribe) -> None:
    rng = random.Random(1)
    for window in windows(shelf, 10):
        script = scribe.script(window, rng, timed=False, prompt=["good", "morning"])
        batch = collate([window], [script], scribe, Features(), rng)
        rows = [row for row in batch.targets[0].tolist() if row != IGNORED]
        full = [scribe.compact.full[row] for row in rows]
        said = scribe.tokenizer.decode([number for number in full if number < scribe.special.end])
        assert said.split() == [word.text for turn in window.turns for word in turn]
        assert full[-1] == scribe.special.end


def test_a_window_without_speech_ends_at_once(shelf: Shelf, scribe: Scribe) -> None:
    (window,) = windows(shelf, 1, Mix(empty=1.0))
    rows = scribe.script(window, random.Random(1), timed=False).rows
    assert window.turns == ()
    assert len(rows) == 5


def test_speech_knows_when_its_words_begin() -> None:
    from transcribe.embedded import voices

    timed = bank.speak_timed(bank.TimedEngine(), voices.training_voices("en-GB", 1, 1)[0], "two small apples please")
    assert timed.starts == sorted(timed.starts)
    assert len(timed.starts) == 4
    assert timed.starts[0] == 0
    assert timed.starts[-1] < len(timed.samples) // 16


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors"),
    [("a b c", "a b c", 0), ("a b c", "", 3), ("", "a", 1), ("a b c", "b d c", 2)],
)
def test_distance_counts_the_fewest_changes(reference: str, hypothesis: str, errors: int) -> None:
    assert distance(reference.split(), hypothesis.split()) == errors


def test_a_deepened_network_hears_the_same_until_it_learns() -> None:
    torch.manual_seed(2)
    shallow, deep = SmallWhisper(SHAPE).eval(), SmallWhisper(replace(SHAPE, encoder_layers=6)).eval()
    deep.load_state_dict(deepened(shallow.state_dict(), deep))
    sound = torch.randn(1, 80, 120)
    before, after = shallow.encoder(sound, 0, 0.0), deep.encoder(sound, 0, 0.0)
    assert torch.equal(before.states, after.states)
    assert torch.equal(before.middle, after.middle)
    after.states.square().sum().backward()
    added = deep.get_parameter("encoder.layers.1.fc2.weight").grad
    assert added is not None and added.abs().sum() > 0
