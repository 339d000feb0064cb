"""The network that finds people. It reads what the built-in colorizer sees in a photograph, which
has learned from photographs alone what things are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.autochrome import STRIDE, Autochrome
from colorize_core.networks.folded_unet import ResidualBlock, double
from colorize_core.networks.published import Published

__all__ = ["STRIDE", "Finder", "Segmenter", "SegmenterConfig"]


@dataclass(frozen=True)
class SegmenterConfig:
    inside: tuple[int, int, int] = (96, 192, 384)  # channels of the colorizer at 1/8, 1/16 and 1/32
    width: int = 64
    trunk: str = ""  # sha256 of the colorizer's weights that it has learned to read


class Segmenter(Published):
    def __init__(self, config: SegmenterConfig | None = None):
        super().__init__()
        self.config = config or SegmenterConfig()
        (c1, c2, c3), width = self.config.inside, self.config.width
        self.read1, self.read2 = _read(c1, width), _read(c2, 2 * width)
        self.read3, self.narrow = _read(c3, 2 * width), _read(2 * width, width)
        self.block1, self.block2 = ResidualBlock(width), ResidualBlock(2 * width)
        self.block3 = ResidualBlock(2 * width)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> Tensor:
        """What Autochrome.see() gives -> logits (N, 1, H / 8, W / 8), over 0 where there is
        more of a person than of anything else."""
        y = self.block3(F.relu(self.read3(x3)))
        y = self.block2(F.relu(self.read2(x2) + double(y)))
        y = self.block1(F.relu(self.read1(x1) + double(self.narrow(y))))
        return self.head(y)


class Finder(nn.Module):
    """Both together."""

    def __init__(self, trunk: Autochrome, segmenter: nn.Module):
        super().__init__()
        self.trunk, self.segmenter = trunk, segmenter

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 32 -> logits (N, 1, H / 8, W / 8)."""
        return self.segmenter(*look(self.trunk, lightness))


def look(trunk: Autochrome, lightness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the colorizer sees in L (N, 1, H, W) in [0, 100] without hints."""
    none = torch.zeros_like(lightness)
    return trunk.see(lightness, trunk.recognize(lightness), none.expand(-1, 2, -1, -1), none)


def _read(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside))
