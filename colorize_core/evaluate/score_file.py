"""The CSV file of an evaluation: one row a model and photo, so that the same command can go on.

Rows are appended as they come, the later of two counting; evaluations that run at once may share
the file. Opening it leaves out what a kill cut off at its end; tidy() puts one row each in the
order asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from colorize_core.errors import SaveError
from colorize_core.metrics import protocol
from colorize_core.row_file import RowFile

Row = dict[str, str]
Key = tuple[str, str]  # model and photo
BEFORE = ("model", "photo", "protocol", "seed", "weights")
AFTER = ("seconds", "why")


class ScoreFile:
    """The rows of `path`, by model and photo. SaveError if that file holds other metrics, another
    protocol or other draws, or something else altogether; it is then left as it is. SaveError also
    wherever it cannot be written."""

    def __init__(self, path: Path, metrics: Sequence[str], seed: int) -> None:
        self.path = path
        self.seed = seed
        self.columns = (*BEFORE, *metrics, *AFTER)
        self.rows: dict[Key, Row] = {}
        remedy = "Name another file with --out."
        self._file = RowFile(path, self.columns, self._refuse_columns, remedy)
        with self._file.lock():
            self._read()
            if self._file.cut_off or not self._file.appendable:
                self._file.rewrite(self._list_cells())

    def add(self, row: Row) -> None:
        """Remember one row and append it to the file."""
        with self._file.lock():
            self._read()
            self.rows[row["model"], row["photo"]] = row
            if self._file.appendable:
                self._file.append([row[column] for column in self.columns])
            else:
                self._file.rewrite(self._list_cells())

    def tidy(self, order: Iterable[Key]) -> None:
        """One row each: those of `order` first, then what else there is."""
        with self._file.lock():
            self._read()
            keys = dict.fromkeys([*(key for key in order if key in self.rows), *self.rows])
            self.rows = {key: self.rows[key] for key in keys}
            self._file.rewrite(self._list_cells())

    def _list_cells(self) -> list[list[str]]:
        return [[row[column] for column in self.columns] for row in self.rows.values()]

    def _read(self) -> None:
        for cells in self._file.read_new():
            row = dict(zip(self.columns, cells, strict=True))
            self._refuse_others(row)
            self.rows[row["model"], row["photo"]] = row

    def _refuse_columns(self, found: Sequence[str]) -> str:
        if BEFORE[0] not in found:
            return f"{self.path} is no table of scores. Name another file with --out."
        return (
            f"{self.path} has the columns {', '.join(found)}; this evaluation has "
            f"{', '.join(self.columns)}. Ask for the same metrics, or name another file with --out."
        )

    def _refuse_others(self, row: Row) -> None:
        if row["protocol"] != protocol.NAME:
            raise SaveError(
                f"{self.path} was scored by the protocol {row['protocol']!r}; this is "
                f"{protocol.NAME!r}. Name another file with --out."
            )
        if row["seed"] not in ("", str(self.seed)):
            raise SaveError(
                f"{self.path} has colours drawn with --seed {row['seed']}; this is --seed "
                f"{self.seed}. Give the same seed, or name another file with --out."
            )
