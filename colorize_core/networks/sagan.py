"""Self-attention and spectral normalisation (Zhang et al., "Self-Attention Generative Adversarial
Networks", ICML 2019) in a U-Net generator and in its discriminator."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorize_core.networks.published import Published
from colorize_core.networks.scaling import scale_ab, scale_l, unscale_ab


@dataclass(frozen=True)
class SaganConfig:
    width: int = 64  # channels at 1/2; doubled at each size up to eight times that
    depth: int = 5  # times the size is halved
    attention_at: int = 3  # halvings after which positions look at each other


class SelfAttention(nn.Module):
    """Every position looks at every other; `gamma` starts at 0, so that the network begins without
    it. Keys and values are pooled 2 x 2, as in the authors' program."""

    def __init__(self, width: int):
        super().__init__()
        self.query = spectral_norm(nn.Conv2d(width, width // 8, 1, bias=False))
        self.key = spectral_norm(nn.Conv2d(width, width // 8, 1, bias=False))
        self.value = spectral_norm(nn.Conv2d(width, width // 2, 1, bias=False))
        self.out = spectral_norm(nn.Conv2d(width // 2, width, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w) -> same
        n, _, h, w = x.shape
        query = self.query(x).flatten(2).transpose(1, 2)  # (N, h * w, C / 8)
        key = _halve(self.key(x)).flatten(2).transpose(1, 2)  # (N, h * w / 4, C / 8)
        value = _halve(self.value(x)).flatten(2).transpose(1, 2)  # (N, h * w / 4, C / 2)
        mixed = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma * self.out(mixed.transpose(1, 2).reshape(n, -1, h, w))


class SaganGenerator(Published):
    def __init__(self, config: SaganConfig | None = None):
        super().__init__()
        self.config = config or SaganConfig()
        widths = [self.config.width * min(2**i, 8) for i in range(self.config.depth)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, (inside, width) in enumerate(pairwise([1, *widths])):
            look = [SelfAttention(width)] if i + 1 == self.config.attention_at else []
            conv = spectral_norm(nn.Conv2d(inside, width, 4, stride=2, padding=1))
            self.down.append(nn.Sequential(conv, nn.BatchNorm2d(width), nn.LeakyReLU(0.2), *look))
        for i in reversed(range(1, self.config.depth)):
            inside = widths[i] * (1 if i == self.config.depth - 1 else 2)
            look = [SelfAttention(widths[i - 1])] if i == self.config.attention_at else []
            conv = spectral_norm(nn.Conv2d(inside, widths[i - 1], 3, padding=1))
            self.up.append(
                nn.Sequential(
                    nn.Upsample(scale_factor=2),
                    conv,
                    nn.BatchNorm2d(widths[i - 1]),
                    nn.ReLU(),
                    *look,
                )
            )
        self.head = nn.Conv2d(2 * widths[0], 2, 3, padding=1)

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 2 ** depth -> ab (N, 2, H / 2, W / 2) in
        Lab units."""
        x = scale_l(lightness)
        seen = [x := down(x) for down in self.down]
        x = seen.pop()
        for up in self.up:
            x = torch.cat([up(x), seen.pop()], 1)
        return unscale_ab(torch.tanh(self.head(x)))


class SaganDiscriminator(nn.Module):
    """Patches as in pix2pix, with spectral normalisation instead of batch norms, and attention."""

    def __init__(self, width: int = 64, downs: int = 3):
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(downs):
            inside, outside = (width * 2 ** (i - 1) if i else 3), width * 2**i
            conv = spectral_norm(nn.Conv2d(inside, outside, 4, stride=2, padding=1))
            layers += [conv, nn.LeakyReLU(0.2)]
        layers.append(SelfAttention(outside))
        layers.append(spectral_norm(nn.Conv2d(outside, 1, 4, padding=1)))
        self.layers = nn.Sequential(*layers)

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """As PatchDiscriminator."""
        return self.layers(torch.cat([scale_l(lightness), scale_ab(ab)], 1))


def _halve(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2, ceil_mode=True)
