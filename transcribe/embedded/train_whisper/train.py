"""Training: one network, taught at once what is said at each position, where to look, and what to write."""

from __future__ import annotations

import copy
import ctypes
import math
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from transcribe.embedded.train_whisper import tokenizer as vocabulary
from transcribe.embedded.train_whisper.batches import HEARD_STEP, IGNORED, PHONE_STEP, Batch, Scribe, Stream
from transcribe.embedded.train_whisper.listen import error_rate, greedy
from transcribe.embedded.train_whisper.model import Encoded, Shape, SmallWhisper, deepened
from transcribe.embedded.train_whisper.windows import Mix, Shelf, Window

PADDING_DRAWN = 16
WARMUP_STEPS = 200
WEIGHTS = {"written": 1.0, "heard": 0.3, "phones": 0.6, "place": 0.2}
AVERAGE_STEPS = 300  # time constant of the averaged weights that are tested and exported


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one stage."""

    minutes: float
    peak_rate: float
    last_rate: float
    seconds_a_step: float = 48.0
    #: length of window that is drawn most, in ms
    usual_length: int = 5_000
    dropout: float = 0.0
    mix: Mix = field(default_factory=Mix)
    threads: int = 2
    seed: int = 1
    #: Multiply in bfloat16: a fifth quicker on processors that can, and far slower on others.
    bfloat16: bool = False


@dataclass(kw_only=True)
class Progress:
    """How far a stage has come; saved, so that a killed run goes on."""

    steps: int = 0
    elapsed_s: float = 0.0


def keep_memory() -> None:
    """Let glibc keep freed memory: returning and faulting it in again took most of each step's time."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
            libc.mallopt(parameter, value)


