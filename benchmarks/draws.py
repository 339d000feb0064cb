"""python -m benchmarks.draws --photos ZIP-or-DIR... : how far two draws of a model are apart.

Of every model that draws its colours, the CIEDE2000 between the results of seeds 0 and 1 by
`recombine-256`: mean and 95 % bootstrap interval over a fair sample of the photographs.
"""

from __future__ import annotations

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
from colorize_core.training.data import find_photos

Picture = NDArray[np.uint8]
SEEDS = (0, 1)


def draws(model: Any, truth: Picture) -> tuple[Picture, Picture]:
    """What the model makes of the gray photo with both seeds, on the truth's L."""
    gray = protocol.to_gray(truth)
    *_, last = model.steps(gray, seeds=SEEDS)  # together they take less time
    first, second = (model.render(gray, prediction) for prediction in last.predictions)
    return protocol.recombine(first, truth), protocol.recombine(second, truth)


def main() -> None:
    arguments = make_parser(__doc__, photos=True, limit=100, device="auto").parse_args()
    photos = find_photos(arguments.photos, arguments.limit)
    truths = [protocol.crop_square(photo.read()) for photo in photos]
    rows = []
    for card in (card for card in colorize_core.cards() if card.sampled):
        model = colorize_core.load(card.name, arguments.device)
        apart = [ciede2000(*draws(model, truth)) for truth in tqdm(truths, card.name)]
        measured = zip(
            ("ciede2000", "low", "high"), estimate_interval(np.array(apart)), strict=True
        )
        rows.append(
            {
                "model": card.name,
                "photos": ", ".join(path.name for path in arguments.photos),
                "protocol": protocol.NAME,
                "weights": card.digest,
                "n": len(apart),
            }
            | {name: f"{value:.3f}" for name, value in measured}
        )
    write("draws", rows)


if __name__ == "__main__":
    main()
