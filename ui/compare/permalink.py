"""Settings of the tab "Compare" in the address of the page, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from colorize_core.cards import ModelCard
from colorize_core.metrics import METRICS

NAMES = ("models", "vividness", "seeds", "metrics")
VIVIDNESS = (0.5, 1.0, 1.5, 2.0)
MOST_SEEDS = 4


def write(
    models: Sequence[str], vividness: Sequence[float], seeds: int, metrics: Sequence[str]
) -> str:
    """ "?tab=compare&models=autochrome,sagan&vividness=1,1.5&seeds=2&metrics=psnr"."""
    values = {
        "models": models,
        "vividness": [f"{level:g}" for level in vividness],
        "seeds": [f"{seeds:g}"],
        "metrics": metrics,
    }
    joined = {name: ",".join(some) for name, some in values.items()}
    return "?" + urlencode({"tab": "compare", **joined}, safe=",")


def read(
    parameters: Mapping[str, str], cards: Sequence[ModelCard]
) -> tuple[dict[str, Any], list[str]]:
    """The settings that are named, by NAMES, and what of them is unknown and left out."""
    known: dict[str, dict[str, Any]] = {
        "models": {card.name: card.name for card in cards},
        "vividness": {f"{level:g}": level for level in VIVIDNESS},
        "seeds": {str(count): count for count in range(1, MOST_SEEDS + 1)},
        "metrics": {metric.name: metric.name for metric in METRICS},
    }
    found: dict[str, Any] = {}
    ignored = []
    for name in NAMES:
        if name not in parameters:
            continue
        asked = [each for each in parameters[name].split(",") if each]
        ignored += [each for each in asked if each not in known[name]]
        found[name] = [known[name][each] for each in asked if each in known[name]]
    counts = found.pop("seeds", [])
    return (found | {"seeds": counts[0]} if counts else found), ignored
