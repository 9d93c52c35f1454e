"""The utterances that training mixes: synthetic speech with known word times, and recorded digits."""

from __future__ import annotations

import csv
import ctypes
import json
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded import texts, voices
from transcribe.embedded.voices import RATE_HZ, Voice

Kind = Literal["speech", "digits", "recorded"]

#: Scots is left for the demo's fine-tuning to learn.
DIALECTS = ("en-US", "en-GB", "en-029", "en-GB-x-lancs", "en-GB-x-wmids", "en-US-x-nyc", "hi", "ta")

# Parts of invented English syllables.
ONSETS = (*"bcdfghjklmnprstvw", "br", "bl", "cr", "dr", "fl", "gr", "pl", "pr", "sl", "st", "tr", "th", "sh", "ch")
VOWELS = (*"aeiou", "ai", "ee", "oo", "ea", "ou", "ow", "ay")
CODAS = ("", *"bdgklmnprst", "ck", "ll", "nd", "nt", "rn", "st", "sh", "th", "ch")

FIRST_DEV_RECORDING = 35
FIRST_TEST_RECORDING = 40


SILENCE = "_"


@dataclass(frozen=True, kw_only=True, eq=False)
class Utterance:
    """One person's stretch of speech."""

    samples: NDArray[np.int16]
    words: tuple[str, ...]
    #: ms from the first sample at which each word begins
    starts: tuple[int, ...]
    #: ms at which each phone begins, and espeak-ng's name of it; SILENCE for none
    phones: tuple[tuple[int, str], ...]
    speaker: str
    language: str
    kind: Kind

    @property
    def length(self) -> int:
        """Length in ms."""
        return len(self.samples) * 1000 // RATE_HZ


class _Event(ctypes.Structure):
    """espeak_EVENT of espeak-ng's speak_lib.h, as far as the sample position."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class TimedEngine(voices._Engine):
    """The engine behind `voices.speak`, which also notes when each word and each phone begins."""

    # espeak_EVENT_TYPE and the option of espeak_Initialize that asks for phones, from speak_lib.h
    _WORD, _PHONE = 1, 7
    _PHONE_EVENTS = 1

    def __init__(self) -> None:
        import espeakng_loader

        # The library has one state and one callback for the process. The plain engine begins before this one, and has
        # its callback whenever this one is not at work.
        self._plain = voices._engine()
        super().__init__()
        self.word_starts: dict[int, int] = {}
        self.phones: list[tuple[int, str]] = []
        data = str(espeakng_loader.get_data_path()).encode()
        self._library.espeak_Initialize(self._SYNCHRONOUS, 0, data, self._PHONE_EVENTS)
        self._library.espeak_SetSynthCallback(self._plain._callback)

    def __call__(self, voice: Voice, text: str) -> tuple[NDArray[np.int16], int]:
        self._library.espeak_SetSynthCallback(self._callback)
        try:
            return super().__call__(voice, text)
        finally:
            self._library.espeak_SetSynthCallback(self._plain._callback)

    def _keep(self, block: Any, count: int, events: Any) -> int:
        if events:
            event = ctypes.cast(events, ctypes.POINTER(_Event))
            place = 0
            while event[place].type:
                if event[place].type == self._WORD:
                    self.word_starts.setdefault(event[place].text_position - 1, event[place].audio_position)
                elif event[place].type == self._PHONE:
                    self.phones.append((event[place].audio_position, phone(event[place].id)))
                place += 1
        return super()._keep(block, count, None)


def phone(mnemonic: bytes) -> str:
    """Name of a phone without stress marks; SILENCE for pauses."""
    name = mnemonic.decode("utf-8", errors="ignore").strip("',;=#")
    return SILENCE if name.startswith("_") or not name else name


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Speech, and when its words and phones begin in ms."""

    samples: NDArray[np.int16]
    starts: list[int]
    phones: list[tuple[int, str]]


