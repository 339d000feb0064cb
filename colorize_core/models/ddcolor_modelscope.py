"""DDColor as on ModelScope: the paper's network, from cleaner data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard
from colorize_core.models import ddcolor
from colorize_core.models.ddcolor import IMAGENET, LARGE_BYTES, PAPER

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARD = ModelCard(
    name="ddcolor-modelscope",
    title="DDColor, ModelScope",
    summary="The DDColor that its authors advise for photographs at large.",
    paper=PAPER,
    licence="Apache-2.0",
    parameters=227_869_328,
    weights=(
        ddcolor.file(
            "piddnad/ddcolor_modelscope",
            LARGE_BYTES,
            "d81711971ec59200da26d5e8a1afae8dd3778d495ea8ad7a7dadc769f403f7e7",
            "060f67494e31883a4b13cb27f889f3154847ada4",
        ),
    ),
    trained_on=f"{IMAGENET}, cleaned as for BigColor (Kim et al., 2022)",
    limits="Learned to be colourful, it may give a part of an object another colour than the "
    "rest, red above all.",
    network_side=ddcolor.SIDE,
    source="https://huggingface.co/piddnad/ddcolor_modelscope",
)


def load(device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.networks.ddcolor import LARGE

    return ddcolor.load(CARD, LARGE, device)
