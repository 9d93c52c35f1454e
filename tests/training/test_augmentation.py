"""Augmented sound keeps its promises: levels, lengths, bands, and the same draw twice."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="augmenting belongs to the train extra")
pytest.importorskip("torchaudio", reason="augmenting belongs to the train extra")

from transcribe.training import augmentation  # noqa: E402 - after the libraries that it needs


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tone(seconds: float = 1.0, pitch_hz: float = 440.0, level: float = 0.3) -> torch.Tensor:
    moments = torch.arange(int(16_000 * seconds)) / 16_000
    return level * torch.sin(2 * math.pi * pitch_hz * moments)


def power(wave: torch.Tensor) -> float:
    return float((wave**2).mean())


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 30.0])
def test_noise_stands_as_far_below_the_speech_as_asked(snr_db: float) -> None:
    wave = tone()

    noise = augmentation.add_noise(wave, torch.randn(5_000, generator=seeded()), seeded(), snr_db=snr_db) - wave

    assert 10 * math.log10(power(wave) / power(noise)) == pytest.approx(snr_db, abs=0.01)


def test_silence_is_given_no_noise_and_no_numbers_that_are_none() -> None:
    silence = torch.zeros(1_600)

    assert torch.equal(augmentation.add_noise(silence, torch.ones(10), seeded(), snr_db=5), silence)
    assert torch.equal(augmentation.add_noise(tone(), silence, seeded(), snr_db=5), tone())


@pytest.mark.parametrize(("factor", "samples"), [(0.9, 17_778), (1.0, 16_000), (1.1, 14_546)])
def test_speed_changes_the_length(factor: float, samples: int) -> None:
    assert len(augmentation.change_speed(tone(), factor)) == samples


def test_speed_changes_the_pitch() -> None:
    spectrum = torch.fft.rfft(augmentation.change_speed(tone(1.1), 1.1)).abs()

    assert int(spectrum.argmax()) == pytest.approx(484, abs=1)


def test_a_telephone_lets_low_tones_pass_and_high_ones_not() -> None:
    low, high = augmentation.telephone(tone(pitch_hz=440)), augmentation.telephone(tone(pitch_hz=6_000))

    assert len(low) == 16_000
    assert power(low) == pytest.approx(power(tone(pitch_hz=440)), rel=0.05)
    assert power(high) < 0.001 * power(tone(pitch_hz=6_000))


def test_a_room_rings_on_and_keeps_the_level() -> None:
    click = torch.zeros(16_000)
    click[1_000] = 0.9

    echo = augmentation.reverberate(click, seeded(), seconds=0.3)

    assert float(echo[:1_000].abs().max()) < 1e-6
    assert float(echo[1_100:4_000].abs().max()) > 1e-3
    assert float(echo[7_000:].abs().max()) < 1e-4
    assert float(echo.norm()) == pytest.approx(float(click.norm()), rel=1e-4)


def test_masks_stay_within_their_widths_and_leave_the_rest() -> None:
    features = torch.randn(80, 300, generator=seeded(5))

    masked = augmentation.mask_features(features, seeded(), time_masks=1, widest_time=20, band_masks=1, widest_band=8)

    changed = masked != features
    assert changed.any()
    assert int(changed.all(dim=0).sum()) <= 20
    assert int(changed.all(dim=1).sum()) <= 8
    assert torch.allclose(masked[changed], features.mean())


def test_masks_of_time_take_at_most_a_fifth_each() -> None:
    features = torch.randn(80, 10, generator=seeded(5))
    for seed in range(20):
        masked = augmentation.mask_features(features, seeded(seed), time_masks=1, widest_time=500, band_masks=0)
        assert int((masked != features).all(dim=0).sum()) <= 2


def test_the_same_seed_gives_the_same_sound_and_another_seed_another() -> None:
    recipe = augmentation.Recipe(noise=1, speed=1, telephone=1, room=1)

    first, again, other = (augmentation.augment(tone(), seeded(seed), recipe=recipe) for seed in (7, 7, 8))

    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(3)
    generator_state = torch.get_rng_state()

    augmentation.augment(tone(), seeded(), recipe=augmentation.Recipe(noise=1, speed=1, telephone=1, room=1))
    augmentation.mask_features(torch.zeros(80, 100), seeded())

    assert torch.equal(torch.get_rng_state(), generator_state)


def test_a_recipe_of_nothing_changes_nothing() -> None:
    wave = tone()
    recipe = augmentation.Recipe(noise=0, speed=0, telephone=0, room=0)

    assert torch.equal(augmentation.augment(wave, seeded(), recipe=recipe), wave)


def test_the_input_is_never_changed() -> None:
    wave = tone()
    recipe = augmentation.Recipe(noise=1, speed=1, telephone=1, room=1)

    augmentation.augment(wave, seeded(), recipe=recipe, noises=[torch.ones(10)])

    assert torch.equal(wave, tone())
