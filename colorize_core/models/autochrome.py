"""The built-in model: soft classification over ab, automatic or guided by colour hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import AUTO_VIVIDNESS, NATURAL_SKIN, RECOMMENDED, ModelCard, WeightFile
from colorize_core.models.cards import MORE_PHOTOGRAPHS

if TYPE_CHECKING:
    from torch import Tensor

    from colorize_core.models.classification import ClassifyingColorizer
    from colorize_core.models.distribution import Distribution

CARD = ModelCard(
    name="autochrome",
    title="Autochrome",
    summary="The built-in model: small, calibrated, offline, with an eye for people, and steered "
    "by colour hints.",
    mark=RECOMMENDED,
    paper="",
    licence="Apache-2.0",
    parameters=10_987_596,
    weights=(
        WeightFile(
            "autochrome/model.safetensors",
            "c4399776ac6f7493fa8ea351bd4ad0deb16e38d5413beb7bbc4200e25affd9e8",
            16087360,
        ),
        WeightFile(
            "autochrome/encoder.safetensors",
            "ea0dc01823769a3504e873108ae1974754c9a84a73d2bbe6dd8305875e4d48b6",
            6020032,
        ),
    ),
    trained_on=f"{MORE_PHOTOGRAPHS}. Its encoder began from EfficientNet-Lite0's ImageNet "
    "weights, which TensorFlow's authors published under Apache-2.0",
    limits="Objects whose colour cannot be told from the gray (clothes, cars, walls) come out "
    "muted or in a colour that was never theirs; small objects may take the colour of what is "
    "around them. Faces under 12 pixels, or an eightieth of the photo's longer side, are not "
    "found; beards count as skin in part. One hint fills a small object; a large one needs "
    "several.",
    takes_hints=True,
    controls=(AUTO_VIVIDNESS, NATURAL_SKIN),
    network_side=288,
)
CARDS = {CARD.name: CARD}


def load(name: str = CARD.name, device: str = "auto") -> ClassifyingColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core import devices
    from colorize_core.downloads import checkpoints
    from colorize_core.models.classification import ClassifyingColorizer
    from colorize_core.networks.autochrome import CELL, STRIDE, Autochrome, AutochromeConfig

    path, *_ = [checkpoints.find(file) for file in CARD.weights]
    network = checkpoints.load_network(path, Autochrome, AutochromeConfig)
    return ClassifyingColorizer(
        CARD, network, predict_ab, devices.pick(device), multiple=STRIDE, cell=CELL
    )


def predict_ab(
    network: Any, lightness: Tensor, hints: Tensor, known: tuple[Tensor, ...] | None = None
) -> Distribution:
    """The mean of the photo's and its mirror image's distributions, to be decoded at will. `known`:
    what the encoder told of the same lightness before, as the distribution has it."""
    import torch

    from colorize_core.models.distribution import Distribution

    light, hint = (torch.cat([each, each.flip(-1)]) for each in (lightness, hints))
    known = known or network.recognize(light)
    seen = network.see(light, known, hint[:, :2], hint[:, 2:])[0]
    logits, features = (_merge(each) for each in (network.head(seen), seen))
    return Distribution(network.bins, logits, features, known)


def _merge(both: Tensor) -> Tensor:
    """The mean of what was made of a photo and of its mirror image."""
    plain, mirrored = both.chunk(2)
    return (plain + mirrored.flip(-1)) / 2
