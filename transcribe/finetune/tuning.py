"""Tuning from a frozen dataset to a folder: one function, which can be killed at any moment and called again."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch

from transcribe.audio import SHARDS
from transcribe.backends.cores import count_cores
from transcribe.backends.identity import folder_id
from transcribe.backends.whisper_folder import MANNERS_FILE
from transcribe.config import TrainSettings, fingerprint
from transcribe.errors import InputError, Interrupted, MissingError
from transcribe.finetune.learner import Learner, restored, save
from transcribe.finetune.lessons import Teacher
from transcribe.finetune.preparation import Material, prepare
from transcribe.finetune.shards import Sound
from transcribe.finetune.testing import ByDialect, Exam, Rates, judged
from transcribe.frozen import Frozen

#: Changes when the rules of this package change what is learned, so that a half-done run is not taken up wrongly.
RULES: Final = 3
#: Parts of the way from the base's weights to the learned ones that are tried at the end, beside the whole of it.
REACHES: Final = (0.85, 0.7, 0.55, 0.4)
#: Windows computed together on a CPU, which gains nothing by more: few pad less, and take less memory.
TOGETHER: Final = 4
RUN_FILE: Final = "run.json"
CHECKPOINT: Final = "checkpoint.pt"
TUNED: Final = "hf"


@dataclass(frozen=True, kw_only=True)
class Point:
    """What was measured when the dev part was heard."""

    step: int
    #: Mean loss of a token since the point before; ``None`` before the first step.
    loss: float | None
    rate: float
    #: Errors by word of each dialect of the dev part, as the tuner hears it: greedily, before conversion.
    wer: Mapping[str, float]
    #: Errors by letter.
    cer: Mapping[str, float]

    @property
    def rates(self) -> ByDialect:
        """Both, by dialect."""
        return {tag: Rates(wer=wer, cer=self.cer[tag]) for tag, wer in self.wer.items()}


@dataclass(frozen=True, kw_only=True)
class TuneStep:
    """How far tuning has come: what a progress display shows."""

    done: int
    total: int
    #: Since this process began.
    seconds: float
    #: Until the last step, at the pace so far; ``None`` before the first.
    left_s: float | None
    #: The newest point.
    point: Point | None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A tuned model, not yet converted."""

    #: Folder of transformers with everything merged in.
    folder: Path
    base: Path
    #: Hash of the dataset that it learned from.
    dataset: str
    parameters: Mapping[str, int | float | str | bool | None]
    curve: tuple[Point, ...]
    #: The step whose weights were kept, and how far from the base's they were brought.
    kept_step: int
    reach: float
    #: Errors by word, and by letter, of the dev part with what was kept.
    wer: Mapping[str, float]
    cer: Mapping[str, float]
    steps: int
    seconds: float
    ended: Literal["steps", "no gain"]


@dataclass(kw_only=True)
class _Run:
    """State beside the network's, all of it in each checkpoint."""

    curve: list[Point]
    best: dict[str, Any]
    kept_step: int
    waited: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    ended: bool = False


