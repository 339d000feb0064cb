"""The table of scores: a row a picture and a column a figure, sorted where it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.evaluate import comparison
from colorize_core.evaluate.comparison import DASH, SECONDS, Column, Result
from colorize_core.metrics import Metric, protocol
from ui.compare.session import LATER, NO_TRUTH, CompareSession

HERE = Path(__file__).parent
ARROWS = {"higher": "↑", "lower": "↓", "nearer 0": "→0", None: ""}
PROTOCOL = (
    f"Scores are by {protocol.NAME}: the centre of the picture at 256 × 256, its colours put on "
    "the truth's own lightness. A drawn sample is another plausible colouring, which one truth "
    "does not judge well: see many pictures of such a model, or a measure over many (FID)."
)
RULES = (
    "Bold: the best of a column, in which gray and the mean colour compete and the truth does not."
)


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view(). A value may have more: `first`, the head of the
    first column; `link` of a row, the model whose tab it opens; `small` of a cell, lines below it.
    """
    return gr.HTML(
        html_template=(HERE / "score_table.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "score_table.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def view(session: CompareSession) -> dict[str, Any]:
    """What the component shows."""
    results = session.results()
    columns = columns_of(session)
    judged = session.truth is not None
    several = comparison.pick_best_of_seeds(results, session.metrics) if judged else []
    places = [
        comparison.count_decimals(each.value(column.name) for each in (*results, *several))
        for column in columns
    ]
    return {
        "columns": [head(column) for column in columns],
        "rows": rows(results, columns, places),
        "several": rows(several, columns, places),
        "notes": notes(session, results, several, columns),
    }


def columns_of(session: CompareSession) -> list[Metric | Column]:
    """What can be had of this photo."""
    judged = session.truth is not None
    return [*(each for each in session.metrics if judged or not each.needs_truth), SECONDS]


def head(column: Metric | Column) -> dict[str, Any]:
    """The head of a column."""
    said = {"higher": "higher is better", "lower": "lower is better", "nearer 0": "best near 0"}
    meaning = column.meaning[0].upper() + column.meaning[1:]
    direction = said.get(column.better or "", "not better either way")
    return {
        "title": column.title,
        "arrow": ARROWS[column.better],
        "better": column.better,
        "meaning": f"{meaning.rstrip('.')} ({direction}).",
    }


def rows(
    results: Sequence[Result], columns: Sequence[Metric | Column], places: Sequence[int]
) -> list[dict[str, Any]]:
    """The rows, with so many places in each column, and the best of a column marked."""
    winners = [comparison.find_best(results, column) for column in columns]
    return [
        {
            "title": result.entry.title,
            "settings": result.entry.settings,
            "kind": result.entry.kind,
            "error": result.error,
            "cells": [
                _cell(result, column, places[j], i in winners[j])
                for j, column in enumerate(columns)
            ],
        }
        for i, result in enumerate(results)
    ]


def _cell(result: Result, column: Metric | Column, places: int, best: bool) -> dict[str, Any]:
    value = result.value(column.name)
    return {
        "text": comparison.format_figure(value, places),
        "key": comparison.get_sort_key(value, column.better),
        "best": best,
        "why": "" if value is not None else result.reason(column.name),
    }


def notes(
    session: CompareSession,
    results: Sequence[Result],
    several: Sequence[Result],
    columns: Sequence[Metric | Column],
) -> list[str]:
    """What stands below the table, each once."""
    said = [NO_TRUTH] if session.truth is None else [RULES, *baselines(results, columns), PROTOCOL]
    if several:
        said.append(
            "The best of several seeds is chosen by looking at the truth: it stands by itself, and "
            "compares with no single picture."
        )
    reasons: dict[str, list[str]] = {}
    for result in results:
        for column in columns if result.entry.kind == "model" else ():
            if result.value(column.name) is None:
                where = result.entry.label if result.error else column.title
                reasons.setdefault(result.reason(column.name), []).append(where)
    for why, places in reasons.items():
        if why != LATER:
            said.append(f"{DASH} {', '.join(dict.fromkeys(places))}: {why}")
    return said


def baselines(results: Sequence[Result], columns: Sequence[Metric | Column]) -> list[str]:
    """Where no model does better than no colour at all, or than one everywhere."""
    if not any(result.entry.kind == "model" and not result.error for result in results):
        return []
    wins: dict[str, list[str]] = {}
    for column in columns:
        winners = [results[i].entry for i in comparison.find_best(results, column)]
        if all(entry.kind != "model" for entry in winners):
            for entry in winners:
                wins.setdefault(entry.title, []).append(column.title)
    return [f"{title} beats every model in {', '.join(names)}." for title, names in wins.items()]
