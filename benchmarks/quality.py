"""python -m benchmarks.quality SCORES --photos ZIP-or-DIR... : results/quality.csv.

SCORES is what `python -m colorize_core.evaluate --models all --photos ... --out SCORES` wrote, one
row a model and photo; this sums it up a model. Models that were not evaluated with the others keep
their scores, and the commit of these, as long as their weights and the photographs are the same. So
do metrics that were not asked for this time: a new one is added by evaluating it alone.
Seconds are taken anew, of all models in turn on the same few photographs: an evaluation takes long,
and the machine may be busier for one model than for another. The models' cards, the tables of
scores and the app's leaderboard are made of the result.
"""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import provenance, read, write
from colorize_core import cards
from colorize_core.evaluate.score_file import AFTER, BEFORE, Row
from colorize_core.evaluate.summary import summarize
from colorize_core.metrics import METRICS, protocol
from colorize_core.metrics.baselines import BASELINES
from colorize_core.training.data import find_photos

Picture = NDArray[np.uint8]
# What summarize() has of every metric.
MEASURED = tuple(
    f"{metric.name}{end}" for metric in METRICS for end in ("", "_low", "_high", "_wins")
)


def rows_of(scores: Sequence[Row]) -> list[Row]:
    """Gray, the mean colour and every model that has scores. ValueError where scores are of other
    weights than the cards name."""
    names = [name for name in scores[0] if name not in (*BEFORE, *AFTER)]
    photos = ", ".join(dict.fromkeys(row["photo"].partition("/")[0] for row in scores))
    digests = {card.name: card.digest for card in cards(downloads=True)}
    found = summarize(scores, (*BASELINES, *digests), names)
    for row in found:
        if row["n"] != "0" and row["weights"] != digests.get(row["model"], ""):
            raise ValueError(f"{row['model']} was scored with other weights: evaluate it again")
    return [{"photos": photos} | row for row in found if row["n"] != "0"]


def kept(fresh: Sequence[Row], before: Sequence[Row]) -> list[Row]:
    """The models' rows of `before` that hold beside the fresh ones. ValueError where these are of
    other photographs."""
    digests = {card.name: card.digest for card in cards(downloads=True)}
    names = {row["model"] for row in fresh}
    rows = [
        {name: value for name, value in row.items() if name not in ("machine", "versions")}
        for row in before
        if row["model"] not in names and row["weights"] == digests.get(row["model"])
    ]
    about = {(row["photos"], row["protocol"], row["n"]) for row in (*fresh, *rows)}
    if rows and len(about) > 1:
        raise ValueError(f"these cannot be compared: {sorted(about)}; evaluate all models")
    return rows


def joined(fresh: Sequence[Row], before: Sequence[Row]) -> list[Row]:
    """The fresh rows, each with the metrics that it lacks and `before` has of the same model,
    weights, photographs and protocol; its commits are both then."""
    known = {_about(row): row for row in before}
    return [_join(row, known[_about(row)]) if _about(row) in known else row for row in fresh]


def _about(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("model", "weights", "photos", "protocol", "n"))


def _join(row: Row, before: Row) -> Row:
    missing = [name for name in before if name in MEASURED and name not in row]
    if not missing:
        return row
    whys = [why for why in before["why"].split("; ") if why.partition(": ")[0] not in row]
    whys += row["why"].split("; ")
    commits = (*before["commit"].split(" and "), provenance()["commit"])
    return row | {
        **{name: before[name] for name in missing},
        "why": "; ".join(filter(None, dict.fromkeys(whys))),
        "commit": " and ".join(dict.fromkeys(commits)),
    }


def aligned(rows: Sequence[Row]) -> list[Row]:
    """All rows with the same columns in one order, empty where a row had none."""
    there = {name for row in rows for name in row}
    first = [name for name in rows[0] if name not in (*MEASURED, "seconds", "why", "commit")]
    columns = [*first, *(name for name in MEASURED if name in there), "seconds", "why"]
    commit = ["commit"] if "commit" in there else []
    now = provenance()["commit"] if commit else ""
    return [
        {name: row.get(name, now if name == "commit" else "") for name in (*columns, *commit)}
        for row in rows
    ]


def in_turn(names: Sequence[str], photos: Sequence[Picture]) -> dict[str, float]:
    """The median seconds that each model takes for one of the photos."""
    models = {name: colorize_core.load(name) for name in names}
    for model in models.values():
        model.colorize(photos[0])  # the first time is slower
    taken: dict[str, list[float]] = {name: [] for name in names}
    for photo in tqdm(photos, "seconds"):
        for name, model in models.items():
            begun = time.perf_counter()
            model.colorize(photo)
            taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    parser = make_parser(__doc__, photos=True)
    parser.add_argument("scores", type=Path, help="CSV file of colorize_core.evaluate")
    parser.add_argument(
        "--timed",
        type=int,
        default=15,
        help="photographs to take the time on; 0 keeps the times as they are, on a busy machine",
    )
    parser.add_argument(
        "--times",
        nargs="+",
        metavar="MODEL",
        help="take the time of these alone, as of new ones; that of the others stays",
    )
    arguments = parser.parse_args()
    with arguments.scores.open(newline="", encoding="utf-8") as file:
        rows = rows_of(list(csv.DictReader(file)))
    before = read("quality")
    rows = joined(rows, before)
    rows = aligned([*rows, *kept(rows, before)])
    order = [*BASELINES, *(card.name for card in cards(downloads=True))]
    rows.sort(key=lambda row: order.index(row["model"]))
    seconds = {row["model"]: float(row["seconds"]) for row in before if row["seconds"]}
    if arguments.timed:
        photos = find_photos(arguments.photos, arguments.timed)
        grays = [protocol.to_gray(protocol.crop_square(photo.read())) for photo in photos]
        models = [row["model"] for row in rows if row["model"] not in BASELINES]
        seconds |= in_turn(arguments.times or models, grays)
    for row in rows:
        row["seconds"] = f"{seconds[row['model']]:.4f}" if row["model"] in seconds else ""
    write("quality", rows)


if __name__ == "__main__":
    main()
