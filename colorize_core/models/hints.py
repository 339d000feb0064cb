"""Colour hints: what the network is shown of them, and how far their colour spreads.

The network is told the hinted colours where they are and decides what belongs to them. What it
colours too weakly, or lets reach too far, is set right by a distance over the photo, as in
Yatziv and Sapiro, "Fast Image and Video Colorization Using Chrominance Blending" (2006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.steering.hints import Hint

# Chosen on the validation photographs, as are the colours' own limits of what is one object.
UNLIKE_L = 0.02  # what a difference of one unit of L adds to a distance
UNLIKE_AB = 0.02  # and of one unit of predicted ab
WAY = 0.8  # what the way across the photo adds
FILL_WIDTH = 0.15  # how softly a hint's colour ends at distance 1
BLENDING = 4  # how steeply a hint's part falls with distance where several meet
NEAR, NEAR_WIDTH = 2.2, 0.3  # where the network's answer to the hints ends, and how softly
PLAIN_ENDS = (1.0, FILL_WIDTH, NEAR, NEAR_WIDTH)
# The same where the network tells what things are: what that distance, and on the way a difference
# of one unit of L and unlike features add, by a logistic regression on objects of validation
# photographs.
BY_DISTANCE, BY_L, BY_FEATURES = 0.124, 0.0144, 0.788
KNOWN_ENDS = (1.03, 0.085, 0.6, 0.1)  # of the fill and its softness, of the answer and its softness


def draw_hints(
    hints: Sequence[Hint], shape: Sequence[int], inside: tuple[int, int]
) -> NDArray[np.float32]:
    """Hints -> (3, H, W): a, b and a mask on the network's input; the photo fills `inside`."""
    planes = np.zeros((3, *shape), np.float32)
    for hint in hints:
        row, col = int(hint.y * (inside[0] - 1) + 0.5), int(hint.x * (inside[1] - 1) + 0.5)
        reach = max(1, round(hint.radius * max(inside)))
        rows = slice(max(0, row - reach), row + reach + 1)
        cols = slice(max(0, col - reach), col + reach + 1)
        planes[0, rows, cols], planes[1, rows, cols] = hint.ab
        planes[2, rows, cols] = 1
    return planes


def apply_hints(
    free: Tensor,
    guided: Tensor,
    hints: Sequence[Hint],
    lightness: NDArray[Any],
    cells: tuple[float, float],
) -> Tensor:
    """ab (1, 2, h, w) from what the network predicts without the hints and with them.

    `lightness` (h, w) of the cells; `cells`: height and width of the photo in cells.
    """
    reach = find_reach(free, hints, lightness, cells)
    return torch.lerp(free + (guided - free) * reach.near, reach.colour, reach.fill)


class Reach(NamedTuple):
    """How far hints reach over cells."""

    colour: Tensor  # (1, 2, h, w) in Lab units, of the nearest hints
    fill: Tensor  # (1, 1, h, w) in [0, 1], how much of that there is to be
    near: Tensor  # (1, 1, h, w) in [0, 1], how much the network's answer to the hints counts


def find_reach(
    free: Tensor,
    hints: Sequence[Hint],
    lightness: NDArray[Any],
    cells: tuple[float, float],
    features: Tensor | None = None,
) -> Reach:
    """The network may let a hint tint the whole photo and colours its object too weakly. So
    its change is kept near the hints, and the hints' own colours fill what is nearest.

    `free` (1, 2, h, w): ab without hints; `lightness` (h, w) of the cells; `cells`: height and
    width of the photo in cells; `features` (1, C, h, w): what the network makes of the cells.
    """
    distance = _measure_reaches(free, hints, lightness, cells, features)
    ends = PLAIN_ENDS if features is None else KNOWN_ENDS
    nearest = distance.amin(0)[None, None]
    shares = (distance + 1e-3) ** -BLENDING
    wanted = torch.tensor([hint.ab for hint in hints]).to(free)
    mixed = torch.einsum("khw,kc->chw", shares / shares.sum(0), wanted)[None]
    return Reach(mixed, _fade(nearest, *ends[:2]), _fade(nearest, *ends[2:]))


