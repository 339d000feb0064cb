"""The CSV list of a batch: what became of each photo, so that the same command can go on later.

One row an output, the later of two counting. Several batches may write into one folder at once:
each adds its rows, and tidying leaves one row an output, whosever it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from colorize_core.row_file import RowFile

NAME = "manifest.csv"
REMEDY = "Choose another output folder with -o."


@dataclass(frozen=True)
class Row:
    """One output. All columns are text; empty where there is nothing to say."""

    input: str  # absolute
    output: str  # relative to the folder of the outputs, with forward slashes
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
    input_changed_ns: str = ""  # the same of what no program can set back
    input_sha256: str = ""
    note: str = ""  # what of the input is left out: further pages, metadata
    spread: str = ""  # of the colours that are likely, in Lab units: large where it is least sure


COLUMNS = tuple(column.name for column in fields(Row))
OLDER = (COLUMNS[:12], COLUMNS[:14], COLUMNS[:15])


class Manifest:
    """The rows of `folder`/manifest.csv by output. SaveError if that file is something else, or
    cannot be read; and wherever it is written, if it cannot be."""

    def __init__(self, folder: Path, base: Path | None = None) -> None:
        self.path = folder / NAME
        self.base = folder if base is None else base  # where the outputs lie
        self.rows: dict[str, Row] = {}
        self._file = RowFile(self.path, COLUMNS, self._refuse, REMEDY, OLDER)
        self._cut_off: tuple[str, ...] = ()
        self._tidied = False
        self._read()

    def get(self, target: Path) -> Row | None:
        """The row of that output. Where none is known, what others wrote meanwhile is read."""
        if self.key(target) not in self.rows:
            self._read()
        return self.rows.get(self.key(target))

    def has_cut_off(self, source: Path, target: Path) -> bool:
        """Whether the row that a kill cut off at the end of the file was that of this photo."""
        if len(self._cut_off) < 2 or self._cut_off[0] != os.path.abspath(source):
            return False
        _, output, *more = self._cut_off
        return self.key(target) == output if more else self.key(target).startswith(output)

    def key(self, target: Path) -> str:
        return Path(os.path.relpath(target, self.base)).as_posix()

    def results(self) -> set[str]:
        """Absolute paths of everything that earlier runs wrote or began to write."""
        return {os.path.abspath(self.base / output) for output in self.rows}

    def names(self) -> dict[str, str]:
        """Absolute path of a photo -> its output, relative to the manifest's folder."""
        return {row.input: row.output for row in self.rows.values()}

    def add(self, row: Row, allow: Callable[[Row | None], bool] = lambda known: True) -> bool:
        """Remember one row and append it to the file; whether `allow` let it, which is given the
        row that the output has by then."""
        with self._file.lock():
            self._read()
            if not allow(self.rows.get(row.output)):
                return False
            self.rows[row.output] = row
            if self._tidied and self._file.appendable:
                self._file.append(astuple(row))
            else:
                self._rewrite()
        return True

    def tidy(self) -> None:
        """Rewrite the file with one row an output. A stop in the middle leaves the old one."""
        with self._file.lock():
            self._read()
            self._rewrite()

    def _rewrite(self) -> None:
        self._file.rewrite(map(astuple, self.rows.values()))
        self._tidied = True

    def _read(self) -> None:
        rows = (Row(*cells) for cells in self._file.read_new())
        self.rows.update({row.output: row for row in rows})
        self._cut_off = self._file.cut_off or self._cut_off

    def _refuse(self, _: list[str]) -> str:
        return (
            f"{self.path} is not a list of colorized photos, and it would be overwritten. "
            "Move it, or choose another output folder with -o."
        )
