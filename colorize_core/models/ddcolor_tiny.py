"""DDColor, tiny: a ConvNeXt-T below two decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard
from colorize_core.models import ddcolor
from colorize_core.models.ddcolor import IMAGENET, PAPER

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="ddcolor-tiny",
    title="DDColor tiny",
    summary="DDColor with its smallest trunk.",
    paper=PAPER,
    licence="Apache-2.0",
    parameters=55_006_640,
    weights=(
        ddcolor.file(
            "piddnad/ddcolor_paper_tiny",
            220_372_845,
            "8a1277bc90a1bfbb6d2d83933a9a6bc821931879ca93e26e4fcec12165d41fce",
            "cf9fd99c1d7472689ec7413441c1b799a51866a3",
        ),
    ),
    trained_on=IMAGENET,
    limits="Learned to be colourful, it may give a part of an object another colour than the "
    "rest, red above all.",
    network_side=ddcolor.SIDE,
    source="https://huggingface.co/piddnad/ddcolor_paper_tiny",
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.networks.ddcolor import TINY

    return ddcolor.load(CARD, TINY, device)
