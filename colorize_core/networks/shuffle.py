"""Layers that DDColor has from DeOldify's U-Net: convolutions whose weights were normed in
training, and upsampling by sub-pixels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SpectralConv2d(nn.Conv2d):
    """A convolution whose published weight is stored with its first singular vectors, u and v, and
    to be divided by the singular value. The division is done once, when it is loaded."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.register_load_state_dict_pre_hook(_divide)  # type: ignore[no-untyped-call]


class SpectralConv1d(nn.Conv1d):
    """The same for lines."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.register_load_state_dict_pre_hook(_divide)  # type: ignore[no-untyped-call]


class NormedConv2d(nn.Conv2d):
    """A convolution whose published weight is stored as directions, v, and their lengths, g. They
    are multiplied once, when it is loaded."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.register_load_state_dict_pre_hook(_lengthen)  # type: ignore[no-untyped-call]


def _divide(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    names = [f"{prefix}weight_{end}" for end in ("orig", "u", "v")]
    if all(name in state for name in names):
        weight, u, v = (state.pop(name) for name in names)
        state[f"{prefix}weight"] = weight / (u @ weight.flatten(1) @ v)


def _lengthen(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    names = [f"{prefix}weight_{end}" for end in ("g", "v")]
    if all(name in state for name in names):
        lengths, weight = (state.pop(name) for name in names)
        norms = torch.linalg.vector_norm(weight, dim=(1, 2, 3), keepdim=True)
        state[f"{prefix}weight"] = weight * (lengths / norms)


class Shuffle(nn.Module):
    """Twice the size by sub-pixels, blurred so that they do not show (Sugawara et al., 2018,
    https://arxiv.org/abs/1806.02658)."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        conv = SpectralConv2d(inside, 4 * outside, 1, bias=False)
        self.conv = nn.Sequential(conv, nn.BatchNorm2d(4 * outside))

    def forward(self, x: Tensor) -> Tensor:  # (N, inside, h, w) -> (N, outside, 2 h, 2 w)
        return blur(F.pixel_shuffle(F.relu(self.conv(x)), 2))


def blur(x: Tensor) -> Tensor:
    """The mean of each pixel and its neighbours above and to the left."""
    return F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)
