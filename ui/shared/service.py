"""What the tabs share: loaded models, open photos, running tasks, and the way from an upload to a
result file."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import colorize_core
from colorize_core.errors import ColorizeError, OptionError, PictureError, WeightsError
from colorize_core.file_names import make_name
from colorize_core.imaging import image
from colorize_core.imaging.decoder_pool import DecoderPool
from colorize_core.imaging.finish import NO_FINISH
from colorize_core.imaging.formats import CHOICES
from colorize_core.imaging.mark import draw_mark
from colorize_core.models.runner import Report, Runner, Task
from colorize_core.options import Options
from colorize_core.prompted import plan
from colorize_core.steering.provenance import describe_options
from ui import AT_HOME_ONLY, TABS
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared import model_choices
from ui.shared.albums import Albums
from ui.shared.photo import OpenPhoto, PhotoCache, PredictionCache

MODELS_KEPT = 6  # in memory at a time, the least recently used goes; each takes some 50 MB
QUALITY = 95
MAP_STEPS = 5  # levels of gray for each Lab unit
MOST_WORKS = 32  # kept at a time, some 10 MB each

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Colorization:
    """A photo colorized with some options: kept between two turns of a knob."""

    photo: OpenPhoto
    options: Options
    runner: Runner
    before: Path  # a JPEG of the photo as it came, gray where its own colours are set aside
    after: Path  # a JPEG of the result with the photo's metadata
    line: str = ""  # what was done, for people
    drawn: Any = None  # the prediction of a model that draws: there is no other like it

    @property
    def prediction(self) -> Any:
        """What the model predicts for it. Others are predicted again where that was forgotten,
        which raises what Runner.predict() raises."""
        if self.drawn is not None:
            return self.drawn
        return self.photo.predict(self.runner, self.options, Task())

    @property
    def rendered(self) -> bool:
        """Whether `after` is more than the photo before."""
        return self.after != self.before


class Draft(NamedTuple):
    """What a model that draws its colours has so far."""

    share: float  # of its work, in [0, 1]
    stage: str
    results: tuple[Colorization, ...]  # one for each seed, none of them rendered
    sketch: Callable[[Colorization], Any]  # a small picture of one, (h, w, 3) uint8


class Service:
    """Shared by everybody who uses the app. Of a person it knows the photo that is open and the
    tasks that run."""

    def __init__(
        self,
        folder: Folder,
        load: Callable[[str], Any] = colorize_core.load,
        public: Public | None = None,
        pool: DecoderPool | None = None,
    ):
        """`pool`: what decodes the uploads; this process where there is none."""
        self.folder = folder
        self.public = public  # what strangers may have; None where there are none
        self.runner = Runner(partial(_load, load), MODELS_KEPT)
        self.pool = pool
        self.photos = PhotoCache(pool=pool, pixels=public.pixels if public else None)
        self.predictions = PredictionCache()
        self.albums = Albums()
        self._open: dict[str, OpenPhoto] = {}  # by client
        self._works: OrderedDict[str, Any] = OrderedDict()  # by a key that nobody can guess
        self._tasks: defaultdict[str, set[Task]] = defaultdict(set)
        self._stops: dict[str, float] = {}  # client -> turn of its last stop
        self._warming = threading.Lock()
        self._closing = False

    @cached_property
    def tabs(self) -> tuple[str, ...]:
        """Those that people get here, of ui.TABS. In public what takes hours is left out, and
        drawing from words where the models for it are not on this machine: nobody gets them."""
        if not self.public:
            return TABS
        away = {*AT_HOME_ONLY, *(() if plan.can_draw() else ("prompt",))}
        return tuple(name for name in TABS if name not in away)

    def warm_up(self) -> None:
        """Have what the first photo needs in the background, once: it is quick then."""
        if self._warming.acquire(blocking=False):
            threading.Thread(target=self._warm, name="warm-up", daemon=True).start()

    def _warm(self) -> None:
        if self.pool:
            self.pool.start()
        try:
            self.runner.model(model_choices.suggest()).predict(np.full((64, 64, 3), 128, np.uint8))
        except ColorizeError as error:
            logger.warning("%s", error)

    # --- tasks ----------------------------------------------------------------------------------

    @contextmanager
    def task(
        self, client: str, report: Report | None = None, turn: float = math.inf
    ) -> Iterator[Task]:
        """Register a run of that client for as long as it lasts; faults become ColorizeError."""
        task = Task(report, turn, client)
        self._tasks[client].add(task)
        if self._closing or turn <= self._stops.get(client, -math.inf):
            task.stop()  # it was stopped while it waited in the queue
        try:
            with in_words():
                yield task
        finally:
            self._tasks[client].discard(task)
            if not self._tasks[client]:
                self._tasks.pop(client, None)

    def stop(self, client: str, turn: float | None = None) -> None:
        """Stop what runs for that client at its next step, and what was asked for before `turn`
        and still waits in the queue."""
        if turn is not None:
            self._stops[client] = turn
        for task in tuple(self._tasks.get(client, ())):
            if turn is None or task.turn <= turn:
                task.stop()

    def stop_all(self, seconds: float) -> bool:
        """Stop what runs, whoever asked for it, and let nothing begin; wait for at most so many
        seconds. Whether all of it has ended."""
        self._closing = True
        end = time.monotonic() + seconds
        while self._tasks and time.monotonic() < end:
            for client in tuple(self._tasks):
                self.stop(client)
            time.sleep(0.05)
        return not self._tasks

    @property
    def closing(self) -> bool:
        """Whether the app is being stopped: nothing may begin any more."""
        return self._closing

    def leave(self, client: str) -> None:
        """Nobody waits any more: the page was closed."""
        self.stop(client)
        self._stops.pop(client, None)
        self._open.pop(client, None)

    # --- photos ---------------------------------------------------------------------------------

    def photo(self, path: Path) -> OpenPhoto:
        """The photo in a file, which is read when that is needed."""
        return OpenPhoto(path, self.photos, self.predictions)

    def follow(self, client: str, photo: OpenPhoto) -> None:
        """This client works on that photo now, in every tab."""
        self._open[client] = photo

    def current(self, client: str) -> OpenPhoto | None:
        """The photo that this client works on."""
        return self._open.get(client)

    def keep_work(self, key: str, work: Any) -> None:
        """Keep a session that took a person long, to be found again when the page was loaded
        anew."""
        self._works[key] = work
        self._works.move_to_end(key)
        while len(self._works) > MOST_WORKS:
            self._works.popitem(last=False)

    def find_work(self, key: str) -> Any:
        """What keep_work() was given, or None."""
        return self._works.get(key)

    def forget_work(self, key: str) -> None:
        self._works.pop(key, None)

    def close(self, client: str) -> None:
        """That client works on no photo any more."""
        self._open.pop(client, None)

    def forget(self) -> None:
        """Drop the photos whose files were deleted, with all that is in memory of them."""
        self.photos.purge()
        self.predictions.purge()
        for key, work in tuple(self._works.items()):
            if not work.photo.path.exists():
                self.forget_work(key)
        for client, photo in tuple(self._open.items()):
            if not photo.path.exists():
                self._open.pop(client, None)

    def upload(self, photo: dict[str, Any] | None) -> Path:
        """The file behind a gr.Image's value, not opened: Gradio would do that in Pillow's words.

        Gradio checks the path only where the value says that it is a file, so it is done here too:
        nobody reads another file of the machine. Raises PictureError.
        """
        path = Path((photo or {}).get("path") or "").resolve()
        if not path.is_relative_to(self.folder.path) or path == self.folder.path:
            raise PictureError("No photo was given. Send a picture file.")
        return path

    def check_download(self, what: str, command: str) -> None:
        """Raises WeightsError in public: strangers do not fill the disk. `command` is what the
        owner of the machine types instead."""
        if self.public:
            raise WeightsError(tell_owner(what, command))

    # --- colours --------------------------------------------------------------------------------

    def colorize(self, photo: OpenPhoto, options: Options, task: Task) -> Colorization:
        """The photo in colour, as a file; the network rests where its answer is known.

        Raises PictureError, OptionError, UnknownModelError, WeightsError or Cancelled.
        """
        started = time.perf_counter()
        task.step(0.0, "Reading the photo")
        photo.read(task)
        prediction = photo.predict(self.runner, options, task)
        prepared = photo.prepare(self.runner, options, task)
        start = self._begin(photo, options, prediction, task)
        picture = self.runner.render(prepared.shown, prediction, options, task, 0.4)
        task.step(1.0, "Saving")
        made = photo.decoded.with_pixels(picture).with_record(describe_options(options))
        after = self._save(made, photo.path, "JPEG")
        seconds = time.perf_counter() - started
        line = describe(self.runner.model(options.model), photo, prediction, seconds)
        found = prepared.describe(options.prepare)
        return replace(start, after=after, line=" · ".join(filter(None, [line, found])))

    def steer(self, photo: OpenPhoto, options: Options, task: Task) -> Colorization:
        """The same, not rendered yet: preview() shows it small, export() makes the file."""
        started = time.perf_counter()
        photo.read(task)
        prediction = photo.predict(self.runner, options, task)
        start = self._begin(photo, options, prediction, task)
        seconds = time.perf_counter() - started
        line = describe(self.runner.model(options.model), photo, prediction, seconds)
        return replace(start, line=line)

    def list_variants(self, photo: OpenPhoto, options: Options, task: Task) -> list[Colorization]:
        """The photo's variants with these options and hints, none of them rendered: the usual one
        first, fewer than VARIANTS where it leaves too little choice."""
        photo.read(task)
        plain = replace(options, hints=(), second=None)
        usual = photo.predict(self.runner, replace(plain, variant=0), task)
        seen = photo.prepare(self.runner, options, task).seen
        made = self.runner.list_variants(seen, usual, options, task)
        for number, prediction in enumerate(made):
            photo.keep(replace(plain, variant=number), prediction)
        wanted = [replace(options, variant=number) for number in range(len(made))]
        return [self.steer(photo, each, task) for each in wanted]

    def preview(self, result: Colorization, small: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A small copy of the photo, (h, w, 3), in the colours of the result."""
        return _sketch(self.runner, small, result, result.options.strength)

    def _begin(
        self, photo: OpenPhoto, options: Options, prediction: Any, task: Task
    ) -> Colorization:
        """The photo before anything of it is rendered."""
        if photo.before is None or not photo.before.exists():
            task.step(0.35, "Preparing the comparison")
            shown = photo.decoded.with_record(None)
            if prediction.coloured:
                plain = replace(options, strength=0.0, finish=NO_FINISH)
                gray = self.runner.render(photo.pixels, prediction, plain, task, 0.35)
                shown = shown.with_pixels(gray)
            photo.before = self._save(shown, photo.path, "JPEG", "-before")
        return Colorization(photo, options, self.runner, photo.before, photo.before)

    def draw(
        self, photo: OpenPhoto, options: Options, seeds: Sequence[Any], task: Task
    ) -> Iterator[Draft]:
        """What a model that draws its colours has after each step, from each of the seeds.

        Between two steps the network is free for others. Raises what colorize() raises.
        """
        task.step(0.0, "Reading the photo")
        photo.read(task)
        named = {name for name, _ in options.controls}
        sketch: Callable[[Colorization], Any] | None = None
        for step in self.runner.steps(photo.pixels, options, seeds, task):
            start = self._begin(photo, options, step.predictions[0], task)
            stage = {"stage": step.stage} if "stage" in named else {}
            results = tuple(
                replace(start, options=options.with_controls(seed=seed, **stage), drawn=made)
                for seed, made in zip(seeds, step.predictions, strict=True)
            )
            if sketch is None:
                small = photo.shrink(*step.predictions[0].fine_l.shape)
                sketch = partial(_sketch, self.runner, small)
            yield Draft(step.share, step.stage, results, sketch)

    def export(self, result: Colorization, format: str, task: Task, mark: bool = False) -> Path:
        """The result as a file of that format (a key of CHOICES), with the photo's metadata and the
        record of where its colours come from; with `mark` it also says so in a corner.

        TIFF has 16 bits a channel whatever the photo has.
        """
        check_format(format)
        record = describe_options(result.options)
        mark = mark and record is not None and record.coloured
        if format == "JPEG" and result.rendered and result.after.exists() and not mark:
            return result.after
        photo = result.photo.decoded
        shown = result.photo.prepare(self.runner, result.options, task).shown
        picture = self.runner.render(
            CHOICES[format].widen(shown),
            result.prediction,
            result.options,
            task,
            0.0,
            f"Making the {format} file",
        )
        made = photo.with_pixels(draw_mark(picture) if mark else picture).with_record(record)
        return self._save(made, result.photo.path, format)

    def export_map(self, result: Colorization) -> Path:
        """How unsure the colours are, as a gray PNG of the photo's size: MAP_STEPS levels for each
        Lab unit of spread. Raises OptionError for a model that does not tell."""
        spread = result.prediction.uncertainty()
        levels = np.clip(np.round(spread * MAP_STEPS), 0, 255).astype(np.uint8)
        pixels = np.repeat(levels[..., None], 3, axis=2)
        shown = image.Photo(pixels, None, image.Metadata(), "PNG")
        return self._save(shown, result.photo.path, "PNG", "-unsure")

    def describe_losses(self, result: Colorization, format: str) -> str:
        """What of the photo's file, and of the record, export() in that format leaves out."""
        return result.photo.describe_losses(format, describe_options(result.options))

    def _save(self, photo: image.Photo, source: Path, format: str, ending: str = "-colour") -> Path:
        path = self.folder.new(make_name(source.name, ending, CHOICES[format].suffix))
        image.write(path, photo, QUALITY)
        return path


