"""Features after the first stage of a ResNet-50, upsampled to ab: it learns that brown is safe."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from colorize_core.networks.published import Published
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.scaling import repeat_l, unscale_ab


@dataclass(frozen=True)
class ResNetAutoencoderConfig:
    width: int = 64  # of the trunk; its first stage puts out four times as many channels


class ResNetAutoencoder(Published):
    def __init__(self, config: ResNetAutoencoderConfig | None = None):
        super().__init__()
        self.config = config or ResNetAutoencoderConfig()
        self.trunk = ResNetTrunk((3,), self.config.width, bottleneck=True)
        wide = self.trunk.widths[-1]  # 256 x 56 x 56 of a 224 x 224 photo with the defaults
        self.head = nn.Sequential(
            nn.Conv2d(wide, wide // 2, 3, padding=1),
            nn.BatchNorm2d(wide // 2),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(wide // 2, wide // 4, 3, padding=1),
            nn.BatchNorm2d(wide // 4),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(wide // 4, 2, 3, padding=1),
        )

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 4 -> ab (N, 2, H, W) in Lab units."""
        return unscale_ab(self.head(self.trunk(repeat_l(lightness))[-1]))