def find_each(
    free: Tensor,
    hints: Sequence[Hint],
    lightness: NDArray[Any],
    cells: tuple[float, float],
    features: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Fill and near of find_reach() of each hint by itself: (K, h, w) each."""
    ends = PLAIN_ENDS if features is None else KNOWN_ENDS
    distance = _measure_reaches(free, hints, lightness, cells, features)
    return _fade(distance, *ends[:2]), _fade(distance, *ends[2:])


def _measure_reaches(
    free: Tensor,
    hints: Sequence[Hint],
    lightness: NDArray[Any],
    cells: tuple[float, float],
    features: Tensor | None,
) -> Tensor:
    """How far each cell is from each hint: (K, h, w)."""
    places = [_find_cell(hint, free.shape[2:], cells) for hint in hints]
    level = torch.from_numpy(lightness).to(free)
    distance = _measure_distances(level, free[0], places, max(cells))
    if features is None:
        return distance
    rows, cols = torch.tensor(places).unbind(1)
    unlike = (level - level[rows, cols].view(-1, 1, 1)).abs()
    strange = 1 - _measure_likeness(features[0], rows, cols)
    return BY_DISTANCE * distance + _find_barriers(BY_L * unlike + BY_FEATURES * strange)


def _measure_likeness(features: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Cosine between the features (C, h, w), each with mean 0 and deviation 1 over the photo, of
    every cell and of those at K rows and columns: (K, h, w)."""
    features = features.float()
    centred = features - features.mean((1, 2), keepdim=True)
    scaled = centred / (centred.std((1, 2), keepdim=True) + 1e-5)
    unit = scaled / scaled.norm(dim=0).clamp_min(1e-6)
    return torch.einsum("ck,chw->khw", unit[:, rows, cols], unit)


def _find_cell(hint: Hint, shape: Sequence[int], cells: tuple[float, float]) -> tuple[int, int]:
    return min(int(hint.y * cells[0]), shape[0] - 1), min(int(hint.x * cells[1]), shape[1] - 1)


def _measure_distances(
    level: Tensor, ab: Tensor, places: list[tuple[int, int]], longer: float
) -> Tensor:
    """How far each cell is from each place (K, h, w), about 1 at the end of an object: the least
    sum of steps from cell to cell, dearer where L (h, w) or the predicted ab (2, h, w) change,
    and how unlike the place itself it is."""
    lab = torch.cat([level[None] * UNLIKE_L, ab * UNLIKE_AB])
    down = (lab[:, 1:] - lab[:, :-1]).norm(dim=0) + WAY / longer
    right = (lab[:, :, 1:] - lab[:, :, :-1]).norm(dim=0) + WAY / longer
    each = torch.arange(len(places))
    rows, cols = torch.tensor(places).unbind(1)
    far = torch.full((len(places), *level.shape), torch.inf).to(level)
    far[each, rows, cols] = 0
    before = torch.empty_like(far)
    while not torch.equal(before, far):  # until no path gets shorter
        before.copy_(far)
        far[:, 1:] = torch.minimum(far[:, 1:], before[:, :-1] + down)
        far[:, :-1] = torch.minimum(far[:, :-1], before[:, 1:] + down)
        far[:, :, 1:] = torch.minimum(far[:, :, 1:], before[:, :, :-1] + right)
        far[:, :, :-1] = torch.minimum(far[:, :, :-1], before[:, :, 1:] + right)
    unlike = level - level[rows, cols].view(-1, 1, 1)
    unlike_ab = torch.hypot(*(each - each[rows, cols].view(-1, 1, 1) for each in ab))
    return far + UNLIKE_L * unlike.abs() + UNLIKE_AB * unlike_ab


def _find_barriers(unlike: Tensor) -> Tensor:
    """The least of what a path from the hint to each cell must cross: the most unlike cell on it,
    (K, h, w) as `unlike` is, which is least at the hint. What is alike but lies apart is beyond
    what lies between."""
    crossed = torch.full_like(unlike, torch.inf)
    start = unlike.flatten(1).argmin(1)
    crossed.flatten(1).scatter_(1, start[:, None], unlike.flatten(1).gather(1, start[:, None]))
    before = torch.empty_like(crossed)
    while not torch.equal(before, crossed):  # until no path gets better
        before.copy_(crossed)
        padded = F.pad(before, (1, 1, 1, 1), value=torch.inf)
        best = torch.minimum(padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])
        best = torch.minimum(best, torch.minimum(padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]))
        crossed = torch.minimum(before, torch.maximum(best, unlike))
    return crossed


def _fade(distance: Tensor, end: float, width: float) -> Tensor:
    """1 at distance 0, a half about the end, then 0."""
    return torch.sigmoid((end - distance) / width) * (1 + math.exp(-end / width))
