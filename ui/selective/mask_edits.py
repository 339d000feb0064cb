"""What a person does to the masks on the page, done to the easel.

Edits come as the page writes them: {"kind": ..., "serial": ...} and what the kind needs. Places and
lengths are in pixels of the mask, (0, 0) being the middle of its first one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from colorize_core import selective
from colorize_core.errors import OptionError
from colorize_core.selective import Mask
from ui.selective.session import MOST_REGIONS, Easel, Marks, pack

MOST_POINTS = 10_000  # of one stroke
SNAP_STEP, GROW_STEP, FEATHER_STEP = 8.0, 3.0, 4.0  # pixels of a mask whose longest side is SIDE
Edit = Mapping[str, Any]


def apply(easel: Easel, edits: Sequence[Edit]) -> None:
    """Do all that the easel has not seen yet, in their order. Raises OptionError."""
    for edit in edits:
        serial = int(edit["serial"])
        if serial <= easel.seen:
            continue  # the page has sent it again
        easel.seen = serial
        kind = edit.get("kind")
        if kind in CHANGES:
            easel.change(CHANGES[kind](easel.mask(), easel))
        elif kind in ACTS:
            ACTS[kind](easel, edit)
        else:
            raise OptionError(f"{kind!r} is nothing that can be done to a mask. Reload the page.")


def guess(easel: Easel) -> None:
    """What the photo seems to be about becomes the region's mask."""
    mask = selective.grabcut(easel.small)
    easel.step(easel.put(packed=pack(mask), guessed=True, marks=Marks(), layers=()))


def begin(easel: Easel) -> None:
    """The first mask, unless something has been painted meanwhile."""
    if not easel.past:
        guess(easel)
        easel.past = []


def toggle(easel: Easel, names: Sequence[str]) -> None:
    """Have just these of the found classes in the region. The first one takes the place of a mask
    that was only guessed; later ones are put to what is there, and taken out of it again."""
    area, mask = easel.area, easel.mask()
    on = [layer for layer in easel.found if layer.name in names and layer.name not in area.layers]
    off = [layer for layer in easel.found if layer.name in area.layers and layer.name not in names]
    if area.guessed and on:
        mask = np.zeros_like(mask)
    for layer in off:
        mask = np.minimum(mask, 1 - layer.mask)
    for layer in on:
        mask = np.maximum(mask, layer.mask)
    if on or off:
        kept = tuple(layer.name for layer in easel.found if layer.name in names)
        easel.change(mask, layers=kept, marks=Marks())


def prompts(easel: Easel) -> dict[str, Any]:
    """What selective.pointed() is asked: the box, and a point of every stroke. Raises
    OptionError."""
    marks = easel.area.marks
    if marks.box is None and not marks.keep:
        raise OptionError(
            "Nothing has been pointed at. Take Object and draw a box around something, or Keep and "
            "tap it."
        )
    keep, drop = ([points[len(points) // 2] for points, _ in each] for each in marks[1:])
    return {"box": marks.box, "points": keep, "drop": drop}


def _stroke(easel: Easel, edit: Edit) -> None:
    points, radius = _points(easel, edit), _radius(easel, edit)
    erase = edit["kind"] == "erase"
    easel.change(selective.painted(easel.mask(), points, radius, erase=erase))


def _select(easel: Easel, edit: Edit) -> None:
    """A box begins a selection anew, strokes add to it."""
    marks = easel.area.marks
    if edit["kind"] == "box":
        marks = Marks(_box(easel, edit))
    else:
        stroke = (tuple(_points(easel, edit)), _radius(easel, edit))
        kind = str(edit["kind"])
        marks = marks._replace(**{kind: (*getattr(marks, kind), stroke)})
    mask = selective.grabcut(easel.small, box=marks.box, keep=marks.keep, drop=marks.drop)
    easel.change(mask, marks=marks, layers=())


def _points(easel: Easel, edit: Edit) -> list[tuple[float, float]]:
    """Those far outside come as near as a brush of the largest size needs them."""
    points = edit["points"]
    if not 0 < len(points) <= MOST_POINTS:
        raise OptionError(f"A stroke has 1 to {MOST_POINTS} points, this one has {len(points)}.")
    far = max(easel.shape)
    return [(_number(x, -far, 2 * far), _number(y, -far, 2 * far)) for x, y in points]


def _radius(easel: Easel, edit: Edit) -> float:
    return _number(edit["radius"], 0.5, max(easel.shape))


def _box(easel: Easel, edit: Edit) -> tuple[float, float, float, float]:
    height, width = easel.shape
    x0, y0, x1, y1 = edit["box"]
    left, right = sorted(_number(x, 0, width) for x in (x0, x1))
    top, bottom = sorted(_number(y, 0, height) for y in (y0, y1))
    if right - left < 2 or bottom - top < 2:
        raise OptionError("The box is too small. Draw it around the whole object.")
    return left, top, right, bottom


def _number(value: Any, low: float, high: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise OptionError(f"{value} is no place in the photo. Reload the page.")
    return min(max(number, low), high)


def _add(easel: Easel, edit: Edit) -> None:
    if len(easel.areas) >= MOST_REGIONS:
        raise OptionError(f"There can be {MOST_REGIONS} regions. Remove one first.")
    easel.add()


def _scale(easel: Easel) -> float:
    return max(easel.shape) / selective.SIDE


CHANGES: dict[str, Callable[[Mask, Easel], Mask]] = {
    "grow": lambda mask, easel: selective.grown(mask, max(1.0, GROW_STEP * _scale(easel))),
    "shrink": lambda mask, easel: selective.grown(mask, -max(1.0, GROW_STEP * _scale(easel))),
    "feather": lambda mask, easel: selective.feathered(
        mask, max(2.0, FEATHER_STEP * _scale(easel))
    ),
    "fill": lambda mask, _: selective.filled(mask),
    "invert": lambda mask, _: selective.inverted(mask),
    "snap": lambda mask, easel: selective.snapped(
        mask, easel.lightness(), max(2.0, SNAP_STEP * _scale(easel))
    ),
    "all": lambda mask, _: np.ones_like(mask),
    "nothing": lambda mask, _: np.zeros_like(mask),
}
ACTS: dict[str, Callable[[Easel, Edit], None]] = {
    "paint": _stroke,
    "erase": _stroke,
    "box": _select,
    "keep": _select,
    "drop": _select,
    "guess": lambda easel, _: guess(easel),
    "undo": lambda easel, _: easel.undo(),
    "redo": lambda easel, _: easel.redo(),
    "add": _add,
    "remove": lambda easel, edit: easel.remove(int(edit["key"])),
    "pick": lambda easel, edit: easel.pick(int(edit["key"])),
}
