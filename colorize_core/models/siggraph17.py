"""Real-Time User-Guided Image Colorization: a U-Net that takes colour hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import ModelCard, WeightFile

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder

CARD = ModelCard(
    name="siggraph17",
    title="SIGGRAPH17",
    summary="Real-Time User-Guided Image Colorization: a U-Net that learned to follow colour "
    "hints, or to do without.",
    paper="Zhang et al., Real-Time User-Guided Image Colorization with Learned Deep Priors, "
    "SIGGRAPH 2017, https://arxiv.org/abs/1705.02999",
    licence="BSD-2-Clause",
    parameters=34_187_027,
    weights=(
        WeightFile(
            "siggraph17-df00044c.pth",
            "df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66",
            136_800_000,  # about
            address="https://colorizers.s3.us-east-2.amazonaws.com/siggraph17-df00044c.pth",
        ),
    ),
    trained_on="ImageNet's 1.3 million training photographs, by its authors",
    limits="Made to be guided: without hints it plays safe. Sees the photo at about 256 x 256 "
    "pixels.",
    takes_hints=True,
    network_side=256,
    source="https://github.com/richzhang/colorization",
)


CELL = 2  # pixels along each side: on all of them, what hints fill would take most of a second


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models import ports
    from colorize_core.networks.zhang import FULL, STRIDE, Siggraph17

    return ports.load(
        CARD, lambda: Siggraph17(FULL), predict_ab, device, multiple=STRIDE, cell=CELL
    )


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    import torch.nn.functional as F

    from colorize_core.models.base import scaled

    return scaled(F.avg_pool2d(network(lightness, hints[:, :2], hints[:, 2:]), CELL))
