"""The table that an evaluation ends with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from colorize_core.evaluate.score_file import Row
from colorize_core.metrics.interval import summary

SECONDS = "seconds"
NOTHING = 1e-5


def table(rows: Iterable[Row], models: Sequence[str], metrics: Sequence[str], width: int) -> str:
    """A model a row: how many photos it has a picture of, and of every metric and the seconds the
    mean and its 95 % bootstrap interval; with the number of photos where there are fewer. Set in
    as many blocks as `width` characters need."""
    done = [row for row in rows if row[SECONDS]]
    by_model = {model: [row for row in done if row["model"] == model] for model in models}
    first = [("model", *models), ("n", *(str(len(by_model[model])) for model in models))]
    others = [(name, *(_cell(by_model[m], name) for m in models)) for name in (*metrics, SECONDS)]
    return "\n\n".join(_aligned([*first, *block]) for block in _blocks(first, others, width))


def _cell(rows: Sequence[Row], name: str) -> str:
    values = np.array([float(row[name]) for row in rows if row[name]])
    if not len(values):
        return "-"
    mean, low, high = (_number(value) for value in summary(values))
    return f"{mean} [{low}, {high}]" + (f" n={len(values)}" if len(values) < len(rows) else "")


def _number(value: float) -> str:
    """Four digits, as many as an interval is worth; 0 for what rounding has left of it."""
    return f"{value:#.4g}".rstrip(".") if abs(value) >= NOTHING else "0"


Column = tuple[str, ...]


def _blocks(first: Sequence[Column], others: Sequence[Column], width: int) -> list[list[Column]]:
    """Columns that fit side by side after the first ones, at least one each time."""
    blocks: list[list[Column]] = [[]]
    for column in others:
        if blocks[-1] and _width([*first, *blocks[-1], column]) > width:
            blocks.append([])
        blocks[-1].append(column)
    return blocks


def _width(columns: Sequence[Column]) -> int:
    return sum(max(map(len, column)) + 2 for column in columns) - 2


def _aligned(columns: Sequence[Column]) -> str:
    widths = [max(map(len, column)) for column in columns]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in zip(*columns, strict=True))
    return "\n".join(line.rstrip() for line in lines)
