"""The built-in model: soft classification over ab, automatic or guided by colour hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.sources import PHOTOGRAPHS

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder

CARD = ModelCard(
    name="autochrome",
    title="Autochrome",
    summary="The built-in model: small, calibrated, offline, and steered by colour hints.",
    paper="",
    licence="Apache-2.0",
    parameters=7_880_428,
    weights=(
        WeightFile(
            "autochrome/model.safetensors",
            "59acdf7cf5ccbb3daf6734b6c22085dbf1bc8b61e7a898b52bc3ee66f12bd59c",
            15788240,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Objects whose colour cannot be told from the gray (clothes, cars, walls) come out "
    "muted or brownish, and wide dark gradients blotchy; small objects may take the colour of what "
    "is around them. One hint fills a small object; a large one needs several.",
    takes_hints=True,
    network_side=144,
)

# What vividness 0, 1 and 2 mean: (rebalance, temperature, lift). Chosen on the validation photos.
VIVIDNESS = ((0.0, 0.5, 0.0), (0.1, 0.5, 0.3), (0.3, 0.4, 0.5))
TURN, REACH = 7.5, 35.0  # of lift(), chroma in Lab units


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core import devices, weights
    from colorize_core.models.base import AbColorizer
    from colorize_core.networks.autochrome import STRIDE, Autochrome, AutochromeConfig

    network = weights.load_network(weights.find(CARD.weights[0]), Autochrome, AutochromeConfig)
    return AbColorizer(CARD, network, predict_ab, devices.pick(device), multiple=STRIDE, cell=4)


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """The mean of the photo's and its mirror image's distributions, to be decoded at will."""
    both = [(lightness, hints), (lightness.flip(-1), hints.flip(-1))]
    light, hint = (_cat(parts) for parts in zip(*both, strict=True))
    logits, mirrored = network(light, hint[:, :2], hint[:, 2:]).chunk(2)
    mean = (logits + mirrored.flip(-1)) / 2

    def decode(vividness: float) -> Tensor:
        rebalance, temperature, amount = _between(vividness)
        return lift(network.bins.decode(mean, temperature, rebalance), amount)

    return decode


def lift(ab: Tensor, amount: float) -> Tensor:
    """A contrast curve of chroma: what is nearly gray (below TURN) becomes grayer, the middle more
    colourful, and what is vivid already (beyond REACH) stays as it is, hints among it.

    The mean of a distribution understates chroma wherever hues disagree. Raising it all alike costs
    more in CIEDE2000 than it gives; raising only the middle gives the same colourfulness for less.
    """
    chroma = ab.norm(dim=1, keepdim=True)
    middle = (-((chroma / REACH) ** 2)).exp()
    return ab * (1 + amount * (chroma / TURN - 1) * middle)


def _cat(parts: tuple[Tensor, ...]) -> Tensor:
    import torch

    return torch.cat(parts)


def _between(vividness: float) -> list[float]:
    """The settings at a vividness in [0, 2], linear between the three that are stated."""
    low = min(int(vividness), 1)
    share = vividness - low
    pairs = zip(VIVIDNESS[low], VIVIDNESS[low + 1], strict=True)
    return [first + share * (second - first) for first, second in pairs]
