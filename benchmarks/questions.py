"""python -m benchmarks.questions --photos ZIP-or-DIR... : do a few answers help?

A person who knows the colours of a photograph is simulated, who answers the first question, then
the first of those that are left, and so on. The true colour of a region is the median of the true
ab over the part that belongs to it by half. They choose the nearest of the offered colours,
whatever it is (`offered`); or they choose it where it is within 8 Lab units of the true one, and
otherwise pick the true one (`picked`). Beside it as many clicks at random places, each with the
true colour of the place (`random`). CIEDE2000 after each count of answers or clicks, the gain of
answers over clicks, and the share of photographs in which it is more than nothing. Ctrl+C ends it
early.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.interval import estimate_interval
from colorize_core.steering.hints import Hint
from colorize_core.steering.questions import RADIUS, Question
from colorize_core.training.data import find_photos, select_choosing, select_reporting

COUNTS = (0, 1, 3, 5, 10)
NEAR = 8.0  # Lab units within which an offered colour passes for the true one
Floats = NDArray[np.floating[Any]]
Step = Callable[[tuple[Hint, ...]], list[Hint]]  # the hints so far -> those of one click more


def find_true_colour(truth: Floats, question: Question) -> tuple[float, float]:
    """The median of the true ab (H, W, 2) in a region."""
    size = (truth.shape[1], truth.shape[0])
    inside = cv2.resize(question.fill, size, interpolation=cv2.INTER_LINEAR)
    a, b = np.median(truth[inside > 0.5 * inside.max()], axis=0)
    return float(a), float(b)


def answer(truth: Floats, question: Question, picks: bool) -> list[Hint]:
    wanted = find_true_colour(truth, question)
    away = [float(np.hypot(*np.subtract(colour, wanted))) for colour in question.colours]
    nearest = int(np.argmin(away))
    return question.answer(wanted if picks and away[nearest] > NEAR else nearest)


def click(truth: Floats, random: np.random.Generator) -> list[Hint]:
    """The true colour, a median over the hint, at a random place."""
    height, width = truth.shape[:2]
    row, col = int(random.integers(height)), int(random.integers(width))
    reach = max(1, round(RADIUS * max(height, width)))
    near = truth[max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1]
    a, b = np.median(near, axis=(0, 1))
    return [Hint(col / (width - 1), row / (height - 1), (float(a), float(b)), RADIUS)]


def follow(
    model: Any, gray: NDArray[np.uint8], free: Any, step: Step, counts: Sequence[int]
) -> list[Any]:
    """What is predicted after each of these counts of steps, of which the first is 0."""
    hints: tuple[Hint, ...] = ()
    predictions = [free]
    for number in range(1, counts[-1] + 1):
        hints = (*hints, *step(hints))
        if number in counts:
            predictions.append(model.guide(gray, free, hints))
    return predictions


def measure(
    model: Any,
    truth: NDArray[np.uint8],
    random: np.random.Generator,
    counts: Sequence[int] = COUNTS,
) -> dict[str, list[float]]:
    """CIEDE2000 after each of these counts."""
    gray = protocol.to_gray(truth)
    ab = rgb_to_lab(truth.astype(np.float32) / 255)[..., 1:]
    free = model.predict(gray)

    def ask(picks: bool) -> Step:
        def step(hints: tuple[Hint, ...]) -> list[Hint]:
            asked = model.questions(gray, free, hints, 1)
            return answer(ab, asked[0], picks) if asked else []

        return step

    ways = {"offered": ask(False), "picked": ask(True), "random": lambda _: click(ab, random)}
    scores = {}
    for name, step in ways.items():
        pictures = [
            protocol.recombine(model.render(gray, each), truth)
            for each in follow(model, gray, free, step, counts)
        ]
        scores[name] = [ciede2000(picture, truth) for picture in pictures]
    return scores


def main() -> None:
    arguments = make_parser(__doc__, photos=True, model=True, choosing=True, limit=160).parse_args()
    model = colorize_core.load(arguments.model, device="cpu")
    random = np.random.default_rng(0)
    select = select_choosing if arguments.choosing else select_reporting
    every = []
    with suppress(KeyboardInterrupt):  # what is measured by then is reported
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
