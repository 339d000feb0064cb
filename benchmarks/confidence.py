"""python -m benchmarks.confidence --photos ZIP-or-DIR... : does a model know where it errs?

The spread is how far apart the colours are that the model holds likely, the error how far the
result at vividness 1 is from the truth, both in ab, in Lab units. Measured by `recombine-256`, over
photographs (the mean spread and error of each) and over pixels (a sample of each photo, pooled):

r       Pearson's correlation of spread and error
fifth   the mean error, and the mean spread beside it, of each fifth of what is sorted by spread

The 95 % intervals are bootstrapped over photographs in both cases: pixels of one photo are alike.
Photographs without colours of their own are left out, and counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.frontier import Floats, Picture, in_colour
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.interval import DRAWS
from colorize_core.training.data import find_photos

PIXELS = 500  # of each photo
FIFTHS = 5


def ab_of(picture: Picture) -> Floats:
    return rgb_to_lab(picture.astype(np.float64) / 255)[..., 1:]


def maps(model: Any, truth: Picture) -> tuple[Floats, Floats]:
    """Spread and error of every pixel, (H, W)."""
    gray = protocol.to_gray(truth)
    prediction = model.predict(gray)
    picture = protocol.recombine(model.render(gray, prediction, vividness=1.0), truth)
    error = np.linalg.norm(ab_of(picture) - ab_of(truth), axis=-1)
    return prediction.uncertainty().astype(np.float64), error


def measure(model: Any, truths: list[Picture]) -> dict[str, Floats]:
    """Spread and error of photographs, (2, N, 1), and of some pixels of each, (2, N, PIXELS)."""
    random = np.random.default_rng(0)
    means, samples = [], []
    for truth in tqdm(truths, model.card.name):
        both = np.stack(maps(model, truth)).reshape(2, -1)
        means.append(both.mean(1, keepdims=True))
        samples.append(both[:, random.choice(both.shape[1], PIXELS, replace=False)])
    return {"photographs": np.stack(means, 1), "pixels": np.stack(samples, 1)}


def correlation(spread: Floats, error: Floats) -> tuple[float, float, float]:
    """Pearson's r of all values (N, k), and its interval over the N photographs."""
    x, y = spread - spread.mean(), error - error.mean()  # small numbers keep their digits
    moments = np.stack([x, y, x * x, y * y, x * y]).mean(-1)
    return _with_interval(float(_r(moments.mean(-1))), _r(_resampled(moments)))


def fifths(spread: Floats, error: Floats) -> list[dict[str, float]]:
    """From the least spread to the greatest: the mean spread, and the mean error with its interval
    over the photographs, of values (N, k)."""
    edges = np.quantile(spread, np.arange(1, FIFTHS) / FIFTHS)
    place = np.searchsorted(edges, spread)
    found = []
    for fifth in range(FIFTHS):
        inside = place == fifth
        some = inside.any(-1)  # of the photographs: not every one has a pixel of every fifth
        sums = np.stack([(error * inside)[some].mean(-1), inside[some].mean(-1)])
        total, count = _resampled(sums)
        value, low, high = _with_interval(float(error[inside].mean()), total / count)
        mean = float(spread[inside].mean())
        found.append({"spread": mean, "value": value, "low": low, "high": high})
    return found


def _resampled(values: Floats) -> Floats:
    """Means (M, DRAWS) over photographs drawn anew, of values (M, N)."""
    count = values.shape[1]
    draws = np.random.default_rng(0).integers(0, count, (DRAWS, count))
    return values[:, draws].mean(-1)


def _r(moments: Floats) -> NDArray[np.float64]:
    x, y, xx, yy, xy = moments
    return (xy - x * y) / np.sqrt((xx - x * x) * (yy - y * y))


def _with_interval(value: float, drawn: Floats) -> tuple[float, float, float]:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return value, float(low), float(high)


def rows_of(found: dict[str, Floats]) -> list[dict[str, str]]:
    """Of what measure() gives: r and the fifths, over photographs and over pixels."""
    rows = []
    for over, (spread, error) in found.items():
        value, low, high = correlation(spread, error)
        measured = {"r": {"value": value, "low": low, "high": high}}
        for number, fifth in enumerate(fifths(spread, error), 1):
            measured[f"fifth {number}"] = fifth
        rows += [
            {"over": over, "what": what, "spread": ""} | {k: f"{v:.3f}" for k, v in cells.items()}
            for what, cells in measured.items()
        ]
    return rows


def main() -> None:
    arguments = make_parser(__doc__, photos=True, model=True, limit=300, device="auto").parse_args()
    model = colorize_core.load(arguments.model, arguments.device)
    truths, left_out = in_colour(find_photos(arguments.photos, arguments.limit))
    about = {
        "model": arguments.model,
        "photos": ", ".join(path.name for path in arguments.photos),
        "protocol": protocol.NAME,
        "weights": model.card.digest,
        "n": len(truths),
        "without_colours": left_out,
    }
    write("confidence", [about | row for row in rows_of(measure(model, truths))])


if __name__ == "__main__":
    main()
