"""python -m benchmarks.quality --photos ZIP-or-DIR... : colour quality by `recombine-256`.

Gray, the mean colour, the truth and every model, each with the mean and the 95 % bootstrap interval
of every metric. --sheet also draws a contact sheet of gray, results and truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tqdm.auto import tqdm

import colorize_core
from benchmarks.results_file import write
from colorize_core import weights
from colorize_core.color import rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.metrics.psnr import psnr
from colorize_core.training.data import find_photos
from colorize_core.training.pictures import contact_sheet

Picture = NDArray[np.uint8]
Method = Callable[[Picture, Picture], Picture]  # gray photo and truth -> what is scored


def methods(names: list[str], device: str) -> dict[str, Method]:
    """Name -> a function of the gray photo and the truth."""

    average = mean_colour()

    def mean(_: Picture, truth: Picture) -> Picture:
        lab = rgb_to_lab(truth.astype(np.float32) / 255)
        ab = np.zeros_like(lab[..., 1:]) + average
        return protocol.with_ab(lab[..., :1], ab)

    table: dict[str, Method] = {
        "gray": lambda gray, _: gray,
        "mean": mean,
        "truth": lambda _, truth: truth,
    }
    for name in names:
        model = colorize_core.load(name, device)
        table[name] = _scored(model)
    return table


def mean_colour() -> NDArray[np.float32]:
    """The mean ab of the training photographs, as the built-in model's weight file knows it."""
    path = weights.find(colorize_core.cards()[0].weights[0])
    with safe_open(path, "np") as file:
        frequency = np.exp(file.get_tensor("bins.log_prior").astype(np.float32))
        return frequency @ file.get_tensor("bins.points").astype(np.float32) / frequency.sum()


def _scored(model: colorize_core.Colorizer) -> Method:
    return lambda gray, truth: protocol.recombined(model.colorize(gray), truth)


def summary(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean and 95 % bootstrap interval over photos."""
    draws = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    low, high = np.percentile(values[draws].mean(1), (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


def scores(picture: Picture, truth: Picture) -> dict[str, float]:
    return {
        "psnr": min(psnr(picture, truth), 100.0),  # the truth itself would be infinite
        "ciede2000": ciede2000(picture, truth),
        "colourfulness": colourfulness(picture),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--models", nargs="+", default=[card.name for card in colorize_core.cards()]
    )
    parser.add_argument("--limit", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sheet", type=Path, help="PNG to draw of the first 24 photos")
    parser.add_argument("--name", default="quality", help="results/NAME.csv")
    arguments = parser.parse_args()
    truths = [
        protocol.square(photo.read()) for photo in find_photos(arguments.photos, arguments.limit)
    ]
    names = ", ".join(path.name for path in arguments.photos)
    results: dict[str, list[Picture]] = {}
    rows = []
    for name, method in methods(arguments.models, arguments.device).items():
        results[name] = [method(protocol.to_gray(truth), truth) for truth in tqdm(truths, name)]
        pairs = zip(results[name], truths, strict=True)
        table = [scores(picture, truth) for picture, truth in pairs]
        row: dict[str, object] = {"model": name, "photos": names, "protocol": protocol.NAME}
        row["n"] = len(table)
        for metric in table[0]:
            mean, low, high = summary(np.array([line[metric] for line in table]))
            row |= {metric: f"{mean:.3f}", f"{metric}_low": f"{low:.3f}"}
            row[f"{metric}_high"] = f"{high:.3f}"
        rows.append(row)
    write(arguments.name, rows)
    if arguments.sheet:
        columns = [results[name] for name in ("gray", *arguments.models, "truth")]
        pictures = [list(line) for line in zip(*columns, strict=True)][:24]
        contact_sheet(pictures, arguments.sheet, across=3)


if __name__ == "__main__":
    main()
