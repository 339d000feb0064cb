"""Colorful Image Colorization: each place's colour is a distribution over 313 of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import ModelCard, WeightFile

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder

CARD = ModelCard(
    name="eccv16",
    title="ECCV16",
    summary="Colorful Image Colorization: a distribution over 313 colours for each place, learned "
    "with rare colours counting more.",
    paper="Zhang, Isola and Efros, Colorful Image Colorization, ECCV 2016, "
    "https://arxiv.org/abs/1603.08511",
    licence="BSD-2-Clause",
    parameters=32_236_011,
    weights=(
        WeightFile(
            "colorization_release_v2-9b330a0b.pth",
            "9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9",
            129_000_000,  # about
            address="https://colorizers.s3.us-east-2.amazonaws.com/"
            "colorization_release_v2-9b330a0b.pth",
        ),
    ),
    trained_on="ImageNet's 1.3 million training photographs, by its authors",
    limits="As rare colours counted more, it may be bold where it is wrong. Sees the photo at "
    "about 256 x 256 pixels.",
    network_side=256,
    source="https://github.com/richzhang/colorization",
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models import ports
    from colorize_core.networks.zhang import FULL, STRIDE, Eccv16

    return ports.load(CARD, lambda: Eccv16(FULL), predict_ab, device, multiple=STRIDE, cell=4)


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    from colorize_core.models.base import scaled

    return scaled(network(lightness))
