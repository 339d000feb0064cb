"""What emulsions, cameras and time do to a photograph's L, for the network's copy in training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_core.imaging.color import rgb_to_lab

# Shares of linear red, green and blue that make the gray of an emulsion: collodion and ordinary
# plates see blue alone, orthochromatic ones green too, panchromatic ones too little green.
EMULSIONS = ((0.0, 0.12, 0.88), (0.02, 0.5, 0.48), (0.36, 0.3, 0.34))
GLOW = 0.3  # most of a bright place's light that the plate's back throws around it


def expose(photos: Tensor, share: float) -> Tensor:
    """The gray that old emulsions would have made of colour photographs.

    photos (N, 3, H, W) sRGB in [0, 1] -> L (N, 1, H, W) in [0, 100]; `share`: expected share that
    is of an old emulsion, with halation and a vignette; the others are the photographs' own L.
    """
    n, _, h, w = photos.shape
    device = photos.device
    own = rgb_to_lab(photos, 1)[:, :1]
    old = (torch.rand(n, device=device) < share).nonzero()[:, 0]
    if not len(old):
        return own
    kinds = torch.tensor(EMULSIONS, device=device)
    # Between two kinds, with a little of its own: no two plates were alike.
    first, second = kinds[torch.randint(len(kinds), (2, len(old)), device=device)]
    mix = torch.lerp(first, second, torch.rand(len(old), 1, device=device) ** 2)
    mix = (mix + 0.05 * torch.rand_like(mix)) / (1 + 0.05 * 1.5)
    linear = ((photos[old] + 0.055) / 1.055).clamp_min(0.04) ** 2.4
    # Not by einsum: in mixed precision that would leave too few digits for a gray.
    light = (linear * (mix / mix.sum(1, keepdim=True))[..., None, None]).sum(1, keepdim=True)
    glow = F.interpolate(F.avg_pool2d(light, 8), (h, w), mode="bilinear", align_corners=False)
    light = light + GLOW * _draw_random(len(old), device) ** 2 * (glow - light).clamp_min(0)
    rows = torch.linspace(-1, 1, h, device=device).view(1, 1, h, 1)
    cols = torch.linspace(-1, 1, w, device=device).view(1, 1, 1, w)
    fall = (1 - 0.6 * _draw_random(len(old), device) ** 2 * (rows**2 + cols**2) / 2).clamp_min(0.1)
    gray = (1.055 * (light * fall).clamp(0, 1) ** (1 / 2.4) - 0.055).clamp(0, 1)
    own[old] = rgb_to_lab(gray.expand(-1, 3, -1, -1), 1)[:, :1]
    return own


def _draw_random(count: int, device: torch.device) -> Tensor:
    return torch.rand(count, 1, 1, 1, device=device)


def age(lightness: Tensor, share: float) -> Tensor:
    """Fade, darken, blur and grain some of the photographs.

    lightness (N, 1, H, W) in [0, 100] -> the same; `share`: expected share that is touched.
    """
    n, device = len(lightness), lightness.device

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, 1, device=device)

    tone = (lightness / 100).clamp(0, 1) ** between(-0.4, 0.4).exp()
    black, white = between(0, 0.15), between(0.8, 1.05)
    tone = black + (white - black) * tone
    soft = F.avg_pool2d(F.pad(tone, (1, 1, 1, 1), mode="replicate"), 3, 1)
    tone = torch.where(between(0, 1) < 0.3, soft, tone)
    tone = tone + torch.randn_like(tone) * between(0, 0.04)
    touched = torch.rand(n, 1, 1, 1, device=device) < share
    return torch.where(touched, 100 * tone.clamp(0, 1), lightness)
