"""Colour only what matters: masks, automatic or painted, and what is blended under them.

>>> from colorize_core import image, selective
>>> photo = image.read("portrait.jpg")
>>> mask = selective.find_subject(photo.pixels)  # or grabcut(photo.pixels, box=(20, 10, 490, 512))
>>> mask = selective.paint(mask, [(300, 200), (310, 240)], radius=12, erase=True)
>>> result = selective.compose(photo.pixels, [selective.Region(mask, "autochrome")])

Importing this loads no torch.
"""

from colorize_core.imaging.resampling import resize
from colorize_core.selective.automatic import (
    Layer,
    count_missing_bytes,
    find_classes,
    find_pointed,
    grabcut,
)
from colorize_core.selective.blending import (
    Region,
    blend,
    compose,
    describe_regions,
    draw_figure,
    fill,
    fill_outside_gray,
    make_colorize,
    tint,
)
from colorize_core.selective.masks import (
    SIDE,
    Mask,
    choose_size,
    convert_to_mask,
    encode_mask,
    feather,
    fill_holes,
    grow,
    invert,
    make_empty,
    measure_lightness,
    paint,
    read_mask,
    refine,
    shrink_to_screen,
    snap,
    write_mask,
)
from colorize_core.selective.subject import cover_faces, find_subject

__all__ = [
    "SIDE",
    "Layer",
    "Mask",
    "Region",
    "blend",
    "choose_size",
    "compose",
    "convert_to_mask",
    "count_missing_bytes",
    "cover_faces",
    "describe_regions",
    "draw_figure",
    "encode_mask",
    "feather",
    "fill",
    "fill_holes",
    "fill_outside_gray",
    "find_classes",
    "find_pointed",
    "find_subject",
    "grabcut",
    "grow",
    "invert",
    "make_colorize",
    "make_empty",
    "measure_lightness",
    "paint",
    "read_mask",
    "refine",
    "resize",
    "shrink_to_screen",
    "snap",
    "tint",
    "write_mask",
]
