"""Models at work on photos, the same for the app, a folder and a comparison: predict, then render,
with one network at a time, progress, and a stop that is heeded between two steps.

Importing this loads no torch: a model is loaded when it is first asked for.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from colorize_core.errors import Cancelled, OptionError
from colorize_core.options import DEFAULT_MODEL, VARIANTS, Options
from colorize_core.prepare.preparation import NO_PREPARATION, prepare
from colorize_core.sizes import format_size

LIVELY = 0.1  # seconds between two reports of one thing: a page that gets many stops to react
WAITING = 0.1  # seconds between two looks at whether who waits for the network was stopped
LOOKED, PREDICTED = 0.1, 0.35  # shares of the whole work when the network begins, and when it ends

Report = Callable[[float, str], None]  # share done in [0, 1], what is being done


class Task:
    """A run that its owner can stop. `owner`: whose it is. `turn`: when it was asked for, by the
    asker's own clock. `stopped`: an event that stops several tasks at once."""

    def __init__(
        self,
        report: Report | None = None,
        turn: float = math.inf,
        owner: str = "",
        stopped: threading.Event | None = None,
    ):
        self.turn, self.owner = turn, owner
        self.stopped = stopped or threading.Event()
        self.seconds = 0.0  # for which networks have worked for it
        self._report = report
        self._words, self._when = "", -math.inf  # what was reported last

    def stop(self) -> None:
        self.stopped.set()

    def step(self, share: float, words: str) -> None:
        """Report how far it is. Raises Cancelled once stop() has been called."""
        if words != self._words:
            self._when = -math.inf  # what is new is told at once
        self._step(share, words)

    def report_bytes(self, done: int, total: int) -> None:
        """A progress callback for a download, of bytes."""
        self._step(done / max(total, 1), f"{format_size(done)} of {format_size(total)}")

    def _step(self, share: float, words: str) -> None:
        if self.stopped.is_set():
            raise Cancelled("Stopped.")
        now = time.monotonic()
        if self._report is not None and now - self._when >= LIVELY:  # a gr.Progress is falsy
            self._words, self._when = words, now
            self._report(share, words)

    def listen(self, listener: Callable[[float, str], None]) -> None:
        """Have the listener told, too, how far it is."""
        first = self._report

        def tell(share: float, words: str) -> None:
            listener(share, words)
            if first is not None:
                first(share, words)

        self._report = tell

    def part(self, start: float, words: str, end: float = 1.0) -> Callable[[float], None]:
        """A progress callback, of shares in [0, 1], for the part of the work between two shares."""
        return lambda share: self.step(start + share * (end - start), words)

    @contextmanager
    def hold(
        self, lock: threading.Lock, words: str = "Waiting for another photo"
    ) -> Iterator[None]:
        """Hold the lock. Raises Cancelled if it is stopped while it waits."""
        while not lock.acquire(timeout=WAITING):
            self.step(LOOKED, words)
        try:
            yield
        finally:
            lock.release()


