"""An autoencoder with squeeze-and-excitation (Hu et al., CVPR 2018), and its student."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from colorize_core.networks.published import Published
from colorize_core.networks.scaling import scale_l, unscale_ab


@dataclass(frozen=True)
class SeUNetConfig:
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)  # at 1/2, 1/4, 1/8 and 1/16
    ratio: int = 16  # of squeeze-and-excitation; 0 for none
    skips: bool = True
    latent: int = 512  # channels of the bottleneck, at 1/16


class SeUNet(Published):
    """Six convolutions, four of which halve the size and the last of which is dilated; four
    transposed ones back. `encode` and `decode` are its halves: a student imitates the latent."""

    def __init__(self, config: SeUNetConfig | None = None):
        super().__init__()
        self.config = config or SeUNetConfig()
        widths, ratio, latent = self.config.widths, self.config.ratio, self.config.latent
        fan = 2 if self.config.skips else 1
        self.down = nn.ModuleList(
            _make_block(nn.Conv2d(inside, width, 4, stride=2, padding=1), ratio)
            for inside, width in pairwise((1, *widths))
        )
        self.bottleneck = nn.Sequential(
            _make_block(nn.Conv2d(widths[-1], latent, 3, padding=1), ratio),
            _make_block(nn.Conv2d(latent, latent, 3, padding=2, dilation=2), ratio),
        )
        outside = (*widths[-2::-1], widths[0])
        inside = (latent + (fan - 1) * widths[-1], *(fan * width for width in widths[-2::-1]))
        self.up = nn.ModuleList(
            _make_block(nn.ConvTranspose2d(deep, shallow, 4, stride=2, padding=1), ratio)
            for deep, shallow in zip(inside, outside, strict=True)
        )
        self.head = nn.Conv2d(widths[0] + 1, 2, 3, padding=1)

    def encode(self, lightness: Tensor) -> tuple[Tensor, list[Tensor]]:
        """L (N, 1, H, W) in [0, 100] -> the latent (N, latent, H / 16, W / 16) and the skips."""
        x = scale_l(lightness)
        seen = [x := down(x) for down in self.down]
        return self.bottleneck(x), seen

    def decode(self, latent: Tensor, seen: list[Tensor], lightness: Tensor) -> Tensor:
        """-> ab (N, 2, H, W) in Lab units."""
        x = latent
        for up, skip in zip(self.up, reversed(seen), strict=True):
            x = up(torch.cat([x, skip], 1) if self.config.skips else x)
        return unscale_ab(torch.tanh(self.head(torch.cat([x, scale_l(lightness)], 1))))

    def forward(
        self, lightness: Tensor, with_latent: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 16 -> ab (N, 2, H, W) in Lab units;
        `with_latent`: the latent and ab, for a student."""
        latent, seen = self.encode(lightness)
        ab = self.decode(latent, seen, lightness)
        return (latent, ab) if with_latent else ab


class SqueezeExcite(nn.Module):
    def __init__(self, width: int, ratio: int):
        super().__init__()
        self.squeeze = nn.Linear(width, max(1, width // ratio))
        self.excite = nn.Linear(max(1, width // ratio), width)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> same
        weights = self.excite(self.squeeze(x.mean((2, 3))).relu()).sigmoid()
        return x * weights[:, :, None, None]


def _make_block(conv: nn.Conv2d | nn.ConvTranspose2d, ratio: int) -> nn.Sequential:
    width = conv.out_channels
    excite = [SqueezeExcite(width, ratio)] if ratio else []
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU(), *excite)
