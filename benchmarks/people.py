"""python -m benchmarks.people --masks ZIP --photos ZIP-or-DIR... : how well people are found.

Intersection over union of the mask with the true one, on photographs of people that the network was
not trained on, and on those of tests/hand_masks.py that show somebody; GrabCut's first guess beside
it. The share of photographs without people that is taken for some.
"""

from __future__ import annotations

import io
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm.auto import tqdm

from benchmarks.options import make_parser
from benchmarks.results_file import write
from benchmarks.selective import overlap
from colorize_core import selective
from colorize_core.imaging.resampling import resize
from colorize_core.metrics.interval import estimate_interval
from colorize_core.selective.people import PEOPLE
from colorize_core.training.data import find_photos
from colorize_core.training.recipes.segmentation import HELD_BACK, find_people, shows_nobody
from tests import hand_masks

ENLARGED = 4  # times; the photographs have 128 pixels along their shorter side
DRAWN = ("astronaut", "camera")  # of the pictures with hand-drawn masks, those of people
Pair = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def found(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    layers = selective.find_classes(photo, network=PEOPLE.name, device="cpu")
    return layers[0].mask > 0.5 if layers else np.zeros(photo.shape[:2], bool)


def guessed(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return selective.grabcut(photo) > 0.5


def opened(data: bytes) -> NDArray[np.uint8]:
    """In gray, enlarged: edges are looked for at the size of a screen."""
    with Image.open(io.BytesIO(data)) as picture:
        size = (ENLARGED * picture.width, ENLARGED * picture.height)
        return np.asarray(picture.convert("L").resize(size, Image.Resampling.BICUBIC))


def held_back(archive: Path) -> list[Pair]:
    """In gray."""
    return [
        (np.dstack([opened(photo)] * 3), opened(mask) > 127)
        for photo, mask in find_people([archive])[::HELD_BACK]
    ]


def drawn() -> list[Pair]:
    return [(hand_masks.photograph(name), hand_masks.truth(name)) for name in DRAWN]


def nobody(sources: list[Path], limit: int) -> list[NDArray[np.uint8]]:
    """In gray."""
    members = [each for each in find_photos(sources) if shows_nobody(each.kind)]
    return [np.dstack([opened(each.load())] * 3) for each in members[:limit]]


def row(photos: str, what: str, values: list[float], seconds: str) -> dict[str, Any]:
    mean, low, high = estimate_interval(np.array(values))
    told = {"mean": f"{mean:.3f}", "low": f"{low:.3f}", "high": f"{high:.3f}"}
    return {"photos": photos, "n": len(values), "what": what, **told, "seconds": seconds}


def main() -> None:
    parser = make_parser(__doc__, photos=True)
    parser.add_argument("--masks", type=Path, required=True, metavar="ZIP")
    parser.add_argument("--limit", type=int, default=300, help="photographs without people")
    arguments = parser.parse_args()
    rows = []
    for name, known in (
        ("that were held back", held_back(arguments.masks)),
        ("of others, with masks drawn by hand", drawn()),
    ):
        scores: dict[str, list[float]] = {"IoU": [], "IoU of GrabCut's first guess": []}
        seconds = []
        for photo, truth in tqdm(known, desc=name):
            for what, find in zip(scores, (found, guessed), strict=True):
                start = time.perf_counter()
                mask = resize(find(photo).astype(np.float32), *truth.shape) > 0.5
                if find is found:
                    seconds.append(time.perf_counter() - start)
                scores[what].append(overlap(mask, truth))
        took = f"{statistics.median(seconds):.3f}"
        rows += [row(name, what, values, took) for what, values in scores.items()]
    others = [
        float(found(photo).mean()) for photo in tqdm(nobody(arguments.photos, arguments.limit))
    ]
    rows.append(row("without people", "share taken for people", others, ""))
    write("people", rows)


if __name__ == "__main__":
    main()
