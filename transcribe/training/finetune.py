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
from transcribe.backends.identity import folder_id
from transcribe.backends.model_manifest import MANIFEST_FILE, write_manifest
from transcribe.backends.processors import count_cores
from transcribe.backends.whisper_folder import MANNERS_FILE
from transcribe.config import TrainSettings, fingerprint
from transcribe.datasets.manifest import Frozen
from transcribe.errors import InputError, Interrupted, MissingError
from transcribe.training.collate import Collator
from transcribe.training.preparation import Material, prepare
from transcribe.training.shards import AudioReader
from transcribe.training.trainer import Learner, checksum_file, read_checkpoint, write_checkpoint
from transcribe.training.validation import ByDialect, Rates, Validation, score_checkpoint

#: Changes when the rules of this package change what is learned, so that a half-done run is not resumed wrongly.
RULES: Final = 6
#: Parts of the way from the base's weights to the learned ones that are tried at the end, beside the whole of it, where
#: the model is to hear dialects that it was not tuned for.
REACHES: Final = (0.85, 0.7, 0.55, 0.4)
#: Windows computed together on a CPU, which gains nothing by more: few pad less, and take less memory.
CPU_BATCH: Final = 4
RUN_FILE: Final = "run.json"
CHECKPOINT: Final = "checkpoint.pt"
TUNED: Final = "hf"


@dataclass(frozen=True, kw_only=True)
class ValidationPoint:
    """The error rates of one validation on the dev part."""

    step: int
    #: Mean loss of a token since the point before; ``None`` before the first step.
    loss: float | None
    rate: float
    #: Errors by word of each dialect of the dev part, decoded greedily, before conversion.
    wer: Mapping[str, float]
    #: Errors by letter.
    cer: Mapping[str, float]

    @property
    def rates(self) -> ByDialect:
        """The error rates by dialect."""
        return {tag: Rates(wer=wer, cer=self.cer[tag]) for tag, wer in self.wer.items()}


@dataclass(frozen=True, kw_only=True)
class TuneProgress:
    """The progress of tuning, for a display."""

    done: int
    total: int
    #: Since this process began.
    seconds: float
    #: Until the last step, at the pace so far; ``None`` before the first.
    left_s: float | None
    #: The newest point.
    point: ValidationPoint | None


@dataclass(frozen=True, kw_only=True)
class TunedModel:
    """A tuned model, not yet converted."""

    #: Folder of transformers with everything merged in.
    folder: Path
    base: Path
    #: Hash of the dataset that it learned from.
    dataset: str
    parameters: Mapping[str, int | float | str | bool | None]
    curve: tuple[ValidationPoint, ...]
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

    curve: list[ValidationPoint]
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
    read_audio: AudioReader,
    to: Path,
    *,
    progress: Callable[[TuneProgress], None] = lambda step: None,
    stop: threading.Event | None = None,
) -> TunedModel:
    """
    Tune the Whisper in *base* on the train part of *dataset*, validating on the dev part.

    Call it again after a crash with the same arguments: it goes on at its last checkpoint and ends with the weights
    that an unbroken run would have had.

    Args:
        settings: How to learn.
        base: A Whisper folder of transformers.
        dataset: What to learn. The test part is not read.
        read_audio: Gives the samples of a recording.
        to: Where shards, checkpoints and the result go; ``hf`` in it is the tuned model.
        progress: Called after every step.
        stop: Set it to end after the step under way; what was done is kept.

    Raises:
        InputError: E_DATASET: nothing to learn. E_MODEL: *base* is no Whisper. E_RUN: *to* holds another run.
        MissingError: E_GPU if a GPU was asked for and there is none.
        Interrupted: *stop* was set.
    """
    settings, device = _resolve_settings(settings, base)
    parameters = {**settings.model_dump(mode="json"), "base": folder_id(base), "dataset": dataset.key}
    run_id = fingerprint("tune", RULES, parameters)
    if (finished := _open_run(to, run_id)) is not None:
        return finished
    # Nothing runs beside it, whatever shared the cores before.
    torch.set_num_threads(settings.threads or count_cores())
    learner = Learner(base, settings, device)
    collator, validation = prepare(Material(dataset=dataset, read_audio=read_audio, shards=to / SHARDS), base, learner)
    run = _resume_run(to, learner)
    began = time.monotonic()
    _train(to, run, learner, collator, validation, progress, stop)
    reach, rates = _choose_reach(run, learner, validation)
    wer, cer = _split_rates(rates)
    _write_model(learner.merge(learner.partway(run.best, reach)), base, to / TUNED)
    trained = TunedModel(
        folder=to / TUNED,
        base=base,
        dataset=dataset.sha256,
        parameters={**parameters, "focus": ", ".join(settings.focus)},
        curve=tuple(run.curve),
        kept_step=run.kept_step,
        reach=reach,
        wer=wer,
        cer=cer,
        steps=learner.step,
        seconds=round(run.seconds + time.monotonic() - began, 1),
        ended="no gain" if run.ended else "steps",
    )
    return _finish_run(to, run_id, trained)


