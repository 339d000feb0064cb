"""python -m benchmarks.selective : how good and how fast the masks are that need no weights.

guess, box, strokes  intersection over union of GrabCut's mask with one drawn by hand, on free
                     photographs in gray, with nothing given, with a box, and with a box and two
                     strokes; a row a photograph, and their mean
all of it            the same of the plainest answer: the whole photo, or the whole box
1 megapixel          seconds of GrabCut from a photo in memory to its mask
24 megapixels        seconds and peak memory of refine(), from a mask of screen size

The settings were chosen on the same photographs. Needs scikit-image. OMP_NUM_THREADS and taskset
say on how many cores it runs.
"""

from __future__ import annotations

import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import make_parser
from benchmarks.results_file import write
from benchmarks.speed import photo
from colorize_core.imaging.resampling import resize
from colorize_core.selective import automatic, masks
from tests import hand_masks

KINDS = ("guess", "box", "strokes")
TIMES = ("seconds", "least_seconds", "most_seconds", "processor_seconds")
MEBIBYTE = 1 << 20


def overlap(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((found & truth).sum() / max(1, (found | truth).sum()))


def given(name: str, kind: str) -> dict[str, Any]:
    """What grabcut() is told of a photograph beside its pixels."""
    truth, drawn = hand_masks.truth(name), hand_masks.PICTURES[name]
    if kind == "guess":
        return {}
    told: dict[str, Any] = {"box": hand_masks.box(truth)}
    if kind == "strokes":
        radius = hand_masks.BRUSH * max(truth.shape)
        told |= {"keep": [(drawn.keep, radius)], "drop": [(drawn.drop, radius)]}
    return told


def score(name: str, kind: str) -> float:
    truth = hand_masks.truth(name)
    mask = automatic.grabcut(hand_masks.photograph(name), **given(name, kind))
    return overlap(resize(mask, *truth.shape) > 0.5, truth)


def plain(name: str, kind: str) -> float:
    """Of everything that could be it."""
    truth = hand_masks.truth(name)
    everything = np.ones_like(truth)
    if kind != "guess":
        x0, y0, x1, y1 = (round(value) for value in hand_masks.box(truth))
        everything[:] = False
        everything[y0:y1, x0:x1] = True
    return overlap(everything, truth)


def quality() -> list[dict[str, Any]]:
    scores = {name: [score(name, kind) for kind in KINDS] for name in hand_masks.PICTURES}
    scores["mean"] = np.mean(list(scores.values()), axis=0).tolist()
    least = np.mean([[plain(name, kind) for kind in KINDS] for name in hand_masks.PICTURES], axis=0)
    scores["all of it, mean"] = least.tolist()
    return [
        row(name, **{kind: f"{v:.3f}" for kind, v in zip(KINDS, values, strict=True)})
        for name, values in scores.items()
    ]


def row(what: str, **values: str) -> dict[str, Any]:
    empty = dict.fromkeys((*KINDS, *TIMES, "peak_mib"), "")
    return {"what": what} | empty | values


def timed(run: Callable[[], Any], runs: int) -> dict[str, str]:
    """Seconds on the clock, and those that the processor worked: others may work beside."""
    seconds, worked = [], []
    for _ in range(runs + 1):
        start = time.perf_counter(), time.process_time()
        run()
        seconds.append(time.perf_counter() - start[0])
        worked.append(time.process_time() - start[1])
    del seconds[0], worked[0]  # they warmed up
    values = (statistics.median(seconds), min(seconds), max(seconds), statistics.median(worked))
    return {name: f"{value:.3f}" for name, value in zip(TIMES, values, strict=True)}


def speed(runs: int) -> list[dict[str, Any]]:
    million = np.dstack([photo(866, 1155)] * 3)
    box = (200.0, 20.0, 900.0, 866.0)
    stroke = [([(500.0, 100.0), (500.0, 700.0)], 12.0)]
    cases: dict[str, dict[str, Any]] = {
        "nothing given": {},
        "a box": {"box": box},
        "a box and a stroke": {"box": box, "keep": stroke},
    }
    return [
        row(
            f"1 megapixel, {what}",
            **timed(lambda told=told: automatic.grabcut(million, **told), runs),
        )
        for what, told in cases.items()
    ]


def large(runs: int) -> list[dict[str, Any]]:
    """Peak memory is that of all arrays that are made, the result among them (92 MiB)."""
    light = photo(4000, 6000).astype(np.float32)
    light *= 100 / 255
    mask = np.zeros(masks.choose_size(*light.shape), np.float32)
    mask = masks.paint(mask, [(300, 300), (800, 500)], 150)
    seconds = timed(lambda: masks.refine(mask, light), runs)
    tracemalloc.start()
    masks.refine(mask, light)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return [row("24 megapixels, refined", **seconds, peak_mib=f"{peak / MEBIBYTE:.0f}")]


def main() -> None:
    arguments = make_parser(__doc__, runs=7).parse_args()
    rows = [*quality(), *speed(arguments.runs), *large(arguments.runs)]
    threads = (
        f"{os.cpu_count()} cores, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'unset')}"
    )
    write("selective", [entry | {"threads": threads} for entry in rows])


if __name__ == "__main__":
    main()
