"""ResNets with a way back to colour, on squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.models.cards import MORE_PHOTOGRAPHS, make_trained_card

if TYPE_CHECKING:
    from colorize_core.models.base import AbColorizer

CARDS = {
    each.name: each
    for each in (
        make_trained_card(
            "resnet-autoencoder",
            title="ResNet autoencoder",
            summary="The first stage of a ResNet-50 and a decoder: it sees little and plays safe.",
            paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
            "https://arxiv.org/abs/1512.03385",
            parameters=595_714,
            sha256="671a0461d022c17a020ce5875baa78752b5129e2dc1352ef0696527a9c064c0c",
            bytes=1_204_660,
            trained_on=MORE_PHOTOGRAPHS,
            limits="The original's width, begun from nothing instead of ImageNet. It sees only "
            "the first stage of its trunk, textures and no objects: nearly everything turns "
            "brown.",
        ),
        make_trained_card(
            "resnet-fcn",
            title="ResNet FCN",
            summary="Every stage of a ResNet-101 is scored for colour and summed from deep to "
            "shallow.",
            paper="Long et al., Fully Convolutional Networks for Semantic Segmentation, CVPR "
            "2015, https://arxiv.org/abs/1411.4038",
            parameters=2_679_738,
            sha256="4f56b1285b7b88640fb7dc6b8906efab78cc8fce982d66f1236bc753f31a285c",
            bytes=5_461_972,
            trained_on=MORE_PHOTOGRAPHS,
            limits="A quarter of the original's width, begun from nothing instead of ImageNet. "
            "Colours come in clouds that end beside the edges, and are dull.",
        ),
    )
}


def load(name: str, device: str = "auto") -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.base import load_ab
    from colorize_core.networks.resnet_autoencoder import ResNetAutoencoder, ResNetAutoencoderConfig
    from colorize_core.networks.resnet_fcn import ResNetFcn, ResNetFcnConfig

    networks = {
        "resnet-autoencoder": (ResNetAutoencoder, ResNetAutoencoderConfig, 4),
        "resnet-fcn": (ResNetFcn, ResNetFcnConfig, 32),
    }
    network, config, multiple = networks[name]
    return load_ab(CARDS[name], network, config, device, multiple=multiple, cell=1)
