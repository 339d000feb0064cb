"""Noise schedules of diffusion, the way into noise, and two ways back.

Ho et al., "Denoising Diffusion Probabilistic Models" (NeurIPS 2020); cosine: Nichol and Dhariwal
(ICML 2021); DDIM: Song et al., "Denoising Diffusion Implicit Models" (ICLR 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

import torch
from torch import Tensor

STEPS = 300
LEAST_LEFT = 1e-4  # share of a picture's variance in what a walk back begins with: noise alone
Denoiser = Callable[[Tensor, Tensor], Tensor]  # noisy (N, C, H, W), time (N,) -> the noise in it


def make_linear_betas(steps: int = STEPS) -> Tensor:
    """(steps,): the noise that each step adds, from 1e-4 to 0.02."""
    return torch.linspace(1e-4, 0.02, steps)


def make_cosine_betas(steps: int = STEPS, s: float = 0.008) -> Tensor:
    """(steps,): so that what is left of the picture falls along a squared cosine."""
    time = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    left = torch.cos((time + s) / (1 + s) * math.pi / 2) ** 2
    return (1 - left[1:] / left[:-1]).clamp(max=0.999).float()


SCHEDULES = {"linear": make_linear_betas, "cosine": make_cosine_betas}


def draw(generators: Sequence[torch.Generator], shape: Sequence[int]) -> Tensor:
    """(N, *shape) of normal noise, each picture's from a generator of its own: it is the same
    whatever is drawn beside it."""
    return torch.stack([torch.randn(tuple(shape), generator=each) for each in generators])


def compute_time(left: Tensor) -> Tensor:
    """What is left of a picture's variance -> what a network is told of it: the angle between
    picture and noise, from 0 to 300 for a right one. With the cosine schedule that is about the
    step, and one network serves every schedule."""
    return left.sqrt().acos() / (math.pi / 2) * STEPS


def compute_angle(time: Tensor) -> Tensor:
    """The same angle in radians: its cosine is the picture's part, its sine that of the noise."""
    return time / STEPS * (math.pi / 2)


def add_noise(picture: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """(N, C, H, W) and noise of its shape, time (N,) -> the picture so far gone."""
    angle = compute_angle(time).view(-1, 1, 1, 1).to(picture.device)
    return angle.cos() * picture + angle.sin() * noise


class Noise:
    """`left[t]`: share of the picture's variance that is left after step t + 1; `times[t]`: what a
    network is told of it. So few steps of the linear schedule leave 5 %, whose broad patches of
    colour show through the noise; after the published steps comes one that takes that too. Without
    it a walk back, which begins with noise alone, would begin with the patches of a gray picture
    (Lin et al., WACV 2024)."""

    def __init__(self, schedule: str = "cosine", steps: int = STEPS):
        self.betas = SCHEDULES[schedule](steps)
        self.left = torch.cumprod(1 - self.betas, 0)
        if self.left[-1] > LEAST_LEFT:
            self.left = torch.cat([self.left, torch.tensor([LEAST_LEFT])])
        self.times = compute_time(self.left)

    def __len__(self) -> int:
        return len(self.betas)

    def add(self, picture: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """(N, C, H, W) and noise of its shape, step (N,) -> the picture so far gone."""
        return add_noise(picture, noise, self.times[step])

    def walk(self, steps: int | None = None) -> list[int]:
        """The steps on the way back, the first one first: so many, evenly spaced (DDIM); None: all
        of them (ancestral sampling). The last ones of the cosine schedule, with nothing of the
        picture left, are passed over: the picture would be a quotient of two numbers near 0."""
        first = int((self.left >= LEAST_LEFT).sum()) - 1
        return torch.linspace(first, 0, steps or first + 1).round().long().tolist()

    def remove(
        self,
        denoise: Denoiser,
        noisy: Tensor,
        steps: int | None = None,
        generators: Sequence[torch.Generator] = (),
        limit: float = 1.0,
        temperature: float = 1.0,
    ) -> Iterator[Tensor]:
        """From noise (N, C, H, W) back to a picture; yields what the picture is taken for after
        each step of walk(steps), the last of which is the result. All steps go with new noise from
        `generators`, one a picture, a number of them without. No picture has values beyond `limit`.
        A temperature below 1 makes the noise weaker than what the network has learned of: what is
        likely then comes out more often.
        """
        ancestral = steps is None
        walk, noisy = self.walk(steps), temperature * noisy
        for step, following in zip_longest(walk, walk[1:]):
            left = self.left[step]
            before = torch.ones(()) if following is None else self.left[following]
            noise = denoise(noisy, self.times[step].to(noisy.device).expand(len(noisy)))
            picture = ((noisy - (1 - left).sqrt() * noise) / left.sqrt()).clamp(-limit, limit)
            yield picture
            # The noise that agrees with the picture after it was clamped.
            noise = (noisy - left.sqrt() * picture) / (1 - left).sqrt()
            spread = ((1 - before) / (1 - left) * (1 - left / before)).sqrt() if ancestral else 0.0
            noisy = before.sqrt() * picture + (1 - before - spread**2).clamp(min=0).sqrt() * noise
            if ancestral and following is not None:
                fresh = draw(generators, noisy.shape[1:]).to(noisy.device)
                noisy = noisy + temperature * spread * fresh
