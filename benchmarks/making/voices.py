"""The people of the corpus: voices of Kokoro mixed, hastened and shifted until every one is one of a kind."""

import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmarks.making.texts import Script
from transcribe.records import Split

Region: TypeAlias = Literal["US", "GB", "HI", "other"]
Register: TypeAlias = Literal["low", "high"]

REGISTERS: tuple[Register, Register] = ("low", "high")

#: Kokoro's voices by split, region and register. A voice belongs to one split, whatever it speaks there, and so does
#: everybody who is mixed of it. Voices whose styles are near-copies share a split: the Spanish and the Portuguese dora,
#: alex and santa, and the Japanese gongitsune, nezumi and tebukuro. zm_yunxia is
#: a child. Left out: af_nicole, who whispers, and am_santa and af_alloy, who are neither low nor high.
VOICES: Mapping[Split, Mapping[Region, Mapping[Register, tuple[str, ...]]]] = {
    "train": {
        "US": {
            "low": ("am_fenrir", "am_eric", "am_liam"),
            "high": ("af_heart", "af_aoede", "af_sarah", "af_jessica"),
        },
        "GB": {"low": ("bm_fable",), "high": ("bf_isabella",)},
        "HI": {"low": ("hm_omega",), "high": ("hf_alpha",)},
        "other": {
            "low": ("em_alex", "em_santa", "pm_alex", "pm_santa"),
            "high": ("ef_dora", "pf_dora", "ff_siwis", "zf_xiaobei", "zf_xiaoni"),
        },
    },
    "test": {
        "US": {
            "low": ("am_michael", "am_puck", "am_echo"),
            "high": ("af_bella", "af_kore", "af_nova"),
        },
        "GB": {"low": ("bm_george", "bm_lewis"), "high": ("bf_emma", "bf_lily")},
        "HI": {"low": ("hm_psi",), "high": ("hf_beta",)},
        "other": {
            "low": ("im_nicola", "jm_kumo", "zm_yunxi"),
            "high": ("if_sara", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "zf_xiaoxiao"),
        },
    },
    "dev": {
        "US": {"low": ("am_adam", "am_onyx"), "high": ("af_sky", "af_river")},
        "GB": {"low": ("bm_daniel",), "high": ("bf_alice",)},
        "HI": {"low": (), "high": ()},
        "other": {"low": ("zm_yunjian", "zm_yunyang"), "high": ("jf_alpha", "zf_xiaoyi", "zm_yunxia")},
    },
}


@dataclass(frozen=True, kw_only=True)
class Accent:
    """How a variety is spoken here."""

    #: espeak-ng's name of the language whose phonemes are spoken.
    espeak: str
    #: Where one of the two people of a conversation comes from, and where the other does; one region where both do.
    regions: tuple[Region, ...]


ACCENTS: Mapping[str, Accent] = {
    "en-US": Accent(espeak="en-us", regions=("US",)),
    "en-GB": Accent(espeak="en-gb", regions=("GB",)),
    "en-IN": Accent(espeak="en-gb", regions=("HI", "other")),
    "en-scotland": Accent(espeak="en-gb-scotland", regions=("GB", "US")),
    "hi": Accent(espeak="hi", regions=("HI", "other")),
    "hi-x-mixed": Accent(espeak="hi", regions=("HI", "other")),
    "ta": Accent(espeak="ta", regions=("other",)),
}

#: Share of the main voice in a person's style.
SHARES = (0.65, 0.85)
#: Tempo, where 1 is the voice's own.
SPEEDS = (0.92, 1.12)
#: Pitch and formants, which are multiplied by it: above 1 a smaller person.
WARPS: Mapping[Register, tuple[float, float]] = {"low": (0.93, 1.02), "high": (0.98, 1.07)}


@dataclass(frozen=True, kw_only=True)
class Person:
    """One synthetic person, who is in one recording."""

    name: str
    #: The voice that most of the style is of, and the one that the rest is of.
    main: str
    partner: str
    share: float
    speed: float
    warp: float
    espeak: str


