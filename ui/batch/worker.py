"""What works on the queues of the tab "Batch": one thread for the whole app, photo by photo, in
turns where there are several queues. It goes on while no page is open.

What becomes of a photo is what the command line makes of it with the same settings, byte for byte:
colorize_core.batch does it, and writes the manifest.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core.batch import runner as batch
from colorize_core.batch.convert import Converter
from colorize_core.errors import (
    Cancelled,
    ColorizeError,
    PictureTooLargeError,
    SaveError,
)
from colorize_core.imaging import image
from colorize_core.models.runner import Task
from colorize_core.sizes import format_number
from colorize_core.steering.album import DescribedPhoto, place
from colorize_core.steering.hints import read_hints
from colorize_core.steering.reference import Reference
from ui.batch.queue import Entry, Look, Queue, Queues, State
from ui.server.limits import MB
from ui.shared.photo import shrink
from ui.shared.service import Service

THUMBNAIL, SCREEN = 240, 1600  # pixels along the longer side of the small copies
IDLE_SECONDS = 30.0  # after which the thread ends

logger = logging.getLogger(__name__)


class Worker:
    """`wake()` has a thread do what there is to do; `work()` does one piece of it."""

    def __init__(self, service: Service, queues: Queues):
        self.service, self.queues = service, queues
        self._bell = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last: Queue | None = None  # whose turn it was
        self._reference: tuple[Path, Reference] | None = None  # the one that was read last

    def wake(self) -> None:
        """There is something to do."""
        with self._lock:
            self._bell.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="batch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self.service.closing:
            self._bell.clear()
            if self.work():
                continue
            if not self._bell.wait(IDLE_SECONDS):
                with self._lock:
                    if not self._bell.is_set():
                        self._thread = None
                        return

    def work(self) -> bool:
        """Look at one photo, or colour one; False where there is nothing to do."""
        for queue in self._list_in_turn():
            with self.service.task(queue.owner) as task:
                entry = queue.take(task)
                if entry is None:
                    continue
                self._last = queue
                queue.keep_alive()
                work = self._colour if entry.looked else self._look
                work(queue, entry, task)
                return True
        return False

    def _list_in_turn(self) -> list[Queue]:
        """The one after that whose turn it was comes first."""
        every = self.queues.list()
        after = every.index(self._last) + 1 if self._last in every else 0
        return [*every[after:], *every[:after]]

    def _look(self, queue: Queue, entry: Entry, task: Task) -> None:
        """Whether it is a photo, and its small copies."""
        try:
            photo = self._read(entry.source, task)
            save_small(photo.pixels, queue, entry, before=True)
        except Cancelled:
            # It was removed, or the app is being stopped.
            queue.give_back(entry, "cancelled", looked=True)
        except ColorizeError as error:
            queue.give_back(entry, "failed", looked=True, error=str(error))
        except Exception as error:
            logger.exception("A photo of a batch could not be looked at")
            queue.give_back(entry, "failed", looked=True, error=describe_fault(error))
        else:
            queue.give_back(entry, None, looked=True)

    def _colour(self, queue: Queue, entry: Entry, task: Task) -> None:
        state: State = "failed"
        changes: dict[str, Any] = {}
        try:
            self._check_room()
            look = entry.own or queue.look
            settings = self._place_known(entry, look, self.read_look(look, task), task)
            job = queue.plan(entry, settings)
            engine = _OnePhoto(self.service, settings, task, self._read, queue, entry)
            (result,) = batch.run([job], settings, queue.manifest, engine=engine)
            if result.status == "failed":
                changes = {"error": result.error}
            else:
                row = queue.manifest.get(job.target)
                placed = len(settings.hints)
                state, changes = "done", {"row": row, "made": engine.made, "placed": placed}
        except Cancelled:
            state = "cancelled"
        except ColorizeError as error:
            changes = {"error": str(error)}
        except Exception as error:  # the other photos may still work
            logger.exception("A photo of a batch could not be colorized")
            changes = {"error": describe_fault(error)}
        queue.give_back(entry, state, **changes)

    def read_look(self, look: Look, task: Task) -> batch.BatchOptions:
        """The options with the reference's pixels. Raises PictureError, OptionError."""
        if look.reference is None:
            return look.options
        if self._reference is None or self._reference[0] != look.reference:
            self._reference = None  # before the next one is in memory
            pixels = self.service.photos.decode(look.reference, task).pixels
            self._reference = look.reference, Reference(pixels)
        return replace(look.options, reference=self._reference[1])

    def _place_known(
        self, entry: Entry, look: Look, settings: batch.BatchOptions, task: Task
    ) -> batch.BatchOptions:
        """The settings with hints for what is known on other photos and seems to be on this one:
        guesses here, as nobody has looked. The network sees the photo once more for it."""
        if not look.known:
            return settings
        pixels = self._read(entry.source, task).pixels
        plain = replace(settings, reference=None)
        prediction = self.service.runner.predict(pixels, plain, task)
        found = self.service.runner.describe(prediction, plain)
        if found is None:
            return settings
        features, cells = found
        photo = DescribedPhoto(entry.source.name, features, cells)
        alike = [each for each in look.known if each.features.shape[0] == len(features)]
        hints = [
            replace(each.hint, known=False, note=f"as on {each.source}")
            for each in place(photo, alike)
        ]
        # As a file has them: whoever reads the hints of a result gets the same colours again.
        return replace(settings, hints=read_hints([hint.as_dict() for hint in hints]))

    def _read(self, path: Path, task: Task) -> image.Photo:
        photo = self.service.photos.decode(path, task)
        public = self.service.public
        height, width = photo.pixels.shape[:2]
        if public and height * width > public.batch_pixels:
            raise PictureTooLargeError(
                f"{path.name} has {format_number(round(height * width / MB, 1))} megapixels, and "
                f"{public.batch_pixels // MB} are allowed in a batch here. Scale it down, or open "
                "it in the tab Colorize."
            )
        return photo

    def _check_room(self) -> None:
        """Raises SaveError: strangers do not fill the disk."""
        public = self.service.public
        if public and shutil.disk_usage(self.service.folder.path).free < public.free_bytes:
            raise SaveError("The machine has no room for more photos. Try again in an hour.")


