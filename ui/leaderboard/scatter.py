"""Models as points in the plane of two figures, with reference lines: what scatter.js draws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.evaluate.comparison import count_decimals, format_figure

HERE = Path(__file__).parent
PADDING = 0.07  # of an axis, on either side of what is drawn
TICKS = 6  # at most, on an axis that is not logarithmic
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Value:
    """A figure, with its interval where there is one."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def all(self) -> tuple[float, ...]:
        return tuple(value for value in (self.mean, self.low, self.high) if value is not None)


@dataclass(frozen=True)
class Axis:
    """`hint`: which way is better, in words. A logarithmic axis takes positive values only."""

    title: str
    hint: str = ""
    logarithmic: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Point:
    """`kind`: "model", or that of a baseline, which is drawn differently."""

    title: str
    kind: str
    x: Value
    y: Value


@dataclass(frozen=True)
class Line:
    """A level of the x or the y axis. `beyond`: "above" or "below" a level of y are values that are
    `worse`, which says so in words."""

    axis: str
    at: float
    title: str
    beyond: str = ""
    worse: str = ""


@dataclass(frozen=True)
class Scale:
    """From a figure to its place on an axis, 0 to 1."""

    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        low, high = (self._transform(each) for each in (self.low, self.high))
        return (self._transform(value) - low) / (high - low)

    def _transform(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def ticks(self) -> list[float]:
        """Round values within it."""
        values = self._list_powers() if self.logarithmic else self._list_even()
        return [value for value in values if -1e-9 <= self.at(value) <= 1 + 1e-9]

    def _list_powers(self) -> list[float]:
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        within = math.log10(self.high / self.low)
        leading = (1, 2, 5) if within < 2 else (1, 3) if within < 3 else (1,)
        return [lead * 10.0**decade for decade in decades for lead in leading]

    def _list_even(self) -> list[float]:
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * each for each in STEPS if power * each >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view()."""
    return gr.HTML(
        html_template=(HERE / "scatter.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "scatter.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def view(
    title: str, x: Axis, y: Axis, points: Sequence[Point], lines: Sequence[Line] = ()
) -> dict[str, Any]:
    """What the component shows. Points without a place on a logarithmic axis are left out."""
    points = [_clip(point, x, y) for point in points if _has_place(point, x, y)]
    if not points:
        return {"title": title, "points": []}
    scales = {
        "x": fit_scale((p.x for p in points), (each.at for each in lines if each.axis == "x"), x),
        "y": fit_scale((p.y for p in points), (each.at for each in lines if each.axis == "y"), y),
    }
    places = [count_decimals(v for p in points for v in getattr(p, name).all) for name in scales]
    return {
        "title": title,
        "axes": {
            name: {"title": axis.title, "hint": axis.hint, "ticks": _list_ticks(scales[name])}
            for name, axis in (("x", x), ("y", y))
        },
        "points": [
            {
                "title": point.title,
                "kind": point.kind,
                "x": [round(scales["x"].at(value), 4) for value in point.x.all],
                "y": [round(scales["y"].at(value), 4) for value in point.y.all],
                "words": [
                    describe(x, point.x, places[0]),
                    describe(y, point.y, places[1]),
                ],
            }
            for point in points
        ],
        "lines": [
            {
                "axis": line.axis,
                "at": round(scales[line.axis].at(line.at), 4),
                "title": line.title,
                "beyond": line.beyond,
                "worse": line.worse,
            }
            for line in lines
        ],
    }


def _has_place(point: Point, x: Axis, y: Axis) -> bool:
    sides = ((x, point.x), (y, point.y))
    return all(value.mean > 0 for axis, value in sides if axis.logarithmic)


def _clip(point: Point, x: Axis, y: Axis) -> Point:
    """Without the parts of an interval that a logarithmic axis does not reach."""
    return replace(point, x=_clip_value(x, point.x), y=_clip_value(y, point.y))


def _clip_value(axis: Axis, value: Value) -> Value:
    return Value(value.mean) if axis.logarithmic and min(value.all) <= 0 else value


def fit_scale(values: Iterable[Value], levels: Iterable[float], axis: Axis) -> Scale:
    """One that shows every mean and every level, and has room at its ends."""
    means = [*(value.mean for value in values), *levels]
    low, high = min(means), max(means)
    if axis.logarithmic:
        room = max((high / low) ** PADDING, 1.2)
        return Scale(low / room, high * room, True)
    room = PADDING * (high - low or abs(high) or 1.0)
    return Scale(low - room, high + room)


def describe(axis: Axis, value: Value, places: int) -> str:
    """ "CIEDE2000 9.96 (9.60 to 10.36)"."""
    text = f"{axis.title} {format_figure(value.mean, places)}{axis.unit}"
    if value.low is None or value.high is None:
        return text
    return f"{text} ({format_figure(value.low, places)} to {format_figure(value.high, places)})"


def _list_ticks(scale: Scale) -> list[dict[str, Any]]:
    values = scale.ticks()
    return [
        {"at": round(scale.at(value), 4), "text": f"{value:.10g}".replace("-", "−")}
        for value in values
    ]
