"""Names to models: one explicit table."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from colorize_core.cards import ModelCard
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import UnknownModelError

if TYPE_CHECKING:
    from colorize_core.imaging.chroma import Picture
    from colorize_core.models.base import Prediction

# Each name's family: a module with CARDS (name -> ModelCard, importable without torch) and
# load(name, device) -> Colorizer. Weights of names in the catalogue of downloads do not ship with
# the repository: they are downloaded the first time that they are loaded.
MODELS = {
    "autochrome": "autochrome",
    "unet-gan": "unet",
    "resnet-unet-gan": "unet",
    "efficientnet-unet-gan": "unet",
    "sagan": "unet",
    "vit-lsgan": "vit",
    "se-unet": "se_unet",
    "se-unet-student": "se_unet",
    "coltran": "coltran",
    "diffusion": "diffusion",
    "cnn-mse": "cnn",
    "cnn-lpips": "cnn",
    "resnet-autoencoder": "resnet",
    "resnet-fcn": "resnet",
    "vit-discriminator": "unet",
    "vit-generator": "vit",
    "ddcolor-tiny": "ddcolor",
    "ddcolor-paper": "ddcolor",
    "ddcolor-modelscope": "ddcolor",
    "ddcolor-artistic": "ddcolor",
    "deoldify-artistic": "deoldify",
    "deoldify-stable": "deoldify",
    "ddcolor-deoldify": "blend",
    "siggraph17": "zhang",
    "eccv16": "zhang",
}

# Ship with the repository, and colorize nothing: modules with CARD and load(device) -> a network.
TOOLS = ("skin", "people", "perceptual")


class Colorizer(Protocol):
    """What every model offers."""

    card: ModelCard

    @property
    def device(self) -> str:
        """A torch device name."""

    def colorize(self, image: Picture, **options: Any) -> Picture:
        """(H, W, 3) sRGB in RGB order -> the same size and type, with the L of the input. It is
        predict(), then render(), each with its own of the options."""

    def predict(self, image: Picture, **options: Any) -> Prediction:
        """The part with the network."""

    def render(self, image: Picture, prediction: Prediction, **options: Any) -> Picture:
        """The part at full size, which may be done again with other options."""


def _import_module(name: str) -> Any:
    return importlib.import_module(f"colorize_core.models.{name}")


def cards(downloads: bool = False) -> tuple[ModelCard, ...]:
    """The card of every model that ships with the repository, in the order of the table; then, with
    `downloads`, of those whose weights do not. Loads no model and downloads nothing."""
    names = [name for name in MODELS if downloads or name not in DOWNLOADS]
    return tuple(_import_module(MODELS[name]).CARDS[name] for name in names)


def tools() -> tuple[ModelCard, ...]:
    """The card of every network that ships with the repository and does not colorize."""
    return tuple(_import_module(name).CARD for name in TOOLS)


def load(name: str, device: str = "auto") -> Colorizer:
    """A model ready to use. `device`: "auto" (CUDA, then MPS, then CPU) or a torch device name.
    Weights that do not ship with the repository are downloaded once, see cards(downloads=True).

    Raises UnknownModelError, WeightsError or DeviceError.
    """
    if name not in MODELS:
        known = ", ".join(MODELS)
        raise UnknownModelError(f"There is no model named {name!r}. The models are: {known}.")
    colorizer: Colorizer = _import_module(MODELS[name]).load(name, device)
    return colorizer
