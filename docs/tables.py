"""What the generated pages share: the measured results, and how tables and scores are written."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

from colorize_core import metrics

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"

LPIPS = "lpips-alex"  # is shown though it is not measured: its cell says so
NOT_MEASURED = "not measured"
BY = "ciede2000"  # what decides whether a photo came out better than gray

Rows = list[dict[str, str]]


def between(text: str, start: str, make: Callable[[str], str], end: str) -> str:
    """What stands between the marks is handed to `make` and replaced by what it returns."""
    pattern = re.compile(f"({start})(.*?)({end})", re.DOTALL)
    made, count = pattern.subn(lambda m: m[1] + make(m[2]) + m[3], text)
    if not count:
        raise ValueError(f"The page has no {start.strip()} ... {end}")
    return made


def results(name: str) -> Rows:
    """The rows of benchmarks/results/NAME.csv; none where it was not measured."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table_of(rows: list[list[str]]) -> str:
    """Markdown; the first row is the heading."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def protocol(row: dict[str, str]) -> str:
    """How a row was measured."""
    return (
        f"by `{row['protocol']}` on {int(row['n']):,} photographs that no model was trained on: "
        "mean and 95 % bootstrap interval"
    )


def title(metric: str) -> str:
    return metrics.find(metric).title


def heading(metric: str) -> str:
    """The title, and what is better."""
    arrow = {"higher": " ↑", "lower": " ↓", "nearer 0": " →0", None: ""}
    return title(metric) + arrow[metrics.find(metric).better]


def score(row: dict[str, str], metric: str) -> str:
    """The mean of a metric and its interval; nothing where it was not measured."""
    mean, low, high = (row.get(f"{metric}{end}", "") for end in ("", "_low", "_high"))
    return f"{mean} ({low} to {high})" if mean and float(mean) else mean


def wins(row: dict[str, str]) -> str:
    share = row[f"{BY}_wins"]
    return f"{float(share):.0%}" if share else ""


def goal(rows: Rows) -> str:
    """How colourful the truth is, which gray is short of by all."""
    difference = rows[0].get("colourfulness-difference")
    if rows[0]["model"] != "gray" or not difference:
        return ""
    return f" The originals' colourfulness is {-float(difference):.1f}."
