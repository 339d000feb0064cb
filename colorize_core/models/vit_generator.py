"""A vision transformer trained against a patch discriminator by cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="vit-generator",
    title="ViT generator, BCE",
    summary="The step before ViT-LSGAN: the same idea with binary cross-entropy, kept as a lesson.",
    paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, "
    "https://arxiv.org/abs/2010.11929",
    licence="Apache-2.0",
    parameters=2_182_272,
    weights=(
        WeightFile(
            "vit-generator/model.safetensors",
            "bca0a9baad18168f4fa1c459a69f31d889783ae1150d540546224200444d6cef",
            4376408,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="A lesson: the original's colours collapsed to gray once they met the judge, these grew "
    "bolder and less true instead. How they went is shown above.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.vit import VitConfig, VitGenerator

    return load_ab(CARD, VitGenerator, VitConfig, device, multiple=16, cell=1)
