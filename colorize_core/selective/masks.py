"""Masks: painting them, changing them, fitting them to a photo's edges, keeping them as PNG.

A mask is an array (H, W) of float32 in [0, 1]: 1 is coloured, 0 is kept out. It is worked on at
screen size, its longest side being at most SIDE, and refine() against the full-size photo at the
end. No function changes the mask that it is given.

Like the guided filter, refinement finds local linear functions of L at a small size and applies
them at the full one: He and Sun, "Fast Guided Filter" (2015). The functions are those of matting,
how much of each pixel belongs to what is in front: Porter and Duff, "Compositing Digital Images"
(1984).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError, SaveError
from colorize_core.folders import write_whole
from colorize_core.imaging import image
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Picture, Tone

Mask = NDArray[np.float32]

SIDE = 1280  # pixels of the longest side of a mask that is being edited
SNAP = 6.0  # pixels that snap() looks to either side of an edge
ROUNDS = 3  # each finds the L inside and outside by what the one before found
UNLIKE = 8.0  # how far L inside and outside have to be apart to tell them by
NEAR = 3  # pixels of the small mask that refine() looks to either side
RARE = np.float32(1e-4)  # keeps the mean of nothing from being undefined
NEARLY = 1e-4  # filters round: what is this near to 0 or 1 was meant to be it
DISC = 4  # pixels: larger discs are made of several, which costs less
STRIP_PIXELS = 1 << 18  # what refine() works on at a time
SMALL_SHARE = 0.03  # of the picture: a mask below it may have missed most of what was meant
LEAST_CERTAINTY = 0.7  # of a mask, see describe_doubt()


def choose_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the mask of a photo of this size."""
    scale = min(1.0, SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def make_empty(photo: Picture) -> Mask:
    """A mask of screen size that keeps the whole photo out."""
    return np.zeros(choose_size(*photo.shape[:2]), np.float32)


def shrink_to_screen(photo: Picture) -> Picture:
    """The photo at the size of its mask."""
    return resize(photo, *choose_size(*photo.shape[:2]))


def measure_lightness(photo: Picture) -> NDArray[np.float32]:
    """(H, W, 3) sRGB -> (H, W) L in [0, 100], which snap() and refine() follow."""
    return Tone().lightness(photo)


# --- editing ------------------------------------------------------------------------------------


def paint(
    mask: Mask,
    points: Sequence[tuple[float, float]],
    radius: float,
    *,
    erase: bool = False,
    hardness: float = 1.0,
) -> Mask:
    """The mask with a stroke through `points` (x, y), in pixels from the middle of the first one.

    Within `radius` it becomes 1, or 0 with `erase`. `hardness` in [0, 1] is the share of the radius
    that is covered fully; from there it fades. Farther than half a pixel beyond the radius nothing
    changes. OptionError for a radius that is not above 0 or a hardness out of range.
    """
    if not 0 < radius < math.inf:
        raise OptionError(f"radius is {radius:g}, it must be above 0.")
    if not 0 <= hardness <= 1:
        raise OptionError(f"hardness is {hardness:g}, allowed is 0 to 1.")
    result = mask.copy()
    soft = max(1.0, (1 - hardness) * radius)
    places = list(points) * (2 if len(points) == 1 else 1)  # a dot is a way from it to itself
    for start, end in pairwise(places):
        here = _find_surroundings(start, end, radius + 1, mask.shape)
        cover = np.clip((radius + 0.5 - _measure_distance(start, end, here)) / soft, 0, 1)
        part = result[here]
        result[here] = np.minimum(part, 1 - cover) if erase else np.maximum(part, cover)
    return result


def _find_surroundings(
    start: tuple[float, float], end: tuple[float, float], reach: float, shape: Sequence[int]
) -> tuple[slice, slice]:
    """The rows and columns within `reach` of a segment."""
    spans = []
    for axis, length in ((1, shape[0]), (0, shape[1])):
        low, high = sorted((start[axis], end[axis]))
        first, last = math.floor(low - reach), math.ceil(high + reach) + 1
        spans.append(slice(min(max(first, 0), length), min(max(last, 0), length)))
    return spans[0], spans[1]


def _measure_distance(
    start: tuple[float, float], end: tuple[float, float], here: tuple[slice, slice]
) -> NDArray[np.float32]:
    """How far the pixels are from a segment."""
    y, x = (np.arange(s.start, s.stop, dtype=np.float32) for s in here)
    y, x = y[:, None] - start[1], x[None] - start[0]
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    part = np.clip((x * along[0] + y * along[1]) / length, 0, 1) if length > 1e-9 else np.float32(0)
    return np.hypot(x - part * along[0], y - part * along[1])


def grow(mask: Mask, pixels: float) -> Mask:
    """The mask with its edges moved outwards by `pixels`, inwards where that is negative."""
    grow, left = (cv2.dilate, pixels) if pixels > 0 else (cv2.erode, -pixels)
    result = mask
    while left > 0:
        reach = min(left, DISC)
        result = grow(result, _make_disc(reach), borderType=cv2.BORDER_REPLICATE)
        left -= reach
    return result.copy()


def _make_disc(radius: float) -> NDArray[np.uint8]:
    span = np.arange(-math.floor(radius), math.floor(radius) + 1)
    return (np.hypot(span[:, None], span) <= radius).astype(np.uint8)


def feather(mask: Mask, pixels: float) -> Mask:
    """The mask blurred by a Gaussian, so that an edge fades over about `pixels` to either side.

    Monotone: where one mask is above another, so it is afterwards."""
    if pixels <= 0:
        return mask.copy()
    return _tidy(cv2.GaussianBlur(mask, (0, 0), pixels / 2, borderType=cv2.BORDER_REPLICATE))


def _tidy(mask: NDArray[np.float32]) -> Mask:
    """Within [0, 1], and exactly 0 or 1 where it is nearly."""
    mask[mask < NEARLY] = 0
    mask[mask > 1 - NEARLY] = 1
    return mask


def fill_holes(mask: Mask) -> Mask:
    """The mask without holes: every pixel is raised to the least that one has to cross on the way
    from it to the picture's border."""
    levels = np.full(mask.shape, np.inf, np.float32)
    for side in (np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]):
        levels[side] = mask[side]
    before = np.empty_like(levels)
    while not np.array_equal(before, levels):  # until no way gets lower
        before[:] = levels
        _lower(levels, mask)
        _lower(levels[::-1], mask[::-1])
        # The same from left and right, on copies: rows are next to each other in memory.
        across, over = levels.T.copy(), mask.T.copy()
        _lower(across, over)
        _lower(across[::-1], over[::-1])
        levels = across.T.copy()
    return levels


