"""A U-Net with squeeze-and-excitation: the teacher of se-unet-student."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="se-unet",
    title="SE-U-Net",
    summary="An autoencoder with skips whose channels are weighed by what the whole photo shows.",
    paper="Hu et al., Squeeze-and-Excitation Networks, CVPR 2018, https://arxiv.org/abs/1709.01507",
    licence="Apache-2.0",
    parameters=3_691_111,
    weights=(
        WeightFile(
            "se-unet/model.safetensors",
            "d4b528a2e523d57083dbf66b9a656ee7980b047ee6f9f97a156cf380671f989a",
            7396446,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Trained on squared error alone: brownish wherever several colours are likely.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.se_unet import SeUNet, SeUNetConfig

    return load_ab(CARD, SeUNet, SeUNetConfig, device, multiple=16, cell=1)
