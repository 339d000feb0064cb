"""python -m benchmarks.findings --photos ZIP-or-DIR... [parts] : results/findings.csv.

The comparisons that the originals of the systems made, made again, photo by photo: the mean
difference of two models, two trainings or two ways to draw and its 95 % bootstrap interval over the
photographs. Where the interval holds 0, no difference was found.

Parts, of which those that are not asked for keep their rows:

--scores FILE   the bundled models, by what `python -m colorize_core.evaluate --out FILE` wrote of
                these photographs; pairs of which it has not both keep their rows
--drawn N       ways to draw with the diffusion model, on the first N photographs
--trained MODEL LABEL=FILE LABEL=FILE
                two weight files of one network, for each pair again, on `--tried` photographs
"""

from __future__ import annotations

import csv
import unittest.mock
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import read, write
from colorize_core import metrics
from colorize_core.downloads import checkpoints
from colorize_core.evaluate.score_file import Row
from colorize_core.metrics import protocol
from colorize_core.metrics.interval import estimate_interval
from colorize_core.training.data import find_photos
from colorize_core.training.engine import count_crops

METRICS = ("ciede2000", "psnr", "perceptual-offline", "colourfulness")


class Pair(NamedTuple):
    """`first` against `second`; names of models."""

    question: str
    first: str
    second: str


PAIRS = (
    Pair("a perceptual loss, against squared error", "cnn-lpips", "cnn-mse"),
    Pair("all stages scored (FCN), against the first stage", "resnet-fcn", "resnet-autoencoder"),
    Pair("a ResNet as the way down, against pix2pix", "resnet-unet-gan", "unet-gan"),
    Pair("a pretrained trunk, against a ResNet", "efficientnet-unet-gan", "resnet-unet-gan"),
    Pair("self-attention, against pix2pix", "sagan", "unet-gan"),
    Pair("ViT-LSGAN, against the ResNet U-Net GAN", "vit-lsgan", "resnet-unet-gan"),
    Pair("ViT-LSGAN, against the same with cross-entropy", "vit-lsgan", "vit-generator"),
    Pair("patches judged, against the whole picture", "resnet-unet-gan", "vit-discriminator"),
    Pair("the student, against its teacher", "se-unet-student", "se-unet"),
    Pair("skips and excitation, against none of them", "se-unet", "resnet-autoencoder"),
)
# Of diffusion: each way to draw, against the one before it is compared with.
WAYS: Mapping[str, dict[str, Any]] = {
    "cosine, DDIM 25": {"schedule": "cosine", "sampler": "DDIM", "steps": 25},
    "linear, DDIM 25": {"schedule": "linear", "sampler": "DDIM", "steps": 25},
    "cosine, DDIM 10": {"schedule": "cosine", "sampler": "DDIM", "steps": 10},
    "cosine, DDIM 50": {"schedule": "cosine", "sampler": "DDIM", "steps": 50},
    "cosine, ancestral": {"schedule": "cosine", "sampler": "ancestral"},
    "linear, ancestral": {"schedule": "linear", "sampler": "ancestral"},
}
DRAWN = (
    Pair("linear, against cosine", "linear, DDIM 25", "cosine, DDIM 25"),
    Pair("linear, against cosine, ancestral", "linear, ancestral", "cosine, ancestral"),
    Pair("ancestral, against DDIM", "cosine, ancestral", "cosine, DDIM 25"),
    Pair("10 steps, against 25", "cosine, DDIM 10", "cosine, DDIM 25"),
    Pair("50 steps, against 25", "cosine, DDIM 50", "cosine, DDIM 25"),
)
Figures = Mapping[str, Mapping[str, float]]  # photo -> metric -> figure


def compare(pair: Pair, first: Figures, second: Figures) -> list[dict[str, Any]]:
    """A row a metric, over the photos that both have a figure of. ValueError where that is none."""
    rows = []
    for name in METRICS:
        both = [p for p in first if name in first[p] and name in second.get(p, {})]
        if not both:
            raise ValueError(f"{pair.first} and {pair.second} share no {name}: evaluate both")
        ours, theirs = (np.array([each[p][name] for p in both]) for each in (first, second))
        mean, low, high = estimate_interval(ours - theirs)
        better = metrics.find(name).better
        sign = {"higher": 1, "lower": -1}.get(better or "")
        wins = "" if sign is None else f"{_count_wins(sign * (ours - theirs)):.3f}"
        rows.append(
            {
                **pair._asdict(),
                "metric": name,
                "n": len(both),
                "first_mean": f"{ours.mean():.4g}",
                "second_mean": f"{theirs.mean():.4g}",
                "difference": f"{mean:.4g}",
                "low": f"{low:.4g}",
                "high": f"{high:.4g}",
                "wins": wins,
            }
        )
    return rows


