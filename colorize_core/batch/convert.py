"""One photo of a batch from file to file."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from colorize_core.batch import store
from colorize_core.batch.plan import Job
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.folders import make_folder
from colorize_core.imaging import image
from colorize_core.imaging.formats import WRITTEN
from colorize_core.imaging.mark import draw_mark
from colorize_core.models.runner import Runner, Task
from colorize_core.steering.provenance import Record, describe_options

if TYPE_CHECKING:
    from colorize_core.batch.runner import BatchOptions
    from colorize_core.models.batching import Batching


@dataclass(frozen=True)
class Result:
    job: Job
    status: Literal["done", "skipped", "failed"]  # skipped: an earlier run did it
    width: int = 0  # pixels
    height: int = 0
    seconds: float = 0.0
    tint: str = ""  # what was neutralised
    error: str = ""
    note: str = ""  # what of the photo's file is left out
    spread: float | None = None  # of the likely colours, in Lab units; None if the model tells none


def make_converter(colorizer: Any, settings: BatchOptions) -> Converter:
    """A converter that has this one model, with as many photos in its network at once as the
    settings say. OptionError where it takes one at a time."""
    batching = None
    if settings.batch_size > 1:
        from colorize_core.models.batching import batch_network

        batching = batch_network(colorizer, settings.batch_size)
    # On the CPU several photos may be in the network at once; a GPU gets them in turn or together.
    alone = batching is None and getattr(colorizer, "device", "cpu") != "cpu"
    return Converter(Runner(lambda _: colorizer, alone=alone), settings, batching=batching)


def map_together(
    convert: Callable[[Job], Result], jobs: Iterable[Job], size: int
) -> Iterator[Result]:
    """What became of the jobs, in their order, `size` of them being worked on at once."""
    if size == 1:
        yield from map(convert, jobs)
        return
    with ThreadPoolExecutor(size, thread_name_prefix="colorize") as pool:
        yield from pool.map(convert, jobs)


class Converter:
    """Reads, colorizes and writes. Threads may share it.

    `task`: one for all photos, which are stopped together. `read`: what decodes a file, raising
    PictureError. `look`: is given each photo with its pixels in colour, (H, W, 3), once it is
    written. `batching`: what puts the photos of several threads together."""

    def __init__(
        self,
        runner: Runner,
        settings: BatchOptions,
        task: Task | None = None,
        read: Callable[[Path], image.Photo] | None = None,
        look: Callable[[image.Photo, Any], None] | None = None,
        batching: Batching | None = None,
    ) -> None:
        self.runner, self.settings = runner, settings
        self.task = task or Task()
        self._read, self._look = read or _read, look
        self._batching = batching

    def convert(self, job: Job) -> Result:
        """Raises only Cancelled: the rest is told in the result."""
        with self._batching.photo() if self._batching else nullcontext():
            return self._convert(job)

    def _convert(self, job: Job) -> Result:
        begun = time.perf_counter()
        try:
            photo = self._read(job.source)
            pixels, prediction = self.runner.colorize(photo.pixels, self.settings, self.task)
            self.task.step(1.0, "Saving")
            record = describe_settings(self.settings)
            marked = self.settings.mark and record is not None and record.coloured
            shown = draw_mark(pixels) if marked else pixels
            made = photo.with_pixels(shown).with_record(record)
            _write(job.target, made, self.settings.quality)
            seconds = time.perf_counter() - begun
            if self._look:
                self._look(photo, shown)
        except Cancelled:
            raise
        except ColorizeError as error:
            return Result(job, "failed", error=str(error))
        except Exception as error:  # out of memory, a full disk: the other photos may still work
            return Result(job, "failed", error=f"{type(error).__name__}: {error}")
        height, width = pixels.shape[:2]
        return Result(
            job,
            "done",
            width,
            height,
            seconds,
            prediction.tint or "",
            note=made.describe_losses(WRITTEN[job.target.suffix.lower()].name),
            spread=_measure_spread(prediction),
        )


def describe_settings(settings: BatchOptions) -> Record | None:
    """The record of a photo that was colorized with these; None where no colour was put in."""
    record = describe_options(settings)
    if record is None or settings.reference is None:
        return record
    told = {
        "reference": settings.reference.digest,
        "reference_strength": settings.reference_strength,
    }
    return replace(record, settings={**record.settings, **told})


def _read(source: Path) -> image.Photo:
    if store.is_remote(source):
        return image.decode(store.read(source), store.to_text(source))
    return image.read(source)


def _write(target: Path, photo: image.Photo, quality: int) -> None:
    if store.is_remote(target):
        name = WRITTEN[target.suffix.lower()].name
        store.write(target, image.encode(photo, name, quality))
    else:
        make_folder(target)
        image.write(target, photo, quality)


def _measure_spread(prediction: Any) -> float | None:
    """The mean over the cells of the photo of how far its likely colours are apart."""
    spread = getattr(prediction, "spread", None)
    if spread is None:
        return None
    rows, columns = map(math.ceil, prediction.cells)  # what is padded lies behind them
    return float(spread[:rows, :columns].mean())
