"""What tells photographs from colorized ones in adversarial training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from colorize_core.networks.scaling import scale_ab, scale_l


class PatchDiscriminator(nn.Module):
    """The PatchGAN of pix2pix (Isola et al., CVPR 2017): an answer for each patch, which is 16, 34,
    70 or 142 pixels wide with 1 to 4 `downs`. 2.77 M parameters with the defaults."""

    def __init__(self, width: int = 64, downs: int = 3):
        super().__init__()
        widths = [width * min(2**i, 8) for i in range(downs + 1)]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1)]
        for i in range(1, downs + 1):
            stride = 2 if i < downs else 1
            conv = nn.Conv2d(widths[i - 1], widths[i], 4, stride=stride, padding=1, bias=False)
            layers += [nn.LeakyReLU(0.2), conv, nn.BatchNorm2d(widths[i])]
        layers += [nn.LeakyReLU(0.2), nn.Conv2d(widths[-1], 1, 4, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100] and ab (N, 2, H, W) in Lab units -> logits (N, 1, h, w), high
        where it takes the colours for a photograph's."""
        return self.layers(torch.cat([scale_l(lightness), scale_ab(ab)], 1))
