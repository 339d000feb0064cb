"""Networks that Zhang et al. published: ECCV16, and SIGGRAPH17, which takes colour hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.models.cards import make_published_card

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder

CARDS = {
    each.name: each
    for each in (
        make_published_card(
            "siggraph17",
            summary="Real-Time User-Guided Image Colorization: a U-Net that learned to follow "
            "colour hints, or to do without.",
            paper="Zhang et al., Real-Time User-Guided Image Colorization with Learned Deep "
            "Priors, SIGGRAPH 2017, https://arxiv.org/abs/1705.02999",
            parameters=34_187_027,
            trained_on="ImageNet's 1.3 million training photographs, by its authors",
            limits="Made to be guided: without hints it plays safe. Sees the photo at about 256 "
            "x 256 pixels.",
            takes_hints=True,
            network_side=256,
        ),
        make_published_card(
            "eccv16",
            summary="Colorful Image Colorization: a distribution over 313 colours for each "
            "place, learned with rare colours counting more.",
            paper="Zhang, Isola and Efros, Colorful Image Colorization, ECCV 2016, "
            "https://arxiv.org/abs/1603.08511",
            parameters=32_236_011,
            trained_on="ImageNet's 1.3 million training photographs, by its authors",
            limits="As rare colours counted more, it may be bold where it is wrong. Sees the "
            "photo at about 256 x 256 pixels.",
            network_side=256,
        ),
    )
}

CELL = 2  # pixels along each side: on all of them, what hints fill would take most of a second


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models import ports
    from colorize_core.networks import zhang

    kind, predict_ab, cell = {
        "siggraph17": (zhang.Siggraph17, predict_guided, CELL),
        "eccv16": (zhang.Eccv16, predict_plain, 4),
    }[name]
    return ports.load(
        CARDS[name], lambda: kind(zhang.FULL), predict_ab, device, multiple=zhang.STRIDE, cell=cell
    )


def predict_guided(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """Of SIGGRAPH17, which is shown the hints."""
    import torch.nn.functional as F

    from colorize_core.models.base import make_scaling

    return make_scaling(F.avg_pool2d(network(lightness, hints[:, :2], hints[:, 2:]), CELL))


def predict_plain(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """Of ECCV16, which takes none."""
    from colorize_core.models.base import make_scaling

    return make_scaling(network(lightness))
