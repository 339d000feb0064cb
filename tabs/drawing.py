"""Drawing from words for the tab "Prompt": one drawing at a time, on models that all share."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.prompted import sources
from colorize_core.prompted.conditions import condition
from colorize_core.prompted.draw import Preview, Variant, draw
from colorize_core.prompted.settings import Settings
from colorize_core.prompted.shelf import Shelf
from tabs.sketchbook import Cell, Clock, Sketchbook
from tabs.studio import Job, Studio, waiting
from tabs.studio import Settings as ModelSettings


class Drawing:
    """Shared by everybody who uses the app."""

    def __init__(self, studio: Studio):
        self.studio = studio
        self.shelf = Shelf()
        self._turn = threading.Lock()

    def draw(
        self, book: Sketchbook, cells: Sequence[Cell], job: Job
    ) -> Iterator[tuple[str, float]]:
        """Draw the cells: what is being done and how far it is, after every step; the sketchbook
        has the pictures. One that fails among several says why, and the others go on.

        Raises WeightsError, TooLittleMemoryError, DeviceError or Cancelled."""
        with waiting(self._turn, job), book.drawing(cells):
            for number, cell in enumerate(cells):
                title = f"Picture {number + 1} of {len(cells)}" if len(cells) > 1 else "Drawing"
                try:
                    for words, share in self._cell(book, cell, job):
                        yield f"{title} · {words}", (number + share) / len(cells)
                except Cancelled:
                    cell.note = ""
                    raise
                except ColorizeError as error:
                    if len(cells) == 1:
                        cell.note = ""
                        raise
                    cell.note = str(error)

    def _cell(self, book: Sketchbook, cell: Cell, job: Job) -> Iterator[tuple[str, float]]:
        cell.note = "being drawn"
        yield "getting ready", 0.0
        clock = Clock()
        for event in self._events(book, cell.settings, job):
            if isinstance(event, Preview):
                cell.sketch = event.picture
                yield f"step {event.step} of {event.steps}", event.share
            elif event.drawn is None:
                cell.note = event.note
            else:
                book.take(cell, event.drawn, clock.lap())

    def _events(
        self, book: Sketchbook, settings: Settings, job: Job
    ) -> Iterator[Preview | Variant]:
        hed = sources.hed() if settings.condition == "softedge" else None
        control = condition(book.small, settings, hed)
        start = self._first_colours(book, job) if settings.start else None
        pixels = control.shape[0] * control.shape[1]
        with self.shelf.borrow(sources.folders(settings), pixels=pixels) as painter:
            raw = replace(settings, keep=False)  # the photo is kept at its full size, when shown
            yield from draw(painter, book.small, raw, control, start=start, stop=job.stopped)

    def _first_colours(self, book: Sketchbook, job: Job) -> Any:
        if book.first is None:
            book.first = self.studio.colour(book.small, ModelSettings(), job)
        return book.first
