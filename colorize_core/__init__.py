"""Colour for black-and-white photographs: many models behind one interface.

>>> import colorize_core
>>> colorizer = colorize_core.load("autochrome")
>>> colour = colorizer.colorize(gray)  # (H, W, 3) uint8 sRGB -> the same

Importing this loads neither torch nor gradio.
"""

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.errors import ColorizeError
from colorize_core.models.registry import Colorizer, cards, load

__all__ = ["ColorizeError", "Colorizer", "ModelCard", "WeightFile", "cards", "load"]
__version__ = "0.1.0"
