"""A U-Net on a ResNet-18 trained against a patch discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

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
            "79b0e5ac8223075539b13060cc761cd95aa3e9ee196de90ef9d4397453417546",
            6936220,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Timid: what it does not know stays gray or turns brown. With half the weight of L1 its "
    "judge was pleased by red patches in dark places.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_unet import ResNetUNet, ResNetUNetConfig

    return load_ab(CARD, ResNetUNet, ResNetUNetConfig, device, multiple=32, cell=2)
