"""A U-Net whose way down is a ResNet-18: L -> ab, with the trunk's outputs as skips. Or one on
EfficientNet-Lite0, to compare a pretrained trunk with the same from random weights offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.errors import OptionError
from colorize_core.networks.efficientnet_lite import EVERY_SIZE, EfficientNetLite
from colorize_core.networks.published import Published
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.scaling import repeat_l, unscale_ab


@dataclass(frozen=True)
class ResNetUNetConfig:
    depths: tuple[int, ...] = (2, 2, 2, 2)
    width: int = 64
    trunk: str = "resnet"  # or "efficientnet-lite0", whose depths and widths are its own


class ResNetUNet(Published):
    def __init__(self, config: ResNetUNetConfig | None = None):
        super().__init__()
        self.config = config or ResNetUNetConfig()
        self.trunk = self._build_trunk()
        widths = self.trunk.widths
        self.up = nn.ModuleList(
            _Up(deep, shallow) for deep, shallow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], 2, 3, padding=1)

    def _build_trunk(self) -> Any:
        if self.config.trunk == "resnet":
            return ResNetTrunk(self.config.depths, self.config.width)
        if self.config.trunk == "efficientnet-lite0":
            return EfficientNetLite(planes=3, taps=EVERY_SIZE)
        raise OptionError(f"There is no trunk {self.config.trunk}: resnet or efficientnet-lite0.")

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 2 ** (1 + stages) -> ab (N, 2, H / 2,
        W / 2) in Lab units."""
        seen = list(self.trunk(repeat_l(lightness)))
        x = seen.pop()
        for up in self.up:
            x = up(x, seen.pop())
        return unscale_ab(torch.tanh(self.head(x)))


class _Up(nn.Module):
    def __init__(self, deep: int, shallow: int):
        super().__init__()
        self.lift = nn.Conv2d(deep, shallow, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * shallow)
        self.mix = nn.Sequential(
            nn.Conv2d(2 * shallow, shallow, 3, padding=1, bias=False),
            nn.BatchNorm2d(shallow),
            nn.ReLU(),
            nn.Conv2d(shallow, shallow, 3, padding=1, bias=False),
            nn.BatchNorm2d(shallow),
            nn.ReLU(),
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(N, deep, h, w) and (N, shallow, 2h, 2w) -> (N, shallow, 2h, 2w)."""
        x = F.interpolate(self.lift(x), size=skip.shape[-2:], mode="bilinear", align_corners=False)
        return self.mix(F.relu(self.norm(torch.cat([x, skip], 1))))
