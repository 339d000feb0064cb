"""Rows of measurements as CSV, each with its commit, machine and versions."""

from __future__ import annotations

import csv
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def provenance() -> dict[str, str]:
    import torch

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(RESULTS), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    changed = "+changes" if git("status", "--porcelain", "--", "../../colorize_core") else ""
    return {
        "commit": git("rev-parse", "--short=12", "HEAD") + changed,
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "versions": f"python {platform.python_version()}, torch {torch.__version__}",
    }


def _processor() -> str:
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def read(name: str) -> list[dict[str, Any]]:
    """The rows of results/NAME.csv as they were written; none where it is not there."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def write(name: str, rows: list[dict[str, Any]], others: Sequence[dict[str, Any]] = ()) -> Path:
    """Write rows (all with the keys of the first) to results/NAME.csv, replacing it, and print
    them; what a row says of its own commit stays. `others`, of read(), are put behind them as they
    are."""
    path = RESULTS / f"{name}.csv"
    made_with = provenance()
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, dict.fromkeys([*rows[0], *made_with]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made_with | row for row in rows)
        writer.writerows(others)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    return path
