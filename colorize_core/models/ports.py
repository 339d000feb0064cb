"""Networks of others, filled with their published weights."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from colorize_core import devices
from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.models.base import AbColorizer, Decoder


def load(
    card: ModelCard,
    make: Callable[[], nn.Module],
    predict_ab: Callable[[nn.Module, Tensor, Tensor], Decoder],
    device: str,
    *,
    multiple: int,
    cell: int,
    unused: Collection[str] = (),
) -> AbColorizer:
    """build() in what the device is fast with, and an AbColorizer of it. Raises WeightsError or
    DeviceError."""
    picked = devices.pick(device)  # a wrong name is told before anything is downloaded
    network = set_precision(build(card, make, unused), devices.choose_precision(picked))
    return AbColorizer(card, network, predict_ab, picked, multiple=multiple, cell=cell)


def build(
    card: ModelCard, make: Callable[[], nn.Module], unused: Collection[str] = ()
) -> nn.Module:
    """make(), with the tensors of the card's weight file as float32, loaded strictly but for those
    `unused`, which it may have or not. WeightsError if the file cannot be had or does not fit."""
    path = checkpoints.find(card.weights[0])
    tensors = {k: v for k, v in checkpoints.load_checkpoint(path).items() if k not in unused}
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


def set_precision(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A network of float32 that computes in `dtype`."""
    return network if dtype == torch.float32 else _Cast(network, dtype)


class _Cast(nn.Module):
    """Takes and gives float32. Norms keep weights of float32: theirs take no time."""

    def __init__(self, network: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.network = network.to(dtype)
        self.dtype = dtype
        for module in network.modules():
            if isinstance(module, nn.LayerNorm | _BatchNorm):
                module.float()

    def forward(self, *inputs: Tensor) -> Tensor:
        output: Tensor = self.network(*(x.to(self.dtype) for x in inputs))
        return output.float()
