"""Tags go, and speech in brackets stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.text.non_speech import drop_named_sounds, drop_non_speech
from dialects.text.normalise import Normaliser, load_normaliser

#: Parted by broken bars.
TAGS = """
[laughter]¦[Laughter.]¦[LAUGHTER!]¦[[laughter]]¦((laughter))¦[laughing and coughing]¦[inaudible 00:01:02]
[crosstalk 00:12]¦[pause 2s]¦[2.5s]¦(birds chirping)
[NOISE1]¦[background_noise]¦[beep]¦[gasps]¦[groans]¦[upbeat music]¦(gentle music)
(dramatic orchestral music)¦(music continues)¦{laughter}¦{cough}¦*sighs*¦♪ music ♪¦♪ upbeat music ♪¦♪¦<laugh/>
</s>¦<unk>¦<|nospeech|>¦<|0.00|>¦<noise type="door">¦[no speech detected]¦[silence detected]
[unintelligible speech]¦[speaking in foreign language]¦[door closes]¦[engine revving]¦[phone rings]¦[sic]¦[?]
[00:12:03]¦[=! laughing]¦&=laughs¦【音楽】¦［music］¦[संगीत]¦[हँसी]¦[हंसी]¦(तालियाँ)¦[पृष्ठभूमि संगीत]¦[சிரிப்பு]
(இசை)¦[ചിരി]¦(സംഗീതം)¦[ہنسی]¦(موسیقی)¦[হাসি]¦(সঙ্গীত)¦[నవ్వు]¦(సంగీతం)¦[Musik]¦(Gelächter)¦(räuspert sich)
[rires]¦(applaudissements)¦(éclats de rire)¦[risas]¦(música suave)¦[risos]¦(aplausos)¦(música de fundo)
[музыка]¦(смех)
"""


@pytest.mark.parametrize("tag", [tag for line in TAGS.strip().splitlines() for tag in line.split("¦")])
@pytest.mark.parametrize("name", ["latn-en-v1", "deva-hi-v1", "arab-ur-v2", "unspaced-v1", "all-v1"])
def test_no_tag_is_scored_as_a_word(name: str, tag: str) -> None:
    assert load_normaliser(name)(f"abc {tag} xyz") == "abc xyz"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("well [yeah I know] it", "well yeah i know it"),
        ("so [ja genau] dann", "so ja genau dann"),
        ("अच्छा [हाँ जी] ठीक", "अच्छा हाँ जी ठीक"),
        ("wor[d of] mou[th]", "wor d of mou th"),
        ("[we were both at home by then]", "we were both at home by then"),
        ("[tea at home by half past]", "tea at home by half past"),
        ("I (almost) laughed (he likes music)", "i almost laughed he likes music"),
        ("♪ row row your boat ♪", "row row your boat"),
        ("<I wanted> [/] I wanted <en: laughter>", "i wanted i wanted en laughter"),
        ("[exactly] [good morning] [of course] [two]", "exactly good morning of course two"),
        ("[en: hello there]", "en hello there"),
        ("a < b and c > d", "a b and c d"),
        ("the music was loud", "the music was loud"),
    ],
)
def test_speech_in_brackets_stays(text: str, words: str) -> None:
    assert load_normaliser("all-v1")(text) == words


def test_a_project_whose_brackets_hold_speech_drops_named_sounds_alone() -> None:
    mine = Normaliser(id="mine", version=1, steps=("nfc", "drop-named-sounds", "punctuation-to-space", "spaces"))
    assert mine("[gute Sache] [Gelächter] [upbeat music] da") == "gute Sache da"


TEXTS = st.lists(st.sampled_from([*"[](){}<>*♪|/ &=ab:1［⺀ﬁ\u200b", "music", "yes", " door "]), max_size=25).map(
    "".join
)


@given(TEXTS)
def test_dropping_twice_is_as_once_and_adds_nothing(text: str) -> None:
    for drop in (drop_non_speech, drop_named_sounds):
        assert drop(drop(text)) == drop(text)
        assert len(drop(text)) <= len(text)


@given(TEXTS)
def test_a_text_is_normalised_as_a_whole_as_by_its_words(text: str) -> None:
    for name in ("latn-v2", "unspaced-v1"):
        normalise = load_normaliser(name)
        assert normalise.apply(text) == normalise(text)
