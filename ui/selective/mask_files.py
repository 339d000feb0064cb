"""What the tab "Selective" gives to take away, and the masks that it takes in."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from colorize_core import selective
from colorize_core.errors import PictureError
from colorize_core.file_names import make_name
from colorize_core.imaging import image
from colorize_core.imaging.formats import CHOICES
from colorize_core.models.runner import Task
from colorize_core.selective import Mask, Region
from colorize_core.selective.blending import OWN
from colorize_core.steering.provenance import Record
from ui.selective.session import Fill, SelectiveSession
from ui.shared.service import QUALITY, Service

MASK, FIGURE = "Mask, PNG", "Figure, PNG"
KINDS = (*CHOICES, MASK, FIGURE)
MOST_BENT = 0.02  # by how much a mask's aspect may differ from the photo's


def write(session: SelectiveSession, kind: str, service: Service, task: Task) -> Path:
    """One of KINDS. Raises PictureError, SaveError, UnknownModelError, WeightsError, Cancelled."""
    if kind == MASK:
        return write_mask(session, service, task)
    if kind == FIGURE:
        return write_figure(session, service, task)
    return write_picture(session, kind, service, task)


def write_picture(session: SelectiveSession, format: str, service: Service, task: Task) -> Path:
    """The photo at its full size with its metadata, its masks fitted to its own edges."""
    task.step(0.0, "Reading the photo")
    session.photo.read(task)
    photo = session.photo.decoded
    made = compose(session, CHOICES[format].widen(photo.pixels), service, task)
    record = describe_colours(session)
    path = _new_path(session, service, "-selective", CHOICES[format].suffix)
    task.step(1.0, "Saving")
    image.write(path, photo.with_pixels(made).with_record(record), QUALITY)
    return path


def compose(
    session: SelectiveSession, pixels: image.Pixels, service: Service, task: Task
) -> image.Pixels:
    """All regions over what lies around them."""
    regions = list_regions(session)
    colorize = partial(session.colorize, service, task)
    return selective.compose(pixels, regions, session.surround(session.outside), colorize)


def list_regions(session: SelectiveSession) -> list[Region]:
    """Those that are drawn, from the lowest on."""
    return [area.fill.make_region(session.mask(area)) for area in session.areas]


def describe_colours(session: SelectiveSession) -> Record | None:
    """Where the picture's colours come from. Those that the photo came with have its record."""
    outside = session.surround(session.outside)
    every = [*list_regions(session), *([outside] if outside else [])]
    if record := selective.describe_regions([each for each in every if each.model != OWN]):
        return record
    own = any(each.model == OWN for each in every)
    return session.photo.decoded.metadata.record if own else None


def write_mask(session: SelectiveSession, service: Service, task: Task) -> Path:
    """The mask of the region that is worked on, at the photo's full size."""
    task.step(0.0, "Fitting the mask")
    light = selective.measure_lightness(session.photo.pixels)
    path = _new_path(session, service, "-mask", ".png")
    selective.write_mask(path, selective.refine(session.mask(), light))
    return path


def write_figure(session: SelectiveSession, service: Service, task: Task) -> Path:
    """Gray, colorized, mask and blended, side by side."""
    made = compose(session, session.small, service, task)
    mask = np.max([session.mask(area) for area in session.areas], axis=0)
    gray = session.fill(Fill(), service, task)
    colorized = session.fill(session.area.fill, service, task)
    path = _new_path(session, service, "-figure", ".png")
    sheet = selective.draw_figure(gray, colorized, mask, made)
    metadata = image.Metadata(record=describe_colours(session))
    image.write(path, image.Photo(sheet, None, metadata, "PNG"))
    return path


def _new_path(session: SelectiveSession, service: Service, ending: str, suffix: str) -> Path:
    return service.folder.new(make_name(session.photo.path.name, ending, suffix))


def read_mask(
    path: Path, session: SelectiveSession, service: Service, task: Task | None = None
) -> Mask:
    """A mask from a file, at the size at which the photo is edited. Raises PictureError, and
    Cancelled."""
    mask = selective.convert_to_mask(service.photos.decode(path, task))
    height, width = session.shape
    size = "{} × {}".format(*session.photo.size)
    if abs(mask.shape[1] * height / (mask.shape[0] * width) - 1) > MOST_BENT:
        raise PictureError(
            f"{path.name} is {mask.shape[1]} × {mask.shape[0]}, which is not the shape of the "
            f"photo ({size}). Give a mask of that shape, of any size."
        )
    return selective.resize(mask, height, width)
