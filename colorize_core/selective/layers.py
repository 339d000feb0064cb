"""What the networks that make masks have alike: each is a file of this folder with its own rows of
the table in segmenters.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Picture
from colorize_core.selective.masks import Mask

LEAST_SHARE = 0.005  # of the picture: what is smaller is more likely a mistake
SOFT = 1.0  # how far the logits of two answers are apart where a mask stops being soft


@dataclass(frozen=True)
class Layer:
    """Something that was found. `share`: how much of the picture it covers, in [0, 1]."""

    name: str
    mask: Mask
    share: float


# A photo of screen size, its L (H, W), a device, and what to call once the network is loaded ->
# what was found, with masks (H, W).
Finder = Callable[[Picture, NDArray[np.float32], str, Callable[[], None]], tuple[Layer, ...]]


@dataclass(frozen=True)
class Network:
    """One network that finds classes."""

    name: str  # as `--network` takes it
    title: str  # what it is good for, in a word or two
    classes: tuple[str, ...]  # that it knows
    find: Finder
    download: str = ""  # its row of the catalogue; "": it ships with the repository


def soften(margin: NDArray[np.float32], shape: Sequence[int]) -> Mask:
    """How far an answer is ahead (h, w) -> a mask (H, W), a half where it is level."""
    mask: Mask = np.clip(resize(margin, shape[0], shape[1]) / (2 * SOFT) + 0.5, 0, 1)
    return mask
