"""A vision transformer trained against a patch discriminator by least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="vit-lsgan",
    title="ViT-LSGAN",
    summary="A vision transformer whose 16 x 16 patches unfold into colour, trained with least "
    "squares.",
    paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, "
    "https://arxiv.org/abs/2010.11929; Mao et al., Least Squares GAN, ICCV 2017, "
    "https://arxiv.org/abs/1611.04076",
    licence="Apache-2.0",
    parameters=2_182_272,
    weights=(
        WeightFile(
            "vit-lsgan/model.safetensors",
            "0bd13b27d875eb355c5b6e2545e781f239c0606ac9bfa4630fccf4d4594079fa",
            4375888,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="The original began from a transformer that knew ImageNet-21k; this one is smaller and "
    "began from nothing: brownish and dull.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.vit import VitConfig, VitGenerator

    return load_ab(CARD, VitGenerator, VitConfig, device, multiple=16, cell=1)
