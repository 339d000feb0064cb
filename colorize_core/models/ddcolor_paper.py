"""DDColor as in the paper: a ConvNeXt-L below two decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard
from colorize_core.models import ddcolor
from colorize_core.models.ddcolor import IMAGENET, LARGE_BYTES, PAPER

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="ddcolor-paper",
    title="DDColor, the paper's",
    summary="The DDColor of the paper: 100 learned queries become the colours of a photo.",
    paper=PAPER,
    licence="Apache-2.0",
    parameters=227_869_328,
    weights=(ddcolor.file("piddnad/ddcolor_paper", LARGE_BYTES),),
    trained_on=IMAGENET,
    limits="Learned to be colourful, it may give a part of an object another colour than the "
    "rest, red above all. Its authors advise it for the pictures of the paper only.",
    network_side=ddcolor.SIDE,
    source="https://huggingface.co/piddnad/ddcolor_paper",
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.networks.ddcolor import LARGE

    return ddcolor.load(CARD, LARGE, device)
