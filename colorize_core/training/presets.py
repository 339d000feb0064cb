"""What a kind of machine needs of a training, by the name that --preset takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from colorize_core.training.engine import Recipe

LIMIT = 12.0  # minutes from the command to the saved weights on one GPU
# Minutes of these for what is imported before a run begins, and for a step or a last look that
# takes longer than those before.
RESERVE = 1.0


class Preset(NamedTuple):
    """What it is for, and from a recipe to those of TrainingSettings that it changes."""

    purpose: str
    settings: Callable[[type[Recipe]], dict[str, Any]]


def _make_one_gpu(recipe: type[Recipe]) -> dict[str, Any]:
    return {
        "precision": "bf16",
        "minutes": LIMIT - RESERVE,
        "look_every": 1.5,  # a checkpoint within 2 minutes of the one before, with the look's time
        "batch": recipe.gpu_batch,
    }


PRESETS = {"gpu": Preset(f"a whole run on one GPU in at most {LIMIT:g} minutes", _make_one_gpu)}
