"""One recipe a system: `RECIPES` maps a model's name to the class that trains it."""

from __future__ import annotations

import importlib

RECIPES = {
    "autochrome": "autochrome.AutochromeRecipe",
    "skin": "skin.SkinRecipe",
    "people": "segmentation.PeopleRecipe",
    "perceptual": "classification.PerceptualRecipe",
    "coltran": "coltran.ColTranRecipe",
    "cnn-mse": "regression.CnnMse",
    "cnn-lpips": "perceptual.CnnLpips",
    "resnet-autoencoder": "regression.AutoencoderMse",
    "resnet-fcn": "regression.FcnMse",
    "unet-gan": "adversarial.UNetGan",
    "sagan": "adversarial.Sagan",
    "resnet-unet-gan": "adversarial.ResNetUNetGan",
    "efficientnet-unet-gan": "adversarial.EfficientNetUNetGan",
    "vit-discriminator": "adversarial.VitDiscriminatorGan",
    "vit-generator": "adversarial.VitGeneratorGan",
    "vit-lsgan": "adversarial.VitLsGan",
    "diffusion": "diffusion.DiffusionRecipe",
    "se-unet": "regression.SeUNetMse",
    "se-unet-student": "distillation.SeUNetStudent",
}


def find(name: str) -> type:
    """The recipe of that name, a dataclass of its settings."""
    module, _, kind = RECIPES[name].partition(".")
    recipe: type = getattr(importlib.import_module(f"{__name__}.{module}"), kind)
    return recipe