class _OnePhoto:
    """What batch.run() has do the work: the app's own models, which other tabs use meanwhile."""

    def __init__(
        self,
        service: Service,
        settings: batch.BatchOptions,
        task: Task,
        read: Callable[[Path, Task], image.Photo],
        queue: Queue,
        entry: Entry,
    ):
        self._service, self._settings, self._task, self._read = service, settings, task, read
        self._queue, self._entry = queue, entry
        self.made = entry.made

    def run(
        self, jobs: Sequence[batch.Job], start: Callable[[batch.Job], batch.Result | None]
    ) -> Generator[batch.Result, None, None]:
        converter = Converter(
            self._service.runner,
            self._settings,
            self._task,
            read=lambda path: self._read(path, self._task),
            look=self._save_small,
        )
        for job in jobs:
            yield start(job) or converter.convert(job)

    def _save_small(self, photo: image.Photo, pixels: Any) -> None:
        self.made += 1
        made = replace(self._entry, made=self.made)
        save_small(pixels, self._queue, made, before=False)
        for large in (False, True):  # the copies of the result before
            if self._entry.made:
                self._queue.get_path(self._entry, before=False, large=large).unlink(missing_ok=True)


def save_small(pixels: NDArray[Any], queue: Queue, entry: Entry, before: bool) -> None:
    """The copies of a photo or its result that the page shows."""
    screen = shrink_to(pixels, SCREEN)
    for picture, large in ((screen, True), (shrink_to(screen, THUMBNAIL), False)):
        with suppress(FileNotFoundError):  # the queue was cleared meanwhile
            Image.fromarray(picture).save(
                queue.get_path(entry, before, large), "JPEG", quality=85, optimize=not large
            )


def shrink_to(pixels: NDArray[Any], side: int) -> NDArray[np.uint8]:
    """A copy of 8 bits whose longer side is at most so long, in pixels."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    return shrink(pixels, max(1, round(height * scale)), max(1, round(width * scale)))


def describe_fault(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory for this photo. Scale it down, or close other programs."
    return f"The program has failed on this photo ({type(error).__name__}). Please report it."
