"""The built-in network: L and colour hints -> a distribution over ab at a quarter of the size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.folded_unet import STRIDE, FoldedUNet, FoldedUNetConfig
from colorize_core.networks.scaling import unit_ab, unit_l

__all__ = ["STRIDE", "Autochrome", "AutochromeConfig"]


@dataclass(frozen=True)
class AutochromeConfig(FoldedUNetConfig):
    bin_step: float = 14.0  # spacing of the ab grid, Lab units


class Autochrome(FoldedUNet):
    def __init__(self, config: AutochromeConfig | None = None):
        config = config or AutochromeConfig()
        super().__init__(4, config)  # L, a, b and mask
        self.config = config
        self.bins = AbBins(config.bin_step)
        self.head = nn.Conv2d(config.widths[0], len(self.bins), 1)

    def forward(self, lightness: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> Tensor:
        """lightness (N, 1, H, W) in [0, 100]; hint_ab (N, 2, H, W) in Lab units, 0 where there is
        no hint; hint_mask (N, 1, H, W) in {0, 1}. H and W are multiples of 16.
        -> logits (N, Q, H / 4, W / 4)."""
        seen = torch.cat([unit_l(lightness), unit_ab(hint_ab) * hint_mask, hint_mask], 1)
        return self.head(self.features(seen)[0])