def speak_timed(engine: TimedEngine, voice: Voice, text: str) -> Timed:
    """
    Give what `voices.speak` gives, as int16, with the times of its words and phones.

    Where espeak-ng joins words it reports one start for both; the later word then begins by its share of letters.
    """
    import soxr

    engine.word_starts.clear()
    engine.phones.clear()
    raw, raw_hz = engine(voice, text)
    samples = soxr.resample(raw.astype(np.float32), raw_hz * voice.warp, RATE_HZ)
    begin, end = voices.audible(samples)
    begin, end = max(0, begin - RATE_HZ // 50), end + RATE_HZ // 50
    trimmed = samples[begin:end]
    if not trimmed.size:
        raise ValueError(f"voice {voice.espeak} should say {text!r}, but it came out silent; take another variant")
    scaled = (trimmed * (0.7 * 32767 / np.abs(trimmed).max())).astype(np.int16)
    shift, length = begin * 1000 // RATE_HZ, len(trimmed) * 1000 // RATE_HZ
    known = {place: round(at / voice.warp) - shift for place, at in engine.word_starts.items()}
    phones = [(min(max(0, round(at / voice.warp) - shift), length), name) for at, name in engine.phones]
    return Timed(samples=scaled, starts=_filled(text, known, length), phones=phones)


def _filled(text: str, known: dict[int, int], length: int) -> list[int]:
    """Start of each word: the known ones, the others in between by letters."""
    places, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        places.append(at)
        at += len(word)
    fixed = {0: 0, len(text): length} | {place: ms for place, ms in known.items() if place in places and place}
    letters = sorted(fixed)
    starts = np.interp(places, letters, np.maximum.accumulate([fixed[letter] for letter in letters]))
    return [int(min(max(start, 0), length - 1)) for start in starts]


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much of what is synthesised for each dialect of DIALECTS."""

    voices: int
    #: the rest is for each voice
    sentences: int
    #: turns of random words
    salads: int
    #: strings of 1 to 6 English digits
    digits: int


def synthesise(folder: Path, amount: Amount, *, seed: int) -> Path:
    """Write the bank of synthetic utterances to *folder* (audio.npy int16, utterances.jsonl); gives *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, engine = random.Random(seed), TimedEngine()
    pieces: list[NDArray[np.int16]] = []
    place = 0
    with (folder / "utterances.jsonl").open("w", encoding="utf-8") as lines:
        for voice, kind, text in _script(rng, amount, seed):
            try:
                said = speak_timed(engine, voice, text)
            except ValueError:
                continue  # a variant that cannot speak the language
            fact = {"start": place, "end": place + len(said.samples), "text": text, "kind": kind}
            fact |= {"starts": said.starts, "phones": said.phones}
            fact |= {"speaker": voice.name, "language": voice.dialect.split("-")[0]}
            lines.write(json.dumps(fact, ensure_ascii=False) + "\n")
            pieces.append(said.samples)
            place += len(said.samples)
    np.save(folder / "audio.npy", np.concatenate(pieces))
    return folder


def _script(rng: random.Random, amount: Amount, seed: int) -> Iterator[tuple[Voice, Kind, str]]:
    for dialect in DIALECTS:
        for voice in voices.training_voices(dialect, amount.voices, seed):
            for _ in range(amount.sentences):
                yield voice, "speech", with_strange_word(texts.sentence(dialect, rng), dialect, rng)
            for _ in range(amount.salads):
                yield voice, "speech", salad(dialect, rng)
            if dialect.startswith("en"):
                for _ in range(amount.digits):
                    yield voice, "digits", texts.digits(rng, rng.randint(1, 6))


def salad(dialect: str, rng: random.Random) -> str:
    """Random words of *dialect*: where no grammar helps, the network has to listen."""
    return " ".join(rng.choices(texts.vocabulary(dialect), k=rng.randint(2, 6)))


def with_strange_word(text: str, dialect: str, rng: random.Random, *, share: float = 0.12) -> str:
    """
    Give *text*, in a *share* of English ones with one word replaced by an invented one.

    The fixed sentences alone would teach a list of words; invented ones teach how sounds are spelled.
    """
    if not dialect.startswith("en") or rng.random() > share:
        return text
    words = text.split()
    words[rng.randrange(len(words))] = "".join(
        rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.choice((1, 1, 2)))
    )
    return " ".join(words)


def load_bank(folder: Path) -> list[Utterance]:
    """Utterances written by `synthesise`."""
    audio: NDArray[np.int16] = np.load(folder / "audio.npy", mmap_mode="r")
    found = []
    for line in (folder / "utterances.jsonl").read_text(encoding="utf-8").splitlines():
        fact = json.loads(line)
        found.append(
            Utterance(
                samples=audio[fact["start"] : fact["end"]],
                words=tuple(fact["text"].split()),
                starts=tuple(fact["starts"]),
                phones=tuple((at, name) for at, name in fact["phones"]),
                speaker=fact["speaker"],
                language=fact["language"],
                kind=fact["kind"],
            )
        )
    return found


def recorded_digits(
    data: Path, *, recordings: range = range(FIRST_DEV_RECORDING), without: Collection[str] = ()
) -> list[Utterance]:
    """
    Digits of the Free Spoken Digit Dataset under *data*, trimmed to what is heard.

    Args:
        data: Folder that holds fsdd/manifest.csv.
        recordings: Which recordings of each digit and speaker; from FIRST_TEST_RECORDING on they are for tests only.
        without: Speakers to leave out.
    """
    with (data / "fsdd" / "manifest.csv").open(encoding="utf-8", newline="") as rows:
        chosen = [row for row in csv.DictReader(rows) if row["speaker"] not in without]
    phones = _digit_phones()
    found = []
    for row in chosen:
        if int(Path(row["path"]).stem.rsplit("_", 1)[1]) not in recordings:
            continue
        samples = _recording(data / row["path"])
        length = len(samples) * 1000 // RATE_HZ
        found.append(
            Utterance(
                samples=samples,
                words=(row["text"],),
                starts=(0,),
                phones=tuple((round(share * length), name) for share, name in phones[row["text"]]),
                speaker=row["speaker"],
                language="en",
                kind="recorded",
            )
        )
    return found


def _digit_phones() -> dict[str, list[tuple[float, str]]]:
    """Phones of each digit, with the share of the word at which a synthetic voice begins them."""
    engine, voice = TimedEngine(), voices.training_voices("en-US", 1, 1)[0]
    shares = {}
    for word in texts.DIGITS:
        said = speak_timed(engine, voice, word)
        length = len(said.samples) * 1000 / RATE_HZ
        shares[word] = [(at / length, name) for at, name in said.phones]
    return shares


def inventory(bank: Sequence[Utterance], *, least: int = 20) -> list[str]:
    """Names of the phones said at least *least* times in *bank*, SILENCE first."""
    counts = Counter(name for utterance in bank for _, name in utterance.phones)
    return [SILENCE, *sorted(name for name, count in counts.items() if count >= least and name != SILENCE)]


def _recording(path: Path) -> NDArray[np.int16]:
    import soxr
    from scipy.io import wavfile

    rate_hz, samples = wavfile.read(path)
    wide = soxr.resample(samples.astype(np.float32), rate_hz, RATE_HZ)
    begin, end = voices.audible(wide, floor=0.02)
    return np.asarray(wide[begin:end] * (0.7 * 32767 / max(1.0, np.abs(wide).max())), dtype=np.int16)


def languages(bank: Sequence[Utterance]) -> list[str]:
    """Languages that occur in *bank*, sorted."""
    return sorted({utterance.language for utterance in bank})
