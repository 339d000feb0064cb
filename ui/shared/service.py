"""What the tabs share: loaded models, running jobs, and the way from an upload to a result file."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

import colorize_core
from colorize_core.cards import Value
from colorize_core.cli.terminal import size
from colorize_core.errors import (
    Cancelled,
    ColorizeError,
    OptionError,
    PictureError,
    WeightsError,
)
from colorize_core.imaging import image
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared import model_choices

MODELS_KEPT = 6  # in memory at a time, the least recently used goes; each takes some 50 MB
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "TIFF, 16 bit": ".tif"}
QUALITY = 95
LIVELY = 0.1  # seconds between two reports of one thing: a page that gets many stops to react
DEFAULT_MODEL = "autochrome"

logger = logging.getLogger(__name__)
Report = Callable[[float, str], None]  # share done in [0, 1], what is being done


@dataclass(frozen=True)
class Settings:
    """What the controls say; the ranges are those of Colorizer.colorize."""

    model: str = DEFAULT_MODEL
    vividness: float = 1.0
    strength: float = 1.0
    gain: float = 1.0
    neutralize: bool = True
    controls: tuple[tuple[str, Value], ...] = ()  # the model's own, the defaults where not named

    @classmethod
    def read(
        cls, model: Any, vividness: Any, strength: Any, gain: Any, neutralize: Any
    ) -> Settings:
        """From what a program sends. Raises OptionError where a number is none."""
        numbers = {"vividness": vividness, "strength": strength, "gain": gain}
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise OptionError(f"{name} is {value!r}, a number is needed.")
        return cls(str(model), float(vividness), float(strength), float(gain), bool(neutralize))

    def with_controls(self, **controls: Value) -> Settings:
        """The same with other values of some of the model's own controls."""
        return replace(self, controls=tuple({**dict(self.controls), **controls}.items()))

    def network_part(self) -> tuple[Any, ...]:
        """What a prediction depends on: with these unchanged the network need not run again."""
        return self.model, self.gain, self.neutralize, self.controls


@dataclass(frozen=True, eq=False)
class Colorization:
    """One person's photo and what the network made of it: kept between two turns of a knob."""

    path: Path
    settings: Settings
    prediction: Any
    before: Path  # a JPEG of the photo as it came, gray where its own colours are set aside
    after: Path  # a JPEG of the result with the photo's metadata
    size: tuple[int, int]  # width, height
    coloured: bool  # the photo had colours of its own
    line: str = ""  # what was done, for people

    @property
    def rendered(self) -> bool:
        """Whether `after` is more than the photo before."""
        return self.after != self.before


class Drawn(NamedTuple):
    """What a model that draws its colours has so far."""

    share: float  # of its work, in [0, 1]
    stage: str
    works: tuple[Colorization, ...]  # one for each seed, none of them rendered
    sketch: Callable[[Colorization], Any]  # a small picture of one, (h, w, 3) uint8


class Task:
    """A run that its owner can stop. `turn`: when it was asked for, by the asker's own clock."""

    def __init__(self, report: Report | None = None, turn: float = math.inf):
        self.turn = turn
        self.stopped = threading.Event()
        self._report = report
        self._said, self._when = "", -math.inf  # what was reported last

    def stop(self) -> None:
        self.stopped.set()

    def step(self, share: float, what: str) -> None:
        """Raises Cancelled once stop() has been called."""
        if what != self._said:
            self._when = -math.inf  # what is new is told at once
        self._step(share, what)

    def loaded(self, done: int, total: int) -> None:
        """A progress callback for a download, of bytes."""
        self._step(done / max(total, 1), f"{size(done)} of {size(total)}")

    def _step(self, share: float, what: str) -> None:
        if self.stopped.is_set():
            raise Cancelled("Stopped.")
        now = time.monotonic()
        if self._report is not None and now - self._when >= LIVELY:  # a gr.Progress is falsy
            self._said, self._when = what, now
            self._report(share, what)

    def strips(self, start: float, what: str) -> Callable[[float], None]:
        """A progress callback for the part of the work from `start` to the end."""
        return lambda share: self.step(start + share * (1 - start), what)


