"""The U-Net generator of pix2pix (Isola et al., CVPR 2017): L -> ab, with skips at every size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from colorize_core.networks.published import Published
from colorize_core.networks.scaling import scale_l, unscale_ab


@dataclass(frozen=True)
class UNetConfig:
    width: int = 64  # channels after the first convolution; doubled three times, then kept
    depth: int = 8  # times the size is halved; heights and widths are multiples of 2 ** depth
    dropout: float = 0.5  # in the three widest blocks on the way up, in training only


class UNet(Published):
    """`depth` convolutions 4 x 4 of stride 2 down and as many transposed ones up, each fed what
    lies at its size on the way down: 54.41 M parameters with the defaults."""

    def __init__(self, config: UNetConfig | None = None):
        super().__init__()
        self.config = config or UNetConfig()
        widths = [self.config.width * min(2**i, 8) for i in range(self.config.depth)]
        last = self.config.depth - 1
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(widths):
            # No norm at the outermost size, and none at the innermost, which may be 1 x 1.
            norm = [nn.BatchNorm2d(width)] if 0 < i < last else []
            bent = [nn.LeakyReLU(0.2)] if i else []
            inside = widths[i - 1] if i else 1
            conv = nn.Conv2d(inside, width, 4, stride=2, padding=1, bias=not norm)
            self.down.append(nn.Sequential(*bent, conv, *norm))
        for i in reversed(range(1, self.config.depth)):
            inside = widths[i] * (1 if i == last else 2)
            drop = [nn.Dropout(self.config.dropout)] if 4 <= i < last else []
            wider = nn.ConvTranspose2d(inside, widths[i - 1], 4, stride=2, padding=1, bias=False)
            self.up.append(nn.Sequential(nn.ReLU(), wider, nn.BatchNorm2d(widths[i - 1]), *drop))
        self.head = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], 2, 4, stride=2, padding=1), nn.Tanh()
        )

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W) in Lab units."""
        x = scale_l(lightness)
        seen = [
            x := down(x) for down in self.down
        ]  # (N, C, H / 2, ...) to (N, C, H / 2 ** depth, ...)
        x = seen.pop()
        for up in self.up:
            x = torch.cat([up(x), seen.pop()], 1)
        return unscale_ab(self.head(x))
