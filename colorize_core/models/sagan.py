"""A self-attention GAN with spectral normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.datasets import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="sagan",
    title="SAGAN",
    summary="A U-Net in which far places look at each other, with spectral normalisation on both "
    "sides.",
    paper="Zhang et al., Self-Attention Generative Adversarial Networks, ICML 2019, "
    "https://arxiv.org/abs/1805.08318",
    licence="Apache-2.0",
    parameters=3_146_948,
    weights=(
        WeightFile(
            "sagan/model.safetensors",
            "a4c6f654fd4ff17825cd7e61278d930531db2499aef0a03d00fc898ef538d81c",
            6349816,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Half the original's width, at half the photo's resolution: skies come out pale blue, "
    "most else brownish.",
    network_side=128,
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.sagan import SaganConfig, SaganGenerator

    return load_ab(CARD, SaganGenerator, SaganConfig, device, multiple=32, cell=2)