class Service:
    """Shared by everybody who uses the app: holds no photo and no setting of anyone."""

    def __init__(
        self,
        folder: Folder,
        load: Callable[[str], Any] = colorize_core.load,
        public: Public | None = None,
    ):
        self.folder = folder
        self.public = public  # what strangers may have; None where there are none
        self._load = load
        self._models: OrderedDict[str, Any] = OrderedDict()
        self._loading = threading.Lock()
        self._network = threading.Lock()  # one forward pass at a time: it uses every core
        self._jobs: defaultdict[str, set[Task]] = defaultdict(set)
        self._stops: dict[str, float] = {}  # session -> turn of its last stop
        self._warming = threading.Lock()

    def colorizer(self, name: str) -> Any:
        """The model of that name, loaded once. Raises UnknownModelError, WeightsError."""
        with self._loading:
            if name not in self._models:
                model_choices.check(name)
                self._models[name] = self._load(name)
                if len(self._models) > MODELS_KEPT:
                    self._models.popitem(last=False)
            self._models.move_to_end(name)
            return self._models[name]

    def warm_up(self) -> None:
        """Load the default model in the background, once, so that the first photo is quick."""
        if self._warming.acquire(blocking=False):
            threading.Thread(target=self._warm, name="warm-up", daemon=True).start()

    def _warm(self) -> None:
        try:
            self.colorizer(DEFAULT_MODEL).predict(np.full((64, 64, 3), 128, np.uint8))
        except ColorizeError as error:
            logger.warning("%s", error)

    @contextmanager
    def task(
        self, session: str, report: Report | None = None, turn: float = math.inf
    ) -> Iterator[Task]:
        """Register a run of that session for as long as it lasts; faults become ColorizeError."""
        task = Task(report, turn)
        self._jobs[session].add(task)
        if turn <= self._stops.get(session, -math.inf):
            task.stop()  # it was stopped while it waited in the queue
        try:
            with in_words():
                yield task
        finally:
            self._jobs[session].discard(task)
            if not self._jobs[session]:
                self._jobs.pop(session, None)

    def stop(self, session: str, turn: float | None = None) -> None:
        """Stop what runs in that session at its next step, and what was asked for before `turn`
        and still waits in the queue."""
        if turn is not None:
            self._stops[session] = turn
        for task in tuple(self._jobs.get(session, ())):
            if turn is None or task.turn <= turn:
                task.stop()

    def leave(self, session: str) -> None:
        """Nobody waits any more: the page was closed."""
        self.stop(session)
        self._stops.pop(session, None)

    def upload(self, photo: dict[str, Any] | None) -> Path:
        """The file behind a gr.Image's value, not opened: Gradio would do that in Pillow's words.

        Gradio checks the path only where the value says that it is a file, so it is done here too:
        nobody reads another file of the machine. Raises PictureError.
        """
        path = Path((photo or {}).get("path") or "").resolve()
        if not path.is_relative_to(self.folder.path) or path == self.folder.path:
            raise PictureError("No photo was given. Send a picture file.")
        return self.checked(path)

    def checked(self, path: Path) -> Path:
        """The same, if it is no picture too large for the public. Raises PictureTooLargeError."""
        if self.public and path.is_file():
            image.check_pixels(path.read_bytes(), self.public.pixels, path.name)
        return path

    def check_download(self, what: str, command: str) -> None:
        """Raises WeightsError in public: strangers do not fill the disk. `command` is what the
        owner of the machine types instead."""
        if self.public:
            raise WeightsError(
                f"{what} is not on this machine, and a public app downloads nothing. Whoever runs "
                f"it can fetch it: {command}"
            )

    def develop(
        self, path: Path, settings: Settings, task: Task, kept: Colorization | None = None
    ) -> Colorization:
        """Colorize the file at `path`; the network rests where `kept` already has its answer.

        Raises PictureError, OptionError, UnknownModelError, WeightsError or Cancelled.
        """
        started = time.perf_counter()
        task.step(0.0, "Reading the photo")
        photo = read(path)
        colorizer, work = self._predict(path, photo, settings, task, kept)
        picture = colorizer.render(
            photo.pixels,
            work.prediction,
            vividness=settings.vividness,
            strength=settings.strength,
            progress=task.strips(0.4, "Colouring"),
        )
        task.step(1.0, "Saving")
        after = self._save(photo.with_pixels(picture), path, "JPEG")
        seconds = time.perf_counter() - started
        line = describe(colorizer, work, seconds)
        return replace(work, settings=settings, after=after, line=line)

    def _predict(
        self,
        path: Path,
        photo: image.Photo,
        settings: Settings,
        task: Task,
        kept: Colorization | None,
    ) -> tuple[Any, Colorization]:
        if not (kept and kept.path == path):
            kept = None
        if kept and kept.settings.network_part() == settings.network_part():
            return self.colorizer(settings.model), kept
        colorizer, prediction = self._look(photo.pixels, settings, task)
        if kept:
            return colorizer, replace(kept, prediction=prediction)
        task.step(0.35, "Preparing the comparison")
        return colorizer, self._begin(path, photo, settings, colorizer, prediction)

    def _look(self, pixels: NDArray[Any], settings: Settings, task: Task) -> tuple[Any, Any]:
        """The model, and what its network predicts for the photo."""
        task.step(0.05, "Loading the model")
        colorizer = self.colorizer(settings.model)
        task.step(0.1, "Looking at the photo")
        with self.turn(task):
            prediction = colorizer.predict(
                pixels,
                gain=settings.gain,
                neutralize=settings.neutralize,
                progress=lambda share: task.step(0.1 + 0.25 * share, "Drawing the colours"),
                **dict(settings.controls),
            )
        return colorizer, prediction

    def colour(
        self, pixels: NDArray[np.uint8], settings: Settings, task: Task
    ) -> NDArray[np.uint8]:
        """A picture that is no file (h, w, 3) in the model's colours; none is written.

        Raises OptionError, UnknownModelError, WeightsError or Cancelled.
        """
        colorizer, prediction = self._look(pixels, settings, task)
        return colorizer.render(
            pixels,
            prediction,
            vividness=settings.vividness,
            strength=settings.strength,
            progress=task.strips(0.4, "Colouring"),
        )

    def _begin(
        self, path: Path, photo: image.Photo, settings: Settings, colorizer: Any, prediction: Any
    ) -> Colorization:
        """The work before anything of it is rendered."""
        coloured = prediction.coloured
        gray = colorizer.render(photo.pixels, prediction, strength=0.0) if coloured else None
        shown = photo if gray is None else photo.with_pixels(gray)
        before = self._save(shown, path, "JPEG", "-before")
        height, width = photo.pixels.shape[:2]
        return Colorization(path, settings, prediction, before, before, (width, height), coloured)

    def draw(
        self, path: Path, settings: Settings, seeds: Sequence[Any], task: Task
    ) -> Iterator[Drawn]:
        """What a model that draws its colours has after each step, from each of the seeds.

        Between two steps the network is free for others. Raises what develop() raises.
        """
        task.step(0.0, "Reading the photo")
        photo = read(path)
        task.step(0.0, "Loading the model")
        colorizer = self.colorizer(settings.model)
        steps = colorizer.steps(
            photo.pixels,
            seeds=seeds,
            gain=settings.gain,
            neutralize=settings.neutralize,
            **dict(settings.controls),
        )
        start: Colorization | None = None
        while True:
            with self.turn(task):
                step = next(steps, None)
            if step is None:
                return
            task.step(step.share, "Drawing the colours")
            if start is None:
                start = self._begin(path, photo, settings, colorizer, step.predictions[0])
                small = shrink(photo.pixels, *start.prediction.fine_l.shape)
            named = {name for name, _ in settings.controls}
            stage = {"stage": step.stage} if "stage" in named else {}
            works = tuple(
                replace(start, settings=settings.with_controls(seed=seed, **stage), prediction=made)
                for seed, made in zip(seeds, step.predictions, strict=True)
            )
            yield Drawn(step.share, step.stage, works, partial(_sketch, colorizer, small))

    @contextmanager
    def turn(self, task: Task) -> Iterator[None]:
        """Wait for the network, ready to be stopped while waiting."""
        with waiting(self._network, task):
            yield

    def export(self, work: Colorization, format: str, task: Task) -> Path:
        """The result as a file of that format (a key of FORMATS), with the photo's metadata.

        TIFF has 16 bits a channel whatever the photo has: an 8-bit photo is rendered again from
        its pixels widened to 16 bits, so that the colours fall between the 8-bit steps.
        """
        check_format(format)
        if format == "JPEG" and work.after.exists():
            return work.after
        photo = read(work.path)
        pixels = photo.pixels
        if format.startswith("TIFF") and pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * 257
        picture = self.colorizer(work.settings.model).render(
            pixels,
            work.prediction,
            vividness=work.settings.vividness,
            strength=work.settings.strength,
            progress=task.strips(0.0, f"Making the {format} file"),
        )
        return self._save(photo.with_pixels(picture), work.path, format)

    def _save(self, photo: image.Photo, source: Path, format: str, ending: str = "-colour") -> Path:
        path = self.folder.new(source.stem + ending + FORMATS[format])
        image.write(path, photo, QUALITY)
        return path


