"""The inputs of the decoder in training are the text so far, some of it wrong where that is asked."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("transformers", reason="tuning belongs to the train extra")

from transcribe.training.collate import Batch, collate, corrupt_inputs  # noqa: E402 - after the libraries that it needs
from transcribe.training.targets import Targets  # noqa: E402

END = 99


def make_batch() -> Batch:
    """Return two texts of 40 and 30 tokens, each after four that are not trained on."""
    targets = [
        Targets(ids=[1, 2, 3, 4, *range(10, 10 + length), END], weights=[0.0] * 4 + [1.0] * (length + 1))
        for length in (40, 30)
    ]
    return collate(torch.zeros(2, 80, 10), targets, torch.tensor([False, False]), END, torch.device("cpu"))


def test_without_errors_the_text_so_far_is_given() -> None:
    batch = make_batch()

    assert torch.equal(corrupt_inputs(batch, 0.0, torch.Generator().manual_seed(0)), batch.inputs)


def test_errors_are_in_the_text_alone_and_as_many_as_asked() -> None:
    batch = make_batch()
    draws = [corrupt_inputs(batch, 0.3, torch.Generator().manual_seed(seed)) for seed in range(50)]
    changed = torch.stack([corrupted != batch.inputs for corrupted in draws]).float().mean(0)

    assert not changed[:, :4].any()
    assert not changed[1, 35:].any()
    assert changed[0, 4:].mean() == pytest.approx(0.3, abs=0.03)
    assert {int(token) for corrupted in draws for token in corrupted.unique()} <= {1, 2, 3, 4, END, *range(10, 50)}
