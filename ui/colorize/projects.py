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
from colorize_core.steering import project, provenance
from ui.colorize.session import ColorizeSession
from ui.shared.photo import OpenPhoto
from ui.shared.service import Service


class Found(NamedTuple):
    """A photo, what it is to be colorized with, and what is worth saying of it."""

    photo: OpenPhoto
    options: Options
    said: str = ""


def save(session: ColorizeSession, service: Service) -> Path:
    """The photo with all that was done to it. Raises PictureError, SaveError."""
    path = service.folder.new(make_name(session.photo.path.name, "", project.SUFFIX))
    project.write(path, session.work, session.photo.path)
    return path


def open_project(path: Path, before: ColorizeSession | None, service: Service) -> Found:
    """The photo of a project file, or, where it has none, the one that is worked on. Raises
    PictureError, OptionError."""
    saved = project.read(path)
    if saved.has_photo:
        there = service.folder.new(saved.name)
        most = service.public.upload_bytes if service.public else MAX_BYTES
        project.extract_photo(path, saved, there, most)
        return Found(service.photo(there), saved.options)
    if before is None:
        raise OptionError(f"{path.name} has no photo in it: open {saved.name} first.")
    said = ""
    if project.measure_sha256(before.photo.path) != saved.sha256:
        said = f"{path.name} is of another file, {saved.name}: its hints may be at wrong places."
    return Found(before.photo, saved.options, said)


def read_settings(
    path: Path, before: ColorizeSession | None, service: Service, task: Task
) -> Found:
    """The photo that is worked on, with the settings of a picture that was made here; hints stay
    where it has none. Raises PictureError, OptionError, and Cancelled."""
    record = service.photos.decode(path, task).metadata.record
    if record is None:
        raise OptionError(
            f"{path.name} does not say how it was coloured: its settings cannot be taken."
        )
    options = provenance.read_options(record)
    if before is None:
        raise OptionError(f"Open a photo first: {path.name} has settings for it.")
    if options.hints:
        return Found(before.photo, options)
    return Found(before.photo, replace(options, hints=before.hints))
