"""Every stage of a ResNet-101 scored and summed, on squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="resnet-fcn",
    title="ResNet FCN",
    summary="Every stage of a ResNet-101 is scored for colour and summed from deep to shallow.",
    paper="Long et al., Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, "
    "https://arxiv.org/abs/1411.4038",
    licence="Apache-2.0",
    parameters=2_679_738,
    weights=(
        WeightFile(
            "resnet-fcn/model.safetensors",
            "390d64936f8159260a0efab383c1ad932678a9b8cd9774004d3497fa48ea8ce4",
            5461788,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="A quarter of the original's width, begun from nothing instead of ImageNet. Colours "
    "come in clouds that end beside the edges, and are dull.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_fcn import ResNetFcn, ResNetFcnConfig

    return load_ab(CARD, ResNetFcn, ResNetFcnConfig, device, multiple=32, cell=1)
