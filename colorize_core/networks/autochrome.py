"""The built-in network: L and colour hints -> a distribution over ab at a quarter of the size.

A U-shaped residual network that folds 4 x 4 pixels into channels at the stem, so that every
convolution is wide and cheap, with self-attention at 1/16 for what the scene is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.published import Published
from colorize_core.networks.scaling import unit_ab, unit_l

STRIDE = 16  # heights and widths must be multiples of this


@dataclass(frozen=True)
class AutochromeConfig:
    widths: tuple[int, int, int] = (96, 192, 384)  # channels at 1/4, 1/8 and 1/16
    depths: tuple[int, int, int] = (2, 2, 3)  # blocks at each size; the first two once on each side
    heads: int = 6
    mlp_ratio: float = 2.5
    bin_step: float = 14.0  # spacing of the ab grid, Lab units


class ResidualBlock(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm2.weight)  # each block starts as the identity

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> same
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.norm2(self.conv2(y)))


class AttentionBlock(nn.Module):
    """Pre-norm self-attention over all positions, then a gated-free MLP with a depthwise 3 x 3
    inside: it gives the block its sense of place at any picture size (SegFormer's Mix-FFN)."""

    def __init__(self, width: int, heads: int, mlp_ratio: float):
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.local = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> same
        n, c, h, w = x.shape
        tokens = x.permute(0, 2, 3, 1).reshape(n, h * w, c)
        qkv = self.qkv(self.norm1(tokens)).view(n, h * w, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (N, heads, h*w, C / heads)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, h * w, c)
        tokens = tokens + self.proj(mixed)
        hidden = self.fc1(self.norm2(tokens)).view(n, h, w, -1).permute(0, 3, 1, 2)
        hidden = F.gelu(hidden + self.local(hidden)).permute(0, 2, 3, 1).reshape(n, h * w, -1)
        return (tokens + self.fc2(hidden)).view(n, h, w, c).permute(0, 3, 1, 2)


def _merge(inside: int, outside: int) -> nn.Sequential:
    """2 x 2 pixels -> one."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, 2, stride=2, bias=False), nn.BatchNorm2d(outside)
    )


class Autochrome(Published):
    def __init__(self, config: AutochromeConfig | None = None):
        super().__init__()
        self.config = config or AutochromeConfig()
        w1, w2, w3 = self.config.widths
        d1, d2, d3 = self.config.depths
        self.bins = AbBins(self.config.bin_step)
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(4),  # (L, a, b, mask) x 16
            nn.Conv2d(64, w1, 3, padding=1, bias=False),
            nn.BatchNorm2d(w1),
            nn.ReLU(),
        )
        self.enc1 = nn.Sequential(*[ResidualBlock(w1) for _ in range(d1)])
        self.down1 = _merge(w1, w2)
        self.enc2 = nn.Sequential(*[ResidualBlock(w2) for _ in range(d2)])
        self.down2 = _merge(w2, w3)
        self.scene = nn.Sequential(
            *[AttentionBlock(w3, self.config.heads, self.config.mlp_ratio) for _ in range(d3)]
        )
        self.up2 = nn.Sequential(nn.Conv2d(w3, w2, 1, bias=False), nn.BatchNorm2d(w2))
        self.dec2 = nn.Sequential(*[ResidualBlock(w2) for _ in range(d2)])
        self.up1 = nn.Sequential(nn.Conv2d(w2, w1, 1, bias=False), nn.BatchNorm2d(w1))
        self.dec1 = nn.Sequential(*[ResidualBlock(w1) for _ in range(d1)])
        self.head = nn.Conv2d(w1, len(self.bins), 1)

    def forward(self, lightness: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> Tensor:
        """lightness (N, 1, H, W) in [0, 100]; hint_ab (N, 2, H, W) in Lab units, 0 where there is
        no hint; hint_mask (N, 1, H, W) in {0, 1}. H and W are multiples of 16.
        -> logits (N, Q, H / 4, W / 4)."""
        x = torch.cat([unit_l(lightness), unit_ab(hint_ab) * hint_mask, hint_mask], 1)
        x1 = self.enc1(self.stem(x))  # (N, w1, H/4, W/4)
        x2 = self.enc2(self.down1(x1))  # (N, w2, H/8, W/8)
        x3 = self.scene(self.down2(x2))  # (N, w3, H/16, W/16)
        x2 = self.dec2(x2 + _double(self.up2(x3)))
        x1 = self.dec1(x1 + _double(self.up1(x2)))
        return self.head(x1)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
