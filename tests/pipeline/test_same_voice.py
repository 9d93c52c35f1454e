"""Laws of telling people by their voices, and of putting links together, on drawn voices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.pipeline.same_voice import (
    PROPOSED,
    Calibration,
    LikelyPair,
    choose_proposals,
    find_likely_pairs,
    pack_vector,
)
from transcribe.records import SpeakerLink, Voice
from transcribe.speaker_links import canonical_names, find_contradiction, group_speakers, recording_of_unnamed

RECORDINGS = [f"{number:064x}" for number in range(4)]
SPEAKERS = [f"{recording}/SPEAKER_0{label}" for recording in RECORDINGS for label in range(2)] + ["asha", "ravi"]

pairs_of_speakers = st.tuples(st.sampled_from(SPEAKERS), st.sampled_from(SPEAKERS)).filter(
    lambda pair: pair[0] != pair[1]
)
components = st.lists(st.sampled_from([0.0, 0.1, 1.0]), min_size=4, max_size=4).filter(any)


def link(speaker: str, other: str, *, accepted: bool = True) -> SpeakerLink:
    return SpeakerLink(first=min(speaker, other), second=max(speaker, other), accepted=accepted, by=None, at="")


def voice(speaker: str, vector: list[float], *, recording: str | None = None, **facts: object) -> Voice:
    packed = pack_vector(vector)
    assert packed is not None
    recording_id = recording or recording_of_unnamed(speaker) or RECORDINGS[0]
    given_facts = {"speech": 10_000, "maker": "encoder"} | facts
    return Voice(recording=recording_id, speaker=speaker, vector=packed, **given_facts)  # type: ignore[arg-type]


@st.composite
def corpora(draw: st.DrawFn) -> list[Voice]:
    speakers = draw(st.lists(st.sampled_from(SPEAKERS), unique=True))
    return [
        voice(
            speaker,
            draw(components),
            recording=recording_of_unnamed(speaker) or draw(st.sampled_from(RECORDINGS)),
            speech=draw(st.integers(0, 60_000)),
            maker=draw(st.sampled_from(["encoder", "second"])),
        )
        for speaker in speakers
    ]


links = st.lists(st.builds(lambda pair: link(*pair), pairs_of_speakers), max_size=6)


@given(links, st.randoms())
def test_links_make_the_same_people_in_any_order(accepted: list[SpeakerLink], chance: object) -> None:
    shuffled = sorted(accepted, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert canonical_names(accepted) == canonical_names(shuffled)


@given(links)
def test_a_person_has_one_name_which_is_a_declared_one_where_there_is_any(accepted: list[SpeakerLink]) -> None:
    names = canonical_names(accepted)
    for speaker, group in group_speakers(accepted).items():
        assert {names[member] for member in group} == {names[speaker]}
        declared = [member for member in group if recording_of_unnamed(member) is None]
        assert names[speaker] == min(declared or group)
        assert speaker in group
    assert all(names[accepted_link.first] == names[accepted_link.second] for accepted_link in accepted)


@given(links, pairs_of_speakers)
def test_a_refusal_contradicts_links_exactly_if_they_make_the_two_one(
    accepted: list[SpeakerLink], pair: tuple[str, str]
) -> None:
    refusal = link(*pair, accepted=False)
    groups = group_speakers(accepted)
    assert (find_contradiction([*accepted, refusal]) == refusal) == (pair[1] in groups.get(pair[0], ()))


@settings(max_examples=200)
@given(corpora(), links, st.lists(pairs_of_speakers, max_size=3), st.booleans())
def test_nobody_is_likely_one_with_somebody_that_cannot_be_the_same(
    voices: list[Voice], accepted: list[SpeakerLink], refused: list[tuple[str, str]], trust_names: bool
) -> None:
    names = canonical_names(accepted)
    heard_in: dict[str, set[str]] = {}
    for voice in voices:
        heard_in.setdefault(names.get(voice.speaker, voice.speaker), set()).add(voice.recording)
    apart = {frozenset(names.get(speaker, speaker) for speaker in pair) for pair in refused}
    makers = {names.get(voice.speaker, voice.speaker): set[str]() for voice in voices}
    for voice in voices:
        makers[names.get(voice.speaker, voice.speaker)].add(voice.maker)
    for pair in find_likely_pairs(voices, names=names, refused=refused, trust_names=trust_names):
        assert pair.first < pair.second and PROPOSED <= pair.probability <= 1
        assert frozenset({pair.first, pair.second}) not in apart
        assert makers[pair.first] & makers[pair.second]
        assert not (trust_names and {pair.first, pair.second} <= {"asha", "ravi"})
        assert {names.get(pair.first, pair.first), names.get(pair.second, pair.second)} == {pair.first, pair.second}


@given(corpora(), st.randoms())
def test_the_order_in_which_voices_come_changes_nothing(voices: list[Voice], chance: object) -> None:
    shuffled = sorted(voices, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert find_likely_pairs(voices, names={}) == find_likely_pairs(shuffled, names={})


def test_two_labels_of_one_recording_are_never_one_person() -> None:
    first, second, third = (f"{RECORDINGS[0]}/a", f"{RECORDINGS[0]}/b", f"{RECORDINGS[1]}/a")
    voices = [voice(speaker, [1, 0]) for speaker in (first, second, third)]
    assert {(pair.first, pair.second) for pair in find_likely_pairs(voices, names={})} == {
        (first, third),
        (second, third),
    }


def test_names_that_people_declared_are_two_people_unless_they_are_not_trusted() -> None:
    voices = [voice("asha", [1, 0], recording=RECORDINGS[0]), voice("ravi", [1, 0], recording=RECORDINGS[1])]
    assert find_likely_pairs(voices, names={}) == []
    assert len(find_likely_pairs(voices, names={}, trust_names=False)) == 1


def test_pairs_are_found_across_blocks_of_the_matrix() -> None:
    """One pair among 1,200 voices that are unlike each other, its two ends in different blocks."""
    vectors = np.eye(1_199)
    voices = [voice(f"{number:064x}/s", list(vectors[number])) for number in range(1_199)]
    voices.append(voice(f"{5_000:064x}/s", list(vectors[3])))
    [pair] = find_likely_pairs(voices, names={})
    assert (pair.first, pair.second) == (f"{3:064x}/s", f"{5_000:064x}/s")


seconds = st.floats(1, 10, width=32)


@given(st.floats(0.5, 1, width=32), st.floats(0.5, 1, width=32), seconds, seconds)
def test_a_higher_cosine_is_never_less_likely(first: float, second: float, first_s: float, second_s: float) -> None:
    cosines = np.array(sorted([first, second]), dtype=np.float32)
    lengths = [np.full(2, length, dtype=np.float32) for length in (first_s, second_s)]
    low, high = Calibration().log_ratio(cosines, *lengths)
    assert low <= high


@pytest.mark.parametrize(("cosine", "sign"), [(0.4, -1), (1.0, 1)])
def test_little_speech_says_less_than_much(cosine: float, sign: int) -> None:
    """The same unlike vectors are the less surely two people the less was heard; like ones the less surely one."""
    ratios = [
        sign
        * Calibration().log_ratio(*(np.array([measure], dtype=np.float32) for measure in (cosine, length, length)))[0]
        for length in (1.5, 3.0, 6.0)
    ]
    assert 0 < ratios[0] < ratios[1] < ratios[2]


likely = st.lists(
    st.builds(
        lambda pair, probability: LikelyPair(first=min(pair), second=max(pair), probability=probability),
        pairs_of_speakers,
        st.floats(PROPOSED, 1),
    ),
    unique_by=lambda pair: (pair.first, pair.second),
)


@given(likely)
def test_proposals_are_likely_pairs_that_join_only_who_are_all_alike(pairs: list[LikelyPair]) -> None:
    proposals = choose_proposals(pairs)
    assert set(proposals) <= set(pairs)
    alike = {frozenset({pair.first, pair.second}) for pair in pairs}
    groups = group_speakers(link(pair.first, pair.second) for pair in proposals)
    for group in set(groups.values()):
        assert all(frozenset({first, second}) in alike for first in group for second in group if first != second)
    # No proposal is implied by others.
    assert len(proposals) == sum(len(group) - 1 for group in set(groups.values()))
    assert not pairs or proposals


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_a_vector_without_a_direction_is_none(vector: list[float]) -> None:
    assert pack_vector(vector) is None


def test_speech_of_linked_speakers_is_one_voice_weighed_by_its_length() -> None:
    """Alone the short part is unlike the third recording; together with the long part it is not."""
    short, long, third = (f"{RECORDINGS[number]}/s" for number in range(3))
    voices = [voice(short, [0, 1], speech=100), voice(long, [1, 0]), voice(third, [1, 0])]
    names: Mapping[str, str] = canonical_names([link(short, long)])
    [pair] = find_likely_pairs(voices, names=names)
    assert (pair.first, pair.second) == (short, third)
