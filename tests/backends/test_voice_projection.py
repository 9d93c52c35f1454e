"""A space of voices is learnt from windows of known people, and says whether the known people are the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backends.test_grouping_search import conversation
from transcribe.backends.voice_projection import (
    VoiceSpace,
    chance_of_agreement,
    change_space,
    learn_space,
    scale_to_units,
    windows_by_person,
)
from transcribe.protocols import LabelledSpan

SIZE = 24


def raw_vectors(count: int, seed: int) -> np.ndarray:
    """Unit vectors without negative parts, as the encoder's are."""
    return scale_to_units(np.abs(np.random.default_rng(seed).normal(size=(count, SIZE))))


def test_vectors_leave_a_space_as_they_entered_it() -> None:
    raw = raw_vectors(50, 0)
    matrix = np.eye(SIZE) + 0.1 * np.random.default_rng(1).normal(size=(SIZE, SIZE))
    for space in (VoiceSpace(centre=raw.mean(axis=0)), VoiceSpace(centre=raw.mean(axis=0), matrix=matrix)):
        vectors = space.enter(raw)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(50))
        assert np.allclose(space.leave(vectors), raw, atol=1e-9)


def noisy_people(seed: int) -> dict[str, np.ndarray]:
    """Ten people, each with windows that differ widely in two directions that tell nothing."""
    draws = np.random.default_rng(seed)
    people = {}
    for number in range(10):
        voice = np.abs(draws.normal(size=SIZE))
        noise = np.zeros((40, SIZE))
        noise[:, :2] = draws.normal(scale=2.0, size=(40, 2))
        people[f"p{number}"] = scale_to_units(voice + noise + draws.normal(scale=0.1, size=(40, SIZE)))
    return people


def separation(people: dict[str, np.ndarray]) -> float:
    """How much more alike windows of one person are than those of two."""
    vectors = np.concatenate(list(people.values()))
    names = np.repeat(list(people), [len(vectors) for vectors in people.values()])
    same = names[:, None] == names[None]
    likeness = vectors @ vectors.T
    return float(likeness[same].mean() - likeness[~same].mean())


def test_directions_that_vary_within_a_person_count_less_in_a_learnt_space() -> None:
    old = VoiceSpace(centre=np.full(SIZE, 0.1))
    learnt = learn_space({name: old.enter(raw) for name, raw in noisy_people(0).items()}, old, shrinkage=0.2)
    old_vectors = {name: old.enter(raw) for name, raw in noisy_people(1).items()}
    new_vectors = {name: learnt.enter(raw) for name, raw in noisy_people(1).items()}
    assert separation(new_vectors) > separation(old_vectors) + 0.2


def test_full_shrinkage_moves_the_centre_alone() -> None:
    old = VoiceSpace(centre=np.full(SIZE, 0.1))
    learnt = learn_space({name: old.enter(raw) for name, raw in noisy_people(0).items()}, old, shrinkage=1.0)
    assert learnt.matrix is not None
    assert np.allclose(learnt.matrix, np.eye(SIZE), atol=1e-9)
    assert not np.allclose(learnt.centre, old.centre)


def test_windows_belong_to_the_person_who_fills_them() -> None:
    talk = conversation(0.3, 2, 0)
    people = windows_by_person([(talk.present, talk.turns)])
    assert {name: len(vectors) for name, vectors in people.items()} == {"p0": 60, "p1": 60}
    turns = [*talk.turns, LabelledSpan(start=0, end=24_000, label="third")]
    assert windows_by_person([(talk.present, turns)]) == {}


def test_a_changed_space_changes_the_vectors_alone() -> None:
    tracked = conversation(0.3, 2, 0).present
    space = VoiceSpace(centre=np.zeros(40))
    same = change_space(tracked, space, space)
    assert np.allclose(same.voices[0].vectors, tracked.voices[0].vectors)
    assert same.chunks is tracked.chunks


def test_right_speakers_fit_the_voices_and_shuffled_ones_do_not() -> None:
    conversations = [conversation(0.6, 2, seed) for seed in range(6)]
    assert chance_of_agreement((talk.present, talk.turns) for talk in conversations) < 0.01
    draws = np.random.default_rng(3)
    shuffled = []
    for talk in conversations:
        labels = draws.permutation([turn.label for turn in talk.turns])
        turns = [
            LabelledSpan(start=turn.start, end=turn.end, label=str(label))
            for turn, label in zip(talk.turns, labels, strict=True)
        ]
        shuffled.append((talk.present, turns))
    assert chance_of_agreement(shuffled) > 0.01


def test_one_speaker_alone_shows_nothing() -> None:
    talk = conversation(0.3, 1, 0)
    assert chance_of_agreement([(talk.present, talk.turns)]) == 1.0