def cast(scripts: Sequence[Script], seed: int) -> dict[str, dict[str, Person]]:
    """
    Give the people of *scripts*, by the conversation's name, then by the letter of its turns.

    One of two has a low voice and one a high voice, unless the words of both say otherwise (see `spoken_register`).
    The people of a variety and split do not depend on other ones.
    """
    people: dict[str, dict[str, Person]] = {}
    for variety, split in dict.fromkeys((script.variety, script.split) for script in scripts):
        members = [script for script in scripts if (script.variety, script.split) == (variety, split)]
        people |= _cast_group(members, random.Random(f"{seed} people {variety} {split}"))
    return people


def spoken_register(lines: Sequence[str]) -> Register | None:
    """
    Give the register that the first person's Hindi verbs in *lines* ask for: low for a man; None where none tells.

    >>> spoken_register(["मैं कल आऊँगी।"]), spoken_register(["मैं देखता हूँ।"]), spoken_register(["It is late."])
    ('high', 'low', None)
    """
    text = " ".join(lines)
    women = len(re.findall(r"\S+ी हूँ|\S*[ूऊ][ँं]गी|रही थी", text))
    men = len(re.findall(r"\S+ता हूँ|\S*(?:रहा|गया|आया) हूँ|\S*[ूऊ][ँं]गा", text))
    return None if women == men else "high" if women > men else "low"


def _cast_group(scripts: Sequence[Script], rng: random.Random) -> dict[str, dict[str, Person]]:
    """Give the people of the conversations of one variety and split."""
    accent, voices = ACCENTS[scripts[0].variety], VOICES[scripts[0].split]
    # A region that has no voices in this split leaves its place to the other one.
    regions = [region for region in accent.regions if voices[region]["low"]]
    decks = {(region, register): _deck(voices[region][register], rng) for region in regions for register in REGISTERS}
    people: dict[str, dict[str, Person]] = {}
    for number, script in enumerate(scripts):
        registers, mains = _registers(script, rng), dict[str, str]()
        for place, (letter, register) in enumerate(registers.items()):
            deal = decks[regions[(number + place) % len(regions)], register]
            mains[letter] = _deal_another(deal, mains.values())
        people[script.name] = {
            letter: _person(f"{script.name}-{letter.lower()}", main, registers[letter], mains.values(), script, rng)
            for letter, main in mains.items()
        }
    return people


def _registers(script: Script, rng: random.Random) -> dict[str, Register]:
    """Give each of the two letters its register."""
    told = {
        letter: spoken_register([line.text for line in script.lines if line.speaker == letter]) for letter in ("A", "B")
    }
    chosen = rng.choice(REGISTERS)
    first = told["A"] or _opposite(told["B"] or chosen)
    return {"A": first, "B": told["B"] or _opposite(first)}


def _opposite(register: Register) -> Register:
    return "high" if register == "low" else "low"


def _deck(cards: Sequence[str], rng: random.Random) -> Callable[[], str]:
    """Deal *cards* in random order, and shuffle anew when all are dealt, so that voices recur as late as can be."""
    left: list[str] = []

    def deal() -> str:
        if not left:
            left.extend(rng.sample(cards, len(cards)))
        return left.pop()

    return deal


def _deal_another(deal: Callable[[], str], taken: Collection[str]) -> str:
    """Deal until a voice comes that is not *taken* in the same conversation; a deck of one voice gives that one."""
    for _ in range(20):
        voice = deal()
        if voice not in taken:
            break
    return voice


def _person(
    name: str, main: str, register: Register, mains: Collection[str], script: Script, rng: random.Random
) -> Person:
    """Give a person whose style is mostly *main*'s, and the rest of a voice that is none of the *mains*."""
    accent = ACCENTS[script.variety]
    partners = [voice for region in _partner_regions(accent) for voice in VOICES[script.split][region][register]]
    partner = rng.choice([voice for voice in partners if voice not in mains])
    share, speed, warp = (round(rng.uniform(*span), 2) for span in (SHARES, SPEEDS, WARPS[register]))
    return Person(name=name, main=main, partner=partner, share=share, speed=speed, warp=warp, espeak=accent.espeak)


def _partner_regions(accent: Accent) -> tuple[Region, ...]:
    """Give the regions whose voices are mixed into the main one: those of English varieties stay among themselves."""
    return ("US", "GB") if set(accent.regions) <= {"US", "GB"} else ("HI", "other", "US")
