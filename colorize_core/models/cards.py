"""Cards of the models that are trained here, and of those that others have published."""

from __future__ import annotations

from typing import Any

from colorize_core.cards import ModelCard, WeightFile
from colorize_core.downloads.catalogue import DOWNLOADS

PHOTOGRAPHS = (
    "49,147 photographs at 128 x 128 pixels from MIRFLICKR-25k (Creative Commons, each its own), "
    "100 sports and garments (CC0), SUN RGB-D, SYSU-Scene, buildings, houses and Flickr (research "
    "data sets), Clothing Co-Parsing (Apache-2.0), landscapes, and cats, dogs and pandas (no terms "
    "stated)"
)
MORE_PHOTOGRAPHS = (
    f"{PHOTOGRAPHS}; then also 8,378 of birds, flowers, food, vehicles, animals, scenes and people "
    "(research data sets, or published without terms that are known), among them 54 in colour of "
    "1905 to 1915 (public domain)"
)


def make_trained_card(
    name: str, *, sha256: str, bytes: int, trained_on: str = PHOTOGRAPHS, **facts: Any
) -> ModelCard:
    """The card of a model that sees photos at 128 x 128 pixels, with one file in weights/."""
    return ModelCard(
        name=name,
        licence="Apache-2.0",
        weights=(WeightFile(f"{name}/model.safetensors", sha256, bytes),),
        trained_on=trained_on,
        network_side=128,
        **facts,
    )


def make_published_card(name: str, **facts: Any) -> ModelCard:
    """The card of a model whose title, licence, page and files the catalogue of downloads has."""
    row = DOWNLOADS[name]
    return ModelCard(
        name=name,
        title=row.title,
        licence=row.licence,
        weights=row.files,
        source=row.source,
        **facts,
    )
