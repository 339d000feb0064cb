"""python -m benchmarks.frontier --photos ZIP-or-DIR... : what colourfulness costs in accuracy.

A timid picture scores better than a colourful one, so a score at one vividness says little. Of each
model there is a row a vividness, and one more at the vividness that gives the photographs the mean
colourfulness of the truth: there models are compared fairly. That vividness is linear between the
others, and then really measured at.

By `recombine-256`, each figure the mean and 95 % bootstrap interval over the photographs. Those
without colours of their own have nothing to compare with: they are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core import metrics
from colorize_core.evaluate.scoring import HIGHEST_PSNR
from colorize_core.imaging.tone import measure_tone
from colorize_core.metrics import protocol
from colorize_core.metrics.interval import estimate_interval
from colorize_core.options import RANGES
from colorize_core.training.data import Photograph, find_photos

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]
NAMES = ("psnr", "ciede2000", "colourfulness")  # the last is what is compared with the truth's
VIVIDNESS = (0.0, 0.5, 1.0, 1.5, 2.0)
EQUAL = "at the truth's colourfulness"
TIMID = "less colourful than the truth at every vividness"
BOLD = "more colourful than the truth at every vividness"


def in_colour(photos: Iterable[Photograph]) -> tuple[list[Picture], int]:
    """The photographs as the protocol shows them, and how many more have no colours of their own.
    ValueError if none has."""
    squares = [protocol.crop_square(photo.read()) for photo in photos]
    truths = [each for each in squares if measure_tone(each).coloured]
    if not truths:
        raise ValueError("none of the photographs has colours of its own")
    return truths, len(squares) - len(truths)


def scored(picture: Picture, truth: Picture) -> list[float]:
    psnr, *others = (metrics.score(name, picture, truth) for name in NAMES)
    return [min(psnr, HIGHEST_PSNR), *others]


def measure(model: Any, truths: Sequence[Picture], vividness: Sequence[float]) -> Floats:
    """The scores (V, N, 3) of every vividness and photo. Each photo is predicted once."""
    found = []
    for truth in tqdm(truths, model.card.name):
        gray = protocol.to_gray(truth)
        prediction = model.predict(gray)
        pictures = (model.render(gray, prediction, vividness=each) for each in vividness)
        found.append([scored(protocol.recombine(each, truth), truth) for each in pictures])
    return np.array(found).swapaxes(0, 1)


def meeting(vividness: Sequence[float], colours: Sequence[float], wanted: float) -> float | None:
    """The vividness, rising, at which the mean colourfulness is what is wanted, to 3 digits; linear
    between those that were measured, None outside."""
    for (low, less), (high, more) in pairwise(zip(vividness, colours, strict=True)):
        if less <= wanted <= more and less < more:
            return round(low + (high - low) * (wanted - less) / (more - less), 3)
    return None


def rows_of(
    model: Any, truths: Sequence[Picture], vividness: Iterable[float], wanted: float
) -> list[dict[str, str]]:
    """A row a vividness, of which the ends are always some, and that at the truth's colourfulness,
    `wanted`; else the end that comes nearest."""
    levels = sorted({*vividness, *RANGES["vividness"]})
    scores = measure(model, truths, levels)
    colours = scores[..., -1].mean(1).tolist()
    rows = [row(level, "", found) for level, found in zip(levels, scores, strict=True)]
    met = meeting(levels, colours, wanted)
    if met is None:
        end, what = (-1, TIMID) if colours[-1] < wanted else (0, BOLD)
        return [*rows, row(levels[end], what, scores[end])]
    # Measured in a second pass: the predictions of all photographs would fill the memory.
    again = scores[levels.index(met)] if met in levels else measure(model, truths, [met])[0]
    return [*rows, row(met, EQUAL, again)]


def row(vividness: float | None, what: str, scores: Floats) -> dict[str, str]:
    """Of the scores (N, 3) of one vividness."""
    cells = {"vividness": "" if vividness is None else f"{vividness:g}", "what": what}
    for name, values in zip(NAMES, scores.T, strict=True):
        mean, low, high = estimate_interval(values)
        cells |= {name: f"{mean:.3f}", f"{name}_low": f"{low:.3f}", f"{name}_high": f"{high:.3f}"}
    return cells


def main() -> None:
    parser = make_parser(__doc__, photos=True, limit=500, device="auto")
    parser.add_argument("--models", nargs="+", default=["autochrome"])
    parser.add_argument("--vividness", type=float, nargs="+", default=VIVIDNESS)
    arguments = parser.parse_args()
    truths, left_out = in_colour(find_photos(arguments.photos, arguments.limit))
    colours = float(np.mean([metrics.score("colourfulness", truth) for truth in truths]))
    about = {
        "photos": ", ".join(path.name for path in arguments.photos),
        "protocol": protocol.NAME,
        "n": len(truths),
        "without_colours": left_out,
    }
    gray = np.array([scored(protocol.to_gray(truth), truth) for truth in truths])
    found = [{"model": "gray", "weights": ""} | row(None, "", gray)]
    for name in arguments.models:
        model = colorize_core.load(name, arguments.device)
        named = {"model": name, "weights": model.card.digest}
        found += [named | each for each in rows_of(model, truths, arguments.vividness, colours)]
    write("frontier", [about | each | {"truth_colourfulness": f"{colours:.3f}"} for each in found])


if __name__ == "__main__":
    main()
