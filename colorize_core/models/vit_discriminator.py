"""A ResNet-18 U-Net trained against a vision transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="vit-discriminator",
    title="ViT discriminator",
    summary="A U-Net judged by a vision transformer, one verdict a picture, kept as a lesson.",
    paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, "
    "https://arxiv.org/abs/2010.11929",
    licence="Apache-2.0",
    parameters=1_945_034,
    weights=(
        WeightFile(
            "vit-discriminator/model.safetensors",
            "2ac653883d701108dfe023f2a8e41f97a84d6ac8bfef7c3216318451887a99ec",
            3915612,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="A lesson: its judge gives one verdict a picture, which tells the U-Net nothing of "
    "where. The original's colours collapsed to gray. These did not, see how they went above, "
    "but nor did they gain by it.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_unet import ResNetUNet, ResNetUNetConfig

    return load_ab(CARD, ResNetUNet, ResNetUNetConfig, device, multiple=32, cell=2)
