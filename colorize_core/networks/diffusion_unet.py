"""The denoising network of a conditional diffusion model (Ho et al., NeurIPS 2020), which sees the
gray photo beside the noisy one as in SR3 and Palette."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.noise import Noise, compute_angle, draw
from colorize_core.networks.published import Published
from colorize_core.networks.scaling import NO_PHOTO, scale_ab, scale_l, unscale_ab

MOST_AB = 55.0  # Lab units that a and b stay within
CELL = 4  # pixels of L, along each side, that share one ab


@dataclass(frozen=True)
class DiffusionUNetConfig:
    width: int = 32  # of the stem; two, four and eight times that at 1/1, 1/2 and 1/4
    noisy: int = 2  # channels that are denoised: ab
    fold: int = 1  # of CELL: 4 shows the network all pixels of L of a cell, 1 only their mean
    embedding: int = 32  # numbers that stand for a step of time
    gain: float = 6.0  # makes the spread of ab in photographs about 1, as the noise has it
    tells: str = "noise"  # what the last layer gives; or "velocity", see forward()


class DiffusionUNet(Published):
    """About 6.9 M parameters with the defaults. What is seen on the way down is added on the way
    up."""

    def __init__(self, config: DiffusionUNetConfig | None = None):
        super().__init__()
        self.config = config or DiffusionUNetConfig()
        time = self.config.embedding
        w1, w2, w3, w4 = (self.config.width * scale for scale in (1, 2, 4, 8))

        def level(*widths: int) -> nn.ModuleList:
            return nn.ModuleList(_Block(*pair, time) for pair in pairwise(widths))

        self.stem = nn.Conv2d(self.config.noisy + self.config.fold**2, w1, 3, padding=1)
        self.down1, self.halve1 = level(w1, w2, w2), nn.Conv2d(w2, w2, 4, stride=2, padding=1)
        self.down2, self.halve2 = level(w2, w3, w3), nn.Conv2d(w3, w3, 4, stride=2, padding=1)
        self.middle = level(w3, w4, w4, w4, w4, w3, w3)
        self.double2 = nn.ConvTranspose2d(w3, w3, 4, stride=2, padding=1)
        self.up2 = level(w3, w2, w2)
        self.double1 = nn.ConvTranspose2d(w2, w2, 4, stride=2, padding=1)
        self.up1 = level(w2, w1, w1, w1)
        self.head = nn.Conv2d(w1, self.config.noisy, 1)

    def forward(self, noisy: Tensor, lightness: Tensor, time: Tensor) -> Tensor:
        """noisy (N, 2, h, w), h and w multiples of 4, L (N, 1, 4 h, 4 w) in [0, 100] and time (N,)
        in [0, 300], see Noise -> the noise in `noisy`, of its shape. A last layer that tells the
        velocity (Salimans and Ho, ICLR 2022) need not pass the noise on: it is known from `noisy`,
        as exactly as numbers are, how much of it is noise."""
        shrunk = F.avg_pool2d(scale_l(lightness), CELL // self.config.fold)
        seen, angle = (
            F.pixel_unshuffle(shrunk, self.config.fold),
            compute_angle(time).view(-1, 1, 1, 1),
        )
        time = self.embed(time)
        x1 = _run_blocks(self.down1, self.stem(torch.cat([noisy, seen], 1)), time)
        x2 = _run_blocks(self.down2, self.halve1(x1), time)
        x = _run_blocks(self.middle, self.halve2(x2), time)
        x = _run_blocks(self.up2, self.double2(x) + x2, time)
        told = self.head(_run_blocks(self.up1, self.double1(x) + x1, time))
        return told if self.config.tells == "noise" else angle.sin() * noisy + angle.cos() * told

    def sample(
        self,
        lightness: Tensor,
        schedule: Noise,
        steps: int | None,
        generators: Sequence[torch.Generator],
        guidance: float = 1.0,
        temperature: float = 1.0,
    ) -> Iterator[Tensor]:
        """L (N, 1, H, W) in [0, 100] and a generator for each -> what ab (N, 2, H / 4, W / 4) in
        Lab units is taken for after each step, see Noise.remove(). With a guidance above 1 what
        the photo adds to what the network believes of any photo counts so many times (Ho and
        Salimans, "Classifier-free Diffusion Guidance", 2022), which takes twice the time."""
        gain = self.config.gain
        limit = scale_ab(torch.tensor(MOST_AB)).item() * gain
        cells = (self.config.noisy, *(side // CELL for side in lightness.shape[2:]))
        noise = draw(generators, cells).to(lightness.device)
        both = torch.cat([lightness, torch.full_like(lightness, NO_PHOTO)])

        def denoise(noisy: Tensor, time: Tensor) -> Tensor:
            if guidance == 1:
                return self(noisy, lightness, time)
            seen, blind = self(noisy.repeat(2, 1, 1, 1), both, time.repeat(2)).chunk(2)
            return blind + guidance * (seen - blind)

        for ab in schedule.remove(denoise, noise, steps, generators, limit, temperature):
            yield unscale_ab(ab / gain)

    def embed(self, time: Tensor) -> Tensor:
        """(N,) -> (N, embedding): sines and cosines of falling frequency."""
        half = self.config.embedding // 2
        frequencies = torch.exp(-math.log(10000) * torch.arange(half, device=time.device) / half)
        angles = time[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], 1)


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, time: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.norm1 = nn.GroupNorm(8, outside)
        self.time = nn.Linear(time, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, outside)
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:  # (N, inside, h, w) -> (N, outside, h, w)
        y = F.silu(self.norm1(self.conv1(x))) + self.time(time)[:, :, None, None]
        return F.silu(self.norm2(self.conv2(y))) + self.skip(x)


def _run_blocks(level: nn.ModuleList, x: Tensor, time: Tensor) -> Tensor:
    for block in level:
        x = block(x, time)
    return x
