"""python -m benchmarks.quality --photos ZIP-or-DIR... : colour quality by `recombine-256`.

Gray, the mean colour, the truth and every model, each with the mean and the 95 % bootstrap interval
of every metric. Of a model that draws its colours the first of two draws is scored; seed_ciede2000
is how far the other is from it. --sheet also draws a contact sheet of gray, results and truth.

Drawing is slow. Unless named, such models are left out; fewer photos do for them:
  --models coltran diffusion --limit 150 --name quality-sampled
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.results_file import write
from colorize_core.metrics import protocol
from colorize_core.metrics.baselines import one_colour
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.metrics.interval import summary
from colorize_core.metrics.mean_chroma import mean_chroma
from colorize_core.metrics.psnr import psnr
from colorize_core.training.data import find_photos
from colorize_core.training.pictures import contact_sheet

Picture = NDArray[np.uint8]
# Gray photo and truth -> what is scored, and another draw where colours are drawn.
Method = Callable[[Picture, Picture], tuple[Picture, ...]]


def methods(names: list[str], device: str) -> dict[str, Method]:
    """Name -> a function of the gray photo and the truth."""
    table: dict[str, Method] = {
        "gray": lambda gray, _: (gray,),
        "mean": lambda _, truth: (one_colour(truth),),
        "truth": lambda _, truth: (truth,),
    }
    for name in names:
        table[name] = scored(colorize_core.load(name, device))
    return table


def scored(model: Any) -> Method:
    def draws(gray: Picture) -> Iterator[Picture]:
        if not model.card.sampled:
            yield model.colorize(gray)
            return
        *_, last = model.steps(gray, seeds=(0, 1))  # together they take less time
        yield from (model.render(gray, prediction) for prediction in last.predictions)

    return lambda gray, truth: tuple(protocol.recombined(each, truth) for each in draws(gray))


def scores(picture: Picture, truth: Picture) -> dict[str, float]:
    return {
        "psnr": min(psnr(picture, truth), 100.0),  # the truth itself would be infinite
        "ciede2000": ciede2000(picture, truth),
        "colourfulness": colourfulness(picture),
        "chroma": mean_chroma(picture),
    }


def measured(values: list[float], name: str) -> dict[str, str]:
    """The columns of one metric, empty where there are no values."""
    numbers = [f"{value:.3f}" for value in summary(np.array(values))] if values else [""] * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), numbers, strict=True))


def row_of(drawn: list[tuple[Picture, ...]], truths: list[Picture]) -> dict[str, Any]:
    """How many photos, and every metric's columns."""
    table = [scores(first, truth) for (first, *_), truth in zip(drawn, truths, strict=True)]
    row: dict[str, Any] = {"n": len(table)}
    for metric in table[0]:
        row |= measured([line[metric] for line in table], metric)
    apart = [ciede2000(*pair) for pair in drawn if len(pair) == 2]
    return row | measured(apart, "seed_ciede2000")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--models",
        nargs="+",
        default=[card.name for card in colorize_core.cards() if not card.sampled],
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
        drawn = [method(protocol.to_gray(truth), truth) for truth in tqdm(truths, name)]
        results[name] = [first for first, *_ in drawn]
        about = {"model": name, "photos": names, "protocol": protocol.NAME}
        rows.append(about | row_of(drawn, truths))
    write(arguments.name, rows)
    if arguments.sheet:
        columns = [results[name] for name in ("gray", *arguments.models, "truth")]
        pictures = [list(line) for line in zip(*columns, strict=True)][:24]
        contact_sheet(pictures, arguments.sheet, across=3)


if __name__ == "__main__":
    main()
