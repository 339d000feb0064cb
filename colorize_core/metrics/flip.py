"""FLIP: the difference that is seen when two pictures alternate on a screen.

LDR-FLIP by Andersson et al., "FLIP: A Difference Evaluator for Alternating Images", Proceedings of
the ACM on Computer Graphics and Interactive Techniques 3(2), 2020; equations and constants below
are its. Colours are seen through the eye's contrast sensitivity and then compared; where edges and
points differ too, the colour difference counts for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, pi, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import RGB_TO_XYZ, WHITE, linear_to_lab, srgb_to_linear

PIXELS_PER_DEGREE = 67.0  # a 3840-pixel screen 0.7 m wide, seen from 0.7 m

Planes = NDArray[np.float64]

# Contrast sensitivity of the achromatic, red-green and blue-yellow channels: sums of Gaussians
# a sqrt(pi / b) exp(-pi^2 d^2 / b) over the distance d in degrees, given as pairs (a, b).
SENSITIVITY = (((1.0, 0.0047),), ((1.0, 0.0053),), ((34.1, 0.04), (13.5, 0.025)))
WIDEST = max(b for gaussians in SENSITIVITY for _, b in gaussians)
COLOUR_POWER, FEATURE_POWER = 0.7, 0.5
KNEE = (0.4, 0.95)  # this share of the largest colour error is mapped to that one
FEATURE_WIDTH = 0.082  # degrees: what the eye sees edges and points at

# Linear sRGB -> the opponent space YCxCz, whose offset of Y does not matter to filters.
TO_OPPONENT = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]]) @ (
    RGB_TO_XYZ / WHITE[:, None]
)
FROM_OPPONENT = np.linalg.inv(TO_OPPONENT)


def flip(
    picture: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    pixels_per_degree: float = PIXELS_PER_DEGREE,
) -> float:
    """Mean LDR-FLIP of two sRGB pictures (H, W, 3) uint8 in [0, 1]; 0 is equal, lower is better.
    `pixels_per_degree` of the visual angle say from how far they are seen."""
    return float(compute_flip_map(picture, truth, pixels_per_degree).mean())


def compute_flip_map(
    picture: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    pixels_per_degree: float = PIXELS_PER_DEGREE,
) -> Planes:
    """LDR-FLIP at each pixel: (H, W, 3) uint8 sRGB twice -> (H, W) in [0, 1]."""
    linear = [srgb_to_linear(each / 255.0) for each in (picture, truth)]
    opponent = [each @ TO_OPPONENT.T for each in linear]
    colour = _redistribute(
        _measure_hyab(*(_filter_contrast(each, pixels_per_degree) for each in opponent))
    )
    first, second = (_detect_features(each, pixels_per_degree) for each in opponent)
    edges, points = (np.abs(a - b) for a, b in zip(first, second, strict=True))
    feature = (np.maximum(edges, points) / sqrt(2)) ** FEATURE_POWER
    error: Planes = colour ** (1 - feature)
    return error


def _filter_contrast(opponent: Planes, pixels_per_degree: float) -> Planes:
    """What the eye resolves, as Hunt-adjusted Lab: the same chroma matters less in the dark."""
    radius = ceil(3 * sqrt(WIDEST / (2 * pi**2)) * pixels_per_degree)
    degrees = np.arange(-radius, radius + 1) / pixels_per_degree
    channels = zip(cv2.split(opponent), SENSITIVITY, strict=True)
    blurred = [_blur(plane, gaussians, degrees) for plane, gaussians in channels]
    return _adjust_hunt(np.clip(np.stack(blurred, -1) @ FROM_OPPONENT.T, 0, 1))


def _blur(plane: Planes, gaussians: Sequence[tuple[float, float]], degrees: Planes) -> Planes:
    """Through a sum of Gaussians, each of which is separable."""
    total, weights = np.zeros_like(plane), 0.0
    for a, b in gaussians:
        kernel = np.exp(-((pi * degrees) ** 2) / b)
        weight = a * sqrt(pi / b) * kernel.sum() ** 2
        total += weight * _convolve(plane, kernel / kernel.sum(), kernel / kernel.sum())
        weights += weight
    return total / weights


def _convolve(plane: Planes, across: Planes, down: Planes) -> Planes:
    return cv2.sepFilter2D(plane, cv2.CV_64F, across, down, borderType=cv2.BORDER_REPLICATE)


def _adjust_hunt(linear: Planes) -> Planes:
    lab = linear_to_lab(linear)
    return np.concatenate([lab[..., :1], 0.01 * lab[..., :1] * lab[..., 1:]], -1)


def _measure_hyab(first: Planes, second: Planes) -> Planes:
    """Large colour differences: city-block between L and ab, Euclidean within ab."""
    gap = first - second
    distance: Planes = np.abs(gap[..., 0]) + np.hypot(gap[..., 1], gap[..., 2])
    return distance


def _redistribute(distance: Planes) -> Planes:
    """HyAB -> [0, 1]; the largest errors, between green and blue, share its last 5 %."""
    largest: Any = _measure_hyab(*_adjust_hunt(np.eye(3)[1:])) ** COLOUR_POWER
    share, target = KNEE
    error = distance**COLOUR_POWER / largest
    low = error * target / share
    high = target + (error - share) / (1 - share) * (1 - target)
    return np.where(error < share, low, high)


def _detect_features(opponent: Planes, pixels_per_degree: float) -> tuple[Planes, Planes]:
    """How strong edges and points are at each pixel of the achromatic channel, in [0, 1] each."""
    achromatic = np.ascontiguousarray(opponent[..., 0]) / 116
    deviation = FEATURE_WIDTH / 2 * pixels_per_degree
    x = np.arange(-ceil(3 * deviation), ceil(3 * deviation) + 1) / deviation
    bell = np.exp(-(x**2) / 2)
    kernels = (_balance(-x * bell), _balance((x**2 - 1) * bell))
    bell /= bell.sum()
    edges, points = (
        np.hypot(_convolve(achromatic, kernel, bell), _convolve(achromatic, bell, kernel))
        for kernel in kernels
    )
    return edges, points


def _balance(kernel: Planes) -> Planes:
    """Its positive weights scaled to a sum of 1, its negative ones to -1."""
    positive, negative = kernel.clip(min=0), kernel.clip(max=0)
    return positive / positive.sum() - negative / negative.sum()
