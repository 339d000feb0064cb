"""The large regions of a photo whose colour is open, and what each may be.

A region is what a colour hint at one of its cells would fill: it has about one lightness and one
predicted colour, and is connected. Those count most whose colours are spread widest over most of
the photo.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.imaging import chroma
from colorize_core.imaging.color import lab_to_rgb_in_gamut
from colorize_core.models.distribution import HOLD, Distribution
from colorize_core.models.hints import find_each
from colorize_core.steering.hints import Hint
from colorize_core.steering.questions import RADIUS, Question

SEED_STEP = 3  # cells between the places that are tried
ASKED_STEP = 2  # the same where it is asked about
LEAST_WEIGHT = 0.1  # share of the photo, times the spread in Lab units, that is worth a question
LEAST_SHARE = 0.015  # of the photo that a region must fill
NEW_SHARE = 0.6  # of a region that must not be another's
APART = 22.0  # Lab units between two colours that are said to be different
POINTS = 5  # hints that tell a region its colour
OUTLINE = 0.003  # of the photo's longer side, by which an outline may be off
MOST_CHOICES = 243  # combinations that are weighed against each other
NOVELTY = 0.12  # what one Lab unit of mean distance counts beside a logarithm of a share
ENOUGH = 6.0  # Lab units of mean distance beyond which more is not better
LEAST_DISTANCE = 0.6  # Lab units of mean distance under which two colourings look the same


@dataclass(frozen=True)
class ColourRegion:
    """A part of the photo that is to have one colour."""

    fill: NDArray[np.float32]  # (h, w) of the cells, in [0, 1]
    places: tuple[tuple[float, float], ...]  # x and y in [0, 1] of the photo, to put hints at
    colours: tuple[tuple[float, float], ...]  # ab in Lab units, the likeliest first
    shares: tuple[float, ...]  # how likely each is; what is left over is anything else
    weight: float  # share of the photo, times how far its colours are spread, in Lab units

    def hints(self, number: int) -> list[Hint]:
        """What gives it one of its colours."""
        return [Hint(x, y, self.colours[number], RADIUS) for x, y in self.places]


def find_regions(
    told: Distribution,
    lightness: NDArray[np.float32],
    cells: tuple[float, float],
    kept: NDArray[np.float32] | None = None,
    most: int = 5,
) -> list[ColourRegion]:
    """At most so many regions, the weightiest first, each with at least two colours. `lightness`
    (h, w) of the cells, `cells`: height and width of the photo in cells; `kept` (h, w) is 1 where
    nothing is to be changed."""
    spread = _measure_open_spread(told, cells, kept)
    seeds = _lay_seeds(spread.shape, cells, SEED_STEP)
    fills, _ = _find_each(told, seeds, lightness, cells, spread.shape)
    weights = np.einsum("khw,hw->k", fills, spread) / spread.size
    chosen: list[ColourRegion] = []
    taken = np.zeros_like(spread)
    for number in np.argsort(weights)[::-1]:
        fill = fills[number]
        new = float((fill * (1 - taken)).sum() / fill.sum())
        if fill.mean() < LEAST_SHARE or new < NEW_SHARE or weights[number] <= 0:
            continue
        region = make_region(told, lightness, cells, fill, seeds[number], float(weights[number]))
        if len(region.colours) < 2:
            continue
        chosen.append(region)
        taken = np.maximum(taken, fill)
        if len(chosen) == most:
            break
    return chosen


def find_open_regions(
    free: Distribution,
    told: Distribution,
    lightness: NDArray[np.float32],
    cells: tuple[float, float],
    kept: NDArray[np.float32],
    most: int,
) -> list[ColourRegion]:
    """The regions that a person is asked about, each the one whose answer changes most when those
    before it are answered. They are what a hint surely belongs to, smaller than those of
    find_regions(). `free`: what is told without hints, `told` with those that are there; the rest
    is as for find_regions(). Fewer than `most` where what is left is sure or small."""
    spread = _measure_open_spread(told, cells)
    seeds = _lay_seeds(spread.shape, cells, ASKED_STEP)
    _, nears = _find_each(free, seeds, lightness, cells, spread.shape)
    rows, cols = np.array([(seed.y * cells[0], seed.x * cells[1]) for seed in seeds], int).T
    left = 1 - kept[: spread.shape[0], : spread.shape[1]]
    chosen: list[ColourRegion] = []
    while len(chosen) < most:
        weights = np.einsum("khw,hw->k", nears, spread * left) / spread.size
        number = int((weights * (left[rows, cols] > 0.5)).argmax())
        if weights[number] < LEAST_WEIGHT or left[rows[number], cols[number]] <= 0.5:
            break
        fill = nears[number] * left
        seed, weight = seeds[number], float(weights[number])
        chosen.append(make_region(told, lightness, cells, fill, seed, weight))
        left = left * (1 - fill)
    return chosen


def _measure_open_spread(
    told: Distribution, cells: tuple[float, float], kept: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """How far likely colours lie apart in the cells that the photo fills, less where it is kept."""
    rows, cols = (max(1, int(n)) for n in cells)
    spread: NDArray[np.float32] = told.measure_spread()[0, 0].float().cpu().numpy()[:rows, :cols]
    return spread if kept is None else spread * (1 - kept[:rows, :cols])


def _lay_seeds(shape: Sequence[int], cells: tuple[float, float], step: int) -> list[Hint]:
    return [
        Hint((col + 0.5) / cells[1], (row + 0.5) / cells[0], (0.0, 0.0))
        for row in range(min(step // 2, shape[0] - 1), shape[0], step)
        for col in range(min(step // 2, shape[1] - 1), shape[1], step)
    ]


def _find_each(
    told: Distribution,
    seeds: Sequence[Hint],
    lightness: NDArray[np.float32],
    cells: tuple[float, float],
    shape: Sequence[int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fill and near of each seed in the cells that the photo fills: (K, h, w) each, in [0, 1]."""
    found = find_each(told(1.0), seeds, lightness, cells, told.features)
    fill, near = (
        each[:, : shape[0], : shape[1]].clamp(0, 1).float().cpu().numpy() for each in found
    )
    return fill, near


