"""python -m benchmarks.reference --photos ZIP-or-DIR... : does a reference photo help, or harm?

Each photograph, gray, is coloured with and without a reference: its own mirror image, another crop
of it (each has 70 % of its side, from opposite corners), its left half for the right half, and
another photograph, drawn at random. CIEDE2000 without and with it, the gain, the share of
photographs that got worse by more than 0.3, and how many of them got any hints. Ctrl+C ends it
early.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.interval import estimate_interval
from colorize_core.training.data import find_photos, select_reporting

WORSE = 0.3  # CIEDE2000
Picture = NDArray[np.uint8]


def make_pairs(truth: Picture, other: Picture) -> dict[str, tuple[Picture, Picture]]:
    """What is coloured, and its reference."""
    side, middle = round(0.7 * protocol.SIDE), protocol.SIDE // 2
    crop = protocol.crop_square
    return {
        "mirror image": (truth, np.ascontiguousarray(truth[:, ::-1])),
        "another crop": (crop(truth[:side, :side]), crop(truth[-side:, -side:])),
        "left half": (crop(truth[:, middle:]), crop(truth[:, :middle])),
        "another photograph": (truth, other),
    }


def measure(model: Any, truth: Picture, reference: Picture) -> tuple[float, float, bool]:
    """CIEDE2000 without and with the reference, and whether it gave hints."""
    gray = protocol.to_gray(truth)
    free = model.predict(gray)
    hints = model.match_reference(gray, reference, prediction=free)
    scores = [
        ciede2000(protocol.recombine(model.render(gray, each), truth), truth)
        for each in (free, model.guide(gray, free, hints))
    ]
    return scores[0], scores[1], bool(hints)


def main() -> None:
    arguments = make_parser(__doc__, photos=True, model=True, limit=100).parse_args()
    model = colorize_core.load(arguments.model, device="cpu")
    members = select_reporting(find_photos(arguments.photos))[: arguments.limit]
    every: dict[str, list[tuple[float, float, bool]]] = {}
    with suppress(KeyboardInterrupt):  # what is measured by then is reported
        for member, another in zip(tqdm(members), [*members[1:], *members[:1]], strict=True):
            photos = [protocol.crop_square(each.read()) for each in (member, another)]
            for name, pair in make_pairs(photos[0], photos[1]).items():
                every.setdefault(name, []).append(measure(model, *pair))
    rows = []
    for name, found in every.items():
        without, guided, hinted = np.array(found, float).T
        mean, low, high = estimate_interval(without - guided)
        rows.append(
            {
                "reference": name,
                "n": len(found),
                "protocol": protocol.NAME,
                "without": f"{without.mean():.3f}",
                "with": f"{guided.mean():.3f}",
                "gain": f"{mean:.3f}",
                "gain_low": f"{low:.3f}",
                "gain_high": f"{high:.3f}",
                "worse": f"{(guided > without + WORSE).mean():.3f}",
                "hinted": f"{hinted.mean():.3f}",
                "model": arguments.model,
                "weights": model.card.digest,
            }
        )
    write("reference", rows)


if __name__ == "__main__":
    main()