def _lower(levels: NDArray[np.float32], mask: Mask) -> None:
    for row in range(1, len(mask)):
        way = np.maximum(levels[row - 1], mask[row])
        np.minimum(levels[row], way, out=levels[row])


def invert(mask: Mask) -> Mask:
    return 1 - mask


# --- a photo's edges ----------------------------------------------------------------------------


def snap(mask: Mask, lightness: NDArray[np.float32], pixels: float = SNAP) -> Mask:
    """The mask with its edges moved to those of the photo, at most `pixels` away, fine ones such as
    hair and leaves included.

    `lightness` (H, W): L in [0, 100] of the photo at the mask's size. OptionError if it has not.
    """
    check_size(mask, lightness)
    if pixels <= 0:
        return mask.copy()
    reach = max(1, round(pixels))
    result = mask.copy()
    low, high = _find_limits(mask, reach)
    here = _find_bounds(low < high, 2 * reach)
    for _ in range(ROUNDS):
        slope, offset = _fit_linear(result[here], lightness[here], 2 * reach)
        result[here] = np.clip(slope * lightness[here] + offset, low[here], high[here])
    return _tidy(result)


def _find_bounds(chosen: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """The least rows and columns with all that is chosen, and so many more to each side."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(chosen.any(axis=axis))
        ends = (found[0], found[-1] + 1) if len(found) else (0, 1)
        spans.append(slice(max(0, int(ends[0]) - margin), int(ends[1]) + margin))
    return spans[0], spans[1]


def _fit_linear(
    mask: Mask, lightness: NDArray[np.float32], reach: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mask as local linear functions of L: their slopes and offsets, (H, W) each.

    A pixel that is partly covered has a mixture of the L inside and the L outside, both of which
    are the means around it: its share follows. Where these two hardly differ, or each varies as
    much as they differ, L tells nothing, and the mask stays as it is."""

    def mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
        side = 2 * reach + 1
        return cv2.blur(x, (side, side), borderType=cv2.BORDER_REPLICATE)

    # Counted from the middle of the scale: the squares lose less to rounding.
    level = lightness - np.float32(50)
    part, whole, squares = mean(mask), mean(level), mean(level * level)
    weighted, weighted_squares = mean(mask * level), mean(mask * level * level)
    inside = weighted / (part + RARE)
    outside = (whole - weighted) / (1 - part + RARE)
    spread = np.maximum(weighted_squares / (part + RARE) - inside**2, 0)
    spread += np.maximum((squares - weighted_squares) / (1 - part + RARE) - outside**2, 0)
    apart = inside - outside
    told = apart**2 / (apart**2 + UNLIKE**2 + spread)
    slope = told * apart / (apart**2 + np.float32(1e-6))
    return slope, (1 - told) * mask - slope * (outside + 50)


def _find_limits(mask: Mask, reach: int) -> tuple[Mask, Mask]:
    """The least and the most of the mask within `reach` of each pixel: they are one and the same
    where no edge is."""
    box = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    low, high = (f(mask, box, borderType=cv2.BORDER_REPLICATE) for f in (cv2.erode, cv2.dilate))
    return low, high


def refine(mask: Mask, lightness: NDArray[np.float32]) -> Mask:
    """A mask of screen size at the size of the photo, along the photo's own edges.

    `lightness` (H, W): L in [0, 100] of the full-size photo. Each pixel gets its value from its own
    L by the function that holds around it at the mask's size. Beside the result, only planes of the
    mask's size and a strip of the photo are held. OptionError if the shapes are not alike.
    """
    height, width = lightness.shape
    _check_alike(mask, height, width)
    if mask.shape[0] >= height:
        return resize(mask, height, width).copy()
    planes = (*_fit_linear(mask, resize(lightness, *mask.shape), NEAR), *_find_limits(mask, 1))
    result = np.empty((height, width), np.float32)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = slice(top, min(top + rows, height))
        slope, offset, low, high = (_stretch(plane, lightness.shape, strip) for plane in planes)
        result[strip] = _tidy(np.clip(slope * lightness[strip] + offset, low, high))
    return result


def _stretch(plane: NDArray[np.float32], size: Sequence[int], strip: slice) -> Mask:
    """Rows of the plane when it is stretched to `size`, bilinearly."""
    place = (np.arange(strip.start, strip.stop) + 0.5) * (len(plane) / size[0]) - 0.5
    place = np.clip(place, 0, len(plane) - 1)
    low = np.floor(place).astype(int)
    part = (place - low).astype(np.float32)[:, None]
    near = plane[low[0] : low[-1] + 2]
    wide = cv2.resize(near, (size[1], len(near)), interpolation=cv2.INTER_LINEAR)
    low -= low[0]
    return wide[low] * (1 - part) + wide[np.minimum(low + 1, len(wide) - 1)] * part


def check_size(mask: Mask, plane: NDArray[Any]) -> None:
    """OptionError unless the mask is as high and wide as the picture."""
    if mask.shape != plane.shape[:2]:
        raise OptionError(
            f"The mask is {mask.shape[1]} × {mask.shape[0]} pixels, the picture "
            f"{plane.shape[1]} × {plane.shape[0]}: bring the mask to that size first."
        )


def _check_alike(mask: Mask, height: int, width: int) -> None:
    """Scaled to the photo's height, it may miss its width by a pixel of the mask."""
    if abs(mask.shape[1] - mask.shape[0] * width / height) > 1 + width / height:
        raise OptionError(
            f"The mask is {mask.shape[1]} × {mask.shape[0]} pixels, the photo {width} × {height}: "
            "they differ in shape. Take the mask that was made for this photo."
        )


# --- files --------------------------------------------------------------------------------------


def read_mask(path: str | Path) -> Mask:
    """convert_to_mask() of a picture file. PictureError if it cannot be read."""
    return convert_to_mask(image.read(path))


def convert_to_mask(photo: image.Photo) -> Mask:
    """A picture as a mask: white is 1, black and what is transparent 0."""
    top = np.iinfo(photo.pixels.dtype).max
    mask = photo.pixels.mean(axis=2, dtype=np.float32) / np.float32(top)
    if photo.alpha is not None:
        mask *= photo.alpha / np.float32(top)
    return np.clip(mask, 0, 1, dtype=np.float32)


def encode_mask(mask: Mask) -> bytes:
    """A gray PNG of 8 bits."""
    shades = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    return cv2.imencode(".png", shades)[1].tobytes()


def write_mask(path: str | Path, mask: Mask) -> None:
    """encode_mask() into a file, whole or not at all. SaveError if it cannot be written, or the
    suffix is not .png."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise SaveError(f"{path}: masks are written as PNG. Choose a name that ends in .png.")
    with write_whole(path) as file:
        file.write(encode_mask(mask))


def describe_doubt(mask: Mask, what: str = "The mask") -> str:
    """What a person should look at in a mask (H, W) in [0, 1] that nobody has painted: that it is
    empty, tiny, or that whatever found it was not sure; "" if nothing."""
    share = float(mask.mean())
    if not share:
        return f"{what} is empty: nothing of the picture is in it."
    if share < SMALL_SHARE:
        covers = f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
        return f"{what} covers only {covers} of the picture: look whether all of it is there."
    # The mean of what it covers: 1 where every pixel is wholly in or out.
    if float(np.square(mask, dtype=np.float64).mean()) / share < LEAST_CERTAINTY:
        return f"{what} is unsure: look whether it has what you meant."
    return ""
