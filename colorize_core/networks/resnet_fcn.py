"""A fully convolutional network (Long et al., CVPR 2015) on a ResNet-101: every stage's output is
scored, and the scores are summed from deep to shallow."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.published import Published
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.scaling import repeat_l, unscale_ab


@dataclass(frozen=True)
class ResNetFcnConfig:
    depths: tuple[int, ...] = (3, 4, 23, 3)
    width: int = 64


class ResNetFcn(Published):
    def __init__(self, config: ResNetFcnConfig | None = None):
        super().__init__()
        self.config = config or ResNetFcnConfig()
        self.trunk = ResNetTrunk(self.config.depths, self.config.width, bottleneck=True)
        self.scores = nn.ModuleList(nn.Conv2d(width, 2, 1) for width in self.trunk.widths)

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 2 ** (1 + stages) -> ab (N, 2, H, W) in
        Lab units."""
        seen = self.trunk(repeat_l(lightness))
        scored = [score(x) for score, x in zip(self.scores, seen, strict=True)]
        ab = scored.pop()
        while scored:
            ab = _double(ab) + scored.pop()
        return unscale_ab(_double(ab))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
