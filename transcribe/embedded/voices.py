"""Synthetic speakers: espeak-ng voices made into distinct people by pitch, tempo and vocal tract."""

import ctypes
import functools
import hashlib
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transcribe.errors import MissingError

Part = Literal["training", "demo"]

RATE_HZ = 16_000

#: What espeak-ng calls each dialect (the files of its `lang` folder). `en-scotland` is a registered BCP 47 variant;
#: the private-use subtags name varieties that have no registered one.
ESPEAK = {
    "en-US": "en-us",
    "en-GB": "en-gb-x-rp",
    "en-029": "en-029",
    "en-scotland": "en-gb-scotland",
    "en-GB-x-lancs": "en-gb-x-gbclan",
    "en-GB-x-wmids": "en-gb-x-gbcwmd",
    "en-US-x-nyc": "en-us-nyc",
    "hi": "hi",
    "ta": "ta",
}

#: espeak-ng's voice variants that sound like people, in families whose mean spectra lie within about 2 dB of each
#: other. A family is never divided, so that a demo voice is no near-copy of a training voice. Left out: whispers,
#: robots, the ones with a room-sized echo, and the speed test.
LOW_FAMILIES = (
    ("m3", "m6", "Mike", "john"),
    ("m4", "m5"),
    ("m2", "croak", "grandpa"),
    ("m1",),
    ("m7", "Nguyen"),
    ("m8",),
    ("Alex",),
    ("AnxiousAndy",),
    ("Andy",),
    ("Denis", "victor"),
    ("Diogo", "Henrique", "Hugo", "michel", "miguel"),
    ("Gene", "Gene2"),
    ("Jacky",),
    ("Lee",),
    ("Marco",),
    ("Mario", "Michael"),
    ("adam", "benjamin", "edward2", "klatt6", "Reed"),
    ("RicishayMax",),
    ("Storm",),
    ("Tweaky",),
    ("antonio",),
    ("boris",),
    ("david",),
    ("ed",),
    ("edward", "klatt3", "klatt4", "klatt5"),
    ("gustave",),
    ("ian",),
    ("iven", "iven2", "iven3", "iven4"),
    ("kaukovalta",),
    ("klatt", "klatt2"),
    ("marcelo",),
    ("max",),
    ("mike2",),
    ("norbert",),
    ("pablo",),
    ("paul",),
    ("pedro",),
    ("quincy",),
    ("rob", "robert"),
    ("sandro",),
    ("travis",),
)
HIGH_FAMILIES = (
    ("f1",),
    ("f2",),
    ("f3",),
    ("f5",),
    ("aunty", "f4"),
    ("belinda", "linda"),
    ("steph", "steph2", "steph3"),
    ("Alicia",),
    ("Andrea",),
    ("Annie",),
    ("anika",),
    ("grandma",),
    ("shelby",),
    ("zac",),
)


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One synthetic person."""

    #: Unique: it spells out the settings, so that equal names are equal voices.
    name: str
    #: BCP 47 tag of what the voice speaks.
    dialect: str
    #: espeak-ng's name of language and variant, such as `en-gb-scotland+f2`.
    espeak: str
    #: 0 to 99; 50 is the variant's own pitch.
    pitch: int
    #: Words a minute.
    rate: int
    #: 0 (monotone) to 99; 50 is the variant's own.
    pitch_range: int
    #: Vocal tract length: above 1 a shorter one. Formants and pitch are both multiplied by it, the tempo stays.
    warp: float


def training_voices(dialect: str, count: int, seed: int) -> list[Voice]:
    """
    Give *count* different people for training the embedded models, by turns a lower and a higher voice.

    No variant among them is ever used by `demo_voices`.

    Raises:
        ValueError: If *dialect* has no espeak-ng voice.
    """
    return _draw(dialect, count, seed, "training")


def demo_voices(dialect: str, count: int, seed: int) -> list[Voice]:
    """Give *count* different people for the demo, by turns a lower and a higher voice; see `training_voices`."""
    return _draw(dialect, count, seed, "demo")


def variants(part: Part, families: Sequence[Sequence[str]]) -> list[str]:
    """List the variants of *families* in one *part*; the part follows from a hash of the family's first name alone."""
    return [variant for family in families if _part(family[0]) == part for variant in family]


def speak(voice: Voice, text: str) -> NDArray[np.float32]:
    """
    Give *text* spoken by *voice*.

    espeak-ng keeps its phases of pitch and flutter between utterances: samples repeat bit for bit only when a fresh
    process asks for the same utterances in the same order.

    Returns:
        float32 (samples,) at 16 000 Hz, peak 0.7, with at most 20 ms of silence before and after the speech.

    Raises:
        ValueError: If espeak-ng does not know the voice or the text comes out silent.
        MissingError: If espeak-ng is not installed.
    """
    import soxr

    raw, raw_hz = _engine()(voice, text)
    # Read at a rate *warp* times too high, the same samples become a smaller person who talks faster.
    samples = soxr.resample(raw.astype(np.float32), raw_hz * voice.warp, RATE_HZ).astype(np.float32)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        raise ValueError(f"voice {voice.espeak} should say {text!r}, but it came out silent; take another variant")
    start, end = audible(samples)
    margin = RATE_HZ // 50
    trimmed = samples[max(0, start - margin) : end + margin]
    return np.asarray(trimmed * np.float32(0.7 / peak), dtype=np.float32)


