"""EfficientNet-Lite0 without its classifier, for lightness or for colour: inverted residuals with
ReLU6 and no squeeze-and-excitation, at widths and depths that TensorFlow's authors chose.

Tan and Le, "EfficientNet" (ICML 2019, https://arxiv.org/abs/1905.11946); Lite:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Kernel, stride, expansion, channels and repeats of each stage.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM = 32  # channels
EPSILON = 1e-3  # of the norms, TensorFlow's
TAPS = (2, 4, 6)  # the stages that are told, at 1/8, 1/16 and 1/32
EVERY_SIZE = (0, 1, *TAPS)  # those at 1/2 and 1/4 as well


class SameConv2d(nn.Conv2d):
    """Padded as TensorFlow does: ceil(length / stride) cells, an odd pixel of padding last."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inside, outside, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = [max(0, (-(-n // stride) - 1) * stride + kernel - n) for n in x.shape[-2:]]
        if all(pad % 2 == 0 for pad in pads):
            return F.conv2d(
                x, self.weight, None, self.stride, (pads[0] // 2, pads[1] // 2), 1, self.groups
            )
        x = F.pad(x, (pads[1] // 2, -(-pads[1] // 2), pads[0] // 2, -(-pads[0] // 2)))
        return F.conv2d(x, self.weight, None, self.stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Widen, look around, narrow (Sandler et al., "MobileNetV2", CVPR 2018)."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inside * expansion
        self.skip = stride == 1 and inside == outside
        self.expand = nn.Sequential()
        if expansion > 1:
            self.expand = nn.Sequential(
                nn.Conv2d(inside, wide, 1, bias=False), nn.BatchNorm2d(wide, EPSILON), nn.ReLU6()
            )
        self.depthwise = nn.Sequential(
            SameConv2d(wide, wide, kernel, stride, groups=wide),
            nn.BatchNorm2d(wide, EPSILON),
            nn.ReLU6(),
        )
        self.project = nn.Sequential(
            nn.Conv2d(wide, outside, 1, bias=False), nn.BatchNorm2d(outside, EPSILON)
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.skip else y


class EfficientNetLite(nn.Module):
    """`planes`: 1 for lightness, 3 for red, green and blue. `taps`: the stages that are told.

    `frozen`: the stem and so many stages stay as they are when it is trained on, their norms
    too; they are most of the memory and half of the time."""

    frozen = 0

    def __init__(self, planes: int = 1, taps: tuple[int, ...] = TAPS) -> None:
        super().__init__()
        self.planes = planes
        self.taps = taps
        self.widths = [STAGES[stage][3] for stage in taps]  # channels of what forward() returns
        self.stem = nn.Sequential(
            SameConv2d(planes, STEM, 3, 2), nn.BatchNorm2d(STEM, EPSILON), nn.ReLU6()
        )
        width = STEM
        stages = []
        for kernel, stride, expansion, outside, repeats in STAGES:
            blocks = []
            for number in range(repeats):
                step = stride if number == 0 else 1
                blocks.append(InvertedResidual(width, outside, kernel, step, expansion))
                width = outside
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """(N, planes, H, W) in [-1, 1] -> what the stages `taps` tell, of `widths` channels:
        with the defaults at 1/8, 1/16 and 1/32 of the size."""
        found = []
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = self.stem(picture)
        for number, stage in enumerate(self.stages):
            learning = torch.is_grad_enabled() and number >= self.frozen
            with torch.set_grad_enabled(learning):
                x = stage(x)
            if number in self.taps:
                found.append(x)
        return tuple(found)

    def train(self, mode: bool = True) -> EfficientNetLite:
        super().train(mode)
        for part in (self.stem, *self.stages[: self.frozen]) if self.frozen else ():
            part.eval()
        return self

    def freeze(self, stages: int) -> None:
        self.frozen = stages
        for part in (self.stem, *self.stages[:stages]):
            part.requires_grad_(False)
