"""A small CNN on the first half of a ResNet-18, trained with ab's squared error or a perceptual
loss."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from colorize_core.networks.published import Published
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.scaling import pad_l, unscale_ab


@dataclass(frozen=True)
class CnnConfig:
    width: int = 64  # of the trunk's first stage; all others follow


class Cnn(Published):
    """18 layers: ten convolutions of the trunk, five more, three doublings. 0.96 M parameters."""

    def __init__(self, config: CnnConfig | None = None):
        super().__init__()
        self.config = config or CnnConfig()
        width = self.config.width
        self.trunk = ResNetTrunk((2, 2), width)
        self.head = nn.Sequential(
            *_make_conv(2 * width, 2 * width),
            nn.Upsample(scale_factor=2),
            *_make_conv(2 * width, width),
            *_make_conv(width, width),
            nn.Upsample(scale_factor=2),
            *_make_conv(width, width // 2),
            nn.Conv2d(width // 2, 2, 3, padding=1),
            nn.Upsample(scale_factor=2),
        )

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 8 -> ab (N, 2, H, W) in Lab units."""
        return unscale_ab(self.head(self.trunk(pad_l(lightness))[-1]))


def _make_conv(inside: int, outside: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU()
