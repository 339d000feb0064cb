"""DDColor: a ConvNeXt below two decoders, as its authors published it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import RECOMMENDED
from colorize_core.models.cards import make_published_card

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder

PAPER = (
    "Kang et al., DDColor: Towards Photo-Realistic Image Colorization via Dual Decoders, ICCV "
    "2023, https://arxiv.org/abs/2212.11613"
)
IMAGENET = "ImageNet's 1.28 million training photographs, by its authors"
SIDE = 512  # of the photos that the published pipeline shows the network
CARDS = {
    each.name: each
    for each in (
        make_published_card(
            "ddcolor-tiny",
            summary="DDColor with its smallest trunk.",
            paper=PAPER,
            parameters=55_006_640,
            trained_on=IMAGENET,
            limits="Learned to be colourful, it may give a part of an object another colour "
            "than the rest, red above all.",
            mark=RECOMMENDED,
            network_side=SIDE,
        ),
        make_published_card(
            "ddcolor-paper",
            summary="The DDColor of the paper: 100 learned queries become the colours of a photo.",
            paper=PAPER,
            parameters=227_869_328,
            trained_on=IMAGENET,
            limits="Learned to be colourful, it may give a part of an object another colour "
            "than the rest, red above all. Its authors advise it for the pictures of the paper "
            "only.",
            network_side=SIDE,
        ),
        make_published_card(
            "ddcolor-modelscope",
            summary="The DDColor that its authors advise for photographs at large.",
            paper=PAPER,
            parameters=227_869_328,
            trained_on=f"{IMAGENET}, cleaned as for BigColor (Kim et al., 2022)",
            limits="Learned to be colourful, it may give a part of an object another colour "
            "than the rest, red above all.",
            mark=RECOMMENDED,
            network_side=SIDE,
        ),
        make_published_card(
            "ddcolor-artistic",
            summary="A DDColor that was shown artistic pictures, too, and not pressed to be "
            "colourful.",
            paper=PAPER,
            parameters=227_869_328,
            trained_on=f"{IMAGENET}, and a private collection of artistic pictures",
            limits="What it has learned from beside ImageNet is not published.",
            network_side=SIDE,
        ),
    )
}

# A classifier that the trunk has lost since some of the files were made.
HEAD = ("encoder.arch.head_cls.weight", "encoder.arch.head_cls.bias")


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models import ports
    from colorize_core.networks import ddcolor

    config = ddcolor.TINY if name == "ddcolor-tiny" else ddcolor.LARGE
    return ports.load(
        CARDS[name],
        lambda: ddcolor.DDColor(config),
        predict_ab,
        device,
        multiple=ddcolor.STRIDE,
        cell=1,
        unused=HEAD,
    )


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """What the network makes of the photo as a gray picture."""
    from colorize_core.models.base import as_gray, make_scaling

    return make_scaling(network(as_gray(lightness)))
