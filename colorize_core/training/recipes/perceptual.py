"""A network that learns from how different its picture looks, not from its ab alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_core import weights
from colorize_core.color import lab_to_rgb, rgb_to_lab
from colorize_core.networks.perceptual import Perceptual, PerceptualConfig
from colorize_core.networks.scaling import unit_ab
from colorize_core.training.aging import age
from colorize_core.training.data import Batch
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.recipes.regression import CnnMse


@dataclass(frozen=True)
class CnnLpips(CnnMse):
    """A: the small CNN, on a perceptual distance: the bundled trunk's, where LPIPS is not to be
    had."""

    trunk: Path = weights.BUNDLED / "perceptual" / "model.safetensors"
    squares: float = 0.5  # weight of the squared error of ab beside the distance

    @cached_property
    def _trunk(self) -> Any:
        trunk = weights.load_network(self.trunk, Perceptual, PerceptualConfig)
        return trunk.eval().requires_grad_(False)

    def loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        lightness, truth = rgb_to_lab(batch.photos, 1).split((1, 2), 1)
        ab = parts["network"](age(lightness, self.aged))
        picture = self._picture(lightness, ab)
        distance = self._trunk.to(picture.device).distance(picture, batch.photos).mean()
        squares = F.mse_loss(unit_ab(ab), unit_ab(truth))
        return {
            "loss": distance + self.squares * squares,
            "distance": distance,
            "squares": squares,
        }

    def _picture(self, lightness: Tensor, ab: Tensor) -> Tensor:
        with torch.autocast(lightness.device.type, enabled=False):  # a cube needs its digits
            return lab_to_rgb(torch.cat([lightness, ab.float()], 1), 1).clamp(0, 1)
