"""A small network distilled from se-unet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="se-unet-student",
    title="SE-U-Net, student",
    summary="Half its teacher's size, without skips or excitation: it learned to think the same of "
    "a photo.",
    paper="Hinton et al., Distilling the Knowledge in a Neural Network, 2015, "
    "https://arxiv.org/abs/1503.02531",
    licence="Apache-2.0",
    parameters=1_558_860,
    weights=(
        WeightFile(
            "se-unet-student/model.safetensors",
            "77473c810b30366300b34aee0844a784bf75c3edffffefb5ea49c6a05226fa93",
            3127344,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Brownish like its teacher, and softer: without skips it sees edges only roughly.",
    beside="se-unet",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.se_unet import SeUNet, SeUNetConfig

    return load_ab(CARD, SeUNet, SeUNetConfig, device, multiple=16, cell=1)
