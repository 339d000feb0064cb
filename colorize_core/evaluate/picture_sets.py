"""Models over many photographs by metrics of all pictures together, with `recombine-256`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.cards import SEED
from colorize_core.evaluate.run import load_photo
from colorize_core.evaluate.score_file import Row
from colorize_core.metrics import protocol, sets
from colorize_core.metrics.baselines import BASELINES, make_baseline
from colorize_core.metrics.features import make_extractor, split_batches
from colorize_core.models.registry import cards, load
from colorize_core.row_file import RowFile
from colorize_core.training.data import Photograph

Picture = NDArray[np.uint8]
COLUMNS = (
    "model", "protocol", "seed", "weights", "n", "metric", "extractor", "value", "deviation"
)  # fmt: skip
BATCH = 16


class SetFile:
    """The CSV file of such scores: a row a model and metric, the later of two counting. SaveError
    where it is another file or cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, str], Row] = {}
        self._file = RowFile(path, COLUMNS, self._refuse, "Name another file with --out.")
        with self._file.lock():
            self._read()
            if self._file.cut_off or not self._file.appendable:
                self._file.rewrite(self._list_cells())

    def add(self, row: Row) -> None:
        with self._file.lock():
            self._read()
            self.rows[row["model"], row["metric"]] = row
            self._file.rewrite(self._list_cells())

    def _list_cells(self) -> list[list[str]]:
        return [[row[column] for column in COLUMNS] for row in self.rows.values()]

    def _read(self) -> None:
        for cells in self._file.read_new():
            row = dict(zip(COLUMNS, cells, strict=True))
            self.rows[row["model"], row["metric"]] = row

    def _refuse(self, found: Sequence[str]) -> str:
        return (
            f"{self.path} has the columns {', '.join(found)}; --set-metrics writes "
            f"{', '.join(COLUMNS)}. Name another file with --out."
        )


class SetEvaluation:
    """What is left to do of models over the photographs that have colours, given what `file` has.

    Raises OptionError where these are too few, and what the extractors raise where their networks
    cannot be had.
    """

    def __init__(
        self,
        photos: Sequence[Photograph],
        models: Sequence[str],
        names: Sequence[str],
        file: SetFile,
        *,
        device: str = "cpu",
        seed: int = 0,
        report: Callable[[str, int], Any] = lambda model, done: None,
    ) -> None:
        sets.refuse_few(len(photos))
        self.photos, self.models, self.file = photos, models, file
        self.metrics = [sets.find(name) for name in names]
        self.device, self.seed, self.report = device, seed, report
        self.digests = dict.fromkeys(models, "") | {
            card.name: card.digest for card in cards(downloads=True)
        }
        wanted = dict.fromkeys(metric.extractor for metric in self.metrics)
        self.extractors = {name: make_extractor(name, device) for name in wanted}

    def run(self) -> Iterator[Row]:
        """Every row that is still to do, as it is added to the file. A model that fails raises."""
        truths = self._extract("truth", (seen.truth for seen in self._look()))
        count = len(next(iter(truths.values())))
        sets.refuse_few(count)
        for model in self.models:
            seed = self._read_seed(model)
            about = {"model": model, "protocol": protocol.NAME, "seed": seed, "n": str(count)}
            about["weights"] = self.digests[model]
            left = [metric for metric in self.metrics if not self._is_done(about, metric.name)]
            if not left:
                continue
            found = self._extract(model, self._make_pictures(model))
            for metric in left:
                value, deviation = metric.measure(found[metric.extractor], truths[metric.extractor])
                row = about | {
                    "metric": metric.name,
                    "extractor": metric.extractor,
                    "value": f"{value:.6g}",
                    "deviation": "" if deviation is None else f"{deviation:.3g}",
                }
                self.file.add(row)
                yield row

    def _read_seed(self, model: str) -> str:
        card = {card.name: card for card in cards(downloads=True)}.get(model)
        return str(self.seed) if card and card.sampled else ""

    def _is_done(self, about: Row, metric: str) -> bool:
        row = self.file.rows.get((about["model"], metric), {})
        return all(row.get(name) == value for name, value in about.items())

    def _look(self) -> Iterator[Any]:
        """The photographs as the protocol shows them, those with colours."""
        for photo in self.photos:
            seen = load_photo(photo)
            if seen.coloured:
                yield seen

    def _make_pictures(self, model: str) -> Iterator[Picture]:
        if model in BASELINES:
            for seen in self._look():
                yield make_baseline(model, seen.truth)
            return
        colorizer: Any = load(model, self.device)
        options: dict[str, Any] = {SEED.name: self.seed} if colorizer.card.sampled else {}
        for seen in self._look():
            yield protocol.recombine(colorizer.colorize(seen.gray, **options), seen.truth)

    def _extract(self, model: str, pictures: Iterator[Picture]) -> dict[str, NDArray[np.float32]]:
        found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self.extractors}
        done = 0
        for some in split_batches(pictures, BATCH):
            for name, see in self.extractors.items():
                found[name].append(see(some))
            done += len(some)
            self.report(model, done)
        empty = np.zeros((0, 1), np.float32)
        return {name: np.concatenate(parts) if parts else empty for name, parts in found.items()}


def make_set_table(rows: Sequence[Row]) -> str:
    """A line a model and metric, as they are printed."""
    shown = [("model", "n", "metric", "extractor", "value")]
    for row in rows:
        value = row["value"] + (f" ± {row['deviation']}" if row["deviation"] else "")
        shown.append((row["model"], row["n"], row["metric"], row["extractor"], value))
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in shown)
