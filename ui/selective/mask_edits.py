"""What a person does to the masks on the page, done to the session.

Edits come as the page writes them: {"kind": ..., "serial": ...} and more by their kind. Places and
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
from ui.selective.session import MOST_REGIONS, Marks, SelectiveSession, pack

MOST_POINTS = 10_000  # of one stroke
SNAP_STEP, GROW_STEP, FEATHER_STEP = 8.0, 3.0, 4.0  # pixels of a mask whose longest side is SIDE
Edit = Mapping[str, Any]


def apply(session: SelectiveSession, edits: Sequence[Edit]) -> None:
    """Do all that the session has not seen yet, in their order. Raises OptionError."""
    for edit in edits:
        serial = int(edit["serial"])
        if serial <= session.seen:
            continue  # the page has sent it again
        session.seen = serial
        kind = edit.get("kind")
        if kind in CHANGES:
            session.change(CHANGES[kind](session.mask(), session))
        elif kind in ACTS:
            ACTS[kind](session, edit)
        else:
            raise OptionError(f"{kind!r} is nothing that can be done to a mask. Reload the page.")


def guess(session: SelectiveSession) -> None:
    """What the photo seems to be about becomes the region's mask."""
    mask = session.find_subject()
    session.step(session.put(packed=pack(mask), guessed=True, marks=Marks(), layers=()))


def begin(session: SelectiveSession) -> None:
    """The first mask, unless something has been painted meanwhile, or was there before."""
    if not session.by_hand:
        guess(session)
        session.past = []


def toggle(session: SelectiveSession, names: Sequence[str]) -> None:
    """Have just these of the found classes in the region. The first one takes the place of a mask
    that was only guessed; later ones are put to what is there, and taken out of it again."""
    area, mask = session.area, session.mask()
    on = [layer for layer in session.found if layer.name in names and layer.name not in area.layers]
    off = [
        layer for layer in session.found if layer.name in area.layers and layer.name not in names
    ]
    if area.guessed and on:
        mask = np.zeros_like(mask)
    for layer in off:
        mask = np.minimum(mask, 1 - layer.mask)
    for layer in on:
        mask = np.maximum(mask, layer.mask)
    if on or off:
        kept = tuple(layer.name for layer in session.found if layer.name in names)
        session.change(mask, layers=kept, marks=Marks())


def read_prompts(session: SelectiveSession) -> dict[str, Any]:
    """What selective.find_pointed() is asked: the box, and a point of every stroke. Raises
    OptionError."""
    marks = session.area.marks
    if marks.box is None and not marks.keep:
        raise OptionError(
            "Nothing has been pointed at. Take Object and draw a box around something, or Keep and "
            "tap it."
        )
    keep, drop = ([points[len(points) // 2] for points, _ in each] for each in marks[1:])
    return {"box": marks.box, "points": keep, "drop": drop}


def _paint(session: SelectiveSession, edit: Edit) -> None:
    points, radius = _read_points(session, edit), _read_radius(session, edit)
    erase = edit["kind"] == "erase"
    session.change(selective.paint(session.mask(), points, radius, erase=erase))


def _select(session: SelectiveSession, edit: Edit) -> None:
    """A box begins a selection anew, strokes add to it."""
    marks = session.area.marks
    if edit["kind"] == "box":
        marks = Marks(_read_box(session, edit))
    else:
        stroke = (tuple(_read_points(session, edit)), _read_radius(session, edit))
        kind = str(edit["kind"])
        marks = marks._replace(**{kind: (*getattr(marks, kind), stroke)})
    mask = selective.grabcut(session.small, box=marks.box, keep=marks.keep, drop=marks.drop)
    session.change(mask, marks=marks, layers=())


def _read_points(session: SelectiveSession, edit: Edit) -> list[tuple[float, float]]:
    """Those far outside are moved as near as a brush of the largest size reaches."""
    points = edit["points"]
    if not 0 < len(points) <= MOST_POINTS:
        raise OptionError(f"A stroke has 1 to {MOST_POINTS} points, this one has {len(points)}.")
    far = max(session.shape)
    return [(_read_number(x, -far, 2 * far), _read_number(y, -far, 2 * far)) for x, y in points]


def _read_radius(session: SelectiveSession, edit: Edit) -> float:
    return _read_number(edit["radius"], 0.5, max(session.shape))


def _read_box(session: SelectiveSession, edit: Edit) -> tuple[float, float, float, float]:
    height, width = session.shape
    x0, y0, x1, y1 = edit["box"]
    left, right = sorted(_read_number(x, 0, width) for x in (x0, x1))
    top, bottom = sorted(_read_number(y, 0, height) for y in (y0, y1))
    if right - left < 2 or bottom - top < 2:
        raise OptionError("The box is too small. Draw it around the whole object.")
    return left, top, right, bottom


def _read_number(value: Any, low: float, high: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise OptionError(f"{value} is no place in the photo. Reload the page.")
    return min(max(number, low), high)


def _add(session: SelectiveSession, edit: Edit) -> None:
    if len(session.areas) >= MOST_REGIONS:
        raise OptionError(f"There can be {MOST_REGIONS} regions. Remove one first.")
    session.add()


def _find_scale(session: SelectiveSession) -> float:
    return max(session.shape) / selective.SIDE


CHANGES: dict[str, Callable[[Mask, SelectiveSession], Mask]] = {
    "grow": lambda mask, session: selective.grow(mask, max(1.0, GROW_STEP * _find_scale(session))),
    "shrink": lambda mask, session: selective.grow(
        mask, -max(1.0, GROW_STEP * _find_scale(session))
    ),
    "feather": lambda mask, session: selective.feather(
        mask, max(2.0, FEATHER_STEP * _find_scale(session))
    ),
    "fill": lambda mask, _: selective.fill_holes(mask),
    "invert": lambda mask, _: selective.invert(mask),
    "snap": lambda mask, session: selective.snap(
        mask, session.lightness(), max(2.0, SNAP_STEP * _find_scale(session))
    ),
    "all": lambda mask, _: np.ones_like(mask),
    "nothing": lambda mask, _: np.zeros_like(mask),
}
ACTS: dict[str, Callable[[SelectiveSession, Edit], None]] = {
    "paint": _paint,
    "erase": _paint,
    "box": _select,
    "keep": _select,
    "drop": _select,
    "guess": lambda session, _: guess(session),
    "undo": lambda session, _: session.undo(),
    "redo": lambda session, _: session.redo(),
    "add": _add,
    "remove": lambda session, edit: session.remove(int(edit["key"])),
    "pick": lambda session, edit: session.pick(int(edit["key"])),
}
