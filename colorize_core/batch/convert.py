"""One photo of a batch from file to file."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
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
from colorize_core.steering.provenance import describe_options

if TYPE_CHECKING:
    from colorize_core.batch.runner import BatchOptions


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


class Converter:
    """Reads, colorizes and writes with one model. Threads may share it."""

    def __init__(self, colorizer: Any, settings: BatchOptions) -> None:
        self.settings = settings
        alone = getattr(colorizer, "device", "cpu") != "cpu"
        self.runner = Runner(lambda _: colorizer, alone=alone)
        self.task = Task()  # one for all photos: they are stopped together

    def convert(self, job: Job) -> Result:
        """Raises only Cancelled: the rest is told in the result."""
        begun = time.perf_counter()
        try:
            photo = _read(job.source)
            pixels, prediction = self.runner.colorize(photo.pixels, self.settings, self.task)
            self.task.step(1.0, "Saving")
            record = describe_options(self.settings)
            marked = self.settings.mark and record is not None and record.coloured
            shown = draw_mark(pixels) if marked else pixels
            made = photo.with_pixels(shown).with_record(record)
            _write(job.target, made, self.settings.quality)
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
            time.perf_counter() - begun,
            prediction.tint or "",
            note=made.describe_losses(WRITTEN[job.target.suffix.lower()].name),
            spread=_measure_spread(prediction),
        )


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
