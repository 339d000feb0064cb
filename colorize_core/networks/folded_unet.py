"""The trunk of the networks that are made here: a U-shaped residual network that folds 4 x 4 pixels
into channels at the stem, so that every convolution is wide and cheap, with self-attention at 1/16
for what the scene is."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.published import Published

STRIDE = 16  # heights and widths must be multiples of this


@dataclass(frozen=True)
class FoldedUNetConfig:
    widths: tuple[int, int, int] = (96, 192, 384)  # channels at 1/4, 1/8 and 1/16
    depths: tuple[int, int, int] = (2, 2, 3)  # blocks at each size; the first two once on each side
    heads: int = 6
    mlp_ratio: float = 2.5


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


class FoldedUNet(Published):
    """What those who derive from it put a `head` on."""

    def __init__(self, planes: int, config: FoldedUNetConfig):
        super().__init__()
        w1, w2, w3 = config.widths
        d1, d2, d3 = config.depths
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(16 * planes, w1, 3, padding=1, bias=False),
            nn.BatchNorm2d(w1),
            nn.ReLU(),
        )
        self.enc1 = nn.Sequential(*[ResidualBlock(w1) for _ in range(d1)])
        self.down1 = _merge(w1, w2)
        self.enc2 = nn.Sequential(*[ResidualBlock(w2) for _ in range(d2)])
        self.down2 = _merge(w2, w3)
        self.scene = nn.Sequential(
            *[AttentionBlock(w3, config.heads, config.mlp_ratio) for _ in range(d3)]
        )
        self.up2 = nn.Sequential(nn.Conv2d(w3, w2, 1, bias=False), nn.BatchNorm2d(w2))
        self.dec2 = nn.Sequential(*[ResidualBlock(w2) for _ in range(d2)])
        self.up1 = nn.Sequential(nn.Conv2d(w2, w1, 1, bias=False), nn.BatchNorm2d(w1))
        self.dec1 = nn.Sequential(*[ResidualBlock(w1) for _ in range(d1)])

    def features(
        self, x: Tensor, known: tuple[Tensor | float, ...] = (0.0, 0.0, 0.0)
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(N, planes, H, W), H and W multiples of 16 -> (N, C, H / 4, W / 4), as the way up leaves
        them, then at 1/8, then at 1/16. `known`: what another encoder adds at these three sizes."""
        x1 = self.enc1(self.stem(x)) + known[0]
        x2 = self.enc2(self.down1(x1)) + known[1]
        x3 = self.scene(self.down2(x2) + known[2])
        x2 = self.dec2(x2 + double(self.up2(x3)))
        return self.dec1(x1 + double(self.up1(x2))), x2, x3


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
