"""What the published DDColor models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import ModelCard, WeightFile

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.base import AbColorizer, Decoder
    from colorize_core.networks.ddcolor import DDColorConfig

PAPER = (
    "Kang et al., DDColor: Towards Photo-Realistic Image Colorization via Dual Decoders, ICCV "
    "2023, https://arxiv.org/abs/2212.11613"
)
IMAGENET = "ImageNet's 1.28 million training photographs, by its authors"
SIDE = 512  # of the photos that the published pipeline shows the network
LARGE_BYTES = 911_914_869
# A classifier that the trunk has lost since some of the files were made.
HEAD = ("encoder.arch.head_cls.weight", "encoder.arch.head_cls.bias")


def file(repo: str, size: int, sha256: str = "", revision: str = "") -> WeightFile:
    return WeightFile("pytorch_model.bin", sha256, size, repo, revision)


def load(card: ModelCard, config: DDColorConfig, device: str) -> AbColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models import ports
    from colorize_core.networks.ddcolor import STRIDE, DDColor

    return ports.load(
        card, lambda: DDColor(config), predict_ab, device, multiple=STRIDE, cell=1, unused=HEAD
    )


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """What the network makes of the photo as a gray picture."""
    from colorize_core.models.base import as_gray, scaled

    return scaled(network(as_gray(lightness)))
