"""The CSV list of a batch: what became of each photo, so that the same command can go on later.

One row an output. While a batch runs, rows are appended, the later of two counting; the file is
rewritten with one row each, under a temporary name first, when it is opened for writing and when
the batch ends. A row cut off by a crash is dropped.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TextIO, cast

from colorize_core.errors import SaveError

NAME = "manifest.csv"


@dataclass(frozen=True)
class Row:
    """One output. All columns are text; empty where there is nothing to say."""

    input: str  # absolute
    output: str  # relative to the manifest's folder, with forward slashes
    status: str  # "started", "done" or "failed"
    width: str = ""  # pixels
    height: str = ""
    seconds: str = ""
    model: str = ""
    options: str = ""
    tint: str = ""  # what was neutralised
    error: str = ""
    input_bytes: str = ""
    input_modified_ns: str = ""  # since 1970
    note: str = ""  # what of the input is left out: further pages, metadata


COLUMNS = tuple(column.name for column in fields(Row))
EARLIER = COLUMNS[:-1]  # those of lists that were made before there were notes


class Manifest:
    """The rows of `folder`/manifest.csv by output. SaveError if that file is something else."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.rows = {row.output: row for row in _read(self.path)}
        self._clean = False

    def get(self, target: Path) -> Row | None:
        return self.rows.get(self.key(target))

    def key(self, target: Path) -> str:
        return Path(os.path.relpath(target, self.path.parent)).as_posix()

    def results(self) -> set[str]:
        """Absolute paths of everything that earlier runs wrote or began to write."""
        return {os.path.abspath(self.path.parent / output) for output in self.rows}

    def add(self, row: Row) -> None:
        """Remember one row and append it to the file."""
        if not self._clean:
            self.tidy()
            self._clean = True
        self.rows[row.output] = row
        with _open(self.path, "a") as file:
            csv.writer(file).writerow(astuple(row))

    def tidy(self) -> None:
        """Rewrite the file with one row an output. A stop in the middle leaves the old one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{NAME}.{os.getpid()}")
        try:
            with _open(temporary, "w") as file:
                csv.writer(file).writerows([COLUMNS, *map(astuple, self.rows.values())])
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)


def _open(path: Path, mode: str) -> TextIO:
    # File names need not be UTF-8: surrogateescape writes back the bytes that they are made of.
    return cast(TextIO, open(path, mode, newline="", encoding="utf-8", errors="surrogateescape"))


def _read(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    with _open(path, "r") as file:
        lines = csv.reader(file)
        columns = tuple(next(lines, COLUMNS))
        if columns not in (COLUMNS, EARLIER):
            raise SaveError(
                f"{path} is not a list of colorized photos, and it would be overwritten. "
                "Move it, or choose another output folder with -o."
            )
        yield from (Row(*line) for line in lines if len(line) == len(columns))
