"""The trunk of a ConvNeXt (Liu et al., "A ConvNet for the 2020s", CVPR 2022,
https://arxiv.org/abs/2201.03545), under the names of its authors' own files.

torchvision has the network, too, but under other names and without a norm for every stage.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """Of the channels of (N, C, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:  # (N, h, w, C) -> same
        y = self.norm(self.dwconv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return torch.addcmul(
            x, self.gamma, apply_at_each(self.pwconv2, F.gelu(apply_at_each(self.pwconv1, y)))
        )


class ConvNeXt(nn.Module):
    """ConvNeXt-T with the defaults; the norms of the stages' outputs are DDColor's."""

    def __init__(
        self,
        depths: tuple[int, ...] = (3, 3, 9, 3),
        widths: tuple[int, ...] = (96, 192, 384, 768),
    ):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), _norm(widths[0]))
        self.downsample_layers = nn.ModuleList([stem])
        for inside, outside in pairwise(widths):
            merge = nn.Conv2d(inside, outside, 2, stride=2)
            self.downsample_layers.append(nn.Sequential(_norm(inside), merge))
        self.stages = nn.ModuleList(
            nn.Sequential(*[Block(width) for _ in range(depth)])
            for depth, width in zip(depths, widths, strict=True)
        )
        for i, width in enumerate(widths):
            self.add_module(f"norm{i}", _norm(width))
        self.norm = nn.LayerNorm(widths[-1], eps=EPSILON)  # of a classifier: in the files, unused

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> each stage's output under its norm, from (N, C, H / 4, W / 4) on."""
        seen = []
        for i, (down, stage) in enumerate(zip(self.downsample_layers, self.stages, strict=True)):
            # Channels last, as linear layers want them: convolutions then take them without a copy.
            x = stage(down(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            seen.append(getattr(self, f"norm{i}")(x))
        return seen


def apply_at_each(linear: nn.Linear, x: Tensor) -> Tensor:
    """linear(x) at each place of (N, h, w, C), as a convolution of 1 x 1: the same sums, which
    oneDNN does in half the time on processors that MKL is not made for."""
    weight = linear.weight[..., None, None]
    return F.conv2d(x.permute(0, 3, 1, 2), weight, linear.bias).permute(0, 2, 3, 1)


def _norm(width: int) -> ChannelNorm:
    return ChannelNorm(width, eps=EPSILON)
