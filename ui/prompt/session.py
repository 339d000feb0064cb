"""What the tab "Prompt" keeps of one person: a photo and what was drawn of it from words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.file_names import make_name
from colorize_core.imaging import image
from colorize_core.imaging.formats import CHOICES
from colorize_core.imaging.tone import measure_tone
from colorize_core.models.runner import Task
from colorize_core.prompted import sources
from colorize_core.prompted.metadata import describe_settings
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.settings import PromptSettings
from ui.models.session import gray
from ui.shared import slider, thumbnails
from ui.shared.photo import OpenPhoto, shrink
from ui.shared.photo_tab import PhotoSession
from ui.shared.service import QUALITY, Service

SMALL_SIDE = 1024  # along each side of the area of the copy that edges are sought in
BLANK = 0.375  # of its sides has what stands where nothing has been drawn yet
MOST_COLUMNS = 4

Drawn = NDArray[np.uint8]
Asked = tuple[PromptSettings, str]  # for one picture, and what it is called


@dataclass(eq=False)
class Cell:
    """One picture, asked for or drawn."""

    settings: PromptSettings  # with one variant
    label: str
    note: str = ""  # why there is none
    drawn: Drawn | None = None  # (h, w, 3) at the working size
    sketch: Drawn | None = None  # what is seen of it meanwhile
    small: dict[bool, Drawn] = field(default_factory=dict)  # and then, by whether the photo is kept
    seconds: float = 0.0
    files: dict[bool, Path] = field(default_factory=dict)  # JPEGs, by whether the photo is kept

    def view(self, blank: Drawn) -> dict[str, Any]:
        """`blank` stands where nothing has been drawn yet."""
        begun = "" if self.sketch is None or self.drawn is not None else "being drawn"
        note = self.note or begun
        words = f"{self.label} · {note}" if note else self.label
        sketch = blank if self.sketch is None else self.sketch
        seen = self.small.get(self.settings.keep, sketch)
        return thumbnails.sketch(seen, words, f"The photo drawn anew: {self.label}")


@dataclass(eq=False)
class PromptSession(PhotoSession):
    """One photo and what was drawn of it from words."""

    photo: OpenPhoto
    small: NDArray[np.uint8]  # (h, w, 3)
    blank: Drawn  # a small copy without colours
    before: Path  # a JPEG of the photo at its size, its own colours set aside
    cells: list[Cell] = field(default_factory=list)
    cell: Cell | None = None  # the one of them that is shown
    first: tuple[str, Drawn] | None = None  # a model, and the small photo in its colours
    running: bool = False

    @classmethod
    def open(cls, photo: OpenPhoto, service: Service) -> PromptSession:
        """Raises PictureError."""
        width, height = photo.size
        scale = min(1.0, SMALL_SIDE / float(np.sqrt(height * width)))
        small = photo.shrink(max(1, round(height * scale)), max(1, round(width * scale)))
        shown = photo.decoded.with_record(None)
        if measure_tone(small).coloured:
            shown = shown.with_pixels(_keep(photo.pixels, gray(small)))
        before = service.folder.new(make_name(photo.path.name, "-before", ".jpg"))
        image.write(before, shown, QUALITY)
        blank = gray(shrink(small, *(max(1, round(side * BLANK)) for side in small.shape[:2])))
        return cls(photo, small, blank, before)

    def look(self, settings: PromptSettings) -> dict[str, Any]:
        """The photo as it is drawn from, and what the drawing follows. Raises WeightsError."""
        from colorize_core.prompted import conditions  # which brings torch

        height, width = self.small.shape[:2]
        size = conditions.choose_size(height, width, settings.side, settings.model)
        gray = conditions.make_gray(self.small, size)
        photo = thumbnails.sketch(gray, "The photo in gray", "The photo in gray")
        if not MODELS[settings.model].conditions:
            return thumbnails.groups(thumbnails.group([photo], 2))
        if settings.condition == "softedge" and sources.list_missing([sources.HED]):
            followed, words = np.zeros_like(gray), "Soft edges: seen once their network is here"
        else:
            hed = sources.find_hed() if settings.condition == "softedge" else None
            followed = conditions.make_condition(self.small, settings, hed)
            words = "What the drawing follows"
        return thumbnails.groups(
            thumbnails.group([photo, thumbnails.sketch(followed, words, words)], 2)
        )

    @contextmanager
    def drawing(self, cells: Iterable[Cell]) -> Iterator[None]:
        """These are drawn for as long as it lasts; then what was not begun goes."""
        self.cells, self.cell, self.running = list(cells), None, True
        try:
            yield
        finally:
            self.running = False
            self.cells = [each for each in self.cells if each.drawn is not None or each.note]

    def take(self, cell: Cell, drawn: Drawn, seconds: float) -> None:
        """A picture is done: the first one is shown at once."""
        cell.drawn, cell.seconds = drawn, seconds
        photo = shrink(self.small, *drawn.shape[:2])
        cell.small = {False: drawn, True: _keep(photo, drawn)}
        self.cell = self.cell or cell

    def pick(self, number: int) -> None:
        """Show that one, if it was drawn."""
        picked = self.cells[number % len(self.cells)] if self.cells else None
        self.cell = picked if picked and picked.drawn is not None else self.cell

    def keep(self, kept: bool) -> None:
        """All of them with the photo kept, or as they were drawn."""
        for each in self.cells:
            each.settings = replace(each.settings, keep=kept)

    def grid(self) -> dict[str, Any]:
        """All pictures. None can be picked while they are drawn; one alone is seen at full size
        then."""
        if not self.cells or (not self.running and self.cell and len(self.cells) == 1):
            return thumbnails.groups()
        ways = len({each.settings.condition for each in self.cells})
        columns = ways if ways > 1 else min(MOST_COLUMNS, max(2, len(self.cells)))
        group = thumbnails.group([each.view(self.blank) for each in self.cells], columns)
        picked = None if self.running or not self.cell else self.cells.index(self.cell)
        return thumbnails.groups(group, picked=picked)

    def comparison(self, service: Service) -> dict[str, Any] | None:
        """The shown one beside the photo, at full size."""
        if self.cell is None:
            return None
        return slider.comparison(self.before, self.after(self.cell, service), self.photo.size)

    def after(self, cell: Cell, service: Service) -> Path:
        """Its JPEG, made once. Raises PictureError where the photo was deleted meanwhile."""
        kept = cell.settings.keep
        if kept not in cell.files or not cell.files[kept].exists():
            cell.files[kept] = self.save(cell, "JPEG", service)
        return cell.files[kept]

    def save(self, cell: Cell, format: str, service: Service, task: Task | None = None) -> Path:
        """A file of that format (a key of CHOICES) with the photo's metadata, and the record of
        what was wished for."""
        photo = self.photo.decoded
        assert cell.drawn is not None
        made = replace(photo, pixels=cell.drawn, alpha=None)
        if cell.settings.keep:
            kept = self.kept(photo.pixels, cell.drawn, format, task)
            made = photo.with_pixels(kept)
        ending = f"-prompt-{cell.settings.seed}"
        name = make_name(self.photo.path.name, ending, CHOICES[format].suffix)
        path = service.folder.new(name)
        image.write(path, made.with_record(describe_settings(cell.settings)), QUALITY)
        return path

    def kept(self, pixels: image.Pixels, drawn: Drawn, format: str, task: Task | None) -> Any:
        """The photo in the drawn colours."""
        progress = task.part(0.0, "Keeping the photo") if task else None
        return _keep(CHOICES[format].widen(pixels), drawn, progress)

    def line(self) -> str:
        """What is shown."""
        cell = self.cell
        if cell is None or cell.drawn is None:
            return ""
        width, height = self.photo.size if cell.settings.keep else cell.drawn.shape[1::-1]
        said = [f"{width} × {height}", cell.label, f"drawn in {cell.seconds:.1f} s"]
        said.append("photo kept" if cell.settings.keep else "the raw picture")
        return " · ".join(said)


def _keep(pixels: Any, drawn: Drawn, progress: Callable[[float], None] | None = None) -> Any:
    """The pixels in the drawn colours."""
    from colorize_core.prompted.chroma_transfer import transfer_chroma  # which brings torch

    return transfer_chroma(pixels, drawn, progress)


class Clock:
    """Seconds since it was last read."""

    def __init__(self) -> None:
        self._read = time.monotonic()

    def lap(self) -> float:
        before, self._read = self._read, time.monotonic()
        return self._read - before