class Learner:
    """Network, averaged network, optimiser and progress of a stage."""

    def __init__(self, shape: Shape, compact: vocabulary.Compact) -> None:
        self.net = SmallWhisper(shape)
        log_rows: Tensor = self.net.get_buffer("log_rows")
        log_rows[compact.shared] = math.log(compact.rows_shared)
        self.average = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.progress = Progress()
        self.optimiser = torch.optim.AdamW(self.taught(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.02, fused=True)

    def taught(self) -> list[Tensor]:
        """Parameters that learn."""
        return [parameter for parameter in self.net.parameters() if parameter.requires_grad]

    def update(self, loss: Tensor, rate: float) -> None:
        """One optimiser step and one step of the average."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.taught(), 1.0)
        self.optimiser.step()
        self.progress.steps += 1
        share = max(1 / AVERAGE_STEPS, 1 / self.progress.steps)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), share)

    def save(self, path: Path) -> None:
        """Write everything to *path*, whole or not at all."""
        state = {"net": self.net.state_dict(), "average": self.average.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict(), "progress": asdict(self.progress)}
        state |= {"shape": asdict(self.net.shape)}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def begin(self, weights: dict[str, Tensor]) -> None:
        """Begin a stage with the *weights* of another network, at most as deep; what they lack begins afresh."""
        grown = self.net.state_dict() | deepened(weights, self.net)
        self.net.load_state_dict(grown)
        self.average.load_state_dict(grown)

    def load(self, path: Path) -> None:
        """Go on from *path*."""
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])


def place_loss(looked: Sequence[Tensor], spans: Tensor, head: int) -> Tensor:
    """
    How far the taught heads' attention is from even attention to the time at which a token is said.

    The first layer is to find the token that it is given, the others the token that comes next. Even attention to the
    whole word, not just to a part of it, is what puts the edges of words where they are (Kullback-Leibler divergence).
    """
    given = torch.cat([torch.full_like(spans[:, :1], -1), spans[:, :-1]], dim=1)
    positions = torch.arange(looked[0].shape[-1])
    losses = []
    for depth, weights in enumerate(looked):
        sought = spans if depth else given
        inside = (positions >= sought[..., :1]) & (positions < sought[..., 1:])
        known = sought[..., 0] >= 0
        length = inside.sum(-1)[known].clamp(min=1)
        surprise = -((weights[:, head] + 1e-5).log() * inside).sum(-1)[known] / length - length.log()
        losses.append(surprise.mean())
    return torch.stack(losses).mean()


def heard_loss(states: Tensor, memory: Encoded, labels: Tensor, step: int, output: nn.Module) -> Tensor:
    """Cross-entropy of what every *step*-th position holds, as *output* tells it from the *states*."""
    own = states[:, step // 2 : memory.content : step]
    count = min(own.shape[1], labels.shape[1])
    return F.cross_entropy(output(own[:, :count]).flatten(0, 1), labels[:, :count].flatten(), ignore_index=IGNORED)


def mask_bands(mel: Tensor, rng: random.Random) -> Tensor:
    """SpecAugment: one band of frequencies and short stretches of time of each window set to its mean."""
    mel = mel.clone()
    for window in mel:
        mean = float(window.mean())
        low, width = rng.randrange(80), rng.randint(0, 12)
        window[low : low + width] = mean
        for _ in range(rng.randint(0, mel.shape[-1] // 150)):
            begin = rng.randrange(mel.shape[-1])
            window[:, begin : begin + rng.randint(1, 12)] = mean
    return mel


def losses(net: SmallWhisper, batch: Batch, mel: Tensor, dropout: float) -> dict[str, Tensor]:
    """The four things taught: what to write, what word and what phone is heard at a position, where to look."""
    memory = net.encoder(mel, PADDING_DRAWN, dropout)
    states, looked = net.decoder(batch.inputs, memory, dropout)
    written = F.cross_entropy(net.logits(states).flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED)
    return {
        "written": written,
        "heard": heard_loss(memory.states, memory, batch.heard, HEARD_STEP, net.heard),
        "phones": heard_loss(memory.middle, memory, batch.phones, PHONE_STEP, net.phones),
        "place": place_loss(looked, batch.spans, net.shape.aligned_head),
    }


def rate(recipe: Recipe, progress: Progress) -> float:
    """Learning rate: a short warm-up, then a cosine over the minutes of the stage."""
    done = min(1.0, progress.elapsed_s / (60 * recipe.minutes))
    falling = recipe.last_rate + (recipe.peak_rate - recipe.last_rate) * (1 + math.cos(math.pi * done)) / 2
    return falling * min(1.0, (progress.steps + 1) / WARMUP_STEPS)


def train(
    learner: Learner,
    shelf: Shelf,
    scribe: Scribe,
    recipe: Recipe,
    *,
    checkpoint: Path,
    dev: dict[str, list[Window]],
    prompts: Sequence[str],
    every_s: float = 60.0,
    tests_every: int = 4,
) -> None:
    """Run a stage for its minutes from wherever *learner* stands; log and save every *every_s*, test more rarely."""
    keep_memory()
    torch.set_num_threads(recipe.threads)
    rng = random.Random(recipe.seed)
    seed = recipe.seed + 1000 * learner.progress.steps
    stream = Stream(
        shelf,
        scribe,
        recipe.mix,
        seconds=recipe.seconds_a_step,
        usual_length=recipe.usual_length,
        seed=seed,
        prompts=prompts,
    )
    batches = iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=8))
    learner.net.train()
    sums: dict[str, float] = {}
    reports = 1
    count, shown, before = 0, learner.progress.elapsed_s, time.monotonic()
    while learner.progress.elapsed_s < 60 * recipe.minutes:
        batch = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            parts = losses(learner.net, batch, mask_bands(batch.mel, rng), recipe.dropout)
        weighed = torch.stack([WEIGHTS[name] * part.float() for name, part in parts.items()]).sum()
        learner.update(weighed, rate(recipe, learner.progress))
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value.item()
        count += 1
        # a machine that was put to sleep has not trained
        now = time.monotonic()
        learner.progress.elapsed_s, before = learner.progress.elapsed_s + min(now - before, 10.0), now
        if learner.progress.elapsed_s - shown > every_s:
            tested = reports % tests_every == 0
            report(learner, {name: value / count for name, value in sums.items()}, scribe, dev if tested else {})
            learner.save(checkpoint)
            reports += 1
            sums, count, shown, before = {}, 0, learner.progress.elapsed_s, time.monotonic()
    learner.save(checkpoint)


def report(learner: Learner, means: dict[str, float], scribe: Scribe, dev: dict[str, list[Window]]) -> None:
    """Print the mean losses, and word error rates of the averaged network on the dev windows."""
    rates = {name: error_rate(windows, greedy(learner.average, scribe, windows)) for name, windows in dev.items()}
    progress = learner.progress
    shown = " ".join(f"{name} {value:.3f}" for name, value in {**means, **rates}.items())
    print(f"{time.strftime('%H:%M:%S')} step {progress.steps} {progress.elapsed_s / 60:.1f} min {shown}", flush=True)
