"""Stretches of speech as people and programs write them, for laws that hold for all of them."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from transcribe.formats import TimedText
from transcribe.formats.records import is_visible

#: Each example writes files to the disk.
few = settings(max_examples=30)

#: Scripts, quotes, directions and marks that formats trip over.
TEXTS = [
    "hello world",
    "मैं घर जा रहा हूँ",
    "क्‍ष र्‍य ज़िंदगी",  # joiners and a nukta
    "நான் வீட்டிற்கு போகிறேன்",
    "আমি বাড়ি যাচ্ছি",
    "میں گھر جا رہا ہوں",
    "שלום \u200f(עולם)",
    'she said "no", twice: ""',
    "l'eau & <noise> 5 < 6 > 4",
    "100% sure; or not",
    "=SUM(A1:A2)",
    'item [3]: intervals [2]: text = "x"',
    "42",
    "👩‍👩‍👧 laughs",
    "{curly} [square] \\back",
    "a\\N b\\n c\\h d",
]
NAMES = [
    "A",
    "Asha Devi",
    "speaker-1",
    "आशा",
    "M\u00c9O069",
    "tab\tname",
    "a%20b",
    ";semi",
    "line\u2028sep",
    'O\'Brien, "Pat"',
]

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30).map(
        lambda text: " ".join(text.split())
    ),
).filter(is_visible)
names = st.one_of(
    st.sampled_from(NAMES),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip),
).filter(lambda name: name != "<NA>")


@st.composite
def stretches(
    draw: st.DrawFn, *, recordings: st.SearchStrategy[str] = st.just("calls/a b.wav"), apart: bool = False
) -> list[TimedText]:
    """A few stretches ordered by recording and start, of some length. *apart*: none overlaps another."""
    items = []
    next_start = 0
    for _ in range(draw(st.integers(0, 6))):
        start = next_start + draw(st.integers(0, 5_000)) if apart else draw(st.integers(0, 3_600_000))
        end = start + draw(st.integers(1, 30_000))
        next_start = end
        items.append(
            TimedText(
                recording=draw(recordings), start=start, end=end, speaker=draw(st.none() | names), text=draw(texts)
            )
        )
    return sorted(items, key=lambda item: (item.recording, item.start, item.end, item.speaker or ""))
