"""DeOldify's generators (Antic, https://github.com/jantic/DeOldify): U-Nets with self-attention
(SAGAN, https://arxiv.org/abs/1805.08318) on a ResNet, under the names of their published files.

"Artistic" has a deep way up on a ResNet-34, "stable" a wide one on a ResNet-101.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.shuffle import (
    NormedConv2d,
    Shuffle,
    SpectralConv1d,
    SpectralConv2d,
    blur,
)

STRIDE = 32  # heights and widths must be multiples of this
RANGE = 3.0  # of the output, in standard deviations of ImageNet's colours


@dataclass(frozen=True)
class DeOldifyConfig:
    depths: tuple[int, int, int, int] = (3, 4, 6, 3)  # of the ResNet
    width: int = 64  # its channels at half the size
    factor: float = 1.5  # how many times a U-Net's usual width the way up has
    wide: int = 0  # or the channels that it has itself, with one convolution a step, not two
    bottleneck: bool = False  # of the ResNet's blocks


ARTISTIC = DeOldifyConfig()
STABLE = DeOldifyConfig(depths=(3, 4, 23, 3), wide=512, bottleneck=True)


class SelfAttention(nn.Module):
    """Each place takes the mean of all, by how its key fits their queries; unscaled."""

    def __init__(self, width: int):
        super().__init__()
        self.query = SpectralConv1d(width, width // 8, 1, bias=False)
        self.key = SpectralConv1d(width, width // 8, 1, bias=False)
        self.value = SpectralConv1d(width, width, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> same
        places = x.flatten(2)
        query, key, value = (made(places).mT for made in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(key, query, value, scale=1.0)
        return torch.addcmul(x, self.gamma, mixed.mT.reshape(x.shape))


class UpBlock(nn.Module):
    def __init__(self, inside: int, skip: int, outside: int, attends: bool):
        super().__init__()
        self.shuf = Shuffle(inside, inside // 2)
        self.bn = nn.BatchNorm2d(skip)
        self.conv1 = _make_conv(inside // 2 + skip, outside)
        self.conv2 = _make_conv(outside, outside)
        if attends:
            self.conv2.append(SelfAttention(outside))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(N, inside, h, w) and (N, skip, 2 h, 2 w) -> (N, outside, 2 h, 2 w)."""
        return self.conv2(self.conv1(F.relu(torch.cat([self.shuf(x), self.bn(skip)], 1))))


class WideUpBlock(nn.Module):
    def __init__(self, inside: int, skip: int, outside: int, attends: bool):
        super().__init__()
        self.shuf = Shuffle(inside, outside)
        self.bn = nn.BatchNorm2d(skip)
        self.conv = _make_conv(outside + skip, outside)
        if attends:
            self.conv.append(SelfAttention(outside))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(N, inside, h, w) and (N, skip, 2 h, 2 w) -> (N, outside, 2 h, 2 w)."""
        return self.conv(F.relu(torch.cat([self.shuf(x), self.bn(skip)], 1)))


class LastShuffle(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Sequential(NormedConv2d(width, 4 * width, 1))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> (N, C, 2 h, 2 w)
        return blur(F.pixel_shuffle(F.relu(self.conv(x)), 2))


class LastBlock(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(SpectralConv2d(width, width, 3, padding=1), nn.ReLU(inplace=True))
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> same
        first, second = self.layers
        return x + second(first(x))


class DeOldify(nn.Module):
    def __init__(self, config: DeOldifyConfig | None = None):
        super().__init__()
        self.config = config or ARTISTIC
        wide = self.config.wide
        trunk = ResNetTrunk(self.config.depths, self.config.width, self.config.bottleneck)
        stages = [trunk.get_submodule(f"layer{i}") for i in (1, 2, 3, 4)]
        stem = [trunk.conv1, trunk.bn1, nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, padding=1)]
        deep = trunk.widths[-1]
        middle = nn.Sequential(_make_conv(deep, 2 * deep), _make_conv(2 * deep, deep))
        blocks, inside = [], deep
        for i, skip in enumerate(trunk.widths[-2::-1]):
            both = wide or inside // 2 + skip
            outside = int((both if i < 3 else both // 2) * (1 if wide else self.config.factor))
            kind = WideUpBlock if wide else UpBlock
            blocks.append(kind(inside, skip, outside, attends=i == 1))
            inside = outside
        self.layers = nn.ModuleList(
            [
                nn.Sequential(*stem, *stages),
                nn.BatchNorm2d(deep),
                nn.ReLU(inplace=True),
                middle,
                *blocks,
                LastShuffle(inside),
                nn.Identity(),  # where the photo joins
                LastBlock(inside + 3),
                nn.Sequential(SpectralConv2d(inside + 3, 3, 1)),
            ]
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, gray: Tensor) -> Tensor:
        """Gray sRGB (N, 3, H, W) in [0, 1] -> sRGB of the same shape, which may leave [0, 1]."""
        mean = gray.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        std = gray.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
        photo = ((gray - mean) / std).contiguous(memory_format=torch.channels_last)
        trunk, norm, relu, middle, *blocks, shuffle, _, end, last = self.layers
        x, seen = photo, []
        for layer in trunk.children():
            seen.append(x := layer(x))
        skips = [seen[2], *seen[4:7]]  # the stem at 1/2, then the stages at 1/4, 1/8 and 1/16
        x = middle(relu(norm(x)))
        for block, skip in zip(blocks, reversed(skips), strict=True):
            x = block(x, skip)
        x = last(end(torch.cat([shuffle(x), photo], 1)))
        return (torch.sigmoid(x) * 2 - 1) * RANGE * std + mean


def _make_conv(inside: int, outside: int) -> nn.Sequential:
    conv = SpectralConv2d(inside, outside, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.ReLU(inplace=True), nn.BatchNorm2d(outside))
