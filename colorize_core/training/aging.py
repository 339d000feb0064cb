"""What time and cameras do to a photograph's L, for the network's copy in training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


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
