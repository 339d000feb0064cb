"""One recipe a system: `RECIPES` maps a model's name to the module that trains it."""

RECIPES = {"autochrome": "colorize_core.training.recipes.autochrome"}
