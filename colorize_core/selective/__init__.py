"""Colour only what matters: masks, automatic or painted, and what is blended under them.

>>> from colorize_core import image, selective
>>> photo = image.read("portrait.jpg")
>>> mask = selective.painted(selective.empty(photo.pixels), [(300, 200)], radius=80)
>>> mask = selective.snapped(mask, selective.lightness(selective.screen(photo.pixels)))
>>> result = selective.compose(photo.pixels, [selective.Region(mask, "autochrome")])

Importing this loads no torch.
"""

from colorize_core.selective.automatic import Layer, classes, grabcut, pointed
from colorize_core.selective.blending import (
    Region,
    blend,
    compose,
    figure,
    fill,
    gray_outside,
    tinted,
    with_models,
)
from colorize_core.selective.masks import (
    SIDE,
    Mask,
    empty,
    encode_mask,
    feathered,
    filled,
    grown,
    inverted,
    lightness,
    painted,
    read_mask,
    refined,
    resized,
    screen,
    screen_size,
    snapped,
    write_mask,
)

__all__ = [
    "SIDE",
    "Layer",
    "Mask",
    "Region",
    "blend",
    "classes",
    "compose",
    "empty",
    "encode_mask",
    "feathered",
    "figure",
    "fill",
    "filled",
    "gray_outside",
    "grabcut",
    "grown",
    "inverted",
    "lightness",
    "painted",
    "pointed",
    "read_mask",
    "refined",
    "resized",
    "screen",
    "screen_size",
    "snapped",
    "tinted",
    "with_models",
    "write_mask",
]
