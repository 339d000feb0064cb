"""Masks that nobody has to paint: GrabCut from a box, strokes or nothing, here, which needs no
weights; and what networks find.

Source: Rother, Kolmogorov and Blake, "GrabCut" (2004), as OpenCV has it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Picture
from colorize_core.selective import masks, saliency
from colorize_core.selective.layers import Layer
from colorize_core.selective.masks import Mask
from colorize_core.selective.sam2 import Box, Point, find_pointed
from colorize_core.selective.segmenters import count_missing_bytes, find_classes

__all__ = [
    "Box",
    "Layer",
    "Point",
    "Stroke",
    "count_missing_bytes",
    "find_classes",
    "find_pointed",
    "grabcut",
]

Stroke = tuple[Sequence[Point], float]  # its points and its radius

WORK_SIDE = 256  # pixels of the longest side that GrabCut sees: more is slower, not better
ROUNDS = 2
CLEAR = 0.85  # how separable what stands out has to be for the guess to follow it alone
SHARES = 0.5, 0.8  # else: least and most of a box that its object is guessed to fill
CAUTION = 0.9  # of Otsu's threshold: rather too much is guessed than too little
GUESS = 0.5  # how much the guess weighs among what GrabCut sees
ROUGH = 3.0  # how much texture does
SPECK = 0.02  # of the largest piece: smaller ones, and smaller holes, are noise

_ONE_AT_A_TIME = threading.Lock()  # OpenCV's random numbers are the process's


def grabcut(
    photo: Picture,
    *,
    box: Box | None = None,
    keep: Sequence[Stroke] = (),
    drop: Sequence[Stroke] = (),
) -> Mask:
    """The mask, of screen size, of what is in a box (x0, y0, x1, y1), along the strokes `keep` and
    not along `drop`, all in pixels of the photo. With none of them what stands out is guessed.

    It looks at lightness alone: the colours of a photo that has some change nothing. The same
    arguments give the same mask. OptionError for a box outside the photo.
    """
    light = masks.measure_lightness(masks.shrink_to_screen(photo))
    scale = min(1.0, WORK_SIDE / max(light.shape))
    height, width = (max(1, round(side * scale)) for side in light.shape)
    small = resize(light, height, width)
    to_small = (width / photo.shape[1], height / photo.shape[0])
    here = None if box is None else _clip_box(box, photo.shape, to_small, small.shape)
    kept, dropped = (_find_covered(strokes, to_small, small.shape) for strokes in (keep, drop))
    found = _cut(small, here, kept & ~dropped, dropped)
    result = resize(_clean(found, kept, dropped), *light.shape)
    return masks.snap(result, light, 1.5 * max(1.0, light.shape[0] / height))


def _clip_box(
    box: Box, shape: Sequence[int], scale: tuple[float, float], size: Sequence[int]
) -> tuple[slice, slice]:
    """The rows and columns of the small picture that a box covers."""
    x0, x1 = sorted((box[0], box[2]))
    y0, y1 = sorted((box[1], box[3]))
    if not (x0 < shape[1] and y0 < shape[0] and x1 > 0 and y1 > 0 and x0 < x1 and y0 < y1):
        raise OptionError(
            f"The box {', '.join(f'{v:g}' for v in box)} covers nothing of the photo, which has "
            f"{shape[1]} × {shape[0]} pixels: give left, top, right and bottom within it."
        )
    spans = []
    for low, high, factor, length in ((y0, y1, scale[1], size[0]), (x0, x1, scale[0], size[1])):
        first = min(max(0, int(low * factor)), length - 1)
        spans.append(slice(first, min(length, max(first + 1, int(np.ceil(high * factor))))))
    return spans[0], spans[1]


def _find_covered(
    strokes: Sequence[Stroke], scale: tuple[float, float], size: Sequence[int]
) -> NDArray[np.bool_]:
    """The pixels of the small picture under the strokes."""
    mask = np.zeros(size, np.float32)
    for points, radius in strokes:
        # A photo's pixel has its middle half a pixel from its corner, and so has a small one.
        places = [((x + 0.5) * scale[0] - 0.5, (y + 0.5) * scale[1] - 0.5) for x, y in points]
        mask = masks.paint(mask, places, max(1.0, radius * scale[0]))
    return mask > 0.5


def _cut(
    light: NDArray[np.float32],
    box: tuple[slice, slice] | None,
    keep: NDArray[np.bool_],
    drop: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """What GrabCut makes of L (H, W), beginning with the guess."""
    score, outside, clear = saliency.measure_saliency(light, box)
    if keep.any() or drop.any():
        near = saliency.measure_nearness(light, keep, drop | outside)
        score = score / max(float(score.max()), 1e-6) + saliency.STROKES * near
    if box is not None:
        score[outside] = 0
    values = score if box is None else score[box]
    level = saliency.find_threshold(values) * CAUTION
    if box is not None and clear < CLEAR:
        low, high = np.quantile(values, [1 - SHARES[1], 1 - SHARES[0]])
        level = min(max(level, low), high)
    state = np.where(score > level, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if box is not None and not outside[box].any():
        state[outside] = cv2.GC_BGD
    state[drop], state[keep] = cv2.GC_BGD, cv2.GC_FGD
    front = (state & 1) > 0
    if front.all() or not front.any():  # nothing for GrabCut to learn from
        return front
    with _ONE_AT_A_TIME:
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(
            _make_channels(light, score), state, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK
        )
    return (state & 1) > 0


def _make_channels(light: NDArray[np.float32], score: NDArray[np.float32]) -> NDArray[np.uint8]:
    """What GrabCut takes for red, green and blue: L, texture and the guess. With L alone, front and
    back are too much alike: it would shrink to nothing, or to the brightest part."""
    longest = max(light.shape)
    rough = saliency.measure_texture(light, longest / 100)
    guess = cv2.GaussianBlur(score, (0, 0), 0.03 * longest)
    planes = (light * 2.55, rough * ROUGH, guess * (255 * GUESS / max(float(guess.max()), 1e-6)))
    return np.dstack([np.clip(plane, 0, 255).astype(np.uint8) for plane in planes])


def _clean(found: NDArray[np.bool_], keep: NDArray[np.bool_], drop: NDArray[np.bool_]) -> Mask:
    """Without specks and pinholes that no stroke asked for."""
    result = found.astype(np.uint8)
    for value, asked in ((1, keep), (0, drop)):
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(
            (result == value).astype(np.uint8), connectivity=4
        )
        least = SPECK * max(stats[1:, cv2.CC_STAT_AREA], default=0)
        for piece in range(1, count):
            here = pieces == piece
            if stats[piece, cv2.CC_STAT_AREA] < least and not (here & asked).any():
                result[here] = 1 - value
    return result.astype(np.float32)
