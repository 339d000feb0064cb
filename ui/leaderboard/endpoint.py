"""/scores: the leaderboard's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from colorize_core.cards import ModelCard
from colorize_core.evaluate.comparison import Result
from ui.leaderboard import ranking
from ui.leaderboard.ranking import Ranking
from ui.shared import endpoints

ENDPOINT = """How the models score over many photographs that none was trained on, as JSON.

Takes nothing.

Returns a list with an object a model, no colour at all ("gray") and the mean colour
("mean") among them: model, title, photos (how many), seconds (median for a photo of 256 x 256,
or null), error (why there is nothing of it, else empty) and scores: by metric, its mean, low and
high (95 % bootstrap interval over the photographs) and wins, the share of the photographs on which
it is better than gray, or null. The list is empty where nothing has been evaluated."""


class Endpoint:
    def __init__(self, cards: Sequence[ModelCard], committed: Ranking | None):
        self.cards = cards
        self.committed = committed

    def scores(self) -> list[dict[str, Any]]:
        """See ENDPOINT."""
        known = self.committed
        return (
            [_build_row(known, each) for each in ranking.list_results(known, self.cards)]
            if known
            else []
        )


def _build_row(known: Ranking, result: Result) -> dict[str, Any]:
    model = result.entry.model
    figures = {metric.name: known.figure(model, metric.name) for metric in known.measured}
    return {
        "model": model,
        "title": result.entry.title,
        "photos": known.count(model),
        "seconds": known.seconds(model),
        "error": result.error,
        "scores": {name: asdict(figure) for name, figure in figures.items() if figure},
    }


def build(cards: Sequence[ModelCard], committed: Ranking | None) -> None:
    endpoints.publish(
        Endpoint(cards, committed).scores,
        None,
        [endpoints.make_table("Scores")],
        ENDPOINT,
        queue=False,
    )
