"""What the tab "Selective" gives to take away, and the masks that it takes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from colorize_core import selective
from colorize_core.errors import PictureError
from colorize_core.imaging import image
from colorize_core.models.runner import Task
from colorize_core.selective import Mask, Region
from ui.selective.session import Fill, SelectiveSession
from ui.shared.service import FORMATS, QUALITY, Service, read

MASK, FIGURE = "Mask, PNG", "Figure, PNG"
KINDS = (*FORMATS, MASK, FIGURE)
MOST_BENT = 0.02  # by how much a mask's aspect may differ from the photo's


def file(session: SelectiveSession, kind: str, service: Service, task: Task) -> Path:
    """One of KINDS. Raises PictureError, SaveError, UnknownModelError, WeightsError, Cancelled."""
    if kind == MASK:
        return mask_png(session, service, task)
    if kind == FIGURE:
        return figure_png(session, service, task)
    return picture(session, kind, service, task)


def picture(session: SelectiveSession, format: str, service: Service, task: Task) -> Path:
    """The photo at its full size with its metadata, its masks fitted to its own edges."""
    task.step(0.0, "Reading the photo")
    photo = read(session.path)
    pixels = photo.pixels
    if format.startswith("TIFF") and pixels.dtype == np.uint8:
        pixels = pixels.astype(np.uint16) * 257  # the colours fall between the 8-bit steps
    made = composed(session, pixels, service, task)
    path = service.folder.new(f"{session.path.stem}-selective{FORMATS[format]}")
    task.step(1.0, "Saving")
    image.write(path, photo.with_pixels(made), QUALITY)
    return path


def composed(
    session: SelectiveSession, pixels: image.Pixels, service: Service, task: Task
) -> image.Pixels:
    """All regions over what lies around them."""
    areas = session.areas
    session.predict([session.outside, *(area.fill for area in areas)], service, task)
    regions = [Region(session.mask(area), *area.fill) for area in areas]
    colorize = session.colorizer(service, task.strips(0.4, "Colouring"))
    return selective.compose(pixels, regions, session.surroundings(session.outside), colorize)


def mask_png(session: SelectiveSession, service: Service, task: Task) -> Path:
    """The mask of the region that is worked on, at the photo's full size."""
    task.step(0.0, "Fitting the mask")
    pixels = read(session.path).pixels
    light = selective.lightness(pixels)
    path = service.folder.new(f"{session.path.stem}-mask.png")
    selective.write_mask(path, selective.refined(session.mask(), light))
    return path


def figure_png(session: SelectiveSession, service: Service, task: Task) -> Path:
    """Gray, colorized, mask and blended, side by side."""
    made = composed(session, session.small, service, task)
    mask = np.max([session.mask(area) for area in session.areas], axis=0)
    gray = session.filled(Fill(), service, task)
    colorized = session.filled(session.area.fill, service, task)
    path = service.folder.new(f"{session.path.stem}-figure.png")
    Image.fromarray(selective.figure(gray, colorized, mask, made)).save(path)
    return path


def fitting(path: Path, session: SelectiveSession) -> Mask:
    """A mask from a file, at the size at which the photo is edited. Raises PictureError."""
    try:
        mask = selective.read_mask(path)
    except PictureError as error:  # named as the person knows it, without its folder
        raise type(error)(str(error).replace(str(path), path.name)) from error
    height, width = session.shape
    if abs(mask.shape[1] * height / (mask.shape[0] * width) - 1) > MOST_BENT:
        raise PictureError(
            f"{path.name} is {mask.shape[1]} × {mask.shape[0]}, which is not the shape of the "
            f"photo ({session.size[0]} × {session.size[1]}). Give a mask of that shape, of any "
            "size."
        )
    return selective.resized(mask, height, width)
