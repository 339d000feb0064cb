"""python -m benchmarks.album --photos ZIP-or-DIR... : are known colours found on other photos?

Of each photograph two crops are made, each with 70 % of its side, from opposite corners; the second
is exposed otherwise (gamma 1.25). At PLACES random places of the first the true colour is known.
Placed on the second crop: the share of the places that are on both, and of those that are not; on
another photograph, drawn at random: the share of all. For what is placed on the second crop: the
distance of the known ab from the true ab there in Lab units (median), the share that is more than
WRONG away, and how far the place is from the true one (median, of the crop's side).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.steering.album import DescribedPhoto, place
from colorize_core.steering.hints import Hint
from colorize_core.training.data import find_photos, select_choosing, select_reporting

PLACES = 6
WRONG = 15.0  # Lab units
GAMMA = 1.25
REACH = 5  # pixels around a place whose median colour it has
Picture = NDArray[np.uint8]


def describe(model: Any, gray: Picture, facts: tuple[Hint, ...] = ()) -> DescribedPhoto:
    return DescribedPhoto("", *model.describe(model.predict(gray)), facts)


def read_colour(truth: Picture, x: float, y: float) -> tuple[float, float]:
    height, width = truth.shape[:2]
    row, col = min(height - 1, int(y * height)), min(width - 1, int(x * width))
    near = truth[max(0, row - REACH) : row + REACH + 1, max(0, col - REACH) : col + REACH + 1]
    a, b = np.median(rgb_to_lab(near.astype(np.float32) / 255)[..., 1:], axis=(0, 1))
    return float(a), float(b)


def measure(
    model: Any, truth: Picture, other: Picture, random: np.random.Generator
) -> list[dict[str, Any]]:
    """What becomes of each place: whether it is on both crops, and placed on each photo, how wrong
    its colour and its place are on the second crop."""
    side, crop = round(0.7 * protocol.SIDE), protocol.crop_square
    first, second = crop(truth[:side, :side]), crop(truth[-side:, -side:])
    exposed = np.round(255 * (protocol.to_gray(second) / 255) ** GAMMA).astype(np.uint8)
    places = random.uniform(0.05, 0.95, (PLACES, 2)).tolist()
    facts = [Hint(x, y, read_colour(first, x, y), known=True, note=f"{x} {y}") for x, y in places]
    album = [describe(model, protocol.to_gray(first), (fact,)) for fact in facts[:1]]
    album += [DescribedPhoto("", album[0].features, album[0].cells, (each,)) for each in facts[1:]]
    again, strange = describe(model, exposed), describe(model, protocol.to_gray(other))
    shift = (protocol.SIDE - side) / side
    rows = []
    for known, fact in zip(album, facts, strict=True):
        x, y = fact.x - shift, fact.y - shift
        row: dict[str, Any] = {"both": x >= 0 and y >= 0, "strange": bool(place(strange, [known]))}
        found = place(again, [known])
        row["placed"] = bool(found)
        if found:
            hint = found[0].hint
            there = read_colour(second, hint.x, hint.y)
            row["colour"] = float(np.hypot(*np.subtract(there, fact.ab)))
            row["away"] = float(np.hypot(hint.x - x, hint.y - y))
        rows.append(row)
    return rows


def main() -> None:
    arguments = make_parser(__doc__, photos=True, model=True, choosing=True, limit=200).parse_args()
    model = colorize_core.load(arguments.model, device="cpu")
    select = select_choosing if arguments.choosing else select_reporting
    members = select(find_photos(arguments.photos))[: arguments.limit]
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for member, another in zip(tqdm(members), [*members[1:], *members[:1]], strict=True):
        photos = [protocol.crop_square(each.read()) for each in (member, another)]
        rows += measure(model, *photos, random)
    both = [row for row in rows if row["both"]]
    placed = [row for row in rows if row["placed"]]
    colours = np.array([row["colour"] for row in placed])
    made = {
        "n": len(members),
        "protocol": protocol.NAME,
        "places": len(rows),
        "placed_where_on_both": f"{np.mean([row['placed'] for row in both]):.3f}",
        "placed_where_not": f"{np.mean([row['placed'] for row in rows if not row['both']]):.3f}",
        "placed_on_another": f"{np.mean([row['strange'] for row in rows]):.3f}",
        "colour_median": f"{np.median(colours):.2f}",
        "colour_wrong": f"{(colours > WRONG).mean():.3f}",
        "away_median": f"{np.median([row['away'] for row in placed if row['both']]):.3f}",
        "model": arguments.model,
        "weights": model.card.digest,
    }
    if arguments.choosing:
        print(made)
    else:
        write("album", [made])


if __name__ == "__main__":
    main()
