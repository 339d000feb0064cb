"""Conditions beside one another: the same prompt and seed through each, in one run."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.imaging.chroma import Picture
from colorize_core.prompted import sources
from colorize_core.prompted.conditions import make_condition
from colorize_core.prompted.generation import Preview, Variant, draw
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.settings import PromptSettings


def draw_grid(
    cache: PipelineCache,
    photo: Picture,
    cells: Sequence[PromptSettings],
    *,
    start: Picture | None = None,
    device: str = "auto",
    stop: threading.Event | None = None,
) -> Iterator[tuple[int, Preview | Variant | ColorizeError]]:
    """Draw the cells one after the other: (number of the cell from 1, what is new of it). A cell
    that fails gives its error, and the others go on. `start`: the built-in model's colours, for
    the cells that begin from them.

    Raises Cancelled within one step after `stop` is set; closing the iterator stops it likewise.
    """
    if start is None and any(cell.start for cell in cells):
        raise ValueError("cells that begin from colours need them")
    stop = stop or threading.Event()
    for number, cell in enumerate(cells, 1):
        failed: ColorizeError | None = None
        first = start if cell.start else None
        with closing(_draw_cell(cache, photo, cell, first, device, stop)) as news:
            try:
                for each in news:
                    yield number, each
            except Cancelled:
                raise
            except ColorizeError as error:
                failed = error.with_traceback(None)  # which would hold on to what was drawn
        if failed:
            yield number, failed


def _draw_cell(
    cache: PipelineCache,
    photo: Picture,
    cell: PromptSettings,
    start: Picture | None,
    device: str,
    stop: threading.Event,
) -> Generator[Preview | Variant, None, None]:
    if stop.is_set():
        raise Cancelled("Stopped.")
    takes_edges = MODELS[cell.model].conditions and cell.condition == "softedge"
    folders = sources.find_folders(cell)
    control = make_condition(photo, cell, sources.find_hed() if takes_edges else None)
    with cache.borrow(folders, device, control.shape[0] * control.shape[1]) as painter:
        yield from draw(painter, photo, cell, control, start=start, stop=stop)
