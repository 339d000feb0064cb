"""A network that learns from how different its picture looks, not from its ab alone.

LPIPS: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR
2018; see colorize_core.metrics.lpips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from colorize_core.metrics import lpips
from colorize_core.networks.perceptual import Perceptual, PerceptualConfig
from colorize_core.networks.scaling import scale_ab
from colorize_core.training.aging import age
from colorize_core.training.data import Batch
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.recipes.regression import CnnMse

BUNDLED = "perceptual"
Distance = Callable[[Tensor, Tensor], Tensor]  # RGB (N, 3, H, W) in [0, 1] twice -> (N,)


@dataclass(frozen=True)
class CnnLpips(CnnMse):
    """A: the small CNN, on a perceptual distance: LPIPS on one of its trunks (`alex`, `vgg`,
    `squeeze`), or, where those are not to be had, that of the bundled `perceptual`."""

    trunk: str = BUNDLED
    squares: float = 0.5  # weight of the squared error of ab beside the distance

    @cached_property
    def _distance(self) -> Distance:
        if self.trunk != BUNDLED:
            return load_official(self.trunk)
        path = checkpoints.BUNDLED / BUNDLED / "model.safetensors"
        network: Any = checkpoints.load_network(path, Perceptual, PerceptualConfig)
        network.eval().requires_grad_(False)
        return lambda first, second: network.to(first.device).distance(first, second)

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        lightness, truth = rgb_to_lab(batch.photos, 1).split((1, 2), 1)
        ab = parts["network"](age(lightness, self.aged))
        picture = self._make_picture(lightness, ab)
        distance = self._distance(picture, batch.photos).mean()
        squares = F.mse_loss(scale_ab(ab), scale_ab(truth))
        return {
            "loss": distance + self.squares * squares,
            "distance": distance,
            "squares": squares,
        }

    def _make_picture(self, lightness: Tensor, ab: Tensor) -> Tensor:
        with torch.autocast(lightness.device.type, enabled=False):  # a cube needs its digits
            return lab_to_rgb(torch.cat([lightness, ab.float()], 1), 1).clamp(0, 1)


def load_official(trunk: str) -> Distance:
    """LPIPS itself. WeightsError if there is no such trunk, or it can neither be found in torch's
    cache nor downloaded."""
    if trunk not in lpips.NETS:
        known = ", ".join((BUNDLED, *lpips.NETS))
        raise WeightsError(f"There is no trunk {trunk!r}. Choose one of {known}.")
    try:
        network = lpips.build(trunk)
    except WeightsError as error:
        remedy = f"Or learn from the bundled trunk with --trunk {BUNDLED}."
        raise WeightsError(f"{error} {remedy}") from error

    def distance(first: Tensor, second: Tensor) -> Tensor:
        return network.to(first.device)(first, second, normalize=True).flatten()

    return distance
