"""A person's photo from opening to download: decoded once, with what models predicted for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import PictureError
from colorize_core.imaging import image
from colorize_core.imaging.decoder_pool import DecoderPool
from colorize_core.imaging.formats import CHOICES
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import measure_tone
from colorize_core.models.runner import Runner, Task
from colorize_core.options import Options
from colorize_core.prepare.preparation import NO_PREPARATION, Preparation, Prepared
from colorize_core.selective import Region
from colorize_core.steering import project
from colorize_core.steering.provenance import Record
from ui.server.limits import CACHE_BYTES, PREDICTIONS

TONE_SIDE = 512  # pixels along a side, of the copy that tells whether a photo has colours


@dataclass(frozen=True)
class Selection:
    """Parts of a photo, each filled in its own way, and what surrounds them."""

    regions: tuple[Region, ...] = ()  # with masks of one size, from the lowest on
    outside: Region = project.PLAIN


class PhotoCache:
    """Decoded photos, and what they are once prepared; the least recently used ones of each are
    dropped beyond `most` bytes. Whose file was deleted is not here any more, either."""

    def __init__(
        self, most: int = CACHE_BYTES, pool: DecoderPool | None = None, pixels: int | None = None
    ):
        """Files are decoded by the pool, or else in this process, of at most so many pixels."""
        self._most, self._pool, self._pixels = most, pool, pixels
        self._photos: OrderedDict[Path, image.Photo] = OrderedDict()
        self._prepared: OrderedDict[tuple[Path, Preparation], Prepared] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, task: Task | None = None) -> image.Photo:
        """Decode an upload, unless that is done. Raises PictureError, and Cancelled."""
        self.purge()
        with self._lock:
            if path in self._photos:
                self._photos.move_to_end(path)
                return self._photos[path]
        photo = self.decode(path, task)
        with self._lock:
            self._photos[path] = photo
            while len(self._photos) > 1 and sum(map(_bytes, self._photos.values())) > self._most:
                self._photos.popitem(last=False)
        return photo

    def decode(self, path: Path, task: Task | None = None) -> image.Photo:
        """Decode an upload, which is not kept; the messages name the file as the person knows it,
        without its folder. Raises PictureError, and Cancelled where the pool decodes."""
        if self._pool is None:
            return decode(path, self._pixels)
        _check_there(path)
        return self._pool.decode(path, path.name, task.stopped if task else None)

    def prepare(self, path: Path, options: Options, runner: Runner, task: Task) -> Prepared:
        """A photo as the options want it prepared. Raises what read() and Runner.prepare() do."""
        if options.prepare == NO_PREPARATION:
            pixels = self.read(path).pixels
            return Prepared(pixels, pixels)
        key = (path, options.prepare)
        with self._lock:
            if key in self._prepared:
                self._prepared.move_to_end(key)
                return self._prepared[key]
        prepared: Prepared = runner.prepare(self.read(path).pixels, options, task)
        with self._lock:
            self._prepared[key] = prepared
            kept = self._prepared
            while len(kept) > 1 and sum(each.bytes for each in kept.values()) > self._most:
                kept.popitem(last=False)
        return prepared

    def purge(self) -> None:
        """Drop those whose files are gone: photos are deleted after an hour."""
        with self._lock:
            for path in [path for path in self._photos if not path.exists()]:
                del self._photos[path]
            for key in [key for key in self._prepared if not key[0].exists()]:
                del self._prepared[key]


class PredictionCache:
    """What models have predicted, of everybody together: the least recently used goes."""

    def __init__(self, most: int = PREDICTIONS):
        self._most = most
        self._known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: tuple[Any, ...]) -> Any:
        """None where it is not known, or was forgotten."""
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            return self._known[key]

    def keep(self, key: tuple[Any, ...], prediction: Any) -> None:
        with self._lock:
            self._known[key] = prediction
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def purge(self) -> None:
        """Drop those of photos whose files are gone."""
        with self._lock:
            for key in [key for key in self._known if not key[0].exists()]:
                del self._known[key]


class OpenPhoto:
    """One photo as all tabs of one person have it. Another upload is another OpenPhoto."""

    def __init__(self, path: Path, cache: PhotoCache, predictions: PredictionCache):
        self.path = path
        self._cache = cache
        self._predictions = predictions
        self.colours: Options | None = None  # what its person has coloured it with, in any tab
        self.selection: Selection | None = None  # how it is coloured in parts, in the tab Selective
        self.before: Path | None = None  # a JPEG as it came, gray where its colours are set aside

    def read(self, task: Task) -> None:
        """Decode it, where that is still to be done. Raises PictureError, or Cancelled."""
        self._cache.read(self.path, task)

    @property
    def decoded(self) -> image.Photo:
        """Raises PictureError where it is none, or was deleted meanwhile."""
        return self._cache.read(self.path)

    @property
    def pixels(self) -> image.Pixels:
        """(H, W, 3) uint8 or uint16 sRGB."""
        return self.decoded.pixels

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.pixels.shape[:2]
        return width, height

    @cached_property
    def coloured(self) -> bool:
        """Whether it has colours of its own, more than the tint of an old print."""
        width, height = self.size
        scale = min(1.0, TONE_SIDE / max(width, height))
        small = self.shrink(max(1, round(height * scale)), max(1, round(width * scale)))
        return measure_tone(small).coloured

    def describe_losses(self, format: str | None = None, record: Record | None = None) -> str:
        """What its file has that is not here; with a format (a key of CHOICES) also what a file of
        that format with that record will not have. Empty where nothing is left out."""
        made = self.decoded.with_record(record)
        return made.describe_losses(None if format is None else CHOICES[format].name)

    def shrink(self, height: int, width: int) -> NDArray[np.uint8]:
        """A small copy (height, width, 3)."""
        return shrink(self.pixels, height, width)

    def prepare(self, runner: Runner, options: Options, task: Task) -> Prepared:
        """What the network is shown of it with these options, and what gets the colours. Raises
        what Runner.prepare() raises."""
        return self._cache.prepare(self.path, options, runner, task)

    def predict(self, runner: Runner, options: Options, task: Task) -> Any:
        """What the model predicts for it; the network rests where that is known. Raises what
        Runner.predict() and Runner.prepare() raise."""
        prediction = self._predictions.find((self.path, *options.network_part()))

        def seen() -> image.Pixels:
            return self.prepare(runner, options, task).seen

        if prediction is None and options.hints:
            free = self.predict(runner, replace(options, hints=()), task)
            prediction = runner.guide(seen(), free, options, task)
        elif prediction is None and options.second:
            first = self.predict(runner, replace(options, second=None), task)
            other = self.predict(runner, options.describe_second(), task)
            prediction = runner.mix(first, other, options)
        elif prediction is None and options.variant:
            usual = self.predict(runner, replace(options, variant=0), task)
            prediction = runner.vary(seen(), usual, options, task)
        elif prediction is None:
            prediction = runner.predict(seen(), options, task)
        self.keep(options, prediction)
        return prediction

    def keep(self, options: Options, prediction: Any) -> None:
        """Remember a prediction that was made with these options."""
        self._predictions.keep((self.path, *options.network_part()), prediction)


def decode(path: Path, most: int | None = None) -> image.Photo:
    """The photo in a file that the app has made, or in an upload of at most that many pixels.
    Raises PictureError, with the name as the person knows it."""
    _check_there(path)
    return image.read(path, path.name, most)


def _check_there(path: Path) -> None:
    if not path.exists():
        raise PictureError(
            f"{path.name} is no longer here: photos are deleted after an hour. Add it again."
        )


def shrink(pixels: NDArray[Any], height: int, width: int) -> NDArray[np.uint8]:
    """A small copy of 8 bits."""
    small = resize(pixels, height, width)
    return small if small.dtype == np.uint8 else (small >> 8).astype(np.uint8)


def _bytes(photo: image.Photo) -> int:
    return photo.pixels.nbytes + (0 if photo.alpha is None else photo.alpha.nbytes)
