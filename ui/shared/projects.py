"""Work on a photo as a file: saved, and opened again; and the settings of a picture in colour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from colorize_core.errors import OptionError
from colorize_core.file_names import make_name
from colorize_core.imaging.limits import MAX_BYTES
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.selective.masks import convert_to_mask
from colorize_core.steering import project, provenance
from ui.shared import model_choices
from ui.shared.photo import OpenPhoto, Selection
from ui.shared.service import Service

PROJECT = "project"  # beside the formats of a download


class Found(NamedTuple):
    """A photo, what it is to be colorized with, and what is worth saying of it."""

    photo: OpenPhoto
    options: Options
    said: str = ""


def save(photo: OpenPhoto, service: Service, options: Options | None = None) -> Path:
    """The photo with all that was done to it, in every tab; `options` are the photo's colours if
    not given. Raises PictureError, SaveError."""
    path = service.folder.new(make_name(photo.path.name, "", project.SUFFIX))
    options = options or photo.colours or Options(model_choices.suggest())
    done = photo.selection or Selection()
    project.write(path, options, photo.path, regions=done.regions, outside=done.outside)
    return path


def open_project(path: Path, before: OpenPhoto | None, service: Service, task: Task) -> Found:
    """The photo of a project file, or, where it has none, the one that is worked on; with what was
    done to it. Raises PictureError, OptionError, Cancelled."""
    saved = project.read(path)
    found = _find_photo(path, saved, before, service)
    found.photo.colours = found.options
    if saved.regions:
        targets = [service.folder.new(f"mask-{n}.png") for n in range(len(saved.regions))]
        project.extract_masks(path, saved, targets)
        masks = [convert_to_mask(service.photos.decode(each, task)) for each in targets]
        pairs = zip(saved.regions, masks, strict=True)
        regions = tuple(replace(region, mask=mask) for region, mask in pairs)
        found.photo.selection = Selection(regions, saved.outside)
    return found


def _find_photo(
    path: Path, saved: project.Project, before: OpenPhoto | None, service: Service
) -> Found:
    if saved.has_photo:
        there = service.folder.new(saved.name)
        most = service.public.upload_bytes if service.public else MAX_BYTES
        project.extract_photo(path, saved, there, most)
        return Found(service.photo(there), saved.options)
    if before is None:
        raise OptionError(f"{path.name} has no photo in it: open {saved.name} first.")
    said = ""
    if project.measure_sha256(before.path) != saved.sha256:
        said = f"{path.name} is of another file, {saved.name}: its hints may be at wrong places."
    return Found(before, saved.options, said)


def read_settings(path: Path, before: OpenPhoto | None, service: Service, task: Task) -> Found:
    """The photo that is worked on, with the settings of a picture that was made here. Raises
    PictureError, OptionError, and Cancelled."""
    record = service.photos.decode(path, task).metadata.record
    if record is None:
        raise OptionError(
            f"{path.name} does not say how it was coloured: its settings cannot be taken."
        )
    options = provenance.read_options(record)
    if before is None:
        raise OptionError(f"Open a photo first: {path.name} has settings for it.")
    return Found(before, options)
