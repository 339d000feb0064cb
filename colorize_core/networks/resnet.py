"""The trunk of a ResNet (He et al., CVPR 2016) at any width, under torchvision's names."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck


class ResNetTrunk(nn.Module):
    """ResNet-18 with the defaults; (3, 4, 6, 3) of `bottleneck` blocks is ResNet-50, (3, 4, 23, 3)
    ResNet-101. `depths` may end early. Published weights fit when `width` is 64."""

    def __init__(
        self, depths: tuple[int, ...] = (2, 2, 2, 2), width: int = 64, bottleneck: bool = False
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        kind = Bottleneck if bottleneck else BasicBlock
        inside, self.widths = width, [width]  # channels of what forward() returns
        for i, depth in enumerate(depths):
            blocks = []
            for j in range(depth):
                planes, stride = width * 2**i, 2 if i and not j else 1
                outside = planes * kind.expansion
                shortcut = None
                if stride > 1 or inside != outside:
                    conv = nn.Conv2d(inside, outside, 1, stride=stride, bias=False)
                    shortcut = nn.Sequential(conv, nn.BatchNorm2d(outside))
                blocks.append(kind(inside, planes, stride, shortcut))
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
