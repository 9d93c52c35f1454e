"""The stages of training: how deep the network is in each, what it hears, and which stage it goes on from."""

from __future__ import annotations

from dataclasses import dataclass, field

from transcribe.embedded.train_whisper.windows import Mix


@dataclass(frozen=True, kw_only=True)
class Stage:
    """
    One stage. The early ones need no deep encoder, and are quicker without it.

    Two lines start from nothing. ``synthetic``, ``recorded``, ``overlapped`` make the model that ships. ``digits`` and
    ``speakers`` hear English digits and little else: a network that has never heard one of the recorded people is
    made by them in a tenth of the time.
    """

    #: Stage whose weights it begins with; ``None`` begins with random ones.
    after: str | None
    encoder_layers: int
    peak_rate: float
    last_rate: float
    mix: Mix = field(default_factory=Mix)
    #: length of window that is drawn most, in ms
    usual_length: int = 7_000
    seed: int = 1

    @property
    def hears_recorded(self) -> bool:
        """Whether recorded people are heard, so that leaving one out makes another network."""
        return self.mix.recorded > 0


STAGES = {
    "synthetic": Stage(after=None, encoder_layers=4, peak_rate=2e-3, last_rate=5e-4, usual_length=5_000),
    "recorded": Stage(
        after="synthetic",
        encoder_layers=6,
        peak_rate=1.2e-3,
        last_rate=1e-5,
        mix=Mix(digits=0.1, recorded=0.32, overlapping=0.65, clean=0.35),
        seed=2,
    ),
    "overlapped": Stage(
        after="recorded",
        encoder_layers=8,
        peak_rate=8e-4,
        last_rate=1e-5,
        mix=Mix(digits=0.06, recorded=0.5, overlapping=0.85, clean=0.5),
        seed=3,
    ),
    "digits": Stage(
        after=None,
        encoder_layers=4,
        peak_rate=2e-3,
        last_rate=8e-4,
        mix=Mix(digits=0.75, empty=0.1, overlapping=0.4, clean=0.4),
        usual_length=5_000,
    ),
    "speakers": Stage(
        after="digits",
        encoder_layers=6,
        peak_rate=1.2e-3,
        last_rate=1e-5,
        mix=Mix(digits=0.3, recorded=0.5, empty=0.1, overlapping=0.65, clean=0.35),
        seed=2,
    ),
}