@contextmanager
def waiting(lock: threading.Lock, task: Task) -> Iterator[None]:
    """Hold the lock, ready to be stopped while waiting for it."""
    while not lock.acquire(timeout=0.1):
        task.step(0.1, "Waiting for another photo")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def in_words() -> Iterator[None]:
    """Faults of the program become ColorizeErrors, which its user can be told."""
    try:
        yield
    except ColorizeError:
        raise
    except MemoryError as error:
        raise ColorizeError(
            "There is not enough memory for this photo. Scale it down, or close other programs."
        ) from error
    except Exception as error:
        logger.exception("A photo could not be colorized")
        raise ColorizeError(
            "The program has failed on this photo: the terminal that runs it says where. "
            "Please report it, and try another photo meanwhile."
        ) from error


def _sketch(colorizer: Any, small: Any, work: Colorization) -> Any:
    """The small copy of the photo in the work's colours."""
    prediction = replace(work.prediction, size=small.shape[:2])
    return colorizer.render(small, prediction, vividness=work.settings.vividness)


def shrink(pixels: NDArray[Any], height: int, width: int) -> NDArray[np.uint8]:
    """A small copy of 8 bits."""
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return small if small.dtype == np.uint8 else (small >> 8).astype(np.uint8)


def check_format(format: str) -> None:
    """Raises OptionError unless it is one of FORMATS."""
    if format not in FORMATS:
        raise OptionError(f"format is {format!r}, allowed are: {'; '.join(FORMATS)}.")


def read(path: Path) -> image.Photo:
    """Decode an upload; the messages name the file as the person knows it, without its folder."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise PictureError(
            f"{path.name} is no longer here: photos are deleted after an hour. Add it again."
        ) from error
    return image.decode(data, path.name)


def describe(colorizer: Any, work: Colorization, seconds: float) -> str:
    """Size, model, seconds, device and what was taken out, in one line."""
    width, height = work.size
    parts = [
        f"{width:,} × {height:,}".replace(",", "\u202f"),
        colorizer.card.title,
        f"{seconds:.1f} s on {_device_name(colorizer.device)}",
    ]
    if work.prediction.tint:
        parts.append(f"{work.prediction.tint} neutralised")
    if work.coloured:
        parts.append("its own colours set aside")
    return " · ".join(parts)


def _device_name(device: str) -> str:
    return "the CPU" if device == "cpu" else f"the GPU ({device})"