def make_region(
    told: Distribution,
    lightness: NDArray[np.float32],
    cells: tuple[float, float],
    fill: NDArray[np.float32],
    seed: Hint,
    weight: float = 0.0,
) -> ColourRegion:
    """What a hint at the seed would fill (h, w), with what colours it may be."""
    colours, shares = find_colours(told, fill)
    whole = np.zeros(lightness.shape, np.float32)
    whole[: fill.shape[0], : fill.shape[1]] = fill
    places = _pick_places(fill, (seed.x, seed.y), cells)
    return ColourRegion(whole, places, colours, shares, weight)


def find_colours(
    told: Distribution, fill: NDArray[np.float32], most: int = 3
) -> tuple[tuple[tuple[float, float], ...], tuple[float, ...]]:
    """The likeliest colours of a region as a whole, ab in Lab units, with their shares: peaks of
    the mean of its cells' log probabilities."""
    rows, cols = fill.shape
    logs = torch.log_softmax(told.logits[0, :, :rows, :cols].float().cpu(), 0)
    weight = torch.from_numpy(fill / fill.sum())
    share = torch.softmax((logs * weight).sum((1, 2)), 0)
    points = told.bins.points.cpu()
    near = torch.cdist(points, points)
    held = (near <= HOLD).float() @ share
    colours: list[Tensor] = []
    shares: list[float] = []
    for number in torch.argsort(held, descending=True):
        around = (near[number] <= HOLD).float() * share
        middle = (around[:, None] * points).sum(0) / around.sum()
        if all(float((middle - other).norm()) >= APART for other in colours):
            colours.append(middle)
            shares.append(float(held[number]))
        if len(colours) == most:
            break
    return tuple((float(a), float(b)) for a, b in colours), tuple(shares)


