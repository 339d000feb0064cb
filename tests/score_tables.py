"""Files of scores for the tests: few photos and models, with numbers that can be worked out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from colorize_core.evaluate.score_file import AFTER, BEFORE
from colorize_core.metrics import protocol

PHOTOS = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
METRICS = ("psnr", "ciede2000", "lpips-squeeze", "colourfulness", "colourfulness-difference")
TRUTH = 40.0  # colourfulness of every photo
WHY = "lpips-squeeze: The trunk cannot be had: no network"
# Model -> CIEDE2000 of each photo, its colourfulness, and its seconds.
SCORES = {
    "gray": ((10, 12, 8, 10), 0.0, 0.003),
    "mean": ((11, 11, 9, 11), 8.0, 0.003),
    "autochrome": ((6, 9, 9, 8), 25.0, 0.05),
    "coltran": ((12, 14, 10, 16), 30.0, 12.0),
}


def rows(models: Iterable[str] = SCORES) -> list[dict[str, str]]:
    """As colorize_core.evaluate writes them."""
    return [
        {
            "model": model,
            "photo": photo,
            "protocol": protocol.NAME,
            "seed": "0" if model == "coltran" else "",
            "weights": "",
            "psnr": str(40 - error),
            "ciede2000": str(error),
            "lpips-squeeze": "",
            "colourfulness": str(SCORES[model][1]),
            "colourfulness-difference": str(SCORES[model][1] - TRUTH),
            "seconds": str(SCORES[model][2]),
            "why": WHY,
        }
        for model in models
        for photo, error in zip(PHOTOS, SCORES[model][0], strict=True)
    ]


def write(path: Path, table: Sequence[dict[str, str]]) -> Path:
    """A CSV file whose columns are those of the first row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return path


def run(path: Path, models: Iterable[str] = SCORES) -> Path:
    """A person's own evaluation."""
    table = rows(models)
    assert tuple(table[0]) == (*BEFORE, *METRICS, *AFTER)
    return write(path, table)
