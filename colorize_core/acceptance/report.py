"""The report: a CSV file with a row a step, which a later run goes on with, and a page of it."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from colorize_core import __version__
from colorize_core.row_file import RowFile

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
COLUMNS = (
    "subject", "group", "step", "weights", "outcome", "found", "remedy", "seconds", "hashes",
    "values", "versions", "machine",
)  # fmt: skip
ROWS, PAGE, PICTURES = "report.csv", "report.html", "pictures"  # below the folder of a report
PACKAGES = ("torch", "torchvision", "transformers", "huggingface-hub", "lpips", "diffusers", "peft")

Row = dict[str, str]


class Report:
    """The rows of FOLDER/report.csv by subject and step, the later of two counting. SaveError where
    it is another file or cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[tuple[str, str], Row] = {}
        remedy = "Name another folder with --out."
        path = folder / ROWS
        self._file = RowFile(path, COLUMNS, lambda _: f"{path} is no report. {remedy}", remedy)
        with self._file.lock():
            self._read()
            if self._file.cut_off or not self._file.appendable:
                self._rewrite()

    def is_done(self, subject: str, step: str, weights: str) -> bool:
        """Whether it has passed before, with these weights."""
        row = self.rows.get((subject, step), {})
        return row.get("outcome") == PASSED and row["weights"] == weights

    def add(self, row: Row) -> None:
        """Remember a row of these columns, those left out being empty, and where it was made."""
        made = {"versions": describe_versions(), "machine": describe_machine()}
        with self._file.lock():
            self._read()
            self.rows[row["subject"], row["step"]] = dict.fromkeys(COLUMNS, "") | made | row
            self._rewrite()

    def write_page(self, scores: str) -> Path:
        """FOLDER/report.html; `scores`: a table as plain text."""
        path = self.folder / PAGE
        path.write_text(make_page(list(self.rows.values()), scores, self.folder), encoding="utf-8")
        return path

    def _read(self) -> None:
        for cells in self._file.read_new():
            row = dict(zip(COLUMNS, cells, strict=True))
            self.rows[row["subject"], row["step"]] = row

    def _rewrite(self) -> None:
        self._file.rewrite([[row[column] for column in COLUMNS] for row in self.rows.values()])


def name_scores(kind: str, digest: str) -> str:
    """The file of "scores" or "sets" of the photographs with that hash: others are in another."""
    return f"{kind}-{digest[:8]}.csv"


def describe_versions() -> str:
    """Of this package, Python, and the packages that compute."""
    found = [f"autochrome-studio {__version__}", f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # of an extra
            found.append(f"{name} not installed")
    return ", ".join(found)


def describe_machine() -> str:
    """Without its name."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{gpu}"


WHAT = ("subject", "step", "outcome", "found")
HEADS = {"remedy": "what to do", "hashes": "sha256"}
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .5rem; text-align: left;
  vertical-align: top }
.subject, .step, .outcome, .seconds { white-space: nowrap } .hashes { word-break: break-all }
.remedy, .hashes { min-width: 17rem }
.passed { color: #17692b } .failed { color: #b00020; font-weight: bold } .skipped { color: #7a5900 }
img { height: 10rem; margin: .2rem } pre { overflow-x: auto }
"""


def make_page(rows: Sequence[Row], scores: str, folder: Path) -> str:
    """The report as HTML that needs nothing but the pictures beside it."""
    counts = Counter(row["outcome"] for row in rows)
    left = [row for row in rows if row["outcome"] != PASSED]
    told = ", ".join(f"{counts[each]} {each}" for each in (PASSED, FAILED, SKIPPED))
    parts = [
        f"<h1>Autochrome Studio: what was verified</h1>\n<p>Steps: {told}.</p>",
        *(["<h2>What to do</h2>", _make_table(left, (*WHAT, "remedy"))] if left else []),
        "<h2>Every step</h2>",
        _make_table(rows, (*WHAT, "seconds", "hashes")),
        *([f"<h2>Scores</h2>\n<pre>{escape(scores)}</pre>"] if scores else []),
        *_list_pictures(folder),
        "<h2>Made with</h2>",
        *(
            f"<p>{escape(each)}</p>"
            for each in dict.fromkeys(f"{row['versions']}; {row['machine']}" for row in rows)
        ),
    ]
    head = f"<meta charset='utf-8'><title>What was verified</title><style>{STYLE}</style>"
    return f"<!doctype html>\n<html lang='en'>\n{head}\n" + "\n".join(parts) + "\n</html>\n"


def _make_table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    lines = [f"<tr>{''.join(f'<th>{HEADS.get(name, name)}</th>' for name in columns)}</tr>"]
    for row in rows:
        cells = (f"<td class='{_classify(row, name)}'>{escape(row[name])}</td>" for name in columns)
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _classify(row: Row, column: str) -> str:
    return f"{column} {row[column]}" if column == "outcome" else column


def _list_pictures(folder: Path) -> list[str]:
    paths = sorted((folder / PICTURES).glob("*.jpg"))
    images = (
        f"<img src='{PICTURES}/{escape(p.name)}' alt='{escape(p.stem)}' title='{escape(p.stem)}'>"
        for p in paths
    )
    return ["<h2>Pictures</h2>", *images] if paths else []
