"""Colours that are known on one photo of an album, placed on others where the same things are.
Torch-free.

Both photos are described by the features that one network makes of their cells, as in reference.py.
A place of the other photo is one that is like the known one, and whose likeliest counterpart lies
where that is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.steering.hints import Hint
from colorize_core.steering.reference import BACK, scale_together

LIKE = 0.5  # cosine of features from which a place is taken; benchmarks/album.py has what that does
SAME = 0.05  # of the longer side: what is placed nearer than this with one colour is placed once


@dataclass(frozen=True, eq=False)
class DescribedPhoto:
    """A photo whose cells a network has described, and what is known of its colours."""

    name: str
    features: NDArray[Any]  # (C, h, w), floats
    cells: tuple[float, float]  # height and width of the photo in cells
    facts: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class PlacedHint:
    """A fact of one photo on another."""

    hint: Hint  # at its place there
    source: str  # the name of the photo that it is known from
    likeness: float  # cosine of the features of both places, in [-1, 1]


def place(photo: DescribedPhoto, others: Iterable[DescribedPhoto]) -> tuple[PlacedHint, ...]:
    """The facts of the others on the photo, where it has the same things; the likeliest first."""
    found = [each for other in others for each in _place_one(photo, other)]
    kept: list[PlacedHint] = []
    for each in sorted(found, key=lambda each: -each.likeness):
        if not any(_are_same(each.hint, other.hint) for other in kept):
            kept.append(each)
    return tuple(kept)


def _place_one(photo: DescribedPhoto, other: DescribedPhoto) -> list[PlacedHint]:
    if not other.facts:
        return []
    wide, across = other.features.shape[2], photo.features.shape[2]
    theirs, ours = scale_together(other.features, photo.features)
    places = [_find_cell(other, fact) for fact in other.facts]
    likeness = theirs[:, [row * wide + col for row, col in places]].T @ ours  # (facts, h * w)
    placed = []
    for fact, (row, col), likes in zip(other.facts, places, likeness, strict=True):
        best = int(likes.argmax())
        back = divmod(int((theirs.T @ ours[:, best]).argmax()), wide)
        away = np.hypot(back[0] - row, back[1] - col) / max(other.features.shape[1:])
        if likes[best] < LIKE or away > BACK:
            continue
        x, y = (best % across + 0.5) / photo.cells[1], (best // across + 0.5) / photo.cells[0]
        hint = replace(fact, x=min(1.0, x), y=min(1.0, y))
        placed.append(PlacedHint(hint, other.name, float(likes[best])))
    return placed


def _find_cell(photo: DescribedPhoto, hint: Hint) -> tuple[int, int]:
    """Row and column."""
    height, width = photo.features.shape[1:]
    return (
        min(height - 1, int(hint.y * photo.cells[0])),
        min(width - 1, int(hint.x * photo.cells[1])),
    )


def _are_same(first: Hint, second: Hint) -> bool:
    near = np.hypot(first.x - second.x, first.y - second.y) < SAME
    return bool(near and first.ab == second.ab)
