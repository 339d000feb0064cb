"""Drawing the variants, one after the other, with a preview after each step."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from colorize_core.errors import Cancelled
from colorize_core.imaging.chroma import Picture
from colorize_core.imaging.resampling import resize
from colorize_core.prompted import memory
from colorize_core.prompted.chroma_transfer import transfer_chroma
from colorize_core.prompted.flux import Editor
from colorize_core.prompted.pipeline import Painter
from colorize_core.prompted.settings import PromptSettings

Drawn = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Preview:
    """What a variant looks like after a step, roughly."""

    number: int  # of the variant, from 1
    seed: int
    step: int  # from 1
    steps: int
    picture: Drawn  # (h, w, 3), an eighth or a sixteenth of the working size

    @property
    def share(self) -> float:
        """Of this variant."""
        return self.step / self.steps


@dataclass(frozen=True, eq=False)
class Variant:
    """A finished one. `picture`: with settings.keep the photo in its size and type, its L kept;
    else what was drawn. None where the safety checker took it, and `note` says so."""

    number: int
    seed: int
    picture: Picture | None
    drawn: Drawn | None  # at the working size, as the VAE gave it
    note: str = ""


def draw(
    painter: Painter | Editor,
    photo: Picture,
    settings: PromptSettings,
    control: Drawn,
    *,
    start: Picture | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Preview | Variant]:
    """Draw settings.variants pictures: the previews of each, then the variant itself.

    `control` (h, w, 3): what make_condition() gave for this photo and these settings. `start`: a
    picture of the photo in colour, of any size, that is drawn anew by settings.strength, or edited
    in the place of the photo.
    Every variant has a generator of its own, on the CPU: a seed draws the same on every device up
    to rounding, and whatever is drawn beside it.

    Raises Cancelled within one step after `stop` is set; closing the iterator stops it likewise.
    Raises TooLittleMemoryError if memory runs out on the way, WeightsError, and ValueError where
    settings.start is on without a `start`.
    """
    if settings.start and start is None:
        raise ValueError("settings.start is on, but there is no picture to start from")
    asked = _Request(painter, settings, control, start)
    for number, seed in enumerate(settings.seeds, 1):
        yield from _draw_variant(asked, photo, number, seed, stop or threading.Event())


class _Request:
    """What all variants share."""

    def __init__(
        self,
        painter: Painter | Editor,
        settings: PromptSettings,
        control: Drawn,
        start: Picture | None,
    ) -> None:
        height, width = control.shape[:2]
        self.painter, self.settings = painter, settings
        self.size = (height, width)
        self.start = start is not None
        first = None if start is None else resize(_to_eight_bit(start), height, width)
        self.options = painter.make_options(settings, control, first)

    def run(self, seed: int, on_step: Callable[[int, int, Drawn], None]) -> tuple[Drawn, bool]:
        """The picture, and whether the safety checker took it."""
        pipeline = self.painter.prepare_pipeline(self.settings, self.start, math.prod(self.size))

        def after(pipe: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            shown = self.painter.render_preview(tensors["latents"][0], *self.size)
            on_step(step + 1, pipe.num_timesteps, shown)
            return tensors

        generator = torch.Generator("cpu").manual_seed(seed)
        made = pipeline(**self.options, generator=generator, callback_on_step_end=after)
        flagged = getattr(made, "nsfw_content_detected", None)  # not every pipeline has a checker
        drawn = np.rint(np.clip(made.images[0], 0, 1) * 255).astype(np.uint8)
        return drawn, bool(flagged and flagged[0])


def _to_eight_bit(picture: Picture) -> Drawn:
    return (picture // 257 if picture.dtype == np.uint16 else picture).astype(np.uint8)


def _draw_variant(
    asked: _Request, photo: Picture, number: int, seed: int, stop: threading.Event
) -> Iterator[Preview | Variant]:
    """The pipeline calls back; a thread and a queue turn that into an iterator."""
    news: queue.SimpleQueue[Preview | tuple[Drawn, bool] | BaseException] = queue.SimpleQueue()
    closed = threading.Event()

    def on_step(step: int, steps: int, shown: Drawn) -> None:
        if stop.is_set() or closed.is_set():
            raise Cancelled("Stopped.")
        news.put(Preview(number, seed, step, steps, shown))

    def work() -> None:
        try:
            if stop.is_set():
                raise Cancelled("Stopped.")
            news.put(asked.run(seed, on_step))
        except BaseException as error:  # raised again where the iterator is
            news.put(_translate_error(error))

    worker = threading.Thread(target=work, name=f"variant {number}", daemon=True)
    worker.start()
    try:
        while isinstance(event := news.get(), Preview):
            yield event
    finally:
        closed.set()
        worker.join()
        asked.painter.release()
    if isinstance(event, BaseException):
        raise event
    yield _finish(asked.settings, photo, number, seed, *event)


def _finish(
    settings: PromptSettings, photo: Picture, number: int, seed: int, drawn: Drawn, flagged: bool
) -> Variant:
    if flagged:
        return Variant(
            number,
            seed,
            None,
            None,
            f"The safety checker of Stable Diffusion took the picture of seed {seed} for one that "
            "is not safe for work, and blackened it. It often errs, on skin above all. Try "
            "another seed, a higher ControlNet weight, or other words.",
        )
    return Variant(number, seed, transfer_chroma(photo, drawn) if settings.keep else drawn, drawn)


def _translate_error(error: BaseException) -> BaseException:
    """Without a traceback where it would hold on to the memory that is to be freed."""
    if isinstance(error, Cancelled):
        return Cancelled(str(error))
    return memory.describe_shortage() if memory.is_out_of_memory(error) else error
