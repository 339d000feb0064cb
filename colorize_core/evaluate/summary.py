"""What an evaluation says in the end: a row a model, and the table that is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from colorize_core import metrics
from colorize_core.evaluate.score_file import Row
from colorize_core.metrics.interval import estimate_interval

SECONDS = "seconds"
NOTHING = 1e-5


def describe_remedy(names: Sequence[str]) -> str:
    """How committed scores get metrics that they do not have yet: two commands in a clone of the
    repository. `names` of metrics, at least one. `verify` takes all that are missing at once, and
    the trunks that some need."""
    if any(metrics.find(name).download for name in names):
        return (
            "autochrome verify bundled trunks --photos DIR && autochrome verify --merge acceptance"
        )
    return (
        f"python -m colorize_core.evaluate --models all --metrics {','.join(names)} --photos DIR "
        "--out new.csv && python -m benchmarks.quality new.csv --photos DIR"
    )


def summarize(rows: Iterable[Row], models: Sequence[str], names: Sequence[str]) -> list[Row]:
    """The rows of a ScoreFile -> a row a model, of what has a picture: `model, protocol, weights,
    n`; for every metric M of `names` its mean `M`, the 95 % bootstrap interval `M_low, M_high` and
    `M_wins`, the share of the photos on which it is better than the gray photo (equal counts
    half); `seconds`, the median, which a busy machine moves least; and `why` cells were empty, each
    reason with its number of photos. What is not known is empty."""
    done = [row for row in rows if row[SECONDS]]
    by_model = {model: [row for row in done if row["model"] == model] for model in models}
    gray = {row["photo"]: row for row in done if row["model"] == "gray"}
    return [_summarize_model(model, mine, gray, names) for model, mine in by_model.items()]


def _summarize_model(
    model: str, rows: Sequence[Row], gray: dict[str, Row], names: Sequence[str]
) -> Row:
    seconds = [float(row[SECONDS]) for row in rows]
    row = {
        "model": model,
        "protocol": _join_values(rows, "protocol"),
        "weights": _join_values(rows, "weights"),
    }
    row["n"] = str(len(rows))
    for name in names:
        measured = _estimate(rows, name)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), measured, strict=True))
        row[f"{name}_wins"] = "" if model == "gray" else _count_wins(rows, gray, name)
    row[SECONDS] = _format_number(float(np.median(seconds))) if seconds else ""
    return row | {"why": _collect_reasons(rows)}


def _join_values(rows: Sequence[Row], column: str) -> str:
    """What all rows have there; each with "and" between where they differ."""
    return " and ".join(dict.fromkeys(row[column] for row in rows))


def _estimate(rows: Sequence[Row], name: str) -> Sequence[str]:
    """Mean, low, high."""
    values = np.array([float(row[name]) for row in rows if row[name]])
    return (
        [_format_number(value) for value in estimate_interval(values)] if len(values) else [""] * 3
    )


def _count_wins(rows: Sequence[Row], gray: dict[str, Row], name: str) -> str:
    better = metrics.find(name).better
    if better is None:
        return ""
    pairs = [(row, gray[row["photo"]]) for row in rows if row["photo"] in gray]
    both = np.array([(float(a[name]), float(b[name])) for a, b in pairs if a[name] and b[name]])
    if not len(both):
        return ""
    good = {"higher": both, "lower": -both, "nearer 0": -np.abs(both)}[better]
    return _format_number(float(((np.sign(good[:, 0] - good[:, 1]) + 1) / 2).mean()))


def _collect_reasons(rows: Sequence[Row]) -> str:
    counts = Counter(why for row in rows for why in row["why"].split("; ") if why)
    return "; ".join(f"{why} ({times} of {len(rows)})" for why, times in counts.items())


def make_table(rows: Iterable[Row], models: Sequence[str], names: Sequence[str], width: int) -> str:
    """A model a row: how many photos it has a picture of, and of every metric and the seconds the
    mean and its 95 % bootstrap interval; with the number of photos where there are fewer. Set in
    as many blocks as `width` characters need."""
    done = [row for row in rows if row[SECONDS]]
    by_model = {model: [row for row in done if row["model"] == model] for model in models}
    first = [("model", *models), ("n", *(str(len(by_model[model])) for model in models))]
    others = [
        (name, *(_format_cell(by_model[m], name) for m in models)) for name in (*names, SECONDS)
    ]
    return "\n\n".join(_align([*first, *block]) for block in _split_columns(first, others, width))


def _format_cell(rows: Sequence[Row], name: str) -> str:
    mean, low, high = _estimate(rows, name)
    if not mean:
        return "-"
    count = sum(bool(row[name]) for row in rows)
    return f"{mean} [{low}, {high}]" + (f" n={count}" if count < len(rows) else "")


def _format_number(value: float) -> str:
    """Four digits, as many as an interval is worth; 0 for what rounding has left of it."""
    return f"{value:#.4g}".rstrip(".") if abs(value) >= NOTHING else "0"


Column = tuple[str, ...]


def _split_columns(
    first: Sequence[Column], others: Sequence[Column], width: int
) -> list[list[Column]]:
    """Columns that fit side by side after the first ones, at least one each time."""
    blocks: list[list[Column]] = [[]]
    for column in others:
        if blocks[-1] and _measure_width([*first, *blocks[-1], column]) > width:
            blocks.append([])
        blocks[-1].append(column)
    return blocks


def _measure_width(columns: Sequence[Column]) -> int:
    return sum(max(map(len, column)) + 2 for column in columns) - 2


def _align(columns: Sequence[Column]) -> str:
    widths = [max(map(len, column)) for column in columns]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in zip(*columns, strict=True))
    return "\n".join(line.rstrip() for line in lines)
