"""A U-Net with squeeze-and-excitation, and what was distilled from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.models.cards import MORE_PHOTOGRAPHS, make_trained_card

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARDS = {
    each.name: each
    for each in (
        make_trained_card(
            "se-unet",
            title="SE-U-Net",
            summary="An autoencoder with skips whose channels are weighed by what the whole "
            "photo shows.",
            paper="Hu et al., Squeeze-and-Excitation Networks, CVPR 2018, "
            "https://arxiv.org/abs/1709.01507",
            parameters=3_691_111,
            sha256="9ac35e2997b54bd2afc81259f81b5d51366d32a2dddf57653b1f5a6dfdc943ad",
            bytes=7_397_190,
            limits="Trained on squared error alone: brownish wherever several colours are likely.",
        ),
        make_trained_card(
            "se-unet-student",
            title="SE-U-Net, student",
            summary="Half its teacher's size, without skips or excitation: it learned to think "
            "the same of a photo.",
            paper="Hinton et al., Distilling the Knowledge in a Neural Network, 2015, "
            "https://arxiv.org/abs/1503.02531",
            parameters=1_558_860,
            sha256="c1940e82140d6e273f8335dbccac68f25c4fb0d7a542fadf5ce84771fe24d6a7",
            bytes=3_127_768,
            trained_on=MORE_PHOTOGRAPHS,
            limits="Brownish like its teacher, and softer: without skips it sees edges only "
            "roughly.",
            beside="se-unet",
        ),
    )
}


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.se_unet import SeUNet, SeUNetConfig

    return load_ab(CARDS[name], SeUNet, SeUNetConfig, device, multiple=16, cell=1)
