"""What the tab "Batch" gives to take away: a contact sheet, and all results with their manifest."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core.batch.manifest import COLUMNS, NAME, Row
from colorize_core.errors import OptionError
from colorize_core.imaging import image
from colorize_core.imaging.captions import EMPTY, draw_captioned_grid
from colorize_core.models.runner import Task
from colorize_core.row_file import protect
from colorize_core.steering.provenance import make_record
from ui.batch.queue import Entry, Queue
from ui.server.temp_files import Folder

SIDE, GAP = 170, 4  # pixels of a picture's longer side on a sheet, and between before and after
NOTHING = "Nothing is done yet: start the queue first."


def write_sheet(queue: Queue, folder: Folder, task: Task) -> Path:
    """Every result beside its photo, with its name, as a JPEG. Raises OptionError where there is
    none, SaveError, Cancelled."""
    done = list_done(queue)
    pairs = _Pairs(queue, done, task)
    sheet = draw_captioned_grid(pairs, [_caption(each) for each in done], (2 * SIDE + GAP, SIDE))
    path = folder.new("contact-sheet.jpg")
    models = dict.fromkeys(each.row.model for each in done if each.row)
    record = make_record(models, {"pictures": [each.source.name for each in done]})
    image.write(path, image.Photo(sheet, None, image.Metadata(record=record), "JPEG"), 90)
    return path


def write_zip(queue: Queue, folder: Folder, task: Task) -> Path:
    """The results, as they are, and the manifest. Raises OptionError where there is none, OSError,
    Cancelled."""
    done = list_done(queue)
    if queue.archive:  # it is as large as all results together
        queue.archive.unlink(missing_ok=True)
    path = queue.archive = folder.new("colorized.zip")
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:  # pictures shrink no further
            for number, entry in enumerate(done):
                task.step(number / len(done), f"Packing {number + 1} of {len(done)}")
                if entry.target:
                    file.write(entry.target, entry.target.relative_to(queue.results))
            file.writestr(NAME, format_manifest(queue))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def list_done(queue: Queue) -> list[Entry]:
    """Those whose result is there. Raises OptionError where there is none."""
    done = [each for each in queue.list_done() if each.target and each.target.exists()]
    if not done:
        raise OptionError(NOTHING)
    return done


def format_manifest(queue: Queue) -> str:
    """The manifest of the command line for what is done and what has failed; photos by their names
    alone, as the folder is the app's own."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with queue.lock:
        entries = list(queue.entries.values())
    for entry in entries:
        if entry.state == "done" and entry.row:
            row = replace(entry.row, input=entry.source.name)
            writer.writerow(map(protect, astuple(row)))
        elif entry.state == "failed":
            row = Row(entry.source.name, "", "failed", error=entry.error)
            writer.writerow(map(protect, astuple(row)))
    return text.getvalue()


def _caption(entry: Entry) -> list[str]:
    words = [f"{entry.seconds:.1f} s"] if entry.seconds else []
    words += [] if entry.spread is None else [f"unsure {entry.spread:.1f}"]
    return [entry.source.name, " · ".join(words)]


class _Pairs(Sequence[NDArray[np.uint8]]):
    """Photo and result side by side, read when they are drawn."""

    def __init__(self, queue: Queue, entries: Sequence[Entry], task: Task):
        self._queue, self._entries, self._task = queue, entries, task

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: Any) -> Any:
        entry = self._entries[index]
        self._task.step(index / len(self), f"Drawing {index + 1} of {len(self)}")
        cell = Image.new("RGB", (2 * SIDE + GAP, SIDE), EMPTY)
        for before in (True, False):
            path = self._queue.get_path(entry, before)
            with suppress(FileNotFoundError), Image.open(path) as small:  # it may be done again
                small.thumbnail((SIDE, SIDE))
                left = 0 if before else SIDE + GAP
                place = left + (SIDE - small.width) // 2, (SIDE - small.height) // 2
                cell.paste(small, place)
        return np.asarray(cell)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self[index] for index in range(len(self)))
