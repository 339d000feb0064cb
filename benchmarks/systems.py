"""python -m benchmarks.systems --photos ZIP-or-DIR... : how fast the models are.

coltran    64 x 64 places drawn with what was computed kept, against computing all of it anew for
           every place: the same photo, the same random numbers
diffusion  DDIM in 25 steps against ancestral sampling in all 300: seconds, and CIEDE2000 by
           `recombine-256`, without guidance and at a temperature of 1
all        a gray photo of 1000 x 1000 pixels in memory through colorize(), on 2 cores
"""

from __future__ import annotations

import statistics
import time
from itertools import product
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import read, write
from benchmarks.speed import paired, photo
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.interval import estimate_interval
from colorize_core.networks import coltran
from colorize_core.training.data import find_photos

CORES = 2
SIDE = 64  # places of ColTran along each axis
STEPS = 25  # of DDIM
Picture = NDArray[np.uint8]
Row = dict[str, Any]


def row(what: str, value: str, unit: str, n: str, details: str = "", bar: str = "") -> Row:
    return {"what": what, "value": value, "unit": unit, "bar": bar, "n": n, "details": details}


def spread(values: list[float], digits: int = 3) -> str:
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


# --- ColTran ------------------------------------------------------------------------------------


def coltran_rows(model: Any, truth: Picture, runs: int, places: int, side: int = SIDE) -> list[Row]:
    """The networks are asked in turn: in each run the cached one draws the whole picture and the
    other one its part of the `places`, which lie evenly spread and cost the same each."""
    network = model.network.colorizer
    settings = model.card.settings({})
    drawing = coltran.SamplingOptions(*(settings[name] for name in coltran.SamplingOptions._fields))
    gray = _coltran_gray(network, truth, side)
    chances = torch.rand(1, side, side, generator=torch.Generator().manual_seed(0))
    every = list(product(range(side), range(side)))
    chosen = [every[i] for i in np.linspace(0, len(every) - 1, places).astype(int)]
    *_, colours = network.sample(gray, chances, drawing)  # also the warm-up
    fast, slow, same = [], [], 0
    for run in tqdm(range(runs), "coltran"):
        start = time.perf_counter()
        for _ in network.sample(gray, chances, drawing):
            pass
        fast.append(time.perf_counter() - start)
        part = chosen[run::runs]
        start = time.perf_counter()
        drawn = draw_slowly(network, gray, chances, drawing, colours, part)
        slow.append((time.perf_counter() - start) / len(part) * len(every))
        same += sum(
            int(colours[0, r, c]) == found for (r, c), found in zip(part, drawn, strict=True)
        )
    ratios = [b / a for a, b in zip(fast, slow, strict=True)]
    what, how = f"coltran {side} x {side}", f"scaled from {places} evenly spread places"
    how = "all places" if places == len(every) else how
    return [
        row(
            f"{what} with caches",
            f"{statistics.median(fast):.3f}",
            "s",
            f"{runs} runs",
            spread(fast),
        ),
        row(f"{what} without", f"{statistics.median(slow):.1f}", "s", f"{runs} runs", how),
        row(
            f"{what} without / with caches",
            f"{statistics.median(ratios):.1f}",
            "ratio",
            f"{runs} runs",
            spread(ratios, 1),
            "at least 20",
        ),
        row(
            f"{what} same colours",
            f"{same / places:.4f}",
            "share",
            f"{places} places",
            "drawn without caches, from the colours before",
            "1",
        ),
    ]


def _coltran_gray(network: coltran.Colorizer, truth: Picture, side: int) -> Tensor:
    """What the first network is shown, `side` places wide and high."""
    size = (side * coltran.SCALE,) * 2
    small = cv2.resize(protocol.to_gray(truth), size, interpolation=cv2.INTER_AREA)
    rgb = torch.from_numpy(small).permute(2, 0, 1)[None] / 255
    return network.choose_gray(rgb_to_lab(rgb, 1)[:, :1])


@torch.no_grad()
def draw_slowly(
    network: coltran.Colorizer,
    gray: Tensor,
    chances: Tensor,
    drawing: coltran.SamplingOptions,
    colours: Tensor,
    places: list[tuple[int, int]],
) -> list[int]:
    """What sample_slowly() draws at some places where `colours` were drawn before them: its own
    work for a place, without the way there."""
    context = network.encode_photos(gray, drawing)
    drawn = []
    for r, c in places:
        before = colours.clone()
        before[:, r, c:] = 0
        before[:, r + 1 :] = 0
        drawn.append(int(network.draw(context, before, chances, drawing, r, c)))
    return drawn


