"""A sample of a large vocabulary teaches what the whole of it would; of a small one all is taken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")

from transcribe import embedded  # noqa: E402 - after torch
from transcribe.config import TrainSettings  # noqa: E402
from transcribe.training.trainer import DRAWN_TOKENS, POSITION_STRIDE, Learner, draw_candidates  # noqa: E402

WIDTH = 16


def net(tokens: int) -> Any:
    """A network of nothing but *tokens* embedded tokens."""
    embedding = torch.nn.Embedding(tokens, WIDTH)
    torch.nn.init.normal_(embedding.weight, std=0.5, generator=torch.Generator().manual_seed(1))
    return SimpleNamespace(decoder=SimpleNamespace(embed_tokens=embedding))


def draw_states(tokens: int, windows: int = 4, length: int = 30) -> tuple[Any, Any]:
    """States, and the tokens after them."""
    chance = torch.Generator().manual_seed(2)
    states = torch.randn(windows, length, WIDTH, generator=chance)
    return states, torch.randint(tokens, (windows, length), generator=chance)


def sampled_loss(network: Any, states: Any, targets: Any, seed: int) -> Any:
    candidates = draw_candidates(network, states, targets, torch.Generator().manual_seed(seed))
    return torch.nn.functional.cross_entropy(
        candidates.score(network, states).flatten(0, 1), candidates.locate(targets).flatten()
    )


def whole_loss(network: Any, states: Any, targets: Any) -> Any:
    scores = states @ network.decoder.embed_tokens.weight.T
    return torch.nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten())


def test_a_small_vocabulary_is_taken_whole() -> None:
    network, (states, targets) = net(1_000), draw_states(1_000)

    assert torch.allclose(sampled_loss(network, states, targets, 0), whole_loss(network, states, targets), atol=1e-5)


def test_a_sample_costs_in_the_mean_what_the_whole_costs() -> None:
    network, (states, targets) = net(50_000), draw_states(50_000)
    wanted = float(whole_loss(network, states, targets).detach())
    losses = [float(sampled_loss(network, states, targets, seed).detach()) for seed in range(20)]

    assert sum(losses) / 20 == pytest.approx(wanted, rel=0.02)
    assert max(abs(loss - wanted) for loss in losses) < 0.1 * wanted


def test_a_sample_moves_states_as_the_whole_does() -> None:
    network, (states, targets) = net(50_000), draw_states(50_000)
    states.requires_grad_()
    (wanted,) = torch.autograd.grad(whole_loss(network, states, targets), states)
    gradient = (
        sum(torch.autograd.grad(sampled_loss(network, states, targets, seed), states)[0] for seed in range(20)) / 20
    )

    assert torch.nn.functional.cosine_similarity(gradient.flatten(), wanted.flatten(), dim=0) > 0.98


def test_targets_and_likely_tokens_are_always_there_once_and_stand_for_themselves() -> None:
    network, (states, targets) = net(50_000), draw_states(50_000)
    candidates = draw_candidates(network, states, targets, torch.Generator().manual_seed(0))
    tokens = torch.cat([candidates.certain, candidates.drawn])
    likeliest = (states.flatten(0, 1)[::POSITION_STRIDE] @ network.decoder.embed_tokens.weight.T).argmax(-1)

    assert len(tokens.unique()) == len(tokens)
    assert len(candidates.drawn) == DRAWN_TOKENS
    assert set(likeliest.tolist()) | set(targets.flatten().tolist()) <= set(candidates.certain.tolist())
    assert torch.equal(tokens[candidates.locate(targets)], targets)


def test_frozen_layers_do_not_learn_and_all_above_them_do() -> None:
    settings = TrainSettings(method="full", frozen_layers=1, device="cpu").resolved(128, "cpu")
    learner = Learner(embedded.whisper_for_training(), settings, torch.device("cpu"))
    frozen = {name for name, _ in learner.net.named_parameters() if f"model.{name}" not in learner.trainable}

    assert "encoder.conv1.weight" in frozen
    assert {name.split(".")[0] for name in frozen} == {"encoder"}
    assert {name.split(".")[2] for name in frozen if ".layers." in name} == {"0"}
