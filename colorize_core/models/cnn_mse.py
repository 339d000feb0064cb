"""A CNN of 18 layers on squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="cnn-mse",
    title="CNN, squared error",
    summary="Eighteen layers on squared error: the baseline that a perceptual loss is to improve "
    "on.",
    paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
    "https://arxiv.org/abs/1512.03385",
    licence="Apache-2.0",
    parameters=960_994,
    weights=(
        WeightFile(
            "cnn-mse/model.safetensors",
            "18bba2a35918fd920cbda275a77d9998c9a77a5caf4faaadfa6df0d3667a4876",
            1934036,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Sees the photo at an eighth of its size and plays safe: brownish, with soft borders.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.cnn import Cnn, CnnConfig

    return load_ab(CARD, Cnn, CnnConfig, device, multiple=8, cell=1)
