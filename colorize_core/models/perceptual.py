"""The trunk behind perceptual losses and distances: a model, but none that colorizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models.cards import PHOTOGRAPHS

if TYPE_CHECKING:
    from colorize_core.networks.perceptual import Perceptual

CARD = ModelCard(
    name="perceptual",
    title="Perceptual trunk",
    summary="Five convolutions that learned to name sports and to tell from where a photograph "
    "comes, seeing its colours. How differently they see two pictures is a distance between them.",
    paper="the layers of Krizhevsky, One weird trick for parallelizing convolutional neural "
    "networks, 2014, https://arxiv.org/abs/1404.5997; the distance as in Zhang et al., The "
    "Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018, "
    "https://arxiv.org/abs/1801.03924",
    licence="Apache-2.0",
    parameters=2_485_551,
    weights=(
        WeightFile(
            "perceptual/model.safetensors",
            "ac8ac8a244953118899da8db83ffee0d9706f3051d7ca8450d52d3d57dc3087f",
            4980798,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="It is not LPIPS: its trunk has seen far fewer photographs, and no linear weights were "
    "fitted to what people answered. Its distances compare with each other and with nothing else.",
    network_side=112,
)


def load(device: str = "auto") -> Perceptual:
    """The network, ready to be asked for features or distances. Raises WeightsError or
    DeviceError."""
    from colorize_core import devices
    from colorize_core.downloads import checkpoints
    from colorize_core.networks.perceptual import Perceptual, PerceptualConfig

    network = checkpoints.load_network(
        checkpoints.find(CARD.weights[0]), Perceptual, PerceptualConfig
    )
    trunk: Perceptual = network.eval().to(devices.pick(device))  # type: ignore[assignment]
    return trunk
