"""Lines and specks of a gray photo that may be damage, and their measurements. Torch-free.

A line is darker, or lighter, than what lies on both of its sides; a speck than all around it. Each
is measured by the mean strength of such forms around it: what a photo has of its own (grass, hair,
wood, lace) mostly comes in crowds.

Source: Steger, "An Unbiased Detector of Curvilinear Structures" (1998), for two-sided lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Labels = NDArray[np.int32]
Numbers = NDArray[np.float64]

AROUND = 61  # pixels, within which the strength of other forms counts
FLOOR = 0.5  # gray levels of 255: what is weaker than that is no form but noise
ANGLES = 16
BESIDE = 3  # pixels from the middle of a line to its sides
SPECK = 11  # pixels along a side of the largest speck
NEAR = 41  # pixels, within which a form may be the lightest or the darkest of all


class Forms(NamedTuple):
    """What may be damage, of one brightness."""

    labels: Labels  # (H, W), 0 where there is none
    numbers: Labels  # (n,) which of the labels were measured
    measured: Numbers  # (n, measurements)


@dataclass(frozen=True)
class Lines:
    """What may be a scratch, a hair or a fold, at one size of the photo."""

    shrunk: int  # how many times smaller the photo is
    straight: int  # pixels along which it is straight
    least: float  # its length: share of the photo's longer side


LINES = {"thin": Lines(1, 21, 0.035), "wide": Lines(2, 31, 0.07)}
SURE, FAINT = 6.0, 3.5  # times the mean strength around, at the surest place and at every one
CONTRAST = 6.0  # gray levels of 255 at the surest place; a third of it at every one
OWN = 0.3  # of a line's strength, by which each of its places differs from its sides
SPECK_SURE, SPECK_FAINT = 6.0, 3.0
SPECK_CONTRAST = 16.0
APART = 0.35  # of its contrast, by which a speck differs from all that is close around it


def shrink(gray: Plane, factor: int) -> Plane:
    """That many times smaller along each side."""
    if factor == 1:
        return gray
    size = (max(1, gray.shape[1] // factor), max(1, gray.shape[0] // factor))
    smaller: Plane = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return smaller


def find_lines(gray: Plane, lines: Lines) -> tuple[Forms, Forms]:
    """(H, W) in [0, 255], shrunk -> its dark lines and its light ones. What is measured: how unlike
    its sides are, contrast, contrast against other lines around, length, width, how much its sides
    vary along it, how much lighter (or darker) it is than all around, how steady its contrast is,
    how bent it is, gradients around, whether it is light, the gray beside it, the share of it whose
    sides are alike."""
    strengths, unlike, beside = _respond(gray, lines.straight)
    usual = _average(np.maximum(*strengths))
    coarse = _blur_median(gray, 9)
    activity = _measure_activity(coarse)
    longer = max(gray.shape)
    made = []
    for light, (strength, extreme) in enumerate(
        zip(strengths, _find_extremes(coarse), strict=True)
    ):
        relative = strength / usual
        labels, stats, seeds = _connect(
            (relative > FAINT) & (strength > CONTRAST / 3),
            (relative > SURE) & (strength > CONTRAST),
        )
        numbers, rows = [], []
        for number in seeds:
            x, y, width, height, area = stats[number].tolist()
            extent = float(np.hypot(width, height))
            if extent < lines.least * longer:
                continue
            box = np.s_[y : y + height, x : x + width]
            inside = labels[box] == number
            force, sides, level = (
                each[box][inside] for each in (strength, unlike[light], beside[light])
            )
            middle = float(np.median(force))
            core = force >= middle
            on = level + force if light else level - force
            beyond = on - extreme[box][inside] if light else extreme[box][inside] - on
            places = np.argwhere(inside).astype(float)
            spread = np.linalg.eigvalsh(np.cov((places - places.mean(0)).T))
            low, high = np.percentile(level, (5, 95))
            numbers.append(number)
            rows.append(
                (
                    np.log(np.median(sides) / middle + 0.01),
                    np.log(middle),
                    np.log(np.median(relative[box][inside])),
                    np.log(extent / longer),
                    np.log(area / extent),
                    (high - low) / 255,
                    np.median(beyond[core]) / 255,
                    np.percentile(force, 10) / middle,
                    np.sqrt(max(0.0, spread[0])) / extent,
                    np.log(np.median(activity[box][inside]) / middle + 0.01),
                    light,
                    np.median(level) / 255,
                    np.mean(sides < 0.5 * force),
                )
            )
        # Means along a line reach beyond its ends: there the photo itself does not stand out.
        out = (gray - beside[light]) * (1 if light else -1) > OWN * strength
        labels[cv2.dilate(out.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0] = 0
        made.append(Forms(labels, np.array(numbers, np.int32), np.array(rows, float)))
    return made[0], made[1]


def find_specks(gray: Plane) -> tuple[Forms, Forms]:
    """(H, W) in [0, 255] -> its dark specks and its light ones. What is measured: contrast, the
    same against other specks around, area, length, how round it is, how much lighter (or darker) it
    is than all around, how sharp its edge is, how much the gray varies close around it, gradients
    around, how many specks are near, whether it is light, the gray around it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (SPECK + 2, SPECK + 2))
    dark = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, disc)
    bright = cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, disc)
    usual = _average(np.maximum(dark, bright))
    coarse = _blur_median(gray, SPECK + 2)
    activity = _measure_activity(coarse)
    slope = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)) / 8
    made = []
    for light, (strength, extreme) in enumerate(
        zip((dark, bright), _find_extremes(coarse), strict=True)
    ):
        relative = strength / usual
        labels, stats, seeds = _connect(
            (relative > SPECK_FAINT) & (strength > SPECK_CONTRAST / 2),
            (relative > SPECK_SURE) & (strength > SPECK_CONTRAST),
        )
        crowd = np.zeros(gray.shape, np.float32)
        middles = stats[seeds, :2] + stats[seeds, 2:4] // 2
        crowd[middles[:, 1], middles[:, 0]] = 1
        crowd = cv2.boxFilter(crowd, -1, (AROUND, AROUND), normalize=False)
        numbers, rows = [], []
        for number, (column, row) in zip(seeds, middles.tolist(), strict=True):
            x, y, width, height, area = stats[number].tolist()
            longest = max(width, height)
            if longest > SPECK or area < 2:
                continue
            around = np.s_[max(0, y - 4) : y + height + 4, max(0, x - 4) : x + width + 4]
            inside = labels[around] == number
            ring = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
            values, near = gray[around][inside], gray[around][ring]
            most = float(strength[around][inside].max())
            on = values.max() if light else values.min()
            level = float(extreme[row, column])
            reached = np.percentile(near, 95) if light else np.percentile(near, 5)
            if abs(on - reached) < APART * most or (on > reached) != bool(light):
                continue  # the tip of something larger, such as a tree before the sky
            numbers.append(number)
            rows.append(
                (
                    np.log(most),
                    np.log(relative[around][inside].max()),
                    np.log(area),
                    np.log(longest),
                    area / (width * height),
                    (on - level if light else level - on) / 255,
                    np.log(slope[around].max() / most + 0.01),
                    np.log(near.std() / most + 0.01),
                    np.log(activity[row, column] / most + 0.01),
                    np.log(crowd[row, column] + 1),
                    light,
                    np.median(near) / 255,
                )
            )
        made.append(Forms(labels, np.array(numbers, np.int32), np.array(rows, float)))
    return made[0], made[1]


