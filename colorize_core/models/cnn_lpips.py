"""A CNN of 18 layers on a perceptual distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.sources import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="cnn-lpips",
    title="CNN, perceptual loss",
    summary="The same eighteen layers, trained on how different the picture looks.",
    paper="Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, "
    "CVPR 2018, https://arxiv.org/abs/1801.03924",
    licence="Apache-2.0",
    parameters=0,
    weights=(WeightFile("cnn-lpips/model.safetensors", "", 0),),
    trained_on=PHOTOGRAPHS,
    limits="",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.cnn import Cnn, CnnConfig

    return load_ab(CARD, Cnn, CnnConfig, device, multiple=8, cell=1)
