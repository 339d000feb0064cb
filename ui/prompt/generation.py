"""Drawing from words for the tab "Prompt": one drawing at a time, on models that all share."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from colorize_core import devices
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.prompted.caption import caption
from colorize_core.prompted.generation import Preview
from colorize_core.prompted.grid import draw_grid
from colorize_core.prompted.pipeline_cache import Shelf
from colorize_core.prompted.settings import CONDITIONS
from ui.prompt.session import Asked, Cell, Clock, Sketchbook
from ui.server import zerogpu
from ui.shared.service import Job, Studio, waiting
from ui.shared.service import Settings as ModelSettings


class Drawing:
    """Shared by everybody who uses the app."""

    def __init__(self, studio: Studio):
        self.studio = studio
        self.shelf = Shelf()
        self._turn = threading.Lock()

    def described(self, book: Sketchbook, prompt: str, job: Job) -> str:
        """The prompt with a caption of the photo before it.

        Raises WeightsError, DeviceError, TooLittleMemoryError or Cancelled."""
        job.step(0.0, "Describing the photo")
        with waiting(self._turn, job):
            words = caption(book.small, stop=job.stopped)
        return ", ".join(each for each in (words, prompt) if each)

    def draw(
        self, book: Sketchbook, asked: Sequence[Asked], job: Job
    ) -> Generator[tuple[str, float], None, None]:
        """Draw all that is asked for: what is being done and how far it is, after every step; the
        sketchbook has the pictures. One that fails among several says why, and the others go on.

        Raises WeightsError, TooLittleMemoryError, DeviceError or Cancelled."""
        with waiting(self._turn, job), book.drawing(Cell(*each) for each in asked):
            yield "Getting ready", 0.0
            # A ControlNet is loaded once. The photo is kept when a picture is shown, at full size.
            cells = sorted(book.cells, key=lambda cell: CONDITIONS.index(cell.settings.condition))
            raw = [replace(cell.settings, keep=False) for cell in cells]
            start = self._first_colours(book, job) if any(each.start for each in raw) else None
            clock = Clock()
            for number, news in self._news(book, raw, start, job):
                cell, done = cells[number - 1], number - 1
                title = f"Picture {number} of {len(cells)}" if len(cells) > 1 else "Drawing"
                if isinstance(news, Preview):
                    cell.sketch = news.picture
                    words = f"{title} · step {news.step} of {news.steps}"
                    yield words, (done + news.share) / len(cells)
                    continue
                if isinstance(news, ColorizeError):
                    if len(cells) == 1:
                        raise news
                    cell.note = str(news)
                elif news.drawn is None:
                    cell.note = news.note
                else:
                    book.take(cell, news.drawn, clock.lap())
                yield title, number / len(cells)

    def _news(self, book: Sketchbook, raw: Any, start: Any, job: Job) -> Iterator[tuple[int, Any]]:
        if not devices.lent():
            yield from draw_grid(self.shelf, book.small, raw, start=start, stop=job.stopped)
            return
        for news in zerogpu.draw(book.small, raw, start):
            if job.stopped.is_set():
                raise Cancelled("Stopped.")
            yield news

    def _first_colours(self, book: Sketchbook, job: Job) -> Any:
        if book.first is None:
            book.first = self.studio.colour(book.small, ModelSettings(), job)
        return book.first
