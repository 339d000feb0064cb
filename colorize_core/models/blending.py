"""Two models on one photo: a mean of their ab, taken at the size of the guided planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from colorize_core.cards import ModelCard
from colorize_core.imaging import chroma
from colorize_core.imaging.resampling import resize
from colorize_core.models.base import FittedPhoto, LabColorizer, Prediction, Report
from colorize_core.steering.hints import Hint


@dataclass(frozen=True)
class MeanLayer:
    """Another model's prediction for the same photo, over that of the first."""

    other: Prediction
    share: float  # of the other one's ab, in [0, 1]

    def apply_to(self, ab: chroma.Floats, vividness: float) -> chroma.Floats:
        """The weighted mean of ab (H, W, 2) in Lab units and the other's."""
        other = self.other.fine_ab(vividness)
        if other.shape != ab.shape:  # networks that see more have finer planes
            other = resize(other, *ab.shape[:2])
        return ab + self.share * (other - ab)


def blend(first: Prediction, second: Prediction, share: float) -> Prediction:
    """The weighted mean of two predictions for one photo; `share` in [0, 1] is the second's. How
    sure it is, neither tells."""
    return replace(first, layers=(*first.layers, MeanLayer(second, share)), spread=None)


class Blend(LabColorizer):
    """Two models as one. The control `share` of its card, in [0, 1], is how much of the second
    there is in the mean of their ab."""

    looking = 0.5

    def __init__(self, card: ModelCard, first: LabColorizer, second: LabColorizer):
        networks = nn.ModuleList([first.network, second.network])
        super().__init__(card, networks, first.torch_device, multiple=1)
        self.members = first, second

    def _predict(
        self,
        seen: FittedPhoto,
        hints: Sequence[Hint],
        settings: dict[str, Any],
        progress: Report | None,
    ) -> Prediction:
        made: list[Prediction] = []
        for member in self.members:
            defaults: dict[str, Any] = dict(member.card.settings({}))
            made.append(member._predict(member.fit(seen), (), defaults, None))
            if progress:
                progress(len(made) / len(self.members))
        return blend(made[0], made[1], settings["share"])
