"""Drawing from words for the tab "Prompt": one drawing at a time, on models that all share."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from colorize_core import devices
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.prompted.caption import caption
from colorize_core.prompted.generation import Preview
from colorize_core.prompted.grid import draw_grid
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.settings import CONDITIONS
from ui.prompt.session import Asked, Cell, Clock, PromptSession
from ui.server import zerogpu
from ui.shared.service import Service


class Generation:
    """Shared by everybody who uses the app."""

    def __init__(self, service: Service):
        self.service = service
        self.pipelines = PipelineCache()
        self._turn = threading.Lock()

    def describe(self, session: PromptSession, prompt: str, task: Task) -> str:
        """The prompt with a caption of the photo before it.

        Raises WeightsError, DeviceError, TooLittleMemoryError or Cancelled."""
        task.step(0.0, "Describing the photo")
        with task.hold(self._turn):
            words = caption(session.small, stop=task.stopped)
        return ", ".join(each for each in (words, prompt) if each)

    def draw(
        self, session: PromptSession, asked: Sequence[Asked], task: Task
    ) -> Generator[tuple[str, float], None, None]:
        """Draw all that is asked for: what is being done and how far it is, after every step; the
        session has the pictures. One that fails among several says why, and the others go on.

        Raises WeightsError, TooLittleMemoryError, DeviceError or Cancelled."""
        with task.hold(self._turn), session.drawing(Cell(*each) for each in asked):
            yield "Getting ready", 0.0
            # A ControlNet is loaded once. The photo is kept when a picture is shown, at full size.
            cells = sorted(
                session.cells, key=lambda cell: CONDITIONS.index(cell.settings.condition)
            )
            raw = [replace(cell.settings, keep=False) for cell in cells]
            first = next((each.first for each in raw if each.start), "")
            start = self._colour_first(session, first, task) if first else None
            clock = Clock()
            for number, news in self._news(session, raw, start, task):
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
                    session.take(cell, news.drawn, clock.lap())
                yield title, number / len(cells)

    def _news(
        self, session: PromptSession, raw: Any, start: Any, task: Task
    ) -> Iterator[tuple[int, Any]]:
        if not devices.is_zerogpu():
            yield from draw_grid(self.pipelines, session.small, raw, start=start, stop=task.stopped)
            return
        for news in zerogpu.draw(session.small, raw, start):
            if task.stopped.is_set():
                raise Cancelled("Stopped.")
            yield news

    def _colour_first(self, session: PromptSession, model: str, task: Task) -> Any:
        if session.first is None or session.first[0] != model:
            made = self.service.runner.colorize(session.small, Options(model=model), task)[0]
            session.first = (model, made)
        return session.first[1]
