"""The built-in network: L and colour hints -> a distribution over ab.

A pretrained encoder sees L alone, at twice the size that the U-shaped network sees, and tells that
what things are; hints enter the U-shaped network, so that what the encoder found serves for every
set of hints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks import folded_unet
from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.efficientnet_lite import EfficientNetLite
from colorize_core.networks.folded_unet import FoldedUNet, FoldedUNetConfig
from colorize_core.networks.scaling import scale_ab, scale_l

__all__ = ["CELL", "STRIDE", "Autochrome", "AutochromeConfig"]

STRIDE = 2 * folded_unet.STRIDE  # heights and widths must be multiples of this
CELL = 8  # pixels along a side of one cell of the result


@dataclass(frozen=True)
class AutochromeConfig(FoldedUNetConfig):
    bin_step: float = 14.0  # spacing of the ab grid, Lab units


class Autochrome(FoldedUNet):
    apart = ("encoder",)

    def __init__(self, config: AutochromeConfig | None = None):
        config = config or AutochromeConfig()
        super().__init__(4, config)  # L, a, b and mask
        self.config = config
        self.encoder = EfficientNetLite()
        both = zip(self.encoder.widths, config.widths, strict=True)
        laterals = [nn.Conv2d(inside, outside, 1) for inside, outside in both]
        for lateral in laterals:
            nn.init.zeros_(lateral.weight)  # the network starts as the one without the encoder
            nn.init.zeros_(lateral.bias)  # type: ignore[arg-type]
        self.laterals = nn.ModuleList(laterals)
        self.bins = AbBins(config.bin_step)
        self.head = nn.Conv2d(config.widths[0], len(self.bins), 1)

    def recognize(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """lightness (N, 1, H, W) in [0, 100], H and W multiples of STRIDE -> what the encoder tells
        the three sizes of the U-shaped network; the same for all hints."""
        found = self.encoder(scale_l(lightness))
        return tuple(lateral(x) for lateral, x in zip(self.laterals, found, strict=True))

    def see(
        self, lightness: Tensor, known: tuple[Tensor, ...], hint_ab: Tensor, hint_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the U-shaped network makes of it, as features() says, at 1/8, 1/16 and 1/32."""
        near = F.max_pool2d(hint_mask, 2)
        mean = F.avg_pool2d(hint_ab * hint_mask, 2) / F.avg_pool2d(hint_mask, 2).clamp_min(0.25)
        seen = torch.cat([scale_l(F.avg_pool2d(lightness, 2)), scale_ab(mean), near], 1)
        return self.features(seen, known)

    def forward(self, lightness: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> Tensor:
        """lightness (N, 1, H, W) in [0, 100]; hint_ab (N, 2, H, W) in Lab units, 0 where there is
        no hint; hint_mask (N, 1, H, W) in {0, 1}. H and W are multiples of STRIDE.
        -> logits (N, Q, H / CELL, W / CELL)."""
        known = self.recognize(lightness)
        return self.head(self.see(lightness, known, hint_ab, hint_mask)[0])
