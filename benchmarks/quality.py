"""python -m benchmarks.quality SCORES : results/quality.csv from an evaluation.

SCORES is what `python -m colorize_core.evaluate --models all --photos val.zip --out SCORES` wrote,
one row a model and photo; this sums it up a model. The models' cards, the README's table and the
app's leaderboard are made of the result.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results_file import write
from colorize_core import cards
from colorize_core.evaluate.score_file import AFTER, BEFORE, Row
from colorize_core.evaluate.summary import summarize
from colorize_core.metrics.baselines import BASELINES


def rows_of(scores: Sequence[Row]) -> list[Row]:
    """Gray, the mean colour and every model that has scores. ValueError where scores are of other
    weights than the cards name."""
    names = [name for name in scores[0] if name not in (*BEFORE, *AFTER)]
    photos = ", ".join(dict.fromkeys(row["photo"].partition("/")[0] for row in scores))
    digests = {card.name: card.digest for card in cards()}
    found = summarize(scores, (*BASELINES, *digests), names)
    for row in found:
        if row["n"] != "0" and row["weights"] != digests.get(row["model"], ""):
            raise ValueError(f"{row['model']} was scored with other weights: evaluate it again")
    return [{"photos": photos} | row for row in found if row["n"] != "0"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scores", type=Path, help="CSV file of colorize_core.evaluate")
    with parser.parse_args().scores.open(newline="", encoding="utf-8") as file:
        write("quality", rows_of(list(csv.DictReader(file))))


if __name__ == "__main__":
    main()
