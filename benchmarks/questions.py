"""python -m benchmarks.questions --photos ZIP-or-DIR... : do a few answers help?

A person who knows the colours of a photograph is simulated. Of each question its best place is
looked at: the true colour there is the median of the true ab over the region's middle half. They
either choose the nearest of the offered colours, if it is within 20 Lab units, and otherwise leave
the question unanswered (`offered`); or they pick the true colour themselves where none is as near
(`picked`). The next question comes after each answer. Beside it as many clicks at random places,
each with the true colour of the place (`random`). CIEDE2000 after each count of questions or
clicks, an unanswered question counting as one, and the share of photographs in which the answers
are better than the clicks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.results_file import write
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.interval import estimate_interval
from colorize_core.steering.hints import Hint
from colorize_core.steering.questions import RADIUS, Question
from colorize_core.training.data import find_photos, select_choosing, select_reporting

COUNTS = (0, 1, 3, 5, 10)
NEAR = 20.0  # Lab units within which an offered colour is taken for the true one
Floats = NDArray[np.floating[Any]]
Step = Callable[[tuple[Hint, ...]], list[Hint]]  # the hints so far -> those of one click more


def find_true_colour(truth: Floats, question: Question) -> tuple[float, float]:
    """The median of the true ab (H, W, 2) in a region."""
    size = (truth.shape[1], truth.shape[0])
    inside = cv2.resize(question.fill, size, interpolation=cv2.INTER_LINEAR)
    a, b = np.median(truth[inside >= np.median(inside[inside > 0.5 * inside.max()])], axis=0)
    return float(a), float(b)


def answer(truth: Floats, question: Question, picks: bool) -> list[Hint]:
    wanted = find_true_colour(truth, question)
    away = [float(np.hypot(*np.subtract(colour, wanted))) for colour in question.colours]
    nearest = int(np.argmin(away))
    if away[nearest] <= NEAR:
        return question.answer(nearest)
    return question.answer(wanted) if picks else []


def click(truth: Floats, random: np.random.Generator) -> list[Hint]:
    """The true colour, a median over the hint, at a random place."""
    height, width = truth.shape[:2]
    row, col = int(random.integers(height)), int(random.integers(width))
    reach = max(1, round(RADIUS * max(height, width)))
    near = truth[max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1]
    a, b = np.median(near, axis=(0, 1))
    return [Hint(col / (width - 1), row / (height - 1), (float(a), float(b)), RADIUS)]


def follow(model: Any, gray: NDArray[np.uint8], free: Any, step: Step) -> list[Any]:
    """What is predicted after each of COUNTS steps."""
    hints: tuple[Hint, ...] = ()
    predictions, last = [free], free
    for number in range(1, COUNTS[-1] + 1):
        if more := step(hints):
            hints = (*hints, *more)
        if number in COUNTS:
            last = model.guide(gray, free, hints)
            predictions.append(last)
    return predictions


def measure(
    model: Any, truth: NDArray[np.uint8], random: np.random.Generator
) -> dict[str, list[float]]:
    """CIEDE2000 after each of COUNTS."""
    gray = protocol.to_gray(truth)
    ab = rgb_to_lab(truth.astype(np.float32) / 255)[..., 1:]
    free = model.predict(gray)

    def ask(picks: bool) -> Step:
        skipped: list[Question] = []

        def step(hints: tuple[Hint, ...]) -> list[Hint]:
            asked = model.questions(gray, free, hints, 1 + len(skipped))
            new = [each for each in asked if all((each.x, each.y) != (q.x, q.y) for q in skipped)]
            if not new:
                return []
            if not (told := answer(ab, new[0], picks)):
                skipped.append(new[0])
            return told

        return step

    ways = {"offered": ask(False), "picked": ask(True), "random": lambda _: click(ab, random)}
    scores = {}
    for name, step in ways.items():
        pictures = [
            protocol.recombine(model.render(gray, each), truth)
            for each in follow(model, gray, free, step)
        ]
        scores[name] = [ciede2000(picture, truth) for picture in pictures]
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="ZIP-or-DIR")
    parser.add_argument("--model", default="autochrome")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--choosing", action="store_true", help="print only, on those for choosing")
    arguments = parser.parse_args()
    model = colorize_core.load(arguments.model, device="cpu")
    random = np.random.default_rng(0)
    select = select_choosing if arguments.choosing else select_reporting
    every = []
    for member in tqdm(select(find_photos(arguments.photos))[: arguments.limit]):
        every.append(measure(model, protocol.crop_square(member.read()), random))
    rows = []
    for place, count in enumerate(COUNTS):
        row: dict[str, Any] = {"answers": count, "n": len(every), "protocol": protocol.NAME}
        clicked = np.array([scores["random"][place] for scores in every])
        for way in every[0]:
            values = np.array([scores[way][place] for scores in every])
            mean, low, high = estimate_interval(values)
            row |= {way: f"{mean:.3f}", f"{way}_low": f"{low:.3f}", f"{way}_high": f"{high:.3f}"}
            if way != "random":
                gain, low, high = estimate_interval(clicked - values)
                row |= {f"{way}_gain": f"{gain:.3f}", f"{way}_gain_low": f"{low:.3f}"}
                row |= {f"{way}_gain_high": f"{high:.3f}"}
                row |= {f"{way}_wins": f"{(values < clicked).mean():.3f}"}
        rows.append(row | {"model": arguments.model, "weights": model.card.digest})
    if arguments.choosing:
        print("\n".join(map(str, rows)))
    else:
        write("questions", rows)


if __name__ == "__main__":
    main()
