"""Names to models: one explicit list."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from colorize_core.cards import ModelCard
from colorize_core.errors import UnknownModelError

if TYPE_CHECKING:
    from colorize_core.imaging.chroma import Picture
    from colorize_core.models.base import Prediction

# Each module has CARD (a ModelCard, importable without torch) and load(device) -> Colorizer.
MODELS = (
    "autochrome",
    "unet-gan",
    "resnet-unet-gan",
    "sagan",
    "vit-lsgan",
    "se-unet",
    "se-unet-student",
    "coltran",
    "diffusion",
    "cnn-mse",
    "cnn-lpips",
    "resnet-autoencoder",
    "resnet-fcn",
    "vit-discriminator",
    "vit-generator",
)

# Published elsewhere, with weights that are downloaded the first time they are loaded.
DOWNLOADS = (
    "ddcolor-tiny",
    "ddcolor-paper",
    "ddcolor-modelscope",
    "ddcolor-artistic",
    "deoldify-artistic",
    "siggraph17",
    "eccv16",
)

# Ship with the repository, and colorize nothing: load(device) gives a network.
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


def _module(name: str) -> Any:
    return importlib.import_module(f"colorize_core.models.{name.replace('-', '_')}")


def cards(downloads: bool = False) -> tuple[ModelCard, ...]:
    """The card of every model that ships with the repository, in the order of the list; then, with
    `downloads`, of those whose weights do not. Loads no model and downloads nothing."""
    return tuple(_module(name).CARD for name in (MODELS + DOWNLOADS if downloads else MODELS))


def tools() -> tuple[ModelCard, ...]:
    """The card of every network that ships with the repository and does not colorize."""
    return tuple(_module(name).CARD for name in TOOLS)


def load(name: str, device: str = "auto") -> Colorizer:
    """A model ready to use. `device`: "auto" (CUDA, then MPS, then CPU) or a torch device name.
    Weights that do not ship with the repository are downloaded once, see cards(downloads=True).

    Raises UnknownModelError, WeightsError or DeviceError.
    """
    if name not in MODELS + DOWNLOADS:
        known = ", ".join(MODELS + DOWNLOADS)
        raise UnknownModelError(f"There is no model named {name!r}. The models are: {known}.")
    colorizer: Colorizer = _module(name).load(device)
    return colorizer
