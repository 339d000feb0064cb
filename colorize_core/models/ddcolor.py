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
    from colorize_core import devices
    from colorize_core.models import ports
    from colorize_core.models.base import AbColorizer
    from colorize_core.networks.ddcolor import STRIDE, DDColor

    picked = devices.pick(device)  # a wrong name is told before anything is downloaded
    network = ports.build(card, lambda: DDColor(config), HEAD)
    return AbColorizer(card, network, predict_ab, picked, multiple=STRIDE, cell=1)


def predict_ab(network: Any, lightness: Tensor, hints: Tensor) -> Decoder:
    """What the network makes of the photo as a gray picture."""
    from colorize_core.models.base import as_gray, scaled

    return scaled(network(as_gray(lightness)))
