"""The network that finds people for selective colouring: a model, but none that colorizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.models import autochrome

if TYPE_CHECKING:
    from colorize_core.networks.segmenter import Finder, Segmenter

CARD = ModelCard(
    name="people",
    title="People",
    summary="Finds people in a photograph, for colouring nothing but them: it reads what the "
    "built-in colorizer sees, which knows faces and clothes from their colours.",
    paper="",
    licence="Apache-2.0",
    parameters=753_729,
    weights=(
        WeightFile(
            "people/model.safetensors",
            "c82274a603315d144b3474c18f91e9656b81ff45a5841f94cfdd764ae51545cb",
            1516474,
        ),
    ),
    trained_on="902 photographs of whole people in streets with masks from Clothing Co-Parsing "
    "(Apache-2.0), also pasted onto photographs without people from those that `autochrome` is "
    "trained on",
    limits="It has learned from people who stand: who sits, lies or does sports, and small people "
    "in a crowd, are found in part, and what is upright and dark may be taken for somebody. What "
    "people carry counts as theirs. It reads one version of `autochrome` alone: it has to be "
    "trained again with other weights of that.",
    network_side=320,
)


def load(device: str = "auto") -> Segmenter:
    """The network that is trained, which reads what the colorizer sees. WeightsError, also where
    it has learned to read other weights of the colorizer; DeviceError."""
    from colorize_core import devices
    from colorize_core.downloads import checkpoints
    from colorize_core.errors import WeightsError
    from colorize_core.networks.segmenter import Segmenter, SegmenterConfig

    path = checkpoints.find(CARD.weights[0])
    network = checkpoints.load_network(path, Segmenter, SegmenterConfig)
    segmenter: Segmenter = network.eval().to(devices.pick(device))  # type: ignore[assignment]
    if segmenter.config.trunk != autochrome.CARD.weights[0].sha256:
        raise WeightsError(
            f"{path} has learned to read other weights of autochrome than there are. Train it "
            "again: python -m colorize_core.training people"
        )
    return segmenter


def load_finder(device: str = "auto") -> Finder:
    """The same with the colorizer before it, ready to be asked. Raises what load() raises."""
    from colorize_core.models import registry
    from colorize_core.networks.segmenter import Finder

    segmenter, colorizer = load(device), registry.load(autochrome.CARD.name, device)
    return Finder(colorizer.network, segmenter).eval()  # type: ignore[attr-defined]
