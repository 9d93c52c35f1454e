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
    name_turns,
    name_voices,
    pack_vector,
)
from transcribe.protocols import LabelledSpan
from transcribe.records import DeclaredTurn, Recording, SpeakerLink, Voice
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


def recording(*declared: DeclaredTurn, speaker: str | None = None, dialect: str | None = None) -> Recording:
    return Recording(
        id="r",
        path="r.wav",
        duration=60_000,
        rate_hz=16_000,
        channels=1,
        speaker=speaker,
        dialect=dialect,
        declared=declared,
    )


def declare(start: int, end: int, speaker: str, dialect: str | None = None) -> DeclaredTurn:
    return DeclaredTurn(start=start, end=end, speaker=speaker, dialect=dialect)


def span(start: int, end: int, label: str = "SPEAKER_00") -> LabelledSpan:
    return LabelledSpan(start=start, end=end, label=label)


def test_without_a_declaration_a_speaker_is_known_in_this_recording_only() -> None:
    assert [turn.speaker for turn in name_turns(recording(), [span(0, 10)])] == ["r/SPEAKER_00"]


def test_the_declared_speaker_of_the_recording_has_every_turn() -> None:
    turns = name_turns(recording(speaker="asha"), [span(0, 10), span(20, 30, "SPEAKER_01")])
    assert {turn.speaker for turn in turns} == {"asha"}


def test_a_turn_takes_the_name_that_it_overlaps_most() -> None:
    declared = recording(declare(0, 1_000, "asha"), declare(1_000, 3_000, "binod"), speaker="somebody")
    turns = name_turns(declared, [span(500, 2_000), span(0, 1_400)])
    assert [(turn.start, turn.speaker) for turn in turns] == [(0, "asha"), (500, "binod")]


def test_a_turn_that_only_touches_a_declared_one_is_not_named_by_it() -> None:
    (turn,) = name_turns(recording(declare(1_000, 2_000, "asha")), [span(0, 1_000)])
    assert turn.speaker == "r/SPEAKER_00"


def test_a_long_declared_turn_is_found_behind_many_short_ones() -> None:
    short = [declare(5_000 + 10 * i, 5_005 + 10 * i, f"s{i}") for i in range(50)]
    (turn,) = name_turns(recording(declare(0, 60_000, "asha"), *short), [span(50_000, 51_000)])
    assert turn.speaker == "asha"


def test_the_dialect_is_that_of_the_declared_turn_else_of_the_recording() -> None:
    declared = recording(declare(0, 1_000, "asha", "bho"), declare(1_000, 2_000, "binod"), dialect="hi")
    turns = name_turns(declared, [span(0, 1_000), span(1_000, 2_000), span(5_000, 6_000)])
    assert [turn.dialect for turn in turns] == ["bho", "hi", "hi"]


def test_a_dialect_that_nobody_declared_stays_unknown() -> None:
    assert [turn.dialect for turn in name_turns(recording(declare(0, 10, "asha")), [span(0, 10)])] == [None]


def test_people_on_different_channels_stay_different_people() -> None:
    first, second = (name_turns(recording(), [span(0, 10)], channel=channel)[0] for channel in (0, 1))
    assert first.speaker != second.speaker
    assert (first.channel, second.channel) == (0, 1)
    assert first.label != second.label


def test_a_turn_that_was_given_a_name_keeps_the_diarisers_own() -> None:
    turns = name_turns(recording(declare(0, 2_000, "asha")), [span(0, 900), span(1_000, 2_000, "SPEAKER_01")])
    assert [(turn.speaker, turn.label) for turn in turns] == [("asha", "SPEAKER_00"), ("asha", "SPEAKER_01")]


SPANS = st.builds(
    lambda start, length, label: span(start, start + length, label),
    st.integers(0, 5_000),
    st.integers(1, 3_000),
    st.sampled_from(["SPEAKER_00", "SPEAKER_01"]),
)
DECLARED = st.builds(
    lambda start, length, speaker: declare(start, start + length, speaker),
    st.integers(0, 5_000),
    st.integers(1, 3_000),
    st.sampled_from(["asha", "binod", "chandra"]),
)


def overlap(a: LabelledSpan, b: DeclaredTurn) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))


@given(st.lists(SPANS, max_size=8), st.lists(DECLARED, max_size=8))
def test_every_span_becomes_one_turn_named_after_a_declared_turn_that_overlaps_it_most(
    spans: list[LabelledSpan], declared: list[DeclaredTurn]
) -> None:
    turns = name_turns(recording(*declared), spans)
    assert sorted((turn.start, turn.end) for turn in turns) == sorted((s.start, s.end) for s in spans)
    assert [(turn.start, turn.speaker) for turn in turns] == sorted((turn.start, turn.speaker) for turn in turns)
    for only in spans:
        (turn,) = name_turns(recording(*declared), [only])
        most = max((overlap(only, d) for d in declared), default=0)
        best = {d.speaker for d in declared if overlap(only, d) == most} if most else {f"r/{only.label}"}
        assert turn.speaker in best


def test_a_voice_has_the_name_that_most_of_its_turns_have_and_the_length_of_those() -> None:
    talk = recording(declare(0, 1_000, "asha"), declare(2_000, 5_000, "ravi"))
    spans = [*(span(start, start + 1_000, "a") for start in (0, 2_000, 4_000)), span(6_000, 7_000, "b")]
    vectors = {"a": (3.0, 4.0), "b": (0.0, 2.0), "nobody": (1.0, 0.0)}
    voices = name_voices(name_turns(talk, spans), vectors, maker="encoder")
    assert [(voice.speaker, voice.speech, voice.channel, voice.maker) for voice in voices] == [
        ("ravi", 2_000, None, "encoder"),
        (f"{talk.id}/b", 1_000, None, "encoder"),
    ]
    assert np.allclose(np.frombuffer(voices[0].vector, dtype="<f4"), [0.6, 0.8])


def test_a_voice_of_one_channel_is_found_by_the_diarisers_own_label() -> None:
    turns = name_turns(recording(), [span(0, 900, "a")], channel=1)
    [voice] = name_voices(turns, {"a": (1.0, 0.0)}, maker="encoder")
    assert (voice.speaker, voice.channel, voice.speech) == (f"{recording().id}/1/a", 1, 900)
