"""Answers that are kept are those of the encoder, are checked, take no more room than they may, and can be erased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("transformers", reason="tuning belongs to the train extra")

from tests.finetune.factories import line, sound  # noqa: E402 - after the libraries that it needs
from transcribe import audio, embedded  # noqa: E402
from transcribe.errors import Interrupted  # noqa: E402
from transcribe.finetune import hearing  # noqa: E402
from transcribe.finetune.answers import FACTORS, Answers, KeptWindow  # noqa: E402
from transcribe.finetune.sources import AnswerSource, Pick  # noqa: E402
from transcribe.passages import Passage, cuts, passages  # noqa: E402
from transcribe.protocols import Span  # noqa: E402

TALK = "en-GB-dev-01"
TOKENS = [1023, 1024, 1124, 1128, 300, 301]


@pytest.fixture(scope="module")
def net() -> Any:
    from transformers import WhisperForConditionalGeneration

    base = str(embedded.whisper_for_training())
    return WhisperForConditionalGeneration.from_pretrained(base, dtype=torch.float32).eval().model


def answers(folder: Path, net: Any, *, most: int = 1 << 30, **others: Any) -> Answers:
    features = hearing.Features(80, torch.device("cpu"))
    return Answers(folder, net, features, others.get("sound", sound), most_bytes=most)


def window(start: int, end: int, variant: int = 0) -> KeptWindow:
    return KeptWindow(audio=TALK, channel=None, pieces=(Span(start=start, end=end),), variant=variant)


def three_windows() -> list[KeptWindow]:
    return [window(start, start + 3_000) for start in (0, 4_000, 8_000)]


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.f16"))


def written(net: Any, states: Any, bias: Any = None) -> Any:
    with torch.no_grad():
        sound = hearing.Encoded(states=states, bias=bias)
        return hearing.scores(net, hearing.decode(net, torch.tensor([TOKENS]), sound))


def test_what_is_read_back_is_what_the_encoder_answers_to_full_30_seconds(net: Any, tmp_path: Path) -> None:
    kept = answers(tmp_path, net)
    kept.compute(three_windows())
    own = three_windows()[1]
    mel = hearing.Features(80, torch.device("cpu"))([hearing.to_wave(sound(TALK, None)[4 * 16_000 : 7 * 16_000])])
    with torch.no_grad():
        wanted = hearing.encode(net, torch.nn.functional.pad(mel, (0, 3_000 - mel.shape[-1]))).states
    (found,) = kept.of(own)[None]

    assert found.dtype == torch.float16
    assert found.shape == (1_500, net.config.d_model)
    assert torch.allclose(found.float(), wanted[0], atol=2e-2)
    assert torch.allclose(written(net, found[None].float()), written(net, wanted), atol=5e-2)


def test_a_damaged_answer_is_refused_and_computed_again(net: Any, tmp_path: Path) -> None:
    own = window(0, 3_000)
    kept = answers(tmp_path, net)
    kept.compute([own])
    wanted, (file,) = kept.of(own), files(tmp_path)
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    for damaged in (bytes(content), bytes(content[:-2]), b""):
        file.write_bytes(damaged)
        assert torch.equal(kept.of(own), wanted)


def test_an_answer_under_another_windows_name_is_refused(net: Any, tmp_path: Path) -> None:
    kept, (one, other, _) = answers(tmp_path, net), three_windows()
    kept.compute([one, other])
    wanted, (first, second) = kept.of(one), files(tmp_path)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)

    assert torch.equal(kept.of(one), wanted)


def test_nothing_is_heard_twice_not_even_by_another_run(net: Any, tmp_path: Path) -> None:
    answers(tmp_path, net).compute(three_windows())
    again = answers(tmp_path, net, sound=lambda audio, channel: pytest.fail("heard again"))
    again.compute(three_windows())

    assert again.of(window(0, 3_000)).shape == (1_500, net.config.d_model)


def test_there_is_no_more_on_the_disk_than_may_be_and_the_rest_is_answered_all_the_same(
    net: Any, tmp_path: Path
) -> None:
    wanted = [answers(tmp_path / "all", net).of(own) for own in three_windows()]
    room = 2 * answers(tmp_path, net).size + 100
    kept = answers(tmp_path / "some", net, most=room)
    kept.compute(three_windows())

    assert all(torch.equal(kept.of(own), answer) for own, answer in zip(three_windows(), wanted, strict=True))
    assert len(files(tmp_path / "some")) == 2
    # What this run does not need makes room.
    kept.compute([window(1_000, 2_000)])
    assert window(1_000, 2_000).name in {file.stem for file in files(tmp_path / "some")}
    assert sum(file.stat().st_size for file in files(tmp_path / "some")) <= room


def test_hearing_that_is_stopped_goes_on_where_it_was(net: Any, tmp_path: Path) -> None:
    import threading

    stop, told = threading.Event(), []

    def watch(done: int, total: int) -> None:
        told.append((done, total))
        stop.set()

    with pytest.raises(Interrupted):
        answers(tmp_path, net).compute(three_windows(), progress=watch, stop=stop)
    answers(tmp_path, net).compute(three_windows(), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (1, 2), (2, 2)]


def test_another_encoder_has_answers_of_its_own(net: Any, tmp_path: Path) -> None:
    import copy

    other = copy.deepcopy(net)
    with torch.no_grad():
        other.encoder.layer_norm.weight[0] += 1
    for each in (net, other):
        answers(tmp_path, each).compute([window(0, 3_000)])

    assert len(files(tmp_path)) == 2


def test_variants_are_the_same_each_time_and_none_is_the_other(net: Any, tmp_path: Path) -> None:
    one, again = answers(tmp_path / "a", net), answers(tmp_path / "b", net)
    found = [one.of(window(0, 3_000, variant)) for variant in range(len(FACTORS))]

    assert all(torch.equal(again.of(window(0, 3_000, number)), answer) for number, answer in enumerate(found))
    assert len({answer.numpy().tobytes() for answer in found}) == len(FACTORS)


def test_a_recordings_answers_and_cut_sound_are_erased_with_it(net: Any, tmp_path: Path) -> None:
    kept = answers(tmp_path / audio.ANSWERS, net)
    other = KeptWindow(audio="en-scotland-dev-01", channel=None, pieces=(Span(start=0, end=900),))
    kept.compute([*three_windows(), other])
    shards = tmp_path / "models" / "tuned-1" / audio.SHARDS / "train"
    shards.mkdir(parents=True)
    (shards / "00000.i16").write_bytes(b"sound")
    audio.erase_training_sound(tmp_path, TALK)

    assert [file.parent.name for file in files(tmp_path)] == [other.audio]
    assert not list(tmp_path.rglob("*.i16"))


def test_a_batch_hears_a_sample_of_the_silence_behind_as_it_would_hear_all(net: Any, tmp_path: Path) -> None:
    talk: list[Passage] = passages([line(500, 4_000, audio=TALK)])
    (cut,) = cuts(talk[0], 28_000)
    kept = answers(tmp_path, net)
    sampled = AnswerSource(talk, kept, device=torch.device("cpu")).batch([Pick(passage=0, cut=cut)])
    whole = kept.of(KeptWindow.of(talk[0], cut))[None].float()
    found, wanted = (
        written(net, states, bias).log_softmax(-1) for states, bias in ((sampled.states, sampled.bias), (whole, None))
    )

    assert sampled.states.shape[1] < 400
    assert np.abs((found - wanted).numpy()).mean() < 0.1
