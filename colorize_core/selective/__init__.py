"""Colour only what matters: masks, automatic or painted, and what is blended under them.

>>> from colorize_core import image, selective
>>> photo = image.read("portrait.jpg")
>>> mask = selective.grabcut(photo.pixels, box=(20, 10, 490, 512))
>>> mask = selective.painted(mask, [(300, 200), (310, 240)], radius=12, erase=True)
>>> result = selective.compose(photo.pixels, [selective.Region(mask, "autochrome")])

Importing this loads no torch.
"""

from colorize_core.selective.automatic import Layer, classes, grabcut, missing_bytes, pointed
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
    "grabcut",
    "gray_outside",
    "grown",
    "inverted",
    "lightness",
    "missing_bytes",
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
