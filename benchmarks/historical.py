"""python -m benchmarks.historical --photos ZIP-or-DIR... : how colourful real old photographs get.

They have no truth to score against. Of each model and vividness: the median, least and greatest
colourfulness of the results at full size. `--sheet PNG` shows each photo in gray beside its
results, with their names and colourfulness.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging.captions import draw_captioned_grid
from colorize_core.imaging.resampling import resize
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.training.data import find_photos

Picture = NDArray[np.uint8]
WIDTH = 320  # pixels that each picture has on the sheet


class Result(NamedTuple):
    shown: Picture  # as wide as the sheet shows it
    colours: float  # at full size


def results(model: Any, photo: Picture, vividness: Sequence[float]) -> list[Result]:
    """Of every vividness; the photo is predicted once."""
    prediction = model.predict(photo)
    pictures = (model.render(photo, prediction, vividness=each) for each in vividness)
    return [Result(fitted(picture), colourfulness(picture)) for picture in pictures]


def fitted(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    return resize(picture, max(1, round(height * WIDTH / width)), WIDTH)


def row(colours: Sequence[float]) -> dict[str, Any]:
    """Of one colourfulness a photo."""
    found = {"median": np.median(colours), "least": min(colours), "greatest": max(colours)}
    return {"n": len(colours)} | {name: f"{value:.2f}" for name, value in found.items()}


def strip(photo: Picture, name: str, made: dict[str, Result]) -> Picture:
    """A photo and what was made of it, side by side, with words under each."""
    gray = fitted(photo)
    pictures = [gray, *(result.shown for result in made.values())]
    words = [(label, f"colourfulness {result.colours:.1f}") for label, result in made.items()]
    size = (gray.shape[1], gray.shape[0])
    return draw_captioned_grid(pictures, [(name,), *words], size, columns=len(pictures))


def main() -> None:
    parser = make_parser(__doc__, photos=True, device="auto")
    parser.add_argument("--models", nargs="+", default=["autochrome"])
    parser.add_argument("--vividness", type=float, nargs="+", default=[1.0])
    parser.add_argument("--sheet", type=Path, metavar="PNG")
    arguments = parser.parse_args()
    found = sorted(find_photos(arguments.photos), key=lambda photo: photo.name)
    photos = {photo.name: photo.read() for photo in found}
    made: dict[str, dict[str, Result]] = {name: {} for name in photos}
    rows = []
    for name in arguments.models:
        model = colorize_core.load(name, arguments.device)
        labels = [f"{name}, vividness {level:g}" for level in arguments.vividness]
        for photo, pixels in tqdm(photos.items(), name):
            made[photo] |= zip(labels, results(model, pixels, arguments.vividness), strict=True)
        about = {
            "model": name,
            "photos": ", ".join(path.name for path in arguments.photos),
            "weights": model.card.digest,
        }
        for level, label in zip(arguments.vividness, labels, strict=True):
            colours = [each[label].colours for each in made.values()]
            rows.append(about | {"vividness": f"{level:g}"} | row(colours))
    if arguments.sheet:
        strips = [strip(photos[name], name, each) for name, each in made.items()]
        Image.fromarray(np.concatenate(strips)).save(arguments.sheet)
    write("historical", rows)


if __name__ == "__main__":
    main()