def _train(
    to: Path,
    run: _Run,
    learner: Learner,
    collator: Collator,
    validation: Validation,
    progress: Callable[[TuneProgress], None],
    stop: threading.Event | None,
) -> None:
    """Run all remaining steps, with a validation and a checkpoint every few of them."""
    settings = learner.settings
    began, first_step = time.monotonic(), learner.step
    if not run.curve:
        _validate(run, learner, validation)
    while learner.step < settings.steps and not run.ended:
        if stop is not None and stop.is_set():
            _save_checkpoint(to, learner, run, time.monotonic() - began)
            raise Interrupted("tuning was stopped; what was learned is kept", hint="run the same command to go on")
        _run_step(run, learner, collator)
        if learner.step % settings.test_every == 0 or learner.step == settings.steps:
            _validate(run, learner, validation)
            _save_checkpoint(to, learner, run, time.monotonic() - began)
        spent = time.monotonic() - began
        left_s = spent / (learner.step - first_step) * (settings.steps - learner.step)
        point = run.curve[-1]
        progress(TuneProgress(done=learner.step, total=settings.steps, seconds=spent, left_s=left_s, point=point))


def _run_step(run: _Run, learner: Learner, collator: Collator) -> None:
    settings = learner.settings
    # Everything that is drawn in a step comes from its number, so that a resumed run draws as an unbroken one would.
    seed = settings.seed * 1_000_003 + learner.step
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    batch_size = min(settings.windows, CPU_BATCH) if learner.device.type == "cpu" else settings.windows
    batches = collator.draw_batches(generator, settings.windows * settings.accumulate, batch_size)
    run.loss += learner.learn(batches, generator)


def _validate(run: _Run, learner: Learner, validation: Validation) -> None:
    """Measure the dev part, and keep the averaged weights if they are the best so far."""
    settings = learner.settings
    with learner.with_weights(learner.average) as net:
        rates = validation.measure(net)
    since = learner.step - (run.curve[-1].step if run.curve else 0)
    loss = run.loss / since if since else None
    wer, cer = _split_rates(rates)
    run.curve.append(ValidationPoint(step=learner.step, loss=loss, rate=learner.rate(), wer=wer, cer=cer))
    run.loss = 0.0
    first, best = run.curve[0].rates, next(point.rates for point in run.curve if point.step == run.kept_step)
    if learner.step == 0:
        return
    if not rates or _score(rates, first, settings) < _score(best, first, settings):
        run.best, run.kept_step, run.waited = _clone_weights(learner.average), learner.step, 0
    else:
        run.waited += 1
        run.ended = run.waited >= settings.patience


def _choose_reach(run: _Run, learner: Learner, validation: Validation) -> tuple[float, ByDialect]:
    """Return the share of the way to the learned weights that is best on the dev part, and the rates with it."""
    first = run.curve[0].rates
    whole_rates = next(point.rates for point in run.curve if point.step == run.kept_step)
    if not whole_rates or not run.kept_step or learner.settings.alone:
        # Nothing can be forgotten by a model that is to hear its own dialects alone.
        return 1.0, whole_rates
    rates_by_reach = {1.0: whole_rates}
    for reach in REACHES:
        with learner.with_weights(learner.partway(run.best, reach)) as net:
            rates_by_reach[reach] = validation.measure(net)
    best = min(rates_by_reach, key=lambda reach: _score(rates_by_reach[reach], first, learner.settings))
    return best, rates_by_reach[best]


