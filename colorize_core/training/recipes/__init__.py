"""One recipe a system: `RECIPES` maps a model's name to the class that trains it."""

from __future__ import annotations

import importlib

RECIPES = {
    "autochrome": "autochrome.AutochromeRecipe",
    "unet-gan": "adversarial.UNetGan",
}


def find(name: str) -> type:
    """The recipe of that name, a dataclass of its settings."""
    module, _, kind = RECIPES[name].partition(".")
    recipe: type = getattr(importlib.import_module(f"{__name__}.{module}"), kind)
    return recipe
