"""DDColor, artistic: the paper's network, with other data and without its colourfulness loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard
from colorize_core.models import ddcolor
from colorize_core.models.ddcolor import IMAGENET, LARGE_BYTES, PAPER

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="ddcolor-artistic",
    title="DDColor, artistic",
    summary="A DDColor that was shown artistic pictures, too, and not pressed to be colourful.",
    paper=PAPER,
    licence="Apache-2.0",
    parameters=227_869_328,
    weights=(
        ddcolor.file(
            "piddnad/ddcolor_artistic",
            LARGE_BYTES,
            "5a076e84efce59848394f572a105f7b78f7f6e917f615d1ee88537241b96dca3",
            "aa10f72fffc89a6658e37b48556050b4d9a26f63",
        ),
    ),
    trained_on=f"{IMAGENET}, and a private collection of artistic pictures",
    limits="What it has learned from beside ImageNet is not published.",
    network_side=ddcolor.SIDE,
    source="https://huggingface.co/piddnad/ddcolor_artistic",
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.networks.ddcolor import LARGE

    return ddcolor.load(CARD, LARGE, device)
