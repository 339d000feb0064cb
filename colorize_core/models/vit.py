"""Vision transformers whose patches unfold into colour, trained against a discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import LESSON
from colorize_core.models.cards import MORE_PHOTOGRAPHS, make_trained_card

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARDS = {
    each.name: each
    for each in (
        make_trained_card(
            "vit-lsgan",
            title="ViT-LSGAN",
            summary="A vision transformer whose 16 x 16 patches unfold into colour, trained "
            "with least squares.",
            paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, "
            "https://arxiv.org/abs/2010.11929; Mao et al., Least Squares GAN, ICCV 2017, "
            "https://arxiv.org/abs/1611.04076",
            parameters=2_182_272,
            sha256="787894239dd27a8b0c14c8471f542a8167cb659985f2b1002125fe85864fe866",
            bytes=4_376_240,
            trained_on=MORE_PHOTOGRAPHS,
            limits="The original began from a transformer that knew ImageNet-21k; this one is "
            "smaller and began from nothing: brownish and dull.",
        ),
        make_trained_card(
            "vit-generator",
            title="ViT generator, BCE",
            mark=LESSON,
            summary="The step before ViT-LSGAN: the same idea with binary cross-entropy, kept "
            "as a lesson.",
            paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, "
            "https://arxiv.org/abs/2010.11929",
            parameters=2_182_272,
            sha256="9d0f6b2f0ec002a6e31e7dc23dc6bf10f227d992a23ee6850cde3083515fed43",
            bytes=4_376_432,
            trained_on=MORE_PHOTOGRAPHS,
            limits="A lesson: the original's colours collapsed to gray once they met the judge, "
            "these grew bolder and less true instead, in patches of red and green with the grid of "
            "the tokens in them. How they went is shown above.",
        ),
    )
}


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.vit import VitConfig, VitGenerator

    return load_ab(CARDS[name], VitGenerator, VitConfig, device, multiple=16, cell=1)