def make_questions(
    regions: Sequence[ColourRegion],
    coarse_l: NDArray[np.float32],
    fine_l: NDArray[np.float32],
    cells: tuple[float, float],
) -> list[Question]:
    """`coarse_l` (h, w): L of the cells; `fine_l` (H, W), along whose edges the outlines go;
    `cells`: height and width of the photo in cells."""
    if not regions:
        return []
    fills = np.dstack([region.fill for region in regions])
    fine = chroma.sharpen_ab(fills, coarse_l, fine_l, cells)
    rows, cols = (max(1, int(n)) for n in cells)
    questions = []
    for number, region in enumerate(regions):
        fill = region.fill[:rows, :cols]
        light = float((fill * coarse_l[:rows, :cols]).sum() / fill.sum())
        lab = np.array([(light, *colour) for colour in region.colours])
        swatches = np.round(lab_to_rgb_in_gamut(lab) * 255).astype(int).tolist()
        questions.append(
            Question(
                *region.places[0],
                fill,
                _draw_outline(fine[..., number]),
                region.colours,
                region.shares,
                tuple(map(tuple, swatches)),
                light,
                region.weight,
                region.places,
            )
        )
    return questions


def _draw_outline(fill: NDArray[np.float32]) -> tuple[tuple[float, float], ...]:
    """The largest part (H, W) of what is filled by half, as a polygon of x and y in [0, 1]."""
    height, width = fill.shape
    mask = (fill > 0.5 * fill.max()).astype(np.uint8)
    parts, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(parts, key=cv2.contourArea)
    points = cv2.approxPolyDP(largest, OUTLINE * max(height, width), True)[:, 0]
    return tuple((float((x + 0.5) / width), float((y + 0.5) / height)) for x, y in points.tolist())


def _pick_places(
    fill: NDArray[np.float32], first: tuple[float, float], cells: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """Places in a region that are far from one another and from its edges, x and y in [0, 1]."""
    rows, cols = np.nonzero(fill > 0.7 * fill.max())
    x, y = (cols + 0.5) / cells[1], (rows + 0.5) / cells[0]
    places = [first]
    while len(places) < min(POINTS, len(rows)):
        away = np.min([np.hypot(x - px, y - py) for px, py in places], axis=0)
        best = int(np.argmax(away))
        if away[best] < 0.04:
            break
        places.append((float(x[best]), float(y[best])))
    return tuple(places)


def list_choices(regions: Sequence[ColourRegion]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Which of its colours each region has, the likeliest combination first, with the mean
    logarithm of their shares, weighted by the regions."""
    total = sum(region.weight for region in regions) or 1.0

    def score(chosen: tuple[int, ...]) -> float:
        logs = (
            region.weight * math.log(region.shares[number])
            for region, number in zip(regions, chosen, strict=True)
        )
        return sum(logs) / total

    start = (0,) * len(regions)
    waiting, seen = [(-score(start), start)], {start}
    while waiting:
        minus, chosen = heapq.heappop(waiting)
        yield chosen, -minus
        for place, region in enumerate(regions):
            if chosen[place] + 1 < len(region.colours):
                step = (*chosen[:place], chosen[place] + 1, *chosen[place + 1 :])
                if step not in seen:
                    seen.add(step)
                    heapq.heappush(waiting, (-score(step), step))


def choose(regions: Sequence[ColourRegion], count: int) -> list[tuple[tuple[int, ...], float]]:
    """Besides the likeliest choice at most `count` - 1 others with their scores, relative to its:
    likely ones that are far from all before."""
    every = list(islice(list_choices(regions), MOST_CHOICES))
    (first, best), *others = every
    chosen = [first]
    scored: list[tuple[tuple[int, ...], float]] = []
    while others and len(scored) < count - 1:

        def value(each: tuple[tuple[int, ...], float]) -> float:
            nearest = min(measure_distance(regions, each[0], before) for before in chosen)
            return each[1] - best + NOVELTY * min(nearest, ENOUGH)

        found = max(others, key=value)
        if min(measure_distance(regions, found[0], before) for before in chosen) < LEAST_DISTANCE:
            break
        others.remove(found)
        chosen.append(found[0])
        scored.append((found[0], found[1] - best))
    return sorted(scored, key=lambda each: -each[1])


def measure_distance(
    regions: Sequence[ColourRegion], first: Sequence[int], second: Sequence[int]
) -> float:
    """Mean distance of two choices in ab, Lab units, over the photo."""
    apart = 0.0
    for region, one, other in zip(regions, first, second, strict=True):
        gap = np.subtract(region.colours[one], region.colours[other])
        apart += float(np.hypot(*gap)) * float(region.fill.mean())
    return apart
