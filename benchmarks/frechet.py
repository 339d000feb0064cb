"""python -m benchmarks.frechet --photos ZIP-or-DIR... : results/frechet.csv.

The Frechet distance on EfficientNet-Lite0 between photographs and the same photographs, all spoiled
alike, at rising strengths of each distortion: it should rise with every one. The photographs
are fewer than the metric takes, so the figures show an order and compare with nothing else.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from benchmarks.options import make_parser
from benchmarks.perceptual import blur, gray, hue, noise
from benchmarks.results_file import read, write
from colorize_core.metrics import protocol
from colorize_core.metrics.features import make_extractor, split_batches
from colorize_core.metrics.fid import measure_frechet
from colorize_core.metrics.sets import EFFICIENTNET
from colorize_core.training.data import find_photos

DISTORTIONS: dict[str, tuple[Any, tuple[float, ...]]] = {
    "blur": (blur, (0.5, 1, 2, 4)),  # pixels
    "noise": (noise, (4, 8, 16, 32)),  # levels
    "desaturation": (gray, (0.25, 0.5, 0.75, 1)),  # share of the chroma taken away
    "desaturation, finer": (gray, (0.5, 0.7, 0.8, 0.9, 0.95, 1)),
    "hue shift": (hue, (15, 30, 60, 120)),  # degrees in Lab
}


def main() -> None:
    parser = make_parser(__doc__, photos=True)
    parser.add_argument("--limit", type=int, default=500, help="photographs, a fair sample")
    parser.add_argument("--only", choices=DISTORTIONS, help="one row, the others stay")
    arguments = parser.parse_args()
    photos = find_photos(arguments.photos, arguments.limit)
    squares = [protocol.crop_square(photo.read()) for photo in photos]
    see = make_extractor(EFFICIENTNET)
    truth = np.concatenate([see(some) for some in split_batches(squares, 16)])
    rows = []
    for name, (spoil, strengths) in DISTORTIONS.items():
        if arguments.only not in (None, name):
            continue
        found = []
        for strength in tqdm(strengths, name):
            spoiled = (spoil(square, strength) for square in squares)
            features = [see(some) for some in split_batches(spoiled, 16)]
            found.append(measure_frechet(np.concatenate(features), truth))
        rows.append(
            {
                "extractor": EFFICIENTNET,
                "distortion": name,
                "n": len(squares),
                "strengths": " ".join(f"{strength:g}" for strength in strengths),
                "distances": " ".join(f"{value:.4g}" for value in found),
                "rises": str(all(a < b for a, b in itertools.pairwise(found))),
            }
        )
    kept = [row for row in read("frechet") if row["distortion"] != arguments.only]
    write("frechet", rows, kept if arguments.only else ())


if __name__ == "__main__":
    main()
