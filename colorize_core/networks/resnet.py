"""The trunk of a ResNet (He et al., CVPR 2016) at any width, under torchvision's names."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Two convolutions of 3 x 3 or, as a `bottleneck`, one between two of 1 x 1 that end with four
    times the channels, added to what came in. Not torchvision's: a third of a short run would be
    importing that package, for its operators bring torch's compiler with them."""

    def __init__(
        self, inside: int, planes: int, stride: int, shortcut: nn.Module | None, bottleneck: bool
    ):
        super().__init__()
        if bottleneck:
            layers = [(planes, 1, 1), (planes, 3, stride), (4 * planes, 1, 1)]
        else:
            layers = [(planes, 3, stride), (planes, 3, 1)]
        self.depth = len(layers)
        for i, (outside, side, step) in enumerate(layers, 1):
            conv = nn.Conv2d(inside, outside, side, step, padding=side // 2, bias=False)
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", nn.BatchNorm2d(outside))
            inside = outside
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        before = x if self.downsample is None else self.downsample(x)
        for i in range(1, self.depth + 1):
            x = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))
            if i < self.depth:
                x = F.relu(x, inplace=True)
        x += before
        return F.relu(x, inplace=True)


class ResNetTrunk(nn.Module):
    """ResNet-18 with the defaults; (3, 4, 6, 3) of `bottleneck` blocks is ResNet-50, (3, 4, 23, 3)
    ResNet-101. `depths` may end early. Published weights fit when `width` is 64."""

    def __init__(
        self, depths: tuple[int, ...] = (2, 2, 2, 2), width: int = 64, bottleneck: bool = False
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inside, self.widths = width, [width]  # channels of what forward() returns
        for i, depth in enumerate(depths):
            blocks = []
            for j in range(depth):
                planes, stride = width * 2**i, 2 if i and not j else 1
                outside = planes * (4 if bottleneck else 1)
                shortcut = None
                if stride > 1 or inside != outside:
                    conv = nn.Conv2d(inside, outside, 1, stride=stride, bias=False)
                    shortcut = nn.Sequential(conv, nn.BatchNorm2d(outside))
                blocks.append(Block(inside, planes, stride, shortcut, bottleneck))
                inside = outside
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
            self.widths.append(inside)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> the stem's output at 1/2 and each stage's, from 1/4 on."""
        x = F.relu(self.bn1(self.conv1(x)))
        seen = [x]
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        for i in range(1, len(self.widths)):
            x = getattr(self, f"layer{i}")(x)
            seen.append(x)
        return seen
