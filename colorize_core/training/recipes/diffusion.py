"""Diffusion of ab beside the photo's L: the network learns to tell the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.diffusion_unet import CELL, DiffusionUNet, DiffusionUNetConfig
from colorize_core.networks.noise import LEAST_LEFT, Noise, add_noise, compute_angle, compute_time
from colorize_core.networks.scaling import NO_PHOTO, scale_ab
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes.ab import AbRecipe

LAST = compute_time(torch.tensor(LEAST_LEFT)).item()


@dataclass(frozen=True)
class DiffusionRecipe(AbRecipe):
    """E: conditional diffusion of ab, at all times, which every schedule passes through."""

    lr: float = 1e-3
    sides: tuple[int, ...] = (96, 128)
    until: tuple[float, ...] = (0.4, 1.0)
    # Share of the batch from the last quarter of time, where only L can tell which colours things
    # have; earlier the noisy photo itself does.
    late: float = 0.7
    blind: float = 0.15  # share of the batch that is shown no photo, for the guidance
    walk: int = 20  # steps of the walk back for scores and samples
    guidance: float = 2.0  # and how much they follow the photo
    temperature: float = 0.8

    def build_parts(self, photos: Photos) -> Parts:
        return {
            "network": DiffusionUNet(DiffusionUNetConfig(width=24, fold=CELL, tells="velocity"))
        }

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return MuonAdamW(part, self.lr, self.weight_decay, outer=("stem", "head"))

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        network: Any = parts["network"]
        lightness, ab = rgb_to_lab(batch.photos, 1).split((1, 2), 1)
        ab = scale_ab(F.avg_pool2d(ab, CELL)) * DiffusionUNetConfig.gain
        noise = torch.randn_like(ab)
        time = LAST * self._draw_shares(len(ab)).to(ab.device)
        blind = torch.rand(len(ab), 1, 1, 1, device=ab.device) < self.blind
        seen = torch.where(blind, NO_PHOTO, age(lightness, self.aged))
        told = network(add_noise(ab, noise, time), seen, time)
        off = F.mse_loss(told, noise, reduction="none").mean((1, 2, 3))
        # Which colours things have is decided where little of them is left, and there the noise is
        # easily told: unweighted, the loss hardly asks for it. So weighted, it is the velocity's.
        return {"loss": (off / compute_angle(time).cos() ** 2).mean(), "noise": off.mean()}

    def _draw_shares(self, count: int) -> Tensor:
        """So many shares of the time, in [0, 1)."""
        even = torch.rand(count)
        return torch.where(torch.rand(count) < self.late, (3 + even) / 4, even)

    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        """One sample a photograph, the same one every time."""
        generators = [torch.Generator().manual_seed(i) for i in range(len(lightness))]
        *_, ab = network.sample(
            lightness, Noise("cosine"), self.walk, generators, self.guidance, self.temperature
        )
        return ab
