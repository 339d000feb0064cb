"""The CSV file of an evaluation: one row a model and photo, so that the same command can go on.

Rows are appended as they come, the later of two counting. Opening the file leaves out what a kill
cut off at its end; tidy() puts one row each in the order asked for. Both write under a temporary
name first.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from colorize_core.errors import SaveError
from colorize_core.metrics import protocol

Row = dict[str, str]
Key = tuple[str, str]  # model and photo
BEFORE = ("model", "photo", "protocol", "seed", "weights")
AFTER = ("seconds", "why")


class ScoreFile:
    """The rows of `path`, by model and photo. SaveError if that file holds other metrics, another
    protocol or other draws, or something else altogether; it is then left as it is."""

    def __init__(self, path: Path, metrics: Sequence[str], seed: int) -> None:
        self.path = path
        self.columns = (*BEFORE, *metrics, *AFTER)
        self.rows: dict[Key, Row] = {}
        try:
            text = _format_row(path)
            whole = self._read_whole_lines(text)
            for row in self._parse(whole):
                self._refuse_others(row, seed)
                self.rows[row["model"], row["photo"]] = row
            if whole != text or not whole:
                self._replace()
        except OSError as error:
            raise SaveError(
                f"{path} cannot be written: {error.strerror}. Name another file with --out."
            ) from error

    def add(self, row: Row) -> None:
        """Remember one row and append it to the file."""
        self.rows[row["model"], row["photo"]] = row
        with self.path.open("a", newline="", encoding="utf-8", errors="surrogateescape") as file:
            self._make_writer(file).writerow(row)

    def tidy(self, order: Iterable[Key]) -> None:
        """One row each: those of `order` first, then what else there is."""
        keys = dict.fromkeys([*(key for key in order if key in self.rows), *self.rows])
        self.rows = {key: self.rows[key] for key in keys}
        self._replace()

    def _read_whole_lines(self, text: str) -> str:
        """Without a last line that was cut off."""
        if "\n" not in text and not ",".join(self.columns).startswith(text):
            raise SaveError(f"{self.path} is no table of scores. Name another file with --out.")
        return text[: text.rfind("\n") + 1]

    def _parse(self, text: str) -> list[Row]:
        lines = list(csv.reader(io.StringIO(text, newline="")))
        if lines and tuple(lines[0]) != self.columns:
            raise SaveError(
                f"{self.path} has the columns {', '.join(lines[0])}; this evaluation has "
                f"{', '.join(self.columns)}. Ask for the same metrics, or name another file with "
                "--out."
            )
        full = (line for line in lines[1:] if len(line) == len(self.columns))
        return [dict(zip(self.columns, line, strict=True)) for line in full]

    def _refuse_others(self, row: Row, seed: int) -> None:
        if row["protocol"] != protocol.NAME:
            raise SaveError(
                f"{self.path} was scored by the protocol {row['protocol']!r}; this is "
                f"{protocol.NAME!r}. Name another file with --out."
            )
        if row["seed"] not in ("", str(seed)):
            raise SaveError(
                f"{self.path} has colours drawn with --seed {row['seed']}; this is --seed {seed}. "
                "Give the same seed, or name another file with --out."
            )

    def _replace(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with temporary.open(
                "w", newline="", encoding="utf-8", errors="surrogateescape"
            ) as file:
                writer = self._make_writer(file)
                writer.writeheader()
                writer.writerows(self.rows.values())
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _make_writer(self, file: io.TextIOBase) -> csv.DictWriter[str]:
        return csv.DictWriter(file, self.columns, lineterminator="\n")


def _format_row(path: Path) -> str:
    # File names need not be UTF-8: surrogateescape writes back the bytes that they are made of.
    if not path.exists():
        return ""
    return path.read_bytes().decode("utf-8", errors="surrogateescape")
