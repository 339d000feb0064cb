"""Pictures out of pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorize_core.captioned import captioned_grid
from colorize_core.color import lab_to_rgb_in_gamut, linear_to_srgb, rgb_to_lab, srgb_to_linear
from colorize_core.metrics.protocol import to_gray
from colorize_core.selective.masks import Mask

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Region:
    mask: Mask | None = None
    model: str | None = None
    vividness: float = 1.0
    colour: tuple[int, int, int] | None = None


def blend(inside: Picture, outside: Picture, mask: Mask) -> Picture:
    a, b = (srgb_to_linear(each / np.float32(255)) for each in (inside, outside))
    share = mask[..., None]
    return np.round(linear_to_srgb(b + (a - b) * share) * 255).astype(np.uint8)


def compose(
    photo: Picture,
    regions: Sequence[Region],
    outside: Region | None,
    colorize: Callable[[Picture, Region], Picture],
) -> Picture:
    def picture(region: Region) -> Picture:
        if region.colour is not None:
            lab = rgb_to_lab(photo / np.float32(255))
            lab[..., 1:] = rgb_to_lab(np.array(region.colour, np.float32) / 255)[1:]
            return np.round(lab_to_rgb_in_gamut(lab) * 255).astype(np.uint8)
        return colorize(photo, region) if region.model else to_gray(photo)

    result = picture(outside) if outside else photo
    for region in regions:
        assert region.mask is not None
        result = blend(picture(region), result, region.mask)
    return result


def figure(photo: Picture, colorized: Picture, mask: Mask, blended: Picture) -> Picture:
    shown = np.repeat(np.round(mask * 255).astype(np.uint8)[..., None], 3, -1)
    words = [["Gray"], ["Colorized"], ["Mask"], ["Blended"]]
    return captioned_grid(
        [photo, colorized, shown, blended], words, (photo.shape[1], photo.shape[0])
    )
