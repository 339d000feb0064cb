"""A U-Net on a ResNet-18 trained against a patch discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.sources import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="resnet-unet-gan",
    title="ResNet U-Net GAN",
    summary="A U-Net whose way down is a ResNet-18, with a discriminator that judges patches.",
    paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
    "https://arxiv.org/abs/1512.03385; Isola et al., Image-to-Image Translation with Conditional "
    "Adversarial Networks, CVPR 2017, https://arxiv.org/abs/1611.07004",
    licence="Apache-2.0",
    parameters=3_453_794,
    weights=(
        WeightFile(
            "resnet-unet-gan/model.safetensors",
            "6a928445a0ae7738295e95f2f5c7ebd505ede4281999b46fbd744e70752b6e3e",
            6936308,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Bold where it is unsure: red patches in dark places, which the judge took for "
    "a photograph's.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_unet import ResNetUNet, ResNetUNetConfig

    return load_ab(CARD, ResNetUNet, ResNetUNetConfig, device, multiple=32, cell=2)
