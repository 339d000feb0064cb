"""A CNN of 18 layers on a perceptual distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="cnn-lpips",
    title="CNN, perceptual loss",
    summary="The same eighteen layers, trained on how different the picture looks.",
    paper="Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, "
    "CVPR 2018, https://arxiv.org/abs/1801.03924",
    licence="Apache-2.0",
    parameters=960_994,
    weights=(
        WeightFile(
            "cnn-lpips/model.safetensors",
            "b29f46fd680255bb39c2df38fb446e2af92a1847dc5b82958c9031211cef918c",
            1934036,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Its loss was the distance over the bundled `perceptual` trunk, beside half the squared "
    "error: not LPIPS, whose trunk was not to be had where it was trained. Patchy, with grains of "
    "colour in textures.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.cnn import Cnn, CnnConfig

    return load_ab(CARD, Cnn, CnnConfig, device, multiple=8, cell=1)
