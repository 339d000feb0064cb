"""The network that finds skin around faces: a model, but none that colorizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import ModelCard, WeightFile

if TYPE_CHECKING:
    from colorize_core.networks.skin import Skin

CARD = ModelCard(
    name="skin",
    title="Skin",
    summary="Finds skin around a face in a gray photograph, and knows what colours skin has at "
    "each lightness.",
    paper="",
    licence="Apache-2.0",
    parameters=546_320,
    weights=(
        WeightFile(
            "skin/model.safetensors",
            "4dfc2717bb8a01921594df1f91b54d67034d3fe4acd902ec1a4b9ba17bc0b472",
            1104020,
        ),
    ),
    trained_on="Windows around faces that were found in photographs in colour, whose faces tell "
    "what is skin: from MIRFLICKR-25k (Creative Commons, each its own), 100 sports (CC0), and "
    "research data sets with people. Nobody has drawn masks",
    limits="Its masks are learned from what resembles a face in colour: fair hair, beards and "
    "what is worn close to the face may count in part, and skin in deep shade may not. The colours "
    "are those of the people in these photographs, and may fit some skins better than others.",
    network_side=128,
)


def load(device: str = "auto") -> Skin:
    """The network that is trained, and the colours that it knows. Raises WeightsError or
    DeviceError."""
    from colorize_core import devices
    from colorize_core.downloads import checkpoints
    from colorize_core.networks.skin import Skin, SkinConfig

    network = checkpoints.load_network(checkpoints.find(CARD.weights[0]), Skin, SkinConfig)
    ready: Skin = network.eval().to(devices.pick(device))  # type: ignore[assignment]
    return ready
