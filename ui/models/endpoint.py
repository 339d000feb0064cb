"""/models: what is known of every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from ui.shared import endpoints

ENDPOINT = """What is known of every model, as JSON: a list with an object a model.

Takes nothing.

Returns in each: name (as the other endpoints take it), title, summary, paper, licence,
parameters (how many), trained_on, limits (what it does badly), controls (its own: name, label,
info, default, allowed; /colorize takes them in `options`), bytes (of its weight files) and download
(how many of those bytes are not on the machine yet). Loads no model."""


class Endpoint:
    def __init__(self, cards: Sequence[ModelCard]):
        self.cards = cards

    def models(self) -> list[dict[str, Any]]:
        """See ENDPOINT."""
        return [_known(card) for card in self.cards]


def _known(card: ModelCard) -> dict[str, Any]:
    facts = asdict(card)
    kept = ("name", "title", "summary", "paper", "licence", "parameters", "trained_on", "limits")
    controls = [
        {name: getattr(control, name) for name in ("name", "label", "info", "default", "allowed")}
        for control in card.controls
    ]
    sizes = {
        "bytes": sum(file.bytes for file in card.weights),
        "download": sum(file.bytes for file in checkpoints.list_missing(card.weights)),
    }
    return {name: facts[name] for name in kept} | {"controls": controls} | sizes


def build(cards: Sequence[ModelCard]) -> None:
    endpoints.publish(
        Endpoint(cards).models, None, [endpoints.make_table("Models")], ENDPOINT, queue=False
    )
