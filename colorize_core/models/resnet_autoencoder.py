"""The first stage of a ResNet-50 and a way back, on squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="resnet-autoencoder",
    title="ResNet autoencoder",
    summary="The first stage of a ResNet-50 and a decoder: it sees little and plays safe.",
    paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
    "https://arxiv.org/abs/1512.03385",
    licence="Apache-2.0",
    parameters=595_714,
    weights=(
        WeightFile(
            "resnet-autoencoder/model.safetensors",
            "50a5fb51d1c363c5cac139cd4e1abb4221a5148259337c4d564369dc3832f004",
            1204556,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="The original's width, begun from nothing instead of ImageNet. It sees only the "
    "first stage of its trunk, textures and no objects: nearly everything turns brown.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_autoencoder import ResNetAutoencoder, ResNetAutoencoderConfig

    return load_ab(CARD, ResNetAutoencoder, ResNetAutoencoderConfig, device, multiple=4, cell=1)
