"""How differently the bundled trunk sees two pictures: no LPIPS, and needs no download."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 128  # what the short side is shrunk to: about the size that the trunk learned at
_LOADING = threading.Lock()


def perceptual_offline(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8], *, device: str = "cpu"
) -> float:
    """The distance of the trunk `perceptual` between two sRGB pictures (H, W, 3) uint8, their short
    side shrunk to 128 pixels; 0 is equal, lower is better.

    The formula is that of LPIPS without weights fitted to people's answers, on a smaller trunk: its
    numbers compare with each other alone. Raises WeightsError, DeviceError.
    """
    import torch

    network = load(device)
    on = next(network.parameters()).device
    with torch.inference_mode():
        return float(network.distance(_make_tensor(picture).to(on), _make_tensor(truth).to(on)))


def load(device: str = "cpu") -> Any:
    """The trunk, once for each device."""
    with _LOADING:
        return _load(device)


@lru_cache
def _load(device: str) -> Any:
    from colorize_core.models import perceptual

    return perceptual.load(device)


def _make_tensor(picture: NDArray[np.uint8]) -> Tensor:
    """(1, 3, h, w) in [0, 1]."""
    import torch

    height, width = picture.shape[:2]
    scale = SIDE / min(height, width)
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