def tune(
    settings: TrainSettings,
    base: Path,
    dataset: Frozen,
    sound: Sound,
    to: Path,
    *,
    progress: Callable[[TuneStep], None] = lambda step: None,
    stop: threading.Event | None = None,
) -> Trained:
    """
    Teach the Whisper in *base* the train part of *dataset*, watching the dev part.

    Call it again after a crash with the same arguments: it goes on at its last checkpoint and ends with the weights
    that an unbroken run would have had.

    Args:
        settings: How to learn.
        base: A Whisper folder of transformers.
        dataset: What to learn. The test part is not read.
        sound: Gives the samples of a recording.
        to: Where shards, checkpoints and the result go; ``hf`` in it is the tuned model.
        progress: Told after every step.
        stop: Set it to end after the step under way; what was done is kept.

    Raises:
        InputError: E_DATASET if there is nothing to learn, E_MODEL if *base* is no Whisper, E_RUN if *to* holds
            another run.
        MissingError: E_GPU if a GPU was asked for and there is none.
        Interrupted: *stop* was set.
    """
    device = _device(settings)
    settings = settings.resolved(_width(base), "cuda" if device.type == "cuda" else "cpu")
    parameters = {**settings.model_dump(mode="json"), "base": folder_id(base), "dataset": dataset.sha256}
    run_id = fingerprint("tune", RULES, parameters)
    done = _begun(to, run_id)
    if done is not None:
        return done
    # Nothing runs beside it, whatever shared the cores before.
    torch.set_num_threads(settings.threads or count_cores())
    learner = Learner(base, settings, device)
    teacher, exam = prepare(Material(dataset=dataset, sound=sound, shards=to / SHARDS), base, learner)
    run = _taken_up(to, learner)
    began = time.monotonic()
    _learn(to, run, learner, teacher, exam, progress, stop)
    reach, rates = _reached(run, learner, exam)
    _write_model(learner.merged(learner.partway(run.best, reach)), base, to / TUNED)
    trained = Trained(
        folder=to / TUNED,
        base=base,
        dataset=dataset.sha256,
        parameters={**parameters, "focus": ", ".join(settings.focus)},
        curve=tuple(run.curve),
        kept_step=run.kept_step,
        reach=reach,
        wer={tag: own.wer for tag, own in rates.items()},
        cer={tag: own.cer for tag, own in rates.items()},
        steps=learner.step,
        seconds=round(run.seconds + time.monotonic() - began, 1),
        ended="no gain" if run.ended else "steps",
    )
    return _finished(to, run_id, trained)


def _learn(
    to: Path,
    run: _Run,
    learner: Learner,
    teacher: Teacher,
    exam: Exam,
    progress: Callable[[TuneStep], None],
    stop: threading.Event | None,
) -> None:
    """All steps that are left, with a test and a checkpoint every few of them."""
    settings = learner.settings
    began, before = time.monotonic(), learner.step
    if not run.curve:
        _test(run, learner, exam)
    while learner.step < settings.steps and not run.ended:
        if stop is not None and stop.is_set():
            _keep(to, learner, run, time.monotonic() - began)
            raise Interrupted("tuning was stopped; what was learned is kept", hint="run the same command to go on")
        _step(run, learner, teacher)
        if learner.step % settings.test_every == 0 or learner.step == settings.steps:
            _test(run, learner, exam)
            _keep(to, learner, run, time.monotonic() - began)
        spent = time.monotonic() - began
        left = spent / (learner.step - before) * (settings.steps - learner.step)
        progress(TuneStep(done=learner.step, total=settings.steps, seconds=spent, left_s=left, point=run.curve[-1]))


def _step(run: _Run, learner: Learner, teacher: Teacher) -> None:
    settings = learner.settings
    # Everything that is drawn in a step comes from its number, so that a run taken up draws as an unbroken one would.
    seed = settings.seed * 1_000_003 + learner.step
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    together = min(settings.windows, TOGETHER) if learner.device.type == "cpu" else settings.windows
    lessons = teacher.lessons(generator, settings.windows * settings.accumulate, together)
    run.loss += learner.learn(lessons, generator)


def _test(run: _Run, learner: Learner, exam: Exam) -> None:
    """Hear the dev part, and keep the averaged weights if they are the best so far."""
    settings = learner.settings
    with learner.with_weights(learner.average) as net:
        rates = exam.sit(net)
    since = learner.step - (run.curve[-1].step if run.curve else 0)
    loss = run.loss / since if since else None
    wer, cer = ({tag: getattr(own, name) for tag, own in rates.items()} for name in ("wer", "cer"))
    run.curve.append(Point(step=learner.step, loss=loss, rate=learner.rate(), wer=wer, cer=cer))
    run.loss = 0.0
    first, best = run.curve[0].rates, next(point.rates for point in run.curve if point.step == run.kept_step)
    if learner.step == 0:
        return
    if not rates or _judged(rates, first, settings) < _judged(best, first, settings):
        run.best, run.kept_step, run.waited = _copied(learner.average), learner.step, 0
    else:
        run.waited += 1
        run.ended = run.waited >= settings.patience


