"""CNNs of 18 layers that see the photo at an eighth of its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.models.cards import MORE_PHOTOGRAPHS, make_trained_card

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARDS = {
    each.name: each
    for each in (
        make_trained_card(
            "cnn-mse",
            title="CNN, squared error",
            summary="Eighteen layers on squared error: the baseline that a perceptual loss is "
            "to improve on.",
            paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
            "https://arxiv.org/abs/1512.03385",
            parameters=960_994,
            sha256="0f0dae2b9531a4000e47322079738399355c8c39fa3f2cb8acc93124a15a9c9c",
            bytes=1_934_316,
            trained_on=MORE_PHOTOGRAPHS,
            limits="Sees the photo at an eighth of its size and plays safe: brownish, with soft "
            "borders.",
        ),
        make_trained_card(
            "cnn-lpips",
            title="CNN, perceptual loss",
            summary="The same eighteen layers, trained on how different the picture looks.",
            paper="Zhang et al., The Unreasonable Effectiveness of Deep Features as a "
            "Perceptual Metric, CVPR 2018, https://arxiv.org/abs/1801.03924",
            parameters=960_994,
            sha256="29f6253c8808ba69afccf5533b2ae7049a419d771f2886d81eb6b04cd70ab924",
            bytes=1_934_556,
            trained_on=MORE_PHOTOGRAPHS,
            limits="Its loss was the distance over the bundled `perceptual` trunk, beside half "
            "the squared error: not LPIPS, whose trunk was not to be had where it was trained. "
            "Patchy, with grains of colour in textures.",
        ),
    )
}


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.cnn import Cnn, CnnConfig

    return load_ab(CARDS[name], Cnn, CnnConfig, device, multiple=8, cell=1)
