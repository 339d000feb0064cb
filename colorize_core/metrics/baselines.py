"""What every table of scores has beside the models: no colour at all, and one everywhere."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from colorize_core.downloads import checkpoints
from colorize_core.imaging.color import combine_ab, rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.models.registry import cards

BASELINES = ("gray", "mean")


def make_baseline(name: str, truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture of "gray" (ab = 0) or "mean" (the mean colour everywhere) on the truth's L, sRGB
    (H, W, 3) uint8. KeyError for another name."""
    return {"gray": protocol.to_gray, "mean": make_one_colour}[name](truth)


def make_one_colour(truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean colour everywhere, on the truth's L."""
    lab = rgb_to_lab(truth.astype(np.float32) / 255)
    return combine_ab(lab[..., :1], np.zeros_like(lab[..., 1:]) + load_mean_colour())


@lru_cache(maxsize=1)
def load_mean_colour() -> NDArray[np.float32]:
    """The mean ab of the training photographs, (2,), as the built-in model's weight file knows it.
    Raises WeightsError."""
    from safetensors import safe_open

    path = checkpoints.find(cards()[0].weights[0])
    with safe_open(path, "np") as file:
        frequency = np.exp(file.get_tensor("bins.log_prior").astype(np.float32))
        points = file.get_tensor("bins.points").astype(np.float32)
    mean: NDArray[np.float32] = frequency @ points / frequency.sum()
    return mean