def _load(load: Callable[[str], Any], name: str) -> Any:
    model_choices.check(name)
    return load(name)


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


def _sketch(
    runner: Runner, small: NDArray[np.uint8], result: Colorization, strength: float = 1.0
) -> Any:
    """The small copy of the photo in the colours of the result."""
    prediction = replace(result.prediction, size=small.shape[:2])
    options = replace(result.options, strength=strength)
    return runner.render(small, prediction, options, Task())


def check_format(format: str) -> None:
    """Raises OptionError unless it is one of CHOICES."""
    if not isinstance(format, str) or format not in CHOICES:
        raise OptionError(f"format is {format!r}, allowed are: {'; '.join(CHOICES)}.")


def describe(colorizer: Any, photo: OpenPhoto, prediction: Any, seconds: float) -> str:
    """Size, model, seconds, device, what was taken out and which picture it is, in one line."""
    width, height = photo.size
    parts = [
        f"{width:,} × {height:,}".replace(",", "\u202f"),
        colorizer.card.title,
        f"{seconds:.1f} s on {_device_name(colorizer.device)}",
    ]
    if (pages := photo.decoded.pages) > 1:
        parts.append(f"the first of {pages:,} pictures")
    if prediction.tint:
        parts.append(f"{prediction.tint} neutralised")
    if prediction.coloured:
        parts.append("its own colours set aside")
    return " · ".join(parts)


def _device_name(device: str) -> str:
    return "the CPU" if device == "cpu" else f"the GPU ({device})"


def tell_owner(what: str, command: str) -> str:
    """What is said in public of something that would have to be downloaded."""
    return (
        f"{what} is not on this machine, and a public app downloads nothing. Whoever runs it can "
        f"fetch it: {command}"
    )
