"""Two networks of Zhang et al. under the names of their published files: "Colorful Image
Colorization" (ECCV 2016, https://arxiv.org/abs/1603.08511), which gives each place a distribution
over 313 colours, and "Real-Time User-Guided Image Colorization with Learned Deep Priors" (SIGGRAPH
2017, https://arxiv.org/abs/1705.02999), a U-Net that takes colour hints.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.scaling import scale_ab, unscale_ab

STRIDE = 8  # heights and widths must be multiples of this


@dataclass(frozen=True)
class ZhangConfig:
    width: int = 64  # channels at full size; eight times as many at 1/8


FULL = ZhangConfig()


class Eccv16(nn.Module):
    def __init__(self, config: ZhangConfig | None = None):
        super().__init__()
        self.config = config or ZhangConfig()
        w1, w2, w4, w8 = (self.config.width * times for times in (1, 2, 4, 8))
        self.model1 = _make_block(1, w1, w1, stride=2)
        self.model2 = _make_block(w1, w2, w2, stride=2)
        self.model3 = _make_block(w2, w4, w4, w4, stride=2)
        self.model4 = _make_block(w4, w8, w8, w8)
        self.model5 = _make_block(w8, w8, w8, w8, dilation=2)
        self.model6 = _make_block(w8, w8, w8, w8, dilation=2)
        self.model7 = _make_block(w8, w8, w8, w8)
        self.model8 = nn.Sequential(
            _double(w8, w4),
            nn.ReLU(inplace=True),
            *_make_convs(w4, w4, w4),
            nn.Conv2d(w4, 313, 1),
        )
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)  # the colours, ab / 110
        self.to(memory_format=torch.channels_last)

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100] -> ab (N, 2, H / 4, W / 4) in Lab units: the mean of each
        place's distribution."""
        x = _scale_l(lightness)
        for i in range(1, 9):
            x = self.get_submodule(f"model{i}")(x)
        return unscale_ab(self.model_out(F.softmax(x, 1)))


class Siggraph17(nn.Module):
    def __init__(self, config: ZhangConfig | None = None):
        super().__init__()
        self.config = config or ZhangConfig()
        w1, w2, w4, w8 = (self.config.width * times for times in (1, 2, 4, 8))
        self.model1 = _make_block(4, w1, w1)
        self.model2 = _make_block(w1, w2, w2)
        self.model3 = _make_block(w2, w4, w4, w4)
        self.model4 = _make_block(w4, w8, w8, w8)
        self.model5 = _make_block(w8, w8, w8, w8, dilation=2)
        self.model6 = _make_block(w8, w8, w8, w8, dilation=2)
        self.model7 = _make_block(w8, w8, w8, w8)
        self.model8up = nn.Sequential(_double(w8, w4))
        self.model3short8 = nn.Sequential(nn.Conv2d(w4, w4, 3, padding=1))
        self.model8 = nn.Sequential(nn.ReLU(inplace=True), *_make_block(w4, w4, w4))
        self.model9up = nn.Sequential(_double(w4, w2))
        self.model2short9 = nn.Sequential(nn.Conv2d(w2, w2, 3, padding=1))
        self.model9 = nn.Sequential(nn.ReLU(inplace=True), *_make_block(w2, w2))
        self.model10up = nn.Sequential(_double(w2, w2))
        self.model1short10 = nn.Sequential(nn.Conv2d(w1, w2, 3, padding=1))
        end = nn.Conv2d(w2, w2, 3, padding=1)
        self.model10 = nn.Sequential(nn.ReLU(inplace=True), end, nn.LeakyReLU(0.2, inplace=True))
        self.model_class = nn.Sequential(nn.Conv2d(w4, 529, 1))  # of its training: unused
        self.model_out = nn.Sequential(nn.Conv2d(w2, 2, 1), nn.Tanh())
        self.to(memory_format=torch.channels_last)

    def forward(self, lightness: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100]; hint_ab (N, 2, H, W) in Lab units, 0 where there is no hint;
        hint_mask (N, 1, H, W) in {0, 1} -> ab (N, 2, H, W) in Lab units."""
        x1 = self.model1(torch.cat([_scale_l(lightness), scale_ab(hint_ab), hint_mask], 1))
        x2 = self.model2(x1[..., ::2, ::2])
        x3 = self.model3(x2[..., ::2, ::2])
        x = self.model4(x3[..., ::2, ::2])
        x = self.model7(self.model6(self.model5(x)))
        x = self.model8(self.model8up(x) + self.model3short8(x3))
        x = self.model9(self.model9up(x) + self.model2short9(x2))
        x = self.model10(self.model10up(x) + self.model1short10(x1))
        return unscale_ab(self.model_out(x))


def _scale_l(lightness: Tensor) -> Tensor:
    """[0, 100] -> [-0.5, 0.5], as these networks have learned it."""
    return (lightness - 50) / 100


def _make_convs(*widths: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    """3 x 3 convolutions, each with its ReLU; the last one has the stride."""
    layers: list[nn.Module] = []
    for i, (inside, outside) in enumerate(pairwise(widths), 2):
        step = stride if i == len(widths) else 1
        layers.append(nn.Conv2d(inside, outside, 3, step, padding=dilation, dilation=dilation))
        layers.append(nn.ReLU(inplace=True))
    return layers


def _make_block(*widths: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    convs = _make_convs(*widths, stride=stride, dilation=dilation)
    return nn.Sequential(*convs, nn.BatchNorm2d(widths[-1]))


def _double(inside: int, outside: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1)