def _reached(run: _Run, learner: Learner, exam: Exam) -> tuple[float, ByDialect]:
    """How much of what was learned is kept, by the dev part, and the errors with it."""
    first = run.curve[0].rates
    whole = next(point.rates for point in run.curve if point.step == run.kept_step)
    if not whole or not run.kept_step:
        return 1.0, whole
    found = {1.0: whole}
    for reach in REACHES:
        with learner.with_weights(learner.partway(run.best, reach)) as net:
            found[reach] = exam.sit(net)
    best = min(found, key=lambda reach: _judged(found[reach], first, learner.settings))
    return best, found[best]


def _judged(rates: ByDialect, first: ByDialect, settings: TrainSettings) -> float:
    return judged(rates, first, settings.focus, alone=settings.alone)


def _copied(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in weights.items()}


def _keep(to: Path, learner: Learner, run: _Run, spent: float) -> None:
    others = {**vars(run), "curve": [asdict(point) for point in run.curve], "seconds": run.seconds + spent}
    save({"learner": learner.state(), "run": others}, to / CHECKPOINT)


def _taken_up(to: Path, learner: Learner) -> _Run:
    state = restored(to / CHECKPOINT)
    if state is None:
        return _Run(curve=[], best=_copied(learner.average), kept_step=0)
    learner.load(state["learner"])
    known = dict(state["run"])
    known["curve"] = [Point(**point) for point in known["curve"]]
    return _Run(**known)


def _begun(to: Path, run_id: str) -> Trained | None:
    """The result, where this run has ended before; makes or checks the mark that says which run *to* holds."""
    to.mkdir(parents=True, exist_ok=True)
    mark = to / RUN_FILE
    known: dict[str, Any] = json.loads(mark.read_text(encoding="utf-8")) if mark.is_file() else {"id": run_id}
    if known["id"] != run_id:
        raise InputError(
            f"{to} holds a run with other settings, another base or another dataset",
            code="E_RUN",
            hint="name another folder, or remove this one",
            item=str(to),
        )
    if "trained" in known:
        return _read_trained(known["trained"])
    _write_json(mark, known)
    return None


def _finished(to: Path, run_id: str, trained: Trained) -> Trained:
    document = asdict(trained) | {"folder": str(trained.folder), "base": str(trained.base)}
    _write_json(to / RUN_FILE, {"id": run_id, "trained": document})
    # The mark says that all is done: what only a run needs may go.
    (to / CHECKPOINT).unlink(missing_ok=True)
    shutil.rmtree(to / SHARDS, ignore_errors=True)
    return trained


def _read_trained(document: dict[str, Any]) -> Trained:
    places = {name: Path(document[name]) for name in ("folder", "base")}
    return Trained(**{**document, **places, "curve": tuple(Point(**point) for point in document["curve"])})


def _write_model(whole: Any, base: Path, to: Path) -> None:
    """*whole* with all that stands beside *base*'s weights: tokenizer, features, generation settings, manners."""
    part = to.with_name(to.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    whole.save_pretrained(str(part))
    for file in sorted(base.iterdir()):
        if file.is_file() and not file.name.startswith("model") and not (part / file.name).exists():
            shutil.copyfile(file, part / file.name)
    # transformers writes what it knows of them; what decides decoding stays word for word.
    for name in ("generation_config.json", MANNERS_FILE):
        if (base / name).is_file():
            shutil.copyfile(base / name, part / name)
    shutil.rmtree(to, ignore_errors=True)
    part.replace(to)


def _write_json(place: Path, document: object) -> None:
    part = place.with_name(place.name + ".part")
    part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(place)


def _width(base: Path) -> int:
    """The width of the model in *base*, as its settings say."""
    try:
        return int(json.loads((base / "config.json").read_text(encoding="utf-8"))["d_model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{base} cannot be tuned: {error!r}"
        raise InputError(message, code="E_MODEL", hint="name a Whisper folder of transformers") from error


def _device(settings: TrainSettings) -> torch.device:
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise MissingError("train.device is cuda, and torch finds none", code="E_GPU", hint="set train.device to auto")
    return torch.device("cuda" if settings.device != "cpu" and torch.cuda.is_available() else "cpu")
