"""python -m benchmarks.prepare --photos ZIP-or-DIR... [--old DIR] : what preparing scans brings.

*Damage*, drawn on clean photographs (drawn_damage.py): the shares of the damaged pixels that are
found, of each kind, and of clean pixels that are marked, also on the photographs before any was
drawn; the error of L in damaged places, before and after filling (root mean square); CIEDE2000 of
the colours against the true ones without damage, with it, and with it prepared. Small photographs
are enlarged to a shorter side of SIDE pixels and get grain; `--old` are old ones of their own size,
of which every second has taken part in learning what damage is and the others count here. They have
damage of their own, which counts as falsely marked.

*Screens* of newspaper print at several pitches and angles: share found, error of L before and after
against the photograph with the ink and the paper of the print; and how many clean photographs are
taken for such prints.

*Pages* of albums with one to six photographs: share found with an intersection over union of at
least 0.9, and places found that are no photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.damage_judges import enlarge, make_gray
from benchmarks.drawn_damage import KINDS, damage, lay_page, print_dots
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging.color import (
    combine_ab,
    lightness,
    linear_to_srgb,
    rgb_to_lab,
    srgb_to_linear,
)
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.interval import estimate_interval
from colorize_core.prepare.damage import fill_damage, find_damage
from colorize_core.prepare.pages import find_photos as find_places
from colorize_core.prepare.preparation import COLOURING, Preparation
from colorize_core.prepare.screen import find_screen, remove_screen
from colorize_core.training.data import find_photos, select_reporting

Picture = NDArray[np.uint8]
SIDE = 512
SCREENS = ((3, 45), (5, 45), (8, 45), (5, 0), (7, 15))  # pitch in pixels, angle in degrees
OVERLAP = 0.9  # intersection over union from which on a place is found
NO_PLACE = 0.5  # under which a found place is no photograph


def row(what: str, of: str, values: Sequence[float], unit: str = "") -> dict[str, Any]:
    """The mean with its 95 % bootstrap interval."""
    told = estimate_interval(np.array(values, float))
    names = ("mean", "low", "high")
    rounded = {name: f"{value:.4g}" for name, value in zip(names, told, strict=True)}
    return {"what": what, "of": of, "n": len(values), **rounded, "unit": unit}


def measure_light(photo: Picture) -> NDArray[np.float64]:
    return lightness(photo.astype(np.float64) / 255)


def measure_error(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


def measure_damage(
    photos: Sequence[Picture], of: str, random: np.random.Generator
) -> list[dict[str, Any]]:
    """On gray photographs."""
    told: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        told.setdefault(name, []).append(value)

    for photo in tqdm(photos, of):
        drawn = damage(photo, random)
        found = find_damage(drawn.photo)
        for kind in KINDS:
            if drawn.masks[kind].any():
                add(f"found of {kind}", float(found[drawn.masks[kind]].mean()))
        add("found of all damage", float(found[drawn.mask].mean()))
        # What is beside damage is marked with it, and filled from as near.
        near = cv2.dilate(drawn.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        add("clean pixels marked", float(found[~near].mean()))
        add("marked without any damage", float(find_damage(photo).mean()))
        true = measure_light(photo)
        filled = fill_damage(drawn.photo, found)
        at = drawn.mask & found
        if at.any():
            add("error of L, damaged", measure_error(measure_light(drawn.photo)[at], true[at]))
            add("error of L, filled", measure_error(measure_light(filled)[at], true[at]))
        outside = np.array_equal(filled[~found], drawn.photo[~found])
        add("photos whose other pixels are the same", float(outside))
    return [row(name, of, values) for name, values in told.items()]


def measure_colours(
    model: Any, photos: Sequence[Picture], random: np.random.Generator
) -> list[dict[str, Any]]:
    """On photographs in colour, enlarged. Of the colours alone: the L is the true one."""
    told: dict[str, list[float]] = {"without damage": [], "damaged": [], "prepared": []}
    for photo in tqdm(photos, "colours"):
        scale = SIDE / min(photo.shape[:2])
        truth = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        gray = make_gray(truth)
        drawn = damage(gray, random).photo
        seen = {"without damage": gray, "damaged": drawn}
        prepared = Preparation(damage=COLOURING)
        for name in told:
            image = seen.get(name, drawn)
            given = {"prepare": prepared} if name == "prepared" else {}
            made = model.colorize(image, **given)
            told[name].append(ciede2000(recombine(truth, made), truth))
    rows = [row("CIEDE2000", name, values) for name, values in told.items()]
    gain = np.subtract(told["damaged"], told["prepared"])
    return [*rows, row("CIEDE2000, gained by preparing", "damaged", gain.tolist())]


def recombine(truth: Picture, made: Picture) -> Picture:
    """The true L with the colours that were made."""
    lab = rgb_to_lab(made.astype(np.float64) / 255)
    return combine_ab(measure_light(truth)[..., None], lab[..., 1:])


def measure_screens(photos: Sequence[Picture]) -> list[dict[str, Any]]:
    rows = []
    for pitch, angle in SCREENS:
        told: dict[str, list[float]] = {"found": [], "before": [], "after": []}
        for photo in photos:
            printed = print_dots(photo, pitch, angle)
            screen = find_screen(printed)
            told["found"].append(float(screen is not None and abs(screen.pitch / pitch - 1) < 0.1))
            light = srgb_to_linear(photo.astype(np.float64) / 255) * 0.82 + 0.05
            true = lightness(linear_to_srgb(light))
            told["before"].append(measure_error(measure_light(printed), true))
            clean = remove_screen(printed, screen) if screen else printed
            told["after"].append(measure_error(measure_light(clean), true))
        of = f"{pitch} pixels, {angle}°"
        rows += [row(f"screen: {name}", of, values) for name, values in told.items()]
    return rows


def measure_pages(photos: Sequence[Picture], random: np.random.Generator) -> list[dict[str, Any]]:
    found, false = [], []
    number = 0
    while number + 6 <= len(photos):
        count = int(random.integers(1, 7))
        page = lay_page(list(photos[number : number + count]), random)
        number += count
        places = [place.corners for place in find_places(page.pixels)]
        overlaps = np.array(
            [[_overlap(one, other) for other in places] for one in page.corners]
        ).reshape(len(page.corners), len(places))
        found += (overlaps.max(1, initial=0) >= OVERLAP).astype(float).tolist()
        false.append(float((overlaps.max(0, initial=0) < NO_PLACE).sum()))
    return [
        row("pages: photos found", f"{len(false)} pages", found),
        row("pages: false places a page", f"{len(false)} pages", false),
    ]


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    shared, _ = cv2.intersectConvexConvex(one, other)
    return float(shared / (cv2.contourArea(one) + cv2.contourArea(other) - shared))


def main() -> None:
    parser = make_parser(__doc__, photos=True, model=True, limit=60)
    parser.add_argument("--old", type=Path, nargs="*", default=[], metavar="DIR")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    random = np.random.default_rng(1)
    members = select_reporting(find_photos(arguments.photos))
    chosen = [members[i].read() for i in random.permutation(len(members))[: arguments.limit]]
    large = [enlarge(photo, SIDE, random) for photo in chosen]
    found = find_photos(arguments.old) if arguments.old else []
    old = sorted(found, key=lambda each: each.name)[1::2]
    rows = measure_damage(large, "enlarged photographs", random)
    if old:
        shown = [make_gray(each.read()) for each in old]
        rows += measure_damage(shown, "old photographs", random)
    rows += measure_colours(colorize_core.load(arguments.model, "cpu"), chosen, random)
    taken = [float(find_screen(photo) is not None) for photo in large]
    rows.append(row("screen: found where there is none", "enlarged photographs", taken))
    rows += measure_screens(large[: max(1, len(large) // 3)])
    rows += measure_pages([make_gray(photo) for photo in chosen], random)
    about = {"photos": ", ".join(path.name for path in (*arguments.photos, *arguments.old))}
    write("prepare", [about | each for each in rows])


if __name__ == "__main__":
    main()
