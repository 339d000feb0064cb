"""python -m benchmarks.hints --photos ZIP-or-DIR... : is a single colour hint obeyed?

In each photo one point gets one hint of a foreign colour: the hue that the model gave it, turned by
90 to 270 degrees, with a chroma of 35. Measured is how far the ab moves along the way from the old
colour to the hinted one, as far as sRGB has that at the photo's L: 1 is what the picture would show
with the hinted colour everywhere. At the hint, over its object, beside the object and elsewhere.
`painted`: the same at the hint against the colour that was asked for, whether sRGB has it or not,
with that colour everywhere: no model can do better by that measure.
The object is what has the same true colour and is connected with the hint. And the time that a
changed hint takes on a photo of 1 megapixel, from the hint to the picture.
"""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from benchmarks.speed import photo
from colorize_core.imaging.color import combine_ab, rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.interval import estimate_interval
from colorize_core.steering.hints import Hint
from colorize_core.training.data import find_photos

CHROMA = 35.0
RADIUS = 0.015  # of a hint, as a share of the photo's longer side
FAR = 64  # pixels of the 256 that a photo is wide and high
LEAST_OBJECT, MOST_OBJECT = 0.02, 0.4  # share of the photo: a hint needs an object to recolour


def object_at(truth: NDArray[np.uint8], row: int, col: int) -> NDArray[np.bool_]:
    """The connected region around a point with about its true colour."""
    lab = cv2.GaussianBlur(rgb_to_lab(truth.astype(np.float32) / 255), (0, 0), 3)
    mask = np.zeros((truth.shape[0] + 2, truth.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY
    cv2.floodFill(np.ascontiguousarray(lab), mask, (col, row), 0, (25, 8, 8), (25, 8, 8), flags)
    return mask[1:-1, 1:-1] > 0


def ab_of(model: Any, gray: NDArray[np.uint8], hints: list[Hint]) -> NDArray[np.float32]:
    return rgb_to_lab(model.colorize(gray, hints=hints).astype(np.float32) / 255)[..., 1:]


def measure(model: Any, truth: NDArray[np.uint8], random: Any) -> dict[str, float] | None:
    """The moves in one photo; None if the point drawn lies in no object of a fitting size."""
    row, col = random.integers(16, protocol.SIDE - 16, 2)
    region = object_at(truth, int(row), int(col))
    if not LEAST_OBJECT < region.mean() < MOST_OBJECT:
        return None
    gray = protocol.to_gray(truth)
    before = ab_of(model, gray, [])
    hue = np.arctan2(*before[row, col, ::-1]) + random.uniform(np.pi / 2, 3 * np.pi / 2)
    wanted = CHROMA * np.array([np.cos(hue), np.sin(hue)])
    last = protocol.SIDE - 1
    hint = Hint(col / last, row / last, (float(wanted[0]), float(wanted[1])), RADIUS)
    way = paint(gray, wanted) - before
    length = np.linalg.norm(way, axis=-1)
    unit = way / np.maximum(length, 1e-6)[..., None]
    move = ((ab_of(model, gray, [hint]) - before) * unit).sum(-1)
    asked = wanted - before[row, col]
    y, x = np.mgrid[: protocol.SIDE, : protocol.SIDE]
    away = np.hypot(y - row, x - col)
    return {
        "at_hint": _share(move, length, away < 4),
        "object": _share(move, length, region),
        "beside": _share(np.abs(move), length, ~region & (away <= FAR)),
        "elsewhere": _share(np.abs(move), length, ~region & (away > FAR)),
        "painted": float((way[away < 4] @ asked).mean() / (asked @ asked)),
    }


def paint(gray: NDArray[np.uint8], ab: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """ab of the photo with one colour everywhere, as far as sRGB has it at each L."""
    lightness = rgb_to_lab(gray.astype(np.float32) / 255)[..., :1]
    painted = combine_ab(lightness, np.broadcast_to(ab, (*gray.shape[:2], 2)))
    return rgb_to_lab(painted.astype(np.float32) / 255)[..., 1:]


def time_change(model: Any, runs: int = 15) -> float:
    """Median seconds."""
    gray = np.dstack([photo(864, 1152)] * 3)
    prediction, seconds = model.predict(gray), []
    for run in range(runs):
        hint = Hint(0.2 + 0.04 * run, 0.7, (30.0, 20.0), RADIUS)
        start = time.perf_counter()
        model.render(gray, model.guide(gray, prediction, [hint]))
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def _share(
    move: NDArray[np.floating[Any]], length: NDArray[np.floating[Any]], where: NDArray[np.bool_]
) -> float:
    total = float(length[where].sum())
    return float(move[where].sum()) / total if total else 0.0  # an object may fill what is near it


def main() -> None:
    arguments = make_parser(__doc__, photos=True, model=True, limit=400).parse_args()
    model = colorize_core.load(arguments.model)
    random = np.random.default_rng(0)
    moves = []
    for member in tqdm(find_photos(arguments.photos, arguments.limit)):
        if found := measure(model, protocol.crop_square(member.read()), random):
            moves.append(found)
    row: dict[str, Any] = {
        "model": arguments.model,
        "photos": ", ".join(path.name for path in arguments.photos),
        "n": len(moves),
        "weights": model.card.digest,
        "seconds": f"{time_change(model):.3f}",
    }
    for name in moves[0]:
        mean, low, high = estimate_interval(np.array([move[name] for move in moves]))
        row |= {name: f"{mean:.3f}", f"{name}_low": f"{low:.3f}", f"{name}_high": f"{high:.3f}"}
    write("hints", [row])


if __name__ == "__main__":
    main()
