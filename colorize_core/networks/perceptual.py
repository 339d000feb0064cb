"""A small trunk that has learned to tell photographs apart, for perceptual losses and distances.

AlexNet's five convolutions (Krizhevsky et al., NeurIPS 2012; the widths of "One weird trick", 2014)
for pictures of about 128 x 128. The distance over its features follows LPIPS (Zhang et al., CVPR
2018) without the linear weights that were fitted to people's answers: it is not LPIPS.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.published import Published


@dataclass(frozen=True)
class PerceptualConfig:
    kinds: tuple[str, ...] = ()  # what the photographs were labelled as
    widths: tuple[int, ...] = (64, 192, 384, 256, 256)


class Perceptual(Published):
    def __init__(self, config: PerceptualConfig | None = None):
        super().__init__()
        self.config = config or PerceptualConfig()
        w1, w2, w3, w4, w5 = self.config.widths
        self.stages = nn.ModuleList(
            [
                _stage(3, w1, 7, stride=2),  # 1/2; AlexNet's 11 x 11 at stride 4 is for 224 x 224
                nn.Sequential(nn.MaxPool2d(3, 2, padding=1), _stage(w1, w2, 5)),  # 1/4
                nn.Sequential(nn.MaxPool2d(3, 2, padding=1), _stage(w2, w3, 3)),  # 1/8
                _stage(w3, w4, 3),
                nn.Sequential(nn.MaxPool2d(3, 2, padding=1), _stage(w4, w5, 3)),  # 1/16
            ]
        )
        self.classes = nn.Sequential(nn.Dropout(0.3), nn.Linear(w5, len(self.config.kinds)))

    def features(self, rgb: Tensor) -> list[Tensor]:
        """RGB (N, 3, H, W) in [0, 1] -> what each of the five stages sees."""
        x = rgb * 2 - 1
        return [x := stage(x) for stage in self.stages]

    def forward(self, rgb: Tensor) -> Tensor:
        """RGB (N, 3, H, W) in [0, 1] -> logits (N, kinds)."""
        return self.classes(self.features(rgb)[-1].mean((2, 3)))

    def distance(self, first: Tensor, second: Tensor) -> Tensor:
        """RGB (N, 3, H, W) in [0, 1] twice -> (N,): squared distances of the features, scaled to
        length 1 at each place, their mean over places, their sum over stages."""
        pairs = zip(self.features(first), self.features(second), strict=True)
        gaps = [F.normalize(a, dim=1) - F.normalize(b, dim=1) for a, b in pairs]
        return sum((gap.square().sum(1).mean((1, 2)) for gap in gaps), start=first.new_zeros(()))


def _stage(inside: int, outside: int, size: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inside, outside, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU())
