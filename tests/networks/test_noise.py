"""Noise schedules, and that the ways back lead back."""

import pytest
import torch

from colorize_core.networks.noise import (
    STEPS,
    Noise,
    compute_angle,
    make_cosine_betas,
    make_linear_betas,
)


def test_schedules_are_the_published_ones():
    linear = make_linear_betas()
    assert len(linear) == STEPS
    assert linear[0].item() == pytest.approx(1e-4)
    assert linear[-1].item() == pytest.approx(0.02)
    left = torch.cumprod(1 - make_cosine_betas(1000), 0)
    # Nichol and Dhariwal, equation 17, at half the way.
    expected = torch.cos(torch.tensor((0.5 + 0.008) / 1.008 * torch.pi / 2)) ** 2
    first = torch.cos(torch.tensor(0.008 / 1.008 * torch.pi / 2)) ** 2
    assert left[499].item() == pytest.approx((expected / first).item(), rel=1e-4)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_noise_takes_over(schedule):
    noise = Noise(schedule)
    assert (noise.left.diff() < 0).all()
    assert (noise.times.diff() > 0).all()
    assert 0 < noise.times[0] < noise.times[-1] <= STEPS
    picture = torch.randn(4, 2, 64, 64)
    step = torch.tensor([0, 100, 200, 299])
    gone = noise.add(picture, torch.randn_like(picture), step)
    assert torch.allclose(gone.var((1, 2, 3)), torch.ones(4), atol=0.1)
    kept = torch.stack([(a * b).mean() for a, b in zip(gone, picture, strict=True)])
    assert torch.allclose(kept, noise.left[step].sqrt(), atol=0.06)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [None, 25, 1])
def test_who_knows_the_picture_comes_back_to_it(schedule, steps):
    """A perfect denoiser of one picture, whatever noise it starts from."""
    torch.manual_seed(0)
    noise = Noise(schedule)
    picture = torch.rand(1, 2, 8, 8) * 1.8 - 0.9

    def denoise(noisy, time):
        left = torch.cos(time / STEPS * torch.pi / 2).view(-1, 1, 1, 1) ** 2
        return (noisy - left.sqrt() * picture) / (1 - left).sqrt()

    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    walk = list(noise.remove(denoise, torch.randn(3, 2, 8, 8), steps, generators))
    assert len(walk) == len(noise.walk(steps))
    assert len(walk) == steps or 0.85 * STEPS < len(walk) <= STEPS + 1
    assert torch.allclose(walk[-1], picture.expand(3, -1, -1, -1), atol=1e-3)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [None, 25])
def test_a_walk_back_begins_with_noise_alone(schedule, steps):
    """Even a picture's mean is lost in what the noise of 32 x 32 cells adds to it."""
    noise = Noise(schedule)
    first, *_ = noise.walk(steps)
    assert noise.left[first].sqrt() < 0.5 / 32


def test_only_ancestral_sampling_draws_noise():
    noise, start = Noise("linear"), torch.randn(1, 2, 8, 8)

    def denoise(noisy, time):
        return noisy * 0.5

    def walk(steps, seed):
        generators = [torch.Generator().manual_seed(seed)]
        return list(noise.remove(denoise, start, steps, generators))[-1]

    assert torch.equal(walk(20, 0), walk(20, 1))
    assert torch.equal(walk(None, 0), walk(None, 0))
    assert not torch.equal(walk(None, 0), walk(None, 1))


def test_a_temperature_weakens_all_noise():
    noise, start = Noise("linear"), torch.randn(1, 2, 8, 8)

    def spread(temperature):
        def denoise(noisy, time):  # of a picture that is noise of spread 1 itself
            return noisy * compute_angle(time).sin().view(-1, 1, 1, 1)

        walk = noise.remove(denoise, start, None, [torch.Generator()], 9.0, temperature)
        return list(walk)[-1].std().item()

    assert spread(0.5) == pytest.approx(0.5 * spread(1.0), rel=1e-3)
