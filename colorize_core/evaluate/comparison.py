"""Many colourings of one photo side by side: which pictures, in which order, and which is best."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.row_file import protect

MOST = 40  # pictures that the models make at a time
BEST = "best"  # kind of a row that stands for several seeds
REFERENCES = {"truth": "Truth", "gray": "Gray", "mean": "Mean colour"}
DASH = "–"
UNDEFINED = "It is not defined for this photo."


@dataclass(frozen=True)
class Entry:
    """One picture. `kind`: a key of REFERENCES, "model", or BEST, which is of `seeds` many."""

    kind: str
    title: str
    model: str = ""
    vividness: float = 1.0
    seed: int | None = None
    seeds: int = 1

    @property
    def settings(self) -> str:
        """What it was made with, where that is not the default."""
        words = [f"seed {self.seed}"] if self.seed is not None else []
        words += [f"best of {self.seeds} seeds"] if self.kind == BEST else []
        words += [f"vividness {self.vividness:g}"] if self.vividness != 1 else []
        return ", ".join(words)

    @property
    def label(self) -> str:
        return ", ".join(filter(None, (self.title, self.settings)))

    @property
    def slug(self) -> str:
        """The same for the name of a file."""
        return "-".join([self.model or self.kind, *self.settings.replace(",", "").split()])


@dataclass(frozen=True)
class Column:
    """One figure. `better`: "higher", "lower", "nearer 0" or None. Metrics are columns, too."""

    name: str
    title: str
    better: str | None
    meaning: str
    detail: bool = False  # shown apart


SECONDS = Column(
    "seconds",
    "Seconds",
    "lower",
    "Time for this picture at the size shown, without loading the model; of seeds drawn together "
    "each has its share.",
)


@dataclass(frozen=True)
class Result:
    """What became of an entry. `missing`: column -> why it has no value. `error`: why there is no
    picture, empty if there is one."""

    entry: Entry
    scores: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    def value(self, column: str) -> float | None:
        value = self.scores.get(column)
        return None if value is None or math.isnan(value) else value

    def reason(self, column: str) -> str:
        """Why it has no value in that column."""
        return self.error or self.missing.get(column, UNDEFINED)


def list_references(coloured: bool) -> tuple[Entry, ...]:
    """What stands before the models; the truth only where the photo is in colour."""
    return tuple(
        Entry(kind, title) for kind, title in REFERENCES.items() if coloured or kind != "truth"
    )


def plan(
    cards: Sequence[ModelCard], names: Collection[str], vividness: Iterable[float], seeds: int
) -> tuple[Entry, ...]:
    """What the models make, in the order of the cards. `seeds`: how many, of models that draw.

    Raises OptionError where that is nothing, or more than MOST.
    """
    levels = sorted(set(vividness))
    made = tuple(
        Entry("model", card.title, card.name, level, seed)
        for card in cards
        if card.name in names
        for level in levels
        for seed in (range(seeds) if card.sampled else (None,))
    )
    if not made:
        raise OptionError(f"Tick at least one {'vividness' if names else 'model'}.")
    if len(made) > MOST:
        raise OptionError(
            f"That makes {len(made)} pictures; at most {MOST} are compared at a time. "
            "Untick models or settings."
        )
    return made


def get_sort_key(value: float | None, better: str | None) -> float | None:
    """What to sort by: more is better. None where there is no value: those come last."""
    if value is None:
        return None
    finite = max(-1e300, min(1e300, value))  # infinite cannot travel to a page
    return {"lower": -finite, "nearer 0": -abs(finite)}.get(better or "", finite)


def find_best(results: Sequence[Result], column: Any) -> set[int]:
    """The indices of the best results in a Column or Metric; the truth does not compete, and a best
    of several seeds does not with single samples."""
    if column.better is None:
        return set()
    keys = {
        i: key
        for i, result in enumerate(results)
        if result.entry.kind not in ("truth", BEST)
        and (key := get_sort_key(result.value(column.name), column.better)) is not None
    }
    return {i for i, key in keys.items() if key == max(keys.values())}


def list_rows(
    results: Sequence[Result], columns: Sequence[Any], places: Sequence[int]
) -> list[dict[str, Any]]:
    """The rows of a table, with so many decimals in each column, and the best of a column marked:
    `text` of a cell, the `key` to sort it by, and `why` it is empty."""
    winners = [find_best(results, column) for column in columns]
    return [
        {
            "title": result.entry.title,
            "settings": result.entry.settings,
            "kind": result.entry.kind,
            "error": result.error,
            "cells": [
                {
                    "text": format_figure(value := result.value(column.name), digits),
                    "key": get_sort_key(value, column.better),
                    "best": i in best,
                    "why": "" if value is not None else result.reason(column.name),
                }
                for column, digits, best in zip(columns, places, winners, strict=True)
            ],
        }
        for i, result in enumerate(results)
    ]


def list_undefeated(results: Sequence[Result], columns: Sequence[Any]) -> dict[str, list[str]]:
    """The columns, by their titles, in which no model does better than gray, or than one colour
    everywhere, by the title of that."""
    if not any(result.entry.kind == "model" and not result.error for result in results):
        return {}
    wins: dict[str, list[str]] = {}
    for column in columns:
        winners = [results[i].entry for i in find_best(results, column)]
        if all(entry.kind != "model" for entry in winners):
            for entry in winners:
                wins.setdefault(entry.title, []).append(column.title)
    return wins


class Table(NamedTuple):
    """A table of scores: of single pictures, and of several seeds together."""

    columns: list[Any]
    rows: list[dict[str, Any]]
    several: list[dict[str, Any]]
    undefeated: dict[str, list[str]]


def tabulate(results: Sequence[Result], metrics: Sequence[Any], judged: bool) -> Table:
    """What can be had of a photo: `judged`, if it is in colour, by its truth too."""
    columns = [*(each for each in metrics if judged or not each.needs_truth), SECONDS]
    several = pick_best_of_seeds(results, metrics) if judged else []
    values = [[each.value(column.name) for each in (*results, *several)] for column in columns]
    places = [count_decimals(column) for column in values]
    return Table(
        columns,
        list_rows(results, columns, places),
        list_rows(several, columns, places),
        list_undefeated(results, columns) if judged else {},
    )


def pick_best_of_seeds(results: Sequence[Result], metrics: Sequence[Any]) -> list[Result]:
    """One result for each model and vividness of which several seeds are there: each figure that
    compares with the truth at its best seed, and the seconds of all of them."""
    groups: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        if result.entry.seed is not None and not result.error:
            groups.setdefault((result.entry.model, result.entry.vividness), []).append(result)
    return [_pick_best(group, metrics) for group in groups.values() if len(group) > 1]


def _pick_best(group: list[Result], metrics: Sequence[Any]) -> Result:
    first = group[0].entry
    scores = {SECONDS.name: sum(result.value(SECONDS.name) or 0.0 for result in group)}
    missing = {}
    for metric in metrics:
        values = [v for each in group if (v := each.value(metric.name)) is not None]
        if metric.needs_truth and metric.better and values:
            scores[metric.name] = max(values, key=lambda v: get_sort_key(v, metric.better) or 0.0)
        elif values:
            missing[metric.name] = "No seed is the best here: it has no direction."
        else:
            missing[metric.name] = group[0].reason(metric.name)
    entry = Entry(BEST, first.title, first.model, first.vividness, seeds=len(group))
    return Result(entry, scores, missing)


def count_decimals(values: Iterable[float | None]) -> int:
    """How many a column is shown with."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(sizes, default=0.0)
    return 2 + sum(largest < limit for limit in (2, 0.2, 0.02))


def format_figure(value: float | None, places: int) -> str:
    """A figure as people read it."""
    if value is None:
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{round(value, places) + 0.0:.{places}f}".replace("-", "−")


def format_csv(results: Sequence[Result], columns: Sequence[Any], **same: str) -> str:
    """The table as CSV with a header; `same` are columns that are equal in every row. A figure that
    is not to be had is empty, and `remark` says why."""
    file = io.StringIO()
    names = ["entry", "kind", "model", "vividness", "seed", *(each.name for each in columns)]
    writer = csv.DictWriter(file, [*same, *names, "remark"], lineterminator="\n")
    writer.writeheader()
    for result in results:
        entry = result.entry
        known = {"entry": entry.label, "kind": entry.kind, "model": entry.model}
        if entry.model:
            known["vividness"] = f"{entry.vividness:g}"
        if entry.seed is not None:
            known["seed"] = str(entry.seed)
        figures = {
            each.name: "" if (value := result.value(each.name)) is None else f"{value:.6g}"
            for each in columns
        }
        why = dict.fromkeys(result.reason(name) for name, text in figures.items() if not text)
        row = {**same, **known, **figures, "remark": " ".join(why)}
        writer.writerow({name: protect(cell) for name, cell in row.items()})
    return file.getvalue()
