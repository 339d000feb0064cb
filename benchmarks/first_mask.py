"""python -m benchmarks.first_mask PHOTOS... : whether the first mask holds the faces of people.

PHOTOS are folders or zips of photographs in which people may be. Of each in which a face is found:
how much of the faces' ellipses GrabCut's guess holds, and the mask of the network for people. The
first mask, selective.find_subject(), is that network's with the very ellipses put in, so that its
share shows only that they are. Beside it how much of the photograph each mask is, as all of it
would hold every face; and the intersection over union with masks drawn by hand, most of which are
of no people; one of its settings was chosen on these.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from benchmarks.options import make_parser
from benchmarks.results_file import write
from benchmarks.selective import overlap
from colorize_core import selective
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Picture
from colorize_core.metrics.interval import estimate_interval
from colorize_core.people.faces import find_faces
from colorize_core.selective import Mask, masks
from colorize_core.selective.people import PEOPLE
from colorize_core.training.data import find_photos
from tests import hand_masks

FACES = "share of the faces that it holds"
WHOLE = "share of the photograph that it is"
DRAWN = "IoU with masks drawn by hand"


def find_people(photo: Picture) -> Mask:
    """The network for people alone; nothing where it finds nobody."""
    layers = selective.find_classes(photo, network=PEOPLE.name, device="cpu")
    return layers[0].mask if layers else np.zeros(photo.shape[:2], np.float32)


def find_subject(photo: Picture) -> Mask:
    return selective.find_subject(photo, device="cpu")


KINDS: dict[str, Callable[[Picture], Mask]] = {
    "GrabCut's guess": selective.grabcut,
    "network for people": find_people,
    "first mask": find_subject,
}


def measure(photo: Picture) -> list[tuple[float, float]] | None:
    """Of each kind the two shares; None of a photograph without a face."""
    seen = masks.shrink_to_screen(photo)
    inside = selective.cover_faces(find_faces(seen), seen.shape[:2]) > 0.5
    if not inside.any():
        return None
    made: list[NDArray[Any]] = [find(seen) for find in KINDS.values()]
    return [(float(mask[inside].mean()), float(mask.mean())) for mask in made]


def compare_drawn(find: Callable[[Picture], Mask], name: str) -> float:
    truth = hand_masks.truth(name)
    return overlap(resize(find(hand_masks.photograph(name)), *truth.shape) > 0.5, truth)


def make_row(kind: str, what: str, values: NDArray[np.float64]) -> dict[str, Any]:
    mean, low, high = estimate_interval(values)
    told = {"mean": f"{mean:.3f}", "low": f"{low:.3f}", "high": f"{high:.3f}"}
    return {"mask": kind, "what": what, "n": len(values), **told}


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS")
    arguments = parser.parse_args()
    photos = find_photos(arguments.photos)
    found = [each for photo in tqdm(photos) if (each := measure(photo.read())) is not None]
    values = np.array(found)  # (photographs with faces, kinds, 2)
    rows = []
    for place, kind in enumerate(KINDS):
        for which, what in enumerate((FACES, WHOLE)):
            rows.append(make_row(kind, what, values[:, place, which]))
    for kind in ("GrabCut's guess", "first mask"):
        scores = [compare_drawn(KINDS[kind], name) for name in hand_masks.PICTURES]
        rows.append(make_row(kind, DRAWN, np.array(scores)))
    write("first_mask", rows)


if __name__ == "__main__":
    main()
