"""What the tab "Selective" gives to take away, and the masks that it takes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from colorize_core import selective
from colorize_core.errors import PictureError
from colorize_core.imaging import image
from colorize_core.selective import Mask, Region
from ui.selective.session import Easel, Fill
from ui.shared.service import FORMATS, QUALITY, Job, Studio, read

MASK, FIGURE = "Mask, PNG", "Figure, PNG"
KINDS = (*FORMATS, MASK, FIGURE)
MOST_BENT = 0.02  # by how much a mask's aspect may differ from the photo's


def file(easel: Easel, kind: str, studio: Studio, job: Job) -> Path:
    """One of KINDS. Raises PictureError, SaveError, UnknownModelError, WeightsError, Cancelled."""
    if kind == MASK:
        return mask_png(easel, studio, job)
    if kind == FIGURE:
        return figure_png(easel, studio, job)
    return picture(easel, kind, studio, job)


def picture(easel: Easel, format: str, studio: Studio, job: Job) -> Path:
    """The photo at its full size with its metadata, its masks fitted to its own edges."""
    job.step(0.0, "Reading the photo")
    photo = read(easel.path)
    pixels = photo.pixels
    if format.startswith("TIFF") and pixels.dtype == np.uint8:
        pixels = pixels.astype(np.uint16) * 257  # the colours fall between the 8-bit steps
    made = composed(easel, pixels, studio, job)
    path = studio.folder.new(f"{easel.path.stem}-selective{FORMATS[format]}")
    job.step(1.0, "Saving")
    image.write(path, photo.with_pixels(made), QUALITY)
    return path


def composed(easel: Easel, pixels: image.Pixels, studio: Studio, job: Job) -> image.Pixels:
    """All regions over what lies around them."""
    areas = easel.areas
    easel.predict([easel.outside, *(area.fill for area in areas)], studio, job)
    regions = [Region(easel.mask(area), *area.fill) for area in areas]
    colorize = easel.colorizer(studio, job.strips(0.4, "Colouring"))
    return selective.compose(pixels, regions, easel.surroundings(easel.outside), colorize)


def mask_png(easel: Easel, studio: Studio, job: Job) -> Path:
    """The mask of the region that is worked on, at the photo's full size."""
    job.step(0.0, "Fitting the mask")
    pixels = read(easel.path).pixels
    light = selective.lightness(pixels)
    path = studio.folder.new(f"{easel.path.stem}-mask.png")
    selective.write_mask(path, selective.refined(easel.mask(), light))
    return path


def figure_png(easel: Easel, studio: Studio, job: Job) -> Path:
    """Gray, colorized, mask and blended, side by side."""
    made = composed(easel, easel.small, studio, job)
    mask = np.max([easel.mask(area) for area in easel.areas], axis=0)
    gray = easel.filled(Fill(), studio, job)
    colorized = easel.filled(easel.area.fill, studio, job)
    path = studio.folder.new(f"{easel.path.stem}-figure.png")
    Image.fromarray(selective.figure(gray, colorized, mask, made)).save(path)
    return path


def fitting(path: Path, easel: Easel) -> Mask:
    """A mask from a file, at the size at which the photo is edited. Raises PictureError."""
    try:
        mask = selective.read_mask(path)
    except PictureError as error:  # named as the person knows it, without its folder
        raise type(error)(str(error).replace(str(path), path.name)) from error
    height, width = easel.shape
    if abs(mask.shape[1] * height / (mask.shape[0] * width) - 1) > MOST_BENT:
        raise PictureError(
            f"{path.name} is {mask.shape[1]} × {mask.shape[0]}, which is not the shape of the "
            f"photo ({easel.size[0]} × {easel.size[1]}). Give a mask of that shape, of any size."
        )
    return selective.resized(mask, height, width)