def _count_wins(gains: Any) -> float:
    """The share of photographs on which the first is better; equal counts half."""
    return float(((gains > 0) + 0.5 * (gains == 0)).mean())


def list_models(names: Sequence[str]) -> list[dict[str, Any]]:
    """Of each model how large it is, and how many crops its weights have seen."""
    cards = {card.name: card for card in colorize_core.cards()}
    return [
        {"question": "trained", "first": name, "metric": metric, "first_mean": value}
        for name in names
        for metric, value in (
            ("parameters", cards[name].parameters),
            ("crops", count_crops(checkpoints.find(cards[name].weights[0]))),
        )
    ]


def read_figures(scores: Sequence[Row], model: str) -> Figures:
    """What SCORES has of a model. ValueError where that is of other weights."""
    card = next(card for card in colorize_core.cards() if card.name == model)
    rows = [row for row in scores if row["model"] == model]
    if any(row["weights"] != card.digest for row in rows):
        raise ValueError(f"{model} was scored with other weights: evaluate it again")
    return {row["photo"]: {n: float(row[n]) for n in METRICS if row.get(n)} for row in rows}


def compare_scored(scores: Sequence[Row], before: Sequence[Row]) -> list[dict[str, Any]]:
    """The pairs of which both are scored, and what is told of their models. ValueError where a pair
    is left as it was `before`, but one of its models has been trained since."""
    scored = {row["model"] for row in scores}
    pairs = [pair for pair in PAIRS if {pair.first, pair.second} <= scored]
    if not pairs:
        raise ValueError("of no pair both models are scored")
    names = dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second))
    figures = {name: read_figures(scores, name) for name in names}
    rows = [row for p in pairs for row in compare(p, figures[p.first], figures[p.second])]
    others = {name for p in PAIRS if p not in pairs for name in (p.first, p.second)}
    told = {(row["first"], row["metric"]): row["first_mean"] for row in before}
    for row in list_models(sorted(others)):
        if str(row["first_mean"]) != told.get((row["first"], row["metric"])):
            raise ValueError(f"{row['first']} was trained since: evaluate what it is compared with")
    return rows + [dict.fromkeys(rows[0], "") | row for row in list_models(list(names))]


def colour(model: Any, photos: Sequence[Any], **options: Any) -> Figures:
    """The figures of what a model makes of each photo, by `recombine-256`."""
    found = {}
    for photo in tqdm(photos, model.card.name):
        truth = protocol.crop_square(photo.read())
        made = protocol.recombine(model.colorize(protocol.to_gray(truth), **options), truth)
        found[photo.name] = {name: float(metrics.score(name, made, truth)) for name in METRICS}
    return found


def compare_trained(name: str, files: Sequence[str], photos: Sequence[Any]) -> list[dict[str, Any]]:
    """Two trainings of one network: `files` are LABEL=FILE."""
    labels, figures = [], []
    for label, _, path in (file.partition("=") for file in files):
        with unittest.mock.patch.object(checkpoints, "find", lambda *_, path=path: Path(path)):
            model = colorize_core.load(name)
        labels.append(label)
        figures.append(colour(model, photos))
    pair = Pair(f"{name}: {labels[0]}, against {labels[1]}", *labels)
    return compare(pair, *figures)


def main() -> None:
    parser = make_parser(__doc__, photos=True)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--drawn", type=int, default=0)
    parser.add_argument("--trained", nargs=3, action="append", default=[])
    parser.add_argument("--tried", type=int, default=200)
    arguments = parser.parse_args()
    before = read("findings")
    rows: list[dict[str, Any]] = []
    if arguments.scores:
        with arguments.scores.open(newline="", encoding="utf-8") as file:
            rows += compare_scored(list(csv.DictReader(file)), before)
    if arguments.drawn:
        model, photos = (
            colorize_core.load("diffusion"),
            find_photos(arguments.photos, arguments.drawn),
        )
        ways = {way: colour(model, photos, **options) for way, options in WAYS.items()}
        for pair in DRAWN:
            rows += compare(pair, ways[pair.first], ways[pair.second])
    for name, *files in arguments.trained:
        rows += compare_trained(name, files, find_photos(arguments.photos, arguments.tried))
    fresh = {_identify(row) for row in rows}
    rows += [row for row in before if _identify(row) not in fresh]
    order = [*(pair.question for pair in PAIRS), "trained", *(pair.question for pair in DRAWN)]
    rows.sort(key=lambda row: [*order, row["question"]].index(row["question"]))
    write("findings", rows)


def _identify(row: Mapping[str, Any]) -> tuple[str, str]:
    """The question, and of what is told of models which one."""
    return row["question"], row["first"] if row["question"] == "trained" else ""


if __name__ == "__main__":
    main()
