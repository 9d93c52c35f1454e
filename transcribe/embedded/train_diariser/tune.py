"""Choose how voices are clustered, on conversations that no training heard."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.embedded.train_diariser import bank, cases, export, models
from transcribe.embedded.train_diariser.cases import Case
from transcribe.protocols import LabelledSpan

#: Pauses that are tried, in seconds.
PAUSES_S = (0.0, 0.1, 0.2, 0.3, 0.4)
#: Doubts about two voices at once that are tried, in nats: in training people talk at once far more than they do.
DOUBTS = (0.0, 1.0, 2.0, 3.0)
#: Step between chunks as a share of their length: a second, so that each moment is heard five times.
STEP = 0.2


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way to cluster."""

    name: str
    params: Mapping[str, object]
    #: Longest silence in seconds that does not end a turn.
    pause_s: float = 0.2
    #: See `models.doubt_pairs`.
    doubt: float = 0.0

    def written(self) -> dict[str, object]:
        """As `export` reads it."""
        plain = {"name": self.name, "params": dict(self.params), "step": STEP, "min_duration_off": self.pause_s}
        return plain | {"doubt": self.doubt}


def choices() -> Iterator[Choice]:
    """All that are tried: how far windows are clustered, what each weighs and what a speaker costs."""
    for threshold in (0.4, 0.5, 0.6, 0.7):
        for evidence in (0.2, 0.4):
            for cost in (8.0, 16.0, 24.0):
                params = {"threshold": threshold, "Fa": evidence, "Fb": cost}
                yield Choice(name="VBxClustering", params=params)


def pipeline(work: Path, choice: Choice) -> Any:
    """The library's pipeline with the networks of *work* and this *choice*; it keeps what it computes in the file."""
    from pyannote.audio import Pipeline

    (work / "clustering.json").write_text(json.dumps(choice.written(), indent=1), encoding="utf-8")
    folder = work / "trial" / choice.name
    export.write(folder, work)
    made = Pipeline.from_pretrained(str(folder))
    made.training = True
    return made


def file_of(case: Case) -> dict[str, Any]:
    """*case* as the library takes it, with room for what it keeps."""
    import torch

    waveform = torch.from_numpy(case.samples.astype(np.float32) / 32_768)[None]
    return {"uri": case.name, "waveform": waveform, "sample_rate": models.SAMPLE_RATE_HZ}


def error(ready: Any, file: dict[str, Any], case: Case) -> DiarisationError:
    """What *ready* gets wrong in *case*."""
    found = ready(file).speaker_diarization
    spans = [
        LabelledSpan(start=round(turn.start * 1_000), end=round(turn.end * 1_000), label=str(label))
        for turn, _, label in found.itertracks(yield_label=True)
    ]
    return der(case.truth, spans, within=[(0, len(case.samples) * 1_000 // models.SAMPLE_RATE_HZ)])


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A choice and the error that it made on each group of recordings."""

    choice: Choice
    rates: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Mean over the groups: each counts alike, however long it is."""
        return float(np.mean(list(self.rates.values())))


class Bench:
    """Recordings with what the networks made of them, for choices of one doubt: another doubt is another network."""

    def __init__(self, work: Path, groups: Mapping[str, Sequence[Case]]) -> None:
        self._work = work
        self._files = {group: [(case, file_of(case)) for case in members] for group, members in groups.items()}
        self._ready: dict[str, Any] = {}

    def tried(self, choice: Choice) -> Trial:
        """*choice* with its errors, which are printed as one line."""
        if choice.name not in self._ready:
            self._ready[choice.name] = pipeline(self._work, choice)
        made = self._ready[choice.name]
        made.instantiate({"segmentation": {"min_duration_off": choice.pause_s}, "clustering": dict(choice.params)})
        errors = {
            group: sum((error(made, file, case) for case, file in members), DiarisationError())
            for group, members in self._files.items()
        }
        trial = Trial(choice=choice, rates={group: one.rate or 0.0 for group, one in errors.items()})
        shown = " ".join(f"{group} {rate:.3f}" for group, rate in trial.rates.items())
        print(f"{trial.mean:.4f} {shown} {choice.params} pause {choice.pause_s} doubt {choice.doubt}", flush=True)
        return trial


def tune(work: Path, groups: Mapping[str, Sequence[Case]]) -> None:
    """Leave the best clustering, doubt and pause in ``clustering.json``; one line is printed for each that is tried."""

    def best(some: Iterable[Trial]) -> Choice:
        return min(some, key=lambda trial: trial.mean).choice

    bench = Bench(work, groups)
    clustering = best(bench.tried(choice) for choice in choices())
    doubtful = best(Bench(work, groups).tried(replace(clustering, doubt=doubt)) for doubt in DOUBTS)
    bench = Bench(work, groups)
    chosen = best(bench.tried(replace(doubtful, pause_s=pause)) for pause in PAUSES_S)
    (work / "clustering.json").write_text(json.dumps(chosen.written(), indent=1), encoding="utf-8")
    print(f"chosen: {chosen}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the earlier stages")
    parser.add_argument("--data", type=Path, default=bank.TEST_DATA, help="folder with fsdd/ and ami-mini/")
    parser.add_argument("--count", type=int, default=9, help="conversations of each kind")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1_000)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    groups = {
        "synthetic": cases.synthetic(options.count, options.seed),
        "strangers": cases.fast_digits(options.data / "fsdd", options.count, options.seed),
        "dialogues": cases.dialogues(options.data, range(30, 40), options.count, 40.0),
        "meetings": cases.held_out_meetings(options.data / "ami-mini"),
    }
    tune(options.work, {group: list(members) for group, members in groups.items()})


if __name__ == "__main__":
    main()
