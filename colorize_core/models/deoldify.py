"""DeOldify: U-Nets on a ResNet, trained against a critic for a short while only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.models.cards import make_published_card

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder

PAPER = (
    "Antic, DeOldify, 2018, https://github.com/jantic/DeOldify; its self-attention as in Zhang et "
    "al., Self-Attention Generative Adversarial Networks, ICML 2019, "
    "https://arxiv.org/abs/1805.08318"
)
CARDS = {
    card.name: card
    for card in (
        make_published_card(
            "deoldify-artistic",
            summary="The more colourful one of DeOldify's models for photographs: a wide U-Net "
            "with self-attention.",
            paper=PAPER,
            parameters=63_645_681,
            trained_on="32 % of ImageNet's training photographs, by its author",
            limits="By its author's account more prone to glitches than his stable model, above "
            "all in landscapes and portraits, and different at other sizes. Slow.",
            network_side=544,  # its author's default is 560
        ),
        make_published_card(
            "deoldify-stable",
            summary="The calmer one of DeOldify's models, which its author names for landscapes "
            "and portraits: a ResNet-101 with a wide way up and self-attention.",
            paper=PAPER,
            parameters=218_221_173,
            trained_on="7 % of ImageNet's training photographs, by its author",
            limits="By its author's account less colourful than his artistic model. The largest "
            "and slowest of the ports.",
            network_side=544,  # its author's default is 560
        ),
    )
}


def load(name: str = "deoldify-artistic", device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models import ports
    from colorize_core.networks import deoldify

    config = deoldify.STABLE if name == "deoldify-stable" else deoldify.ARTISTIC
    return ports.load(
        CARDS[name],
        lambda: deoldify.DeOldify(config),
        predict_ab,
        device,
        multiple=deoldify.STRIDE,
        cell=1,
    )


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """The colours of what the network makes of the photo as a gray picture; its L is left."""
    from colorize_core.imaging.color import rgb_to_lab
    from colorize_core.models.base import as_gray, make_scaling

    return make_scaling(rgb_to_lab(network(as_gray(lightness)).clamp(0, 1), axis=1)[:, 1:])
