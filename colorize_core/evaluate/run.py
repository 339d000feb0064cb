"""Models over photographs, by the protocol `recombine-256`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.cards import SEED
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.evaluate.score_file import Row, ScoreFile
from colorize_core.evaluate.scoring import Judge
from colorize_core.imaging import image
from colorize_core.imaging.tone import measure_tone
from colorize_core.metrics import protocol
from colorize_core.metrics.baselines import BASELINES, make_baseline
from colorize_core.models.registry import cards, load
from colorize_core.threads import share_cores

if TYPE_CHECKING:
    from colorize_core.training.data import Photograph

Picture = NDArray[np.uint8]
KEPT = 1024  # squares in memory from one model to the next, 400 KB each
# What a model may fail with beside our own errors: torch's, a full memory or disk, a bad value.
FAILURES = (ColorizeError, RuntimeError, MemoryError, OSError, ValueError)


class ProtocolPhoto(NamedTuple):
    """A photo as the protocol shows it."""

    truth: Picture
    gray: Picture
    coloured: bool  # whether it has colours of its own, to compare with


class _Method(NamedTuple):
    """A model or a baseline. `colorize` gets a photo and gives the picture that is scored, and the
    seconds that it took."""

    colorize: Callable[[ProtocolPhoto], tuple[Picture, float]]
    seed: str = ""
    weights: str = ""


class Evaluation:
    """What is left to do of models over photographs, given what `file` has.

    Threads rather than processes: torch, OpenCV and NumPy let one another work, and one copy of
    each network is in memory. On the CPU each thread runs the network on its share of the cores;
    elsewhere one at a time has the network. Seconds are those of colorizing alone; what other
    threads do meanwhile is in them, so compare those of one job.
    """

    def __init__(
        self,
        photos: Sequence[Photograph],
        models: Sequence[str],
        judge: Judge,
        file: ScoreFile,
        *,
        seed: int = 0,
        jobs: int = 1,
    ) -> None:
        self.photos = {photo.name: photo for photo in photos}
        self.judge, self.file, self.seed, self.jobs = judge, file, seed, jobs
        self.digests = dict.fromkeys(models, "") | {
            card.name: card.digest for card in cards(downloads=True)
        }
        self.pending = {
            model: [name for name in self.photos if self._is_open(model, name)] for model in models
        }
        self.look = lru_cache(maxsize=KEPT)(self._load_photo)
        self.stopped = threading.Event()

    def _is_open(self, model: str, photo: str) -> bool:
        """Not done yet, or failed, or lacking what can be had now, or done with other weights."""
        row = self.file.rows.get((model, photo))
        if row is None or not row["seconds"] or row["weights"] != self.digests[model]:
            return True
        return self.judge.can_fill(row)

    def run(self) -> Generator[Row, None, None]:
        """Every row that is still to do, as it is added to the file. A model's failure is told in
        its rows. Closing the generator, or Ctrl-C, stops the work."""
        for model, photos in self.pending.items():
            if not photos:
                continue
            try:
                method = self._load_method(model)
            except FAILURES as error:
                rows = (self._make_row(model, photo, why=format_error(error)) for photo in photos)
                yield from map(self._add, rows)
                continue
            yield from map(self._add, self._score_photos(model, method, photos))

    def _add(self, row: Row) -> Row:
        self.file.add(row)
        return row

    def _load_method(self, model: str) -> _Method:
        if model in BASELINES:
            return _Method(lambda seen: _measure(lambda: make_baseline(model, seen.truth)))
        colorizer: Any = load(model, self.judge.device)
        options: dict[str, Any] = {SEED.name: self.seed} if colorizer.card.sampled else {}
        busy: AbstractContextManager[Any] = nullcontext()
        if colorizer.device != "cpu":
            busy = threading.Lock()

        def colorize(seen: ProtocolPhoto) -> tuple[Picture, float]:
            with busy:
                picture, seconds = _measure(
                    lambda: colorizer.colorize(seen.gray, progress=self._check, **options)
                )
            return protocol.recombine(picture, seen.truth), seconds

        return _Method(colorize, str(self.seed) if options else "", self.digests[model])

    def _score_photos(self, model: str, method: _Method, photos: list[str]) -> Iterator[Row]:
        with share_cores(self.jobs), ThreadPoolExecutor(self.jobs, "evaluate") as pool:
            try:
                work = [pool.submit(self._score, model, method, photo) for photo in photos]
                yield from (done.result() for done in as_completed(work))
            finally:
                self.stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
        self.stopped.clear()

    def _check(self, _: float) -> None:
        if self.stopped.is_set():
            raise Cancelled("The evaluation was stopped.")

    def _score(self, model: str, method: _Method, photo: str) -> Row:
        try:
            seen = self.look(photo)
            picture, seconds = method.colorize(seen)
            cells, reasons = self.judge.score_cells(picture, seen.truth, seen.coloured)
        except Cancelled:
            raise
        except FAILURES as error:
            return self._make_row(model, photo, seed=method.seed, why=format_error(error))
        cells |= {"seed": method.seed, "weights": method.weights}
        cells |= {"seconds": f"{seconds:.4f}", "why": "; ".join(reasons)}
        return self._make_row(model, photo, **cells)

    def _make_row(self, model: str, photo: str, **cells: str) -> Row:
        row = dict.fromkeys(self.file.columns, "") | cells
        return row | {"model": model, "photo": photo, "protocol": protocol.NAME}

    def _load_photo(self, name: str) -> ProtocolPhoto:
        return load_photo(self.photos[name])


def load_photo(photo: Photograph) -> ProtocolPhoto:
    """Read a photograph and cut its square out. Raises PictureError, OSError."""
    pixels = image.decode(photo.load(), photo.name).pixels
    if pixels.dtype != np.uint8:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    truth = protocol.crop_square(cast("Picture", pixels))
    return ProtocolPhoto(truth, protocol.to_gray(truth), measure_tone(truth).coloured)


def _measure(make: Callable[[], Picture]) -> tuple[Picture, float]:
    begun = time.perf_counter()
    picture = make()
    return picture, time.perf_counter() - begun


def format_error(error: BaseException) -> str:
    """An error of ours as it says; of another one its kind, too. On one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ColorizeError) else f"{type(error).__name__}: {text}"