def _respond(gray: Plane, straight: int) -> tuple[list[Plane], list[Plane], list[Plane]]:
    """Of dark and of light lines, at their likeliest angle: how much they stand out from the nearer
    of both sides, how unlike the sides are, and the mean of both."""
    planes = [[np.zeros(gray.shape, np.float32) for _ in range(2)] for _ in range(3)]
    strengths, unlike, beside = planes
    rows, columns = gray.shape
    for kernel, (down, right) in _make_kernels(straight):
        padded = cv2.copyMakeBorder(gray, BESIDE, BESIDE, BESIDE, BESIDE, cv2.BORDER_REFLECT)
        means = cv2.filter2D(padded, -1, kernel, borderType=cv2.BORDER_REFLECT)

        def move(way: int, means: Plane = means, down: int = down, right: int = right) -> Plane:
            top, left = BESIDE + way * down, BESIDE + way * right
            return means[top : top + rows, left : left + columns]

        on, one, other = move(0), move(1), move(-1)
        for light, stands_out in enumerate(
            (np.minimum(one, other) - on, on - np.maximum(one, other))
        ):
            better = stands_out > strengths[light]
            np.copyto(strengths[light], stands_out, where=better)
            np.copyto(unlike[light], np.abs(one - other), where=better)
            np.copyto(beside[light], (one + other) / 2, where=better)
    return strengths, unlike, beside


@lru_cache(maxsize=4)
def _make_kernels(length: int) -> tuple[tuple[Plane, tuple[int, int]], ...]:
    """Of each angle: the mean along a line, and how many pixels down and right its side is."""
    side = length + 2
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    made = []
    for angle in np.arange(ANGLES) * np.pi / ANGLES:
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        weights = np.clip(length / 2 - np.abs(along) + 0.5, 0, 1) * np.clip(
            1 - np.abs(across), 0, 1
        )
        step = (round(BESIDE * np.cos(angle)), round(-BESIDE * np.sin(angle)))
        made.append(((weights / weights.sum()).astype(np.float32), step))
    return tuple(made)


def _average(strength: Plane) -> Plane:
    usual = cv2.blur(strength, (AROUND, AROUND), borderType=cv2.BORDER_REFLECT)
    return np.maximum(usual, np.float32(FLOOR))


def _blur_median(gray: Plane, side: int) -> Plane:
    whole = np.clip(np.round(gray), 0, 255).astype(np.uint8)
    blurred: Plane = cv2.medianBlur(whole, side).astype(np.float32)
    return blurred


def _find_extremes(coarse: Plane) -> tuple[Plane, Plane]:
    """The least and the greatest near each pixel."""
    near = np.ones((NEAR, NEAR), np.uint8)
    return cv2.erode(coarse, near), cv2.dilate(coarse, near)


def _measure_activity(coarse: Plane) -> Plane:
    slope = np.abs(cv2.Sobel(coarse, cv2.CV_32F, 1, 0)) + np.abs(
        cv2.Sobel(coarse, cv2.CV_32F, 0, 1)
    )
    activity: Plane = cv2.blur(slope, (15, 15))
    return activity


def _connect(
    near: NDArray[np.bool_], seeds: NDArray[np.bool_]
) -> tuple[Labels, NDArray[np.int32], NDArray[np.int32]]:
    """The connected parts of `near`: labels, boxes and areas, and which of them have a seed."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(near.astype(np.uint8), connectivity=8)
    found = np.unique(labels[seeds])
    return labels, stats, found[found > 0]