def _score(rates: ByDialect, first: ByDialect, settings: TrainSettings) -> float:
    return score_checkpoint(rates, first, settings.focus, alone=settings.alone)


def _split_rates(rates: ByDialect) -> tuple[dict[str, float], dict[str, float]]:
    """Return the word error rates and the letter error rates by dialect."""
    return {tag: rate.wer for tag, rate in rates.items()}, {tag: rate.cer for tag, rate in rates.items()}


def _clone_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in weights.items()}


def _save_checkpoint(to: Path, learner: Learner, run: _Run, spent: float) -> None:
    others = {**vars(run), "curve": [asdict(point) for point in run.curve], "seconds": run.seconds + spent}
    write_checkpoint({"learner": learner.state(), "run": others}, to / CHECKPOINT)


def _resume_run(to: Path, learner: Learner) -> _Run:
    state = read_checkpoint(to / CHECKPOINT)
    if state is None:
        return _Run(curve=[], best=_clone_weights(learner.average), kept_step=0)
    learner.load(state["learner"])
    curve = [ValidationPoint(**point) for point in state["run"]["curve"]]
    return _Run(**{**state["run"], "curve": curve})


def _open_run(to: Path, run_id: str) -> TunedModel | None:
    """Return the model of this run if it has ended, else make or check the mark that says which run *to* holds."""
    to.mkdir(parents=True, exist_ok=True)
    path = to / RUN_FILE
    mark: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"id": run_id}
    if mark["id"] != run_id:
        raise InputError(
            f"{to} holds a run with other settings, another base or another dataset",
            code="E_RUN",
            hint="name another folder, or remove this one",
            item=str(to),
        )
    if "trained" in mark:
        return _parse_model(mark["trained"])
    _write_json(path, mark)
    return None


def _finish_run(to: Path, run_id: str, trained: TunedModel) -> TunedModel:
    document = asdict(trained) | {"folder": str(trained.folder), "base": str(trained.base)}
    _write_json(to / RUN_FILE, {"id": run_id, "trained": document})
    # The mark says that all is done: what only a run needs may go.
    for file in (to / CHECKPOINT, checksum_file(to / CHECKPOINT)):
        file.unlink(missing_ok=True)
    shutil.rmtree(to / SHARDS, ignore_errors=True)
    return trained


def _parse_model(document: dict[str, Any]) -> TunedModel:
    paths = {name: Path(document[name]) for name in ("folder", "base")}
    return TunedModel(**{**document, **paths, "curve": tuple(ValidationPoint(**point) for point in document["curve"])})


def _write_model(whole: Any, base: Path, to: Path) -> None:
    """Write *whole* with all that stands beside *base*'s weights: tokenizer, features, generation settings."""
    part = to.with_name(to.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    whole.save_pretrained(str(part))
    for file in sorted(base.iterdir()):
        if file.is_file() and not file.name.startswith(("model", MANIFEST_FILE)) and not (part / file.name).exists():
            shutil.copyfile(file, part / file.name)
    # transformers writes what it knows of them; what decides decoding stays word for word.
    for name in ("generation_config.json", MANNERS_FILE):
        if (base / name).is_file():
            shutil.copyfile(base / name, part / name)
    write_manifest(part, to.parent.name, tuned=str(base))
    shutil.rmtree(to, ignore_errors=True)
    part.replace(to)


def _write_json(path: Path, document: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def _read_width(base: Path) -> int:
    """Read the width of the model in *base* from its settings."""
    try:
        return int(json.loads((base / "config.json").read_text(encoding="utf-8"))["d_model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{base} cannot be tuned: {error!r}"
        raise InputError(message, code="E_MODEL", hint="name a Whisper folder of transformers") from error


def _resolve_settings(settings: TrainSettings, base: Path) -> tuple[TrainSettings, torch.device]:
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise MissingError("train.device is cuda, and torch finds none", code="E_GPU", hint="set train.device to auto")
    device: Literal["cpu", "cuda"] = "cuda" if settings.device != "cpu" and torch.cuda.is_available() else "cpu"
    return settings.resolved(_read_width(base), device), torch.device(device)