class Runner:
    """Loads models and has them colorize. Shared by all who ask: it knows nothing of their photos.

    `load`: name -> model. `kept`: how many stay in memory, the least recently used goes. `alone`:
    one network works at a time, as each uses every core or the one GPU."""

    def __init__(self, load: Callable[[str], Any], kept: int = 1, alone: bool = True):
        self._load, self._kept = load, kept
        self._models: OrderedDict[str, Any] = OrderedDict()
        self._loading = threading.Lock()
        self._network = threading.Lock() if alone else None

    def model(self, name: str) -> Any:
        """The model of that name, loaded once. Raises UnknownModelError, WeightsError."""
        with self._loading:
            if name not in self._models:
                self._models[name] = self._load(name)
                if len(self._models) > self._kept:
                    self._models.popitem(last=False)
            self._models.move_to_end(name)
            return self._models[name]

    @contextmanager
    def turn(self, task: Task) -> Iterator[None]:
        """Have the network, for whatever works on it. Raises Cancelled."""
        with task.hold(self._network) if self._network else nullcontext():
            begun = time.perf_counter()
            try:
                yield
            finally:
                task.seconds += time.perf_counter() - begun

    def predict(self, pixels: Any, options: Options, task: Task) -> Any:
        """The network's part: pixels (H, W, 3) uint8 or uint16 sRGB -> base.Prediction.

        Raises OptionError, UnknownModelError, WeightsError or Cancelled."""
        if options.second is not None:
            first = self.predict(pixels, replace(options, second=None), task)
            other = self.predict(pixels, options.describe_second(), task)
            return self.mix(first, other, options)
        task.step(LOOKED / 2, "Loading the model")
        model = self.model(options.model)
        task.step(LOOKED, "Looking at the photo")
        with self.turn(task):
            return model.predict(
                pixels,
                gain=options.gain,
                neutralize=options.neutralize,
                progress=task.part(LOOKED, "Drawing the colours", PREDICTED),
                **options.steering(),
                **dict(options.controls),
            )

    def mix(self, first: Any, second: Any, options: Options) -> Any:
        """The mean of two models' predictions for one photo, as the options want it."""
        from colorize_core.models.blending import blend

        return blend(first, second, options.second.share if options.second else 0.0)

    def guide(self, pixels: Any, prediction: Any, options: Options, task: Task) -> Any:
        """The prediction of the same photo and options without hints, with those of the options:
        only what depends on hints is done again, where the model can tell that apart. Raises what
        predict() raises."""
        model = self.model(options.model)
        if not hasattr(model, "guide"):
            return self.predict(pixels, options, task)
        task.step(LOOKED, "Taking the hints")
        with self.turn(task):
            return model.guide(pixels, prediction, options.hints, **options.shown())

    def vary(self, pixels: Any, prediction: Any, options: Options, task: Task) -> Any:
        """The prediction of the same photo and options as their variant 0, without hints, as the
        variant of the options. Raises what predict() raises."""
        model = self.model(options.model)
        if not hasattr(model, "vary"):
            return self.predict(pixels, options, task)
        task.step(LOOKED, "Looking for another colouring")
        with self.turn(task):
            return model.vary(pixels, prediction, options.variant, **options.shown())

    def list_variants(
        self, pixels: Any, prediction: Any, options: Options, task: Task
    ) -> list[Any]:
        """The predictions of all variants of the same photo and options, without hints, from that
        of the usual one, which comes first. Raises OptionError for a model that has none, and
        Cancelled."""
        model = self.model(options.model)
        if not hasattr(model, "list_variants"):
            raise OptionError(f"The model {options.model!r} has no variants; {DEFAULT_MODEL} does.")
        task.step(LOOKED, "Looking for other colourings")
        with self.turn(task):
            found = model.list_variants(pixels, prediction, VARIANTS, **options.shown())
        return [variant.prediction for variant in found]

    def ask(self, pixels: Any, prediction: Any, options: Options, task: Task) -> Any:
        """The questions that the model has about the photo of a prediction with these options, a
        list of steering.questions.Question. Raises OptionError for a model that asks none, and
        Cancelled."""
        model = self.model(options.model)
        if not hasattr(model, "questions"):
            raise OptionError(f"The model {options.model!r} asks nothing; {DEFAULT_MODEL} does.")
        task.step(PREDICTED, "Looking for what is least sure")
        with self.turn(task):
            return model.questions(pixels, prediction, options.hints, **options.shown())

    def match_reference(
        self, pixels: Any, reference: Any, prediction: Any, options: Options, task: Task
    ) -> Any:
        """The colours of another photo as hints for this one, whose prediction with these options
        is there: a tuple of Hint. Raises OptionError for a model that finds none, and Cancelled."""
        model = self.model(options.model)
        if not hasattr(model, "match_reference"):
            raise OptionError(
                f"The model {options.model!r} compares no photos; {DEFAULT_MODEL} does."
            )
        task.step(LOOKED, "Comparing the photos")
        with self.turn(task):
            return model.match_reference(
                pixels, reference, prediction=prediction, **options.shown()
            )

    def describe(self, prediction: Any, options: Options) -> Any:
        """What the model makes of the cells of a prediction with these options, as its describe()
        gives it; None of a model that does not tell. No network runs."""
        model = self.model(options.model)
        return model.describe(prediction) if hasattr(model, "describe") else None

    def find_likely(self, prediction: Any, options: Options, x: float, y: float) -> Any:
        """What may be the colours at a place, a steering.questions.Question; None of a model that
        does not tell. No network runs."""
        model = self.model(options.model)
        return model.find_likely(prediction, x, y) if hasattr(model, "find_likely") else None

    def steps(
        self, pixels: Any, options: Options, seeds: Sequence[Any], task: Task
    ) -> Iterator[Any]:
        """A model that draws its colours, from each seed: base.Step after each step. Between
        two the network is free for others. Raises what predict() raises."""
        task.step(0.0, "Loading the model")
        steps = self.model(options.model).steps(
            pixels,
            seeds=seeds,
            gain=options.gain,
            neutralize=options.neutralize,
            **dict(options.controls),
        )
        while True:
            with self.turn(task):
                step = next(steps, None)
            if step is None:
                return
            task.step(step.share, "Drawing the colours")
            yield step

    def render(
        self,
        pixels: Any,
        prediction: Any,
        options: Options,
        task: Task,
        start: float = PREDICTED,
        words: str = "Colouring",
    ) -> Any:
        """The part after the network, which may be done again with another vividness, strength or
        finish: (H, W, 3) of the same type. Raises OptionError or Cancelled."""
        return self.model(options.model).render(
            pixels,
            prediction,
            vividness=options.vividness,
            strength=options.strength,
            finish=options.finish,
            progress=task.part(start, words),
        )

    def colorize(self, pixels: Any, options: Options, task: Task) -> tuple[Any, Any]:
        """Both parts: the picture (H, W, 3), and the prediction. Raises what predict() raises."""
        prepared = self.prepare(pixels, options, task)
        prediction = self.predict(prepared.seen, options, task)
        return self.render(prepared.shown, prediction, options, task), prediction

    def prepare(self, pixels: Any, options: Options, task: Task) -> Any:
        """What predict() and render() are to be given of a photo: preparation.Prepared. Raises
        WeightsError or Cancelled."""
        if options.prepare != NO_PREPARATION:
            task.step(LOOKED / 4, "Looking for damage")
        return prepare(pixels, options.prepare)
