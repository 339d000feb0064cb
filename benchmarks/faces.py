"""python -m benchmarks.faces --photos ZIP-or-DIR... : the colours of faces, and false skin.

Faces are found in the photographs in gray, at the size of the protocol. Inside each, an ellipse of
its box, CIEDE2000 against the truth and the mean chroma: of gray, of one fixed function of L as the
colour of all skin, and of the model with and without "natural skin". In photographs of kinds
without people: the share of the pixels that "natural skin" changes. And the time that faces take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from benchmarks.speed import jpeg, opencv_round_trip, ours_on, paired, photo
from colorize_core.imaging.color import lab_to_rgb_in_gamut, rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import delta_e
from colorize_core.metrics.interval import estimate_interval
from colorize_core.models import classification, skin
from colorize_core.people.faces import Face, find_faces
from colorize_core.training.data import find_photos
from colorize_core.training.recipes.segmentation import shows_nobody

INSIDE = 0.4  # half axes of the ellipse in a face, as shares of its box
LEAST_FACE = 20.0  # pixels of the 256 that a photo is wide and high
CHANGED = 2.0  # Lab units of ab over which a pixel counts as changed
FACES = 4  # in the photograph of 1 megapixel that is timed

Picture = NDArray[np.uint8]


def inside(face: Face, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width): whether a pixel is in the middle of the face."""
    x, y = face.center
    rows, cols = np.mgrid[:height, :width]
    across = (cols + 0.5 - x) / (INSIDE * face.width)
    return across**2 + ((rows + 0.5 - y) / (INSIDE * face.height)) ** 2 < 1


def by_lightness(gray: Picture) -> Picture:
    """Everything in the colour that skin has on average at its lightness."""
    lightness = rgb_to_lab(gray.astype(np.float32) / 255)[..., 0]
    mean, _ = skin.load("cpu").interpolate_colours(torch.from_numpy(lightness))
    lab = np.dstack([lightness, mean.numpy()])
    return (lab_to_rgb_in_gamut(lab) * 255 + 0.5).astype(np.uint8)


def score(made: Picture, truth: Picture, faces: list[Face]) -> Iterator[tuple[float, float]]:
    """CIEDE2000 and the chroma of each face."""
    lab, true = (rgb_to_lab(each.astype(np.float32) / 255) for each in (made, truth))
    errors, chroma = delta_e(lab, true), np.hypot(lab[..., 1], lab[..., 2])
    for face in faces:
        mask = inside(face, *truth.shape[:2])
        yield float(errors[mask].mean()), float(chroma[mask].mean())


def compare(
    truths: list[Picture], ways: dict[str, Callable[[Picture], Picture]]
) -> dict[str, NDArray[np.float64]]:
    """Of each way from a gray photo to one in colour, and of the truth: (faces, 2)."""
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in (*ways, "truth")}
    for truth in tqdm(truths, desc="faces"):
        gray = protocol.to_gray(truth)
        faces = [face for face in find_faces(gray) if face.height >= LEAST_FACE]
        if not faces:
            continue
        for name, colorize in ways.items():
            rows[name] += score(protocol.recombine(colorize(gray), truth), truth, faces)
        rows["truth"] += score(truth, truth, faces)
    return {name: np.array(values).reshape(-1, 2) for name, values in rows.items()}


def changed(model: Any, gray: Picture) -> float:
    """The share of the pixels that natural skin gives another colour."""
    with_skin, without = (
        rgb_to_lab(model.colorize(gray, natural_skin=amount).astype(np.float32) / 255)[..., 1:]
        for amount in (1.0, 0.0)
    )
    return float((np.linalg.norm(with_skin - without, axis=-1) > CHANGED).mean())


def group(height: int, width: int) -> Picture:
    """A photo (height, width, 3) in gray with FACES faces, of scikit-image's astronaut (NASA)."""
    half = photo(height // 2, width // 2)
    return np.dstack([np.tile(half, (2, 2))] * 3)


def time_rows(model: Any, runs: int) -> list[dict[str, Any]]:
    """What faces add to 1 megapixel with four of them, and 12 megapixels against their floor."""
    picture = group(864, 1152)
    count = len(find_faces(picture))

    def without() -> None:
        with mock.patch.object(classification, "find_faces", return_value=[]):
            model.colorize(picture)

    ours, bare = paired(lambda: model.colorize(picture), without, runs)
    added = np.median(ours) - np.median(bare)
    data = jpeg(group(3000, 4000)[..., 0])
    whole, floor = paired(ours_on(data), lambda: opencv_round_trip(data), runs)
    ratio = float(np.median(np.array(whole) / np.array(floor)))
    return [
        row("1 megapixel", f"seconds added by {count} faces", runs, float(added)),
        row("1 megapixel", f"seconds with {count} faces", runs, float(np.median(ours))),
        row("12 megapixels", "ratio to OpenCV JPEG and float Lab round trip", runs, ratio),
    ]


def row(
    photos: str, what: str, n: int, mean: float, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    edges = {"low": low, "high": high}
    told = {name: "" if value is None else f"{value:.3f}" for name, value in edges.items()}
    return {"photos": photos, "what": what, "n": n, "mean": f"{mean:.3f}", **told}


def main() -> None:
    parser = make_parser(__doc__, photos=True, limit=500, runs=7)
    parser.add_argument("--skip", type=int, default=0, help="photographs to leave out first")
    arguments = parser.parse_args()
    model = colorize_core.load("autochrome", "cpu")
    members = find_photos(arguments.photos)[arguments.skip :][: arguments.limit]
    truths = [protocol.crop_square(each.read()) for each in members]
    ways: dict[str, Callable[[Picture], Picture]] = {
        "gray": lambda gray: gray,
        "a fixed function of L": by_lightness,
        "autochrome": model.colorize,
        "autochrome without natural skin": lambda gray: model.colorize(gray, natural_skin=0.0),
    }
    rows = []
    name = ", ".join(path.name for path in arguments.photos)
    for way, values in compare(truths, ways).items():
        for what, column in zip(("CIEDE2000", "chroma"), values.T, strict=True):
            rows.append(
                row(name, f"{what} in faces: {way}", len(column), *estimate_interval(column))
            )
    nobody = [truth for each, truth in zip(members, truths, strict=True) if shows_nobody(each.kind)]
    shares = [changed(model, protocol.to_gray(truth)) for truth in tqdm(nobody, desc="nobody")]
    what = "share of the pixels changed, without people"
    rows.append(row(name, what, len(shares), *estimate_interval(np.array(shares))))
    rows += time_rows(model, arguments.runs)
    about = {"model": model.card.name, "weights": model.card.digest, "skin": skin.CARD.digest}
    write("faces", [about | each for each in rows])


if __name__ == "__main__":
    main()
