"""Networks of others, filled with their published weights."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import nn

from colorize_core import weights
from colorize_core.cards import ModelCard
from colorize_core.errors import WeightsError


def build(
    card: ModelCard, make: Callable[[], nn.Module], unused: Collection[str] = ()
) -> nn.Module:
    """make(), with the tensors of the card's weight file as float32, loaded strictly but for those
    `unused`, which it may have or not. WeightsError if the file cannot be had or does not fit."""
    path = weights.find(card.weights[0])
    tensors = {k: v for k, v in weights.load_checkpoint(path).items() if k not in unused}
    with torch.device("meta"):  # no time is spent on numbers that the file replaces
        network = make()
    network = network.to_empty(device="cpu")
    # Batch counters only matter to a running average without momentum: old files have none.
    counters = {
        name: torch.zeros_like(value)
        for name, value in network.state_dict().items()
        if name.endswith("batches_tracked")
    }
    floats = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    try:
        network.load_state_dict(counters | floats)
    except RuntimeError as error:
        raise WeightsError(
            f"The weight file {path} is not one of {card.title}: {error} If it may be damaged, "
            f"delete {path.resolve()} and try again: it is downloaded anew."
        ) from error
    return network