# --- diffusion ----------------------------------------------------------------------------------


def diffusion_rows(model: Any, truths: list[Picture]) -> list[Row]:
    seconds: tuple[list[float], list[float]] = ([], [])
    errors: tuple[list[float], list[float]] = ([], [])
    # Both samplers draw from what the network has learned: guidance and a low temperature change
    # that, and one sampler's more than the other's.
    plain = {"guidance": 1.0, "temperature": 1.0}
    ways: tuple[dict[str, Any], ...] = (
        {"sampler": "DDIM", "steps": STEPS, **plain},
        {"sampler": "ancestral", **plain},
    )
    model.colorize(protocol.to_gray(truths[0]))  # a warm-up
    for seed, truth in enumerate(tqdm(truths, "diffusion")):
        gray = protocol.to_gray(truth)
        for way, into, off in zip(ways, seconds, errors, strict=True):
            start = time.perf_counter()
            picture = model.colorize(gray, seed=seed, **way)
            into.append(time.perf_counter() - start)
            off.append(ciede2000(protocol.recombine(picture, truth), truth))
    few, all_steps = seconds
    ratios = [b / a for a, b in zip(few, all_steps, strict=True)]
    n = f"{len(truths)} photos"
    rows = []
    for name, times, off in zip((f"DDIM {STEPS}", "ancestral"), seconds, errors, strict=True):
        mean, low, high = estimate_interval(np.array(off))
        rows += [
            row(f"diffusion {name}", f"{statistics.median(times):.3f}", "s", n, spread(times)),
            row(f"diffusion {name}", f"{mean:.3f}", "CIEDE2000", n, f"{low:.3f} to {high:.3f}"),
        ]
    ratio = f"{statistics.median(ratios):.2f}"
    change, low, high = relative(np.array(errors[0]), np.array(errors[1]))
    return [
        *rows,
        row("diffusion ancestral / DDIM", ratio, "ratio", n, spread(ratios, 2), "at least 8"),
        row(
            "diffusion DDIM to ancestral",
            f"{change:+.2f}",
            "% of CIEDE2000",
            n,
            f"{low:+.2f} to {high:+.2f}, 95 % bootstrap interval",
            "-2 to 2",
        ),
    ]


def relative(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, float, float]:
    """By how many percent the first mean is above the second, and the 95 % bootstrap interval over
    photos, each photo's pair staying together."""
    mean, low, high = (100 * x / float(second.mean()) for x in estimate_interval(first - second))
    return mean, low, high


# --- every model --------------------------------------------------------------------------------


def megapixel_row(model: Any, runs: int) -> Row:
    gray = np.repeat(photo(1000, 1000)[..., None], 3, axis=2)
    times, _ = paired(lambda: model.colorize(gray), lambda: None, runs)
    return row(
        f"{model.card.name} 1 megapixel",
        f"{statistics.median(times):.3f}",
        "s",
        f"{runs} runs",
        f"{spread(times)} on {torch.get_num_threads()} cores",
        "" if model.card.sampled else "under 0.5",
    )


def main() -> None:
    parser = make_parser(__doc__, photos=True, runs=7)
    names = [card.name for card in colorize_core.cards()]
    known = [card.name for card in colorize_core.cards(downloads=True)]
    parser.add_argument("--models", nargs="+", default=names, choices=known)
    parser.add_argument("--limit", type=int, default=150, help="photos for diffusion's samplers")
    parser.add_argument(
        "--places", type=int, default=140, help=f"of ColTran's {SIDE**2} drawn without caches"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(CORES)
    cv2.setNumThreads(CORES)
    truths = [
        protocol.crop_square(found.read())
        for found in find_photos(arguments.photos, arguments.limit)
    ]
    rows = []
    for name in arguments.models:
        model = colorize_core.load(name, "cpu")
        rows.append(megapixel_row(model, arguments.runs))
        if name == "coltran":
            rows += coltran_rows(model, truths[0], arguments.runs, arguments.places)
        if name == "diffusion":
            rows += diffusion_rows(model, truths)
    others = [row for row in read("systems") if row["what"].split()[0] not in arguments.models]
    print(write("systems", rows, others))


if __name__ == "__main__":
    main()
