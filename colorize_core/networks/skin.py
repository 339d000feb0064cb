"""A network that finds skin in a gray window around a face, and what colours skin has."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.folded_unet import FoldedUNet, FoldedUNetConfig
from colorize_core.networks.scaling import scale_l

SIDE = 128  # pixels along a side of its windows
LEVELS = 21  # of L from 0 to 100 at which the colours of skin are known


@dataclass(frozen=True)
class SkinConfig(FoldedUNetConfig):
    widths: tuple[int, int, int] = (32, 64, 128)
    depths: tuple[int, int, int] = (1, 1, 2)
    heads: int = 4


class Skin(FoldedUNet):
    """Buffers: `ab_mean` (LEVELS, 2) and `ab_covariance` (LEVELS, 2, 2), in Lab units, of the skin
    of photographs in colour."""

    ab_mean: Tensor
    ab_covariance: Tensor

    def __init__(self, config: SkinConfig | None = None):
        config = config or SkinConfig()
        super().__init__(1, config)
        self.config = config
        self.head = nn.Conv2d(config.widths[0], 16, 1)
        self.register_buffer("ab_mean", torch.zeros(LEVELS, 2))
        self.register_buffer("ab_covariance", torch.eye(2).repeat(LEVELS, 1, 1))

    def forward(self, lightness: Tensor) -> Tensor:
        """lightness (N, 1, SIDE, SIDE) in [0, 100] -> logits of the same size, over 0 where there
        is skin."""
        return F.pixel_shuffle(self.head(self.features(scale_l(lightness))[0]), 4)

    def interpolate_colours(self, lightness: Tensor) -> tuple[Tensor, Tensor]:
        """L (...) in [0, 100] -> mean ab (..., 2) and covariance (..., 2, 2), between the levels
        linearly, on the network's device."""
        place = (lightness.to(self.ab_mean.device) / 100).clamp(0, 1) * (LEVELS - 1)
        low = place.long().clamp(max=LEVELS - 2)
        share = (place - low)[..., None]
        mean = torch.lerp(self.ab_mean[low], self.ab_mean[low + 1], share)
        first, second = self.ab_covariance[low], self.ab_covariance[low + 1]
        return mean, torch.lerp(first, second, share[..., None])
