"""DDColor, tiny: a ConvNeXt-T below two decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard
from colorize_core.models import ddcolor
from colorize_core.models.ddcolor import IMAGENET, PAPER, TINY_BYTES

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="ddcolor-tiny",
    title="DDColor tiny",
    summary="DDColor with its smallest trunk.",
    paper=PAPER,
    licence="Apache-2.0",
    parameters=55_006_640,
    weights=(ddcolor.file("piddnad/ddcolor_paper_tiny", TINY_BYTES),),
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
