"""What a ControlNet is shown of the photo: a picture (h, w, 3) uint8 at the working size.

Source of the three kinds: Zhang et al., "Adding Conditional Control to Text-to-Image Diffusion
Models", ICCV 2023, https://arxiv.org/abs/2302.05543, and https://github.com/latentcat/control_color
for the brightness. Canny, "A Computational Approach to Edge Detection" (1986); Xie and Tu,
"Holistically-Nested Edge Detection", ICCV 2015, for the soft edges.
"""

from __future__ import annotations

import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.chroma import Picture, pad_to_multiple
from colorize_core.imaging.color import lab_to_rgb_in_gamut
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import measure_tone
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.settings import PromptSettings

DETECTORS = 64  # the detectors bend pictures whose sides are no multiples of this
_IMPORTING = threading.Lock()

Drawn = NDArray[np.uint8]


def choose_size(height: int, width: int, side: int, model: str = "sd15") -> tuple[int, int]:
    """Height and width of about side ** 2 pixels in the photo's aspect, in multiples of what the
    model takes: 8, or 16.

    An aspect beyond what it takes, 16 : 1 or 7 : 1, is bent to that."""
    card = MODELS[model]
    aspect = min(max(height / width, 1 / card.widest), card.widest) ** 0.5
    least = card.shortest * max(aspect, 1 / aspect)
    taken = min(max(side, least), card.largest)
    tall, wide = taken * aspect, taken / aspect
    rows, columns = (max(1, round(each / card.multiple)) for each in (tall, wide))
    return rows * card.multiple, columns * card.multiple


def make_gray(photo: Picture, size: tuple[int, int]) -> Drawn:
    """The gray that has the photo's L, the tint of an old print taken out: (h, w, 3), equal
    channels."""
    small = resize(photo, *size)
    lab = np.zeros((*size, 3), np.float32)
    lab[..., 0] = measure_tone(small).lightness(small)
    return np.rint(lab_to_rgb_in_gamut(lab) * 255).astype(np.uint8)


def detect_canny(gray: Drawn, low: int, high: int, blur: float = 0.0) -> Drawn:
    """White edges on black. `low` and `high`: thresholds of the hysteresis on the gradient;
    `blur`: standard deviation in pixels of the Gaussian before it."""
    soft = cv2.GaussianBlur(gray, (0, 0), blur) if blur else gray
    return _detect(_load_canny(), soft, low_threshold=low, high_threshold=high)


def detect_soft_edges(gray: Drawn, weights: Path) -> Drawn:
    """Edges in shades of gray, by the network in the file `weights` (ControlNetHED.pth)."""
    return _detect(_load_hed(weights), gray)


def make_condition(photo: Picture, settings: PromptSettings, hed: Path | None = None) -> Drawn:
    """What the ControlNet of settings.condition is shown. `hed`: for soft edges only. A model
    that takes no ControlNet is shown the gray photo."""
    height, width = photo.shape[:2]
    gray = make_gray(photo, choose_size(height, width, settings.side, settings.model))
    if not MODELS[settings.model].conditions:
        return gray
    if settings.condition == "canny":
        return detect_canny(gray, settings.low, settings.high, settings.blur)
    if settings.condition == "softedge":
        if hed is None:
            raise ValueError("soft edges need the file of their network")
        return detect_soft_edges(gray, hed)
    return gray


def _detect(detector: Any, gray: Drawn, **options: Any) -> Drawn:
    """Run a detector without the resizing that it would do: on a copy whose sides are multiples
    of what it rounds to, asking for the size that the copy has."""
    height, width = gray.shape[:2]
    padded = pad_to_multiple(gray, DETECTORS)
    side = min(padded.shape[:2])
    options |= {"detect_resolution": side, "image_resolution": side, "output_type": "np"}
    return np.ascontiguousarray(detector(padded, **options)[:height, :width])


def _load_canny() -> Any:
    return _import_detectors().CannyDetector()


@lru_cache(maxsize=1)
def _load_hed(weights: Path) -> Any:
    return _import_detectors().HEDdetector.from_pretrained(str(weights.parent), weights.name)


def _import_detectors() -> Any:
    """controlnet_aux, whose import takes seconds: only when the first edge is sought. It brings
    all its detectors along, and what torch and timm have to say about those that nobody asked for.
    """
    with _IMPORTING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import controlnet_aux

    return controlnet_aux
