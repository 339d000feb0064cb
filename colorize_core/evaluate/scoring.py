"""The metrics of an evaluation: which can be had here, and the cells of one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from colorize_core import metrics
from colorize_core.errors import WeightsError

HIGHEST_PSNR = 100.0  # equal pictures, as a gray photo and its gray copy, would make means infinite
NO_TRUTH = "no ground truth: the photo has no colours of its own"


class Judge:
    """Scores pictures by metrics. Loading their networks is tried here, once for each trunk:
    `missing` says of a metric why it cannot be had. Raises OptionError or DeviceError."""

    def __init__(self, names: Sequence[str], device: str) -> None:
        self.names = tuple(names)
        self.device = device
        self.missing: dict[str, str] = {}
        failed: dict[str, str] = {}
        for metric in map(metrics.find, names):
            trunk = metric.download or metric.name  # several metrics may share a download
            if trunk not in failed:
                try:
                    metrics.prepare(metric.name, device)
                    continue
                except WeightsError as error:
                    failed[trunk] = str(error)
            self.missing[metric.name] = failed[trunk]

    def score_cells(
        self, picture: NDArray[np.uint8], truth: NDArray[np.uint8], coloured: bool
    ) -> tuple[dict[str, str], list[str]]:
        """Every metric's cell, and reasons for those that are empty. Where the truth is not
        `coloured`, nothing is compared with it."""
        cells, reasons = dict.fromkeys(self.names, ""), []
        for name in self.names:
            if name in self.missing:
                # What there is not; why, and what to do, is told to who asks for the scores. It
                # holds for this machine, with paths of it, and the scores may be read elsewhere.
                reasons.append(f"{name}: {self.missing[name].split('. ')[0].partition(': ')[0]}")
            elif metrics.find(name).needs_truth and not coloured:
                reasons.append(NO_TRUTH)
            else:
                value = metrics.score(name, picture, truth, device=self.device)
                if math.isnan(value):
                    reasons.append(f"{name} is not defined for this photo")
                else:
                    cells[name] = f"{min(value, HIGHEST_PSNR) if name == 'psnr' else value:.6g}"
        return cells, list(dict.fromkeys(reasons))

    def can_fill(self, row: dict[str, str]) -> bool:
        """Whether a metric is to be had now that was missing when the row was written."""
        return any(
            not row[name] and f"{name}: " in row["why"]
            for name in self.names
            if name not in self.missing
        )
