"""A U-Net trained against a patch discriminator, after pix2pix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="unet-gan",
    title="U-Net GAN",
    summary="pix2pix: a U-Net and a discriminator that judges patches, half the original's width.",
    paper="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR "
    "2017, https://arxiv.org/abs/1611.07004",
    licence="Apache-2.0",
    parameters=4_166_242,
    weights=(
        WeightFile(
            "unet-gan/model.safetensors",
            "1d982c6144c54d7987bf9cb68c525653a3268c8a918f8fc69c7e93e3c20b72e4",
            8339756,
        ),
    ),
    trained_on=f"{PHOTOGRAPHS}; with AdamW, which its recipe took before Muon",
    limits="Brownish where it is unsure, and less colourful than Autochrome. Half the original's "
    "width, five halvings instead of eight, and an L1 weight of 500 instead of 100 beside its "
    "judge.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.unet import UNet, UNetConfig

    return load_ab(CARD, UNet, UNetConfig, device, multiple=32, cell=1)