def audible(samples: NDArray[Any], *, floor: float = 0.01) -> tuple[int, int]:
    """
    Give the first sample above *floor* (a share of the peak, so 40 dB under it) and one past the last one.

    >>> audible(np.array([0.0, 0.001, 0.5, -1.0, 0.0]))
    (2, 4)
    """
    loud = np.flatnonzero(np.abs(samples) > floor * np.abs(samples).max(initial=0))
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, 0)


def _part(family: str) -> Part:
    # The fourth byte: of those tried it gives the evenest shares of low and high voices, about a quarter each.
    return "demo" if hashlib.sha256(family.encode()).digest()[3] % 4 == 0 else "training"


def _draw(dialect: str, count: int, seed: int, part: Part) -> list[Voice]:
    if dialect not in ESPEAK:
        raise ValueError(f"a voice for {dialect} was asked for, but there are voices only for {', '.join(ESPEAK)}")
    rng = random.Random(f"{part} {dialect} {seed}")
    decks = [_deck(variants(part, families), rng) for families in (LOW_FAMILIES, HIGH_FAMILIES)]
    people: dict[str, Voice] = {}
    while len(people) < count:
        high = len(people) % 2 == 1
        person = _person(dialect, decks[high](), high, rng)
        people.setdefault(person.name, person)
    return list(people.values())


def _deck(cards: list[str], rng: random.Random) -> Callable[[], str]:
    """Deal *cards* in random order, and shuffle anew when all are dealt, so that variants recur as late as can be."""
    left: list[str] = []

    def deal() -> str:
        if not left:
            left.extend(rng.sample(cards, len(cards)))
        return left.pop()

    return deal


def _person(dialect: str, variant: str, high: bool, rng: random.Random) -> Voice:
    # The two ranges of vocal tracts hardly meet: low voices are men, high ones women and children.
    warp = round(rng.uniform(1.0, 1.18) if high else rng.uniform(0.85, 1.02), 2)
    pitch = rng.randint(40, 72) if high else rng.randint(28, 62)
    # zac is a child of 350 Hz already; raised further it leaves the range of voices.
    pitch = min(pitch, 50) if variant == "zac" else pitch
    # Short turns hold no pauses: at 140 espeak-ng says about 180 words a minute of them, a calm conversation.
    rate = rng.randint(115, 170)
    pitch_range = rng.randint(35, 75)
    name = f"{dialect}_{variant}_p{pitch}_v{pitch_range}_r{rate}_w{round(warp * 100)}"
    espeak = f"{ESPEAK[dialect]}+{variant}"
    return Voice(name=name, dialect=dialect, espeak=espeak, pitch=pitch, rate=rate, pitch_range=pitch_range, warp=warp)


class _Engine:
    """espeak-ng's shared library, called in this thread: one voice and one utterance at a time."""

    # espeak_AUDIO_OUTPUT, espeak_PARAMETER and the flags, from espeak-ng's speak_lib.h.
    _SYNCHRONOUS = 2
    _RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
    _UTF_8 = 1
    # Loud variants clip at the usual 100; resampling and the peak make up for the lower one.
    _QUIET = 30

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ModuleNotFoundError as error:
            raise MissingError(
                "speech was to be synthesised, but espeak-ng is not installed", hint="pip install espeakng-loader"
            ) from error
        # The wheel's own loader prints and gives None where it fails; this raises.
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(Path(espeakng_loader.get_data_path()))
        self._rate_hz = int(self._library.espeak_Initialize(self._SYNCHRONOUS, 0, data.encode(), 0))
        if self._rate_hz <= 0:
            raise OSError(f"espeak-ng found no voices in {data}; reinstall the package espeakng-loader")
        self._blocks: list[NDArray[np.int16]] = []
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = prototype(self._keep)  # the library holds only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._lock = threading.Lock()

    def __call__(self, voice: Voice, text: str) -> tuple[NDArray[np.int16], int]:
        """Give int16 samples and their rate in Hz."""
        with self._lock:
            if self._library.espeak_SetVoiceByName(voice.espeak.encode()) != 0:
                raise ValueError(
                    f"voice {voice.espeak} was asked for, but espeak-ng has none of that language; "
                    f"take one of {', '.join(ESPEAK.values())}"
                )
            settings = {
                self._RATE: max(80, round(voice.rate / voice.warp)),
                self._VOLUME: self._QUIET,
                self._PITCH: voice.pitch,
                self._RANGE: voice.pitch_range,
            }
            for parameter, value in settings.items():
                self._library.espeak_SetParameter(parameter, value, 0)
            # Breath and other noise would otherwise follow the clock.
            self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
            self._blocks.clear()
            line = text.encode()
            self._library.espeak_Synth(line, len(line) + 1, 0, 0, 0, self._UTF_8, None, None)
            return np.concatenate([np.zeros(0, np.int16), *self._blocks]), self._rate_hz

    def _keep(self, block: Any, count: int, _events: Any) -> int:
        if block and count > 0:
            self._blocks.append(np.ctypeslib.as_array(block, shape=(count,)).copy())
        return 0


@functools.cache
def _engine() -> _Engine:
    return _Engine()
