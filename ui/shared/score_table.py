"""The table of scores: a row a picture and a column a figure, sorted where it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.evaluate import comparison
from colorize_core.evaluate.comparison import DASH, Column, Result
from colorize_core.metrics import Metric, protocol
from ui.compare.session import LATER, NO_TRUTH, CompareSession

HERE = Path(__file__).parent
ARROWS = {"higher": "↑", "lower": "↓", "nearer 0": "→0", None: ""}
PROTOCOL = (
    f"Scores are by {protocol.WHOLE}: the centre of the picture at 256 × 256, its colours put on "
    f"the truth's own lightness. The models saw the whole photo; by {protocol.NAME}, as in the "
    "Leaderboard, they see the square alone, which gives other figures. A drawn sample is another "
    "plausible colouring, which one truth does not judge well: see many pictures of such a model, "
    "or a measure over many (FID)."
)
SEVERAL = (
    "The best of several seeds is chosen by looking at the truth: it stands by itself, and "
    "compares with no single picture."
)
RULES = (
    "Bold: the best of a column, in which gray and the mean colour compete and the truth does not."
)


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view(). A value may have more: `first`, the head of the
    first column; `link` of a row, the model whose tab it opens; `small` of a cell, lines below it.
    Columns that are a detail stand in a table below, which is opened by hand."""
    return gr.HTML(
        html_template=(HERE / "score_table.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "score_table.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def view(session: CompareSession) -> dict[str, Any]:
    """What the component shows."""
    judged = session.truth is not None
    results = session.results()
    table = comparison.tabulate(results, session.metrics, judged)
    said = [RULES, *write_undefeated(table.undefeated), PROTOCOL] if judged else [NO_TRUTH]
    if table.several:
        said.append(SEVERAL)
    return {
        "columns": [head(column) for column in table.columns],
        "rows": table.rows,
        "several": table.several,
        "notes": [*said, *list_reasons(results, table.columns)],
    }


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
        "detail": column.detail,
    }


def list_reasons(results: Sequence[Result], columns: Sequence[Metric | Column]) -> list[str]:
    """Why there are empty cells, each reason once."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        for column in columns if result.entry.kind == "model" else ():
            if result.value(column.name) is None:
                where = result.entry.label if result.error else column.title
                reasons.setdefault(result.reason(column.name), []).append(where)
    return [
        f"{DASH} {', '.join(dict.fromkeys(places))}: {why}"
        for why, places in reasons.items()
        if why != LATER
    ]


def write_undefeated(undefeated: Mapping[str, Sequence[str]]) -> list[str]:
    """Where no model does better than no colour at all, or than one everywhere."""
    return [
        f"{title} beats every model in {', '.join(names)}." for title, names in undefeated.items()
    ]
