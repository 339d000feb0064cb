"""A film from file to file, and one scene of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import FilmError, OptionError
from colorize_core.film import assembly, scenes
from colorize_core.film.encoding import Encoding, Painter, choose_encoding, get_container
from colorize_core.film.options import FilmOptions
from colorize_core.film.propagation import Ab, Coloured, FilmFrame, Seen, colour_scene
from colorize_core.film.segments import Part, Parts, PartWriter
from colorize_core.film.signal import Luma
from colorize_core.film.source import Film, Look
from colorize_core.film.tracking import Plan, follow_hints
from colorize_core.imaging.finish import NO_FINISH
from colorize_core.models.registry import load
from colorize_core.models.runner import Runner, Task
from colorize_core.steering.hints import Hint
from colorize_core.steering.provenance import describe_options

PART_FRAMES = 240  # of one scene after which a part ends: what a stop costs, at most
SEEN_SIDE = 1024  # pixels along the longer side of what the network is shown
WINDOW_BYTES = 256 << 20  # of the frames between two anchors; large frames get closer anchors
WRITING = 0.97  # share of the work when the file is put together


@dataclass(frozen=True)
class FilmResult:
    frames: int  # in the film
    scenes: int
    looks: int  # frames that the network looked at
    resumed: int  # frames that an earlier run had done
    seconds: float
    notes: tuple[str, ...]  # what of the film could not be kept as it is


def colorize_film(
    source: Path,
    target: Path,
    options: FilmOptions | None = None,
    *,
    runner: Runner | None = None,
    task: Task | None = None,
    device: str = "auto",
    tell: Callable[[str], None] | None = None,
) -> FilmResult:
    """Colour a film; `target` is there once it is whole. Goes on from the parts beside it that an
    earlier run with the same options has left.

    `runner`: whose models are used; else one is loaded on `device`. `task` hears of the share that
    is done, and stops the work. `tell` gets a sentence for all that cannot be kept, before the work
    begins, and for hints that cannot be followed. Raises FilmError, OptionError, SaveError,
    Cancelled, and what models raise.
    """
    begun = time.perf_counter()
    options, task = options or FilmOptions(), task or Task()
    if source.exists() and target.exists() and source.samefile(target):
        raise OptionError(f"{target} is the film itself: choose another output.")
    with Film(source) as film:
        container, encoding = _choose_writing(film, target, options)
        notes = [
            *film.look.notes,
            *encoding.notes,
            *assembly.choose_streams(film, container)[1],
        ]
        plan = follow_hints(film, options.keyframes, task)
        notes += plan.notes
        if tell:
            for note in notes:
                tell(note)
        parts = Parts(target)
        work = _Work(film, encoding, options, runner or _make_runner(device), task, plan)
        with parts.hold(_identify(film, encoding, options)):
            resumed = sum(len(part.packets) for part in parts.list())
            done = work.make_parts(parts, film.frames)
            assembly.assemble(
                film,
                target,
                encoding,
                container,
                parts,
                len(done),
                work.make_step("Writing"),
                statement=_describe(options),
            )
        parts.remove()
        if film.faults:
            many = "s" * (film.faults != 1)
            notes.append(f"{film.faults} damaged part{many} of it could not be decoded.")
    return FilmResult(
        sum(len(part.packets) for part in done),
        sum(part.scenes for part in done),
        sum(part.looks for part in done),
        resumed,
        time.perf_counter() - begun,
        tuple(notes),
    )


def preview_scene(
    source: Path,
    target: Path,
    options: FilmOptions | None = None,
    *,
    at: float = 0.0,
    most: float = 5.0,
    runner: Runner | None = None,
    task: Task | None = None,
    device: str = "auto",
) -> FilmResult:
    """Colour what follows `at` seconds from the film's beginning, up to the next cut and for `most`
    seconds at most, into a film of its own that has the picture alone. Raises what colorize_film()
    raises, and OptionError where nothing is at that time."""
    begun = time.perf_counter()
    options, task = options or FilmOptions(), task or Task()
    with Film(source) as film:
        container, encoding = _choose_writing(film, target, options)
        base = film.look.time_base
        start = round((film.start + at) / base)

        def take(_: int | None) -> Iterator[tuple[Any, int, int]]:
            first: int | None = None
            for samples, pts, duration in film.frames(start):
                if first is None:
                    first = work.shift = pts
                if pts - first > most / base:
                    return
                yield samples, pts - first, duration

        parts = Parts(target, ".preview")
        plan = follow_hints(film, options.keyframes, task, (at, at + most))
        work = _Work(film, encoding, options, runner or _make_runner(device), task, plan)
        work.begin, work.length = 0.0, most
        with parts.hold({"preview": time.time()}, keep=False):
            done = work.make_parts(parts, take, one_scene=True)
            if not done:
                raise OptionError(f"The film has nothing at {at:g} seconds.")
            assembly.assemble(
                film,
                target,
                encoding,
                container,
                parts,
                len(done),
                work.make_step("Writing"),
                statement=_describe(options),
                alone=True,
            )
    frames, looks = (sum(counts) for counts in zip(*map(_count, done), strict=True))
    notes = (*encoding.notes, *plan.notes)
    return FilmResult(frames, 1, looks, 0, time.perf_counter() - begun, notes)


def show_frame(source: Path, at: float) -> NDArray[np.uint8]:
    """The frame nearest to `at` seconds from the film's beginning as hints see it: (H, W, 3), gray,
    upright, with square pixels. Raises FilmError, and OptionError where nothing is there."""
    with Film(source) as film:
        look = film.look
        wanted = (film.start + at) / look.time_base
        step = float(1 / (look.rate * look.time_base))
        found: Luma | None = None
        nearest = np.inf
        for samples, pts, duration in film.frames(round(float(wanted) - 2 * step)):
            apart = abs(float(pts - wanted))
            if apart >= nearest:
                break
            if pts + max(duration, 1.5 * step) >= wanted:  # times are often rounded
                found = samples
            nearest = apart
        if found is None:
            raise OptionError(f"The film has nothing at {at:g} seconds.")
        return show_samples(found, look)


def show_samples(samples: Luma, look: Look) -> NDArray[np.uint8]:
    """A frame as the network is shown it: (H, W, 3), upright, with square pixels."""
    width, height = look.width * float(look.shape), float(look.height)
    scale = min(1.0, SEEN_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(samples, size, interpolation=cv2.INTER_AREA)
    gray = np.round(look.signal.show(look.signal.read_luma(small)) * 255).astype(np.uint8)
    upright = np.ascontiguousarray(np.rot90(gray, look.turn // 90))
    return np.repeat(upright[..., None], 3, 2)


def _choose_writing(film: Film, target: Path, options: FilmOptions) -> tuple[str, Encoding]:
    """The container and the encoder. Raises OptionError where they do not take the film."""
    container = get_container(target)
    encoding = choose_encoding(film.look, container, options.codec, options.quality)
    assembly.check_picture(film, encoding, container)
    return container, encoding


def _describe(options: FilmOptions) -> str:
    """What anybody who sees the film should know."""
    hints = tuple(hint for keyframe in options.keyframes for hint in keyframe.hints)
    record = describe_options(replace(options.for_frame(), hints=hints))
    return record.statement if record else ""


def _count(part: Part) -> tuple[int, int]:
    return len(part.packets), part.looks


def _make_runner(device: str) -> Runner:
    return Runner(lambda name: load(name, device))


def _identify(film: Film, encoding: Encoding, options: FilmOptions) -> dict[str, Any]:
    return {
        "film": film.digest(),
        "options": options.describe(),
        "encoder": [encoding.codec, encoding.format, encoding.options, encoding.apart],
        "versions": [av.__version__, av.ffmpeg_version_info, cv2.__version__],
    }


class _Work:
    """One film with its settings."""

    def __init__(
        self,
        film: Film,
        encoding: Encoding,
        options: FilmOptions,
        runner: Runner,
        task: Task,
        plan: Plan,
    ) -> None:
        self.film, self.encoding, self.options = film, encoding, options
        self.task, self.plan = task, plan
        self.shift = 0  # from the pts of a frame here to its pts in the film
        self.look = film.look
        self.painter = Painter(film.look, encoding)
        self.network = Network(film.look, options, runner, task)
        self.begin, self.length = film.start, film.seconds
        sample = 1 if film.look.signal.bits == 8 else 2
        room = WINDOW_BYTES // (film.look.width * film.look.height * sample)
        self.spacing = (
            max(4, min(options.spacing, room)) if options.spacing > 4 else options.spacing
        )

    def make_step(self, words: str) -> Callable[[float], None]:
        """A report of the seconds that are done of the last part of the work."""
        return lambda now: self.task.step(WRITING + (1 - WRITING) * self._share(now), words)

    def _share(self, now: float) -> float:
        return min(max((now - self.begin) / self.length, 0.0), 1.0) if self.length else 0.0

    def make_parts(
        self,
        parts: Parts,
        read: Callable[[int | None], Iterator[tuple[Any, int, int]]],
        one_scene: bool = False,
    ) -> list[Part]:
        """All parts, those included that were there. Raises FilmError where the frames are others
        than those that the parts are of."""
        done = parts.list()
        if done and done[-1].next is None:
            return done
        start = done[-1].next if done else None
        carried = parts.read_carried(len(done) - 1) if done and done[-1].inside else None
        frames = (FilmFrame.make(s, self.look.signal, pts, d) for s, pts, d in read(start))
        coloured = self._colour(frames, carried, one_scene)
        item = next(coloured, None)
        if start is not None and (item is None or item[0].frame.pts != start):
            raise FilmError(
                f"{self.film.path} does not go on where it was stopped. Remove {parts.folder} and "
                "begin anew."
            )
        inside = carried is not None
        while item is not None:
            with parts.write(len(done)) as writer:
                item = self._write_part(writer, item, coloured, inside)
            assert writer.index is not None
            done.append(writer.index)
            inside = writer.index.inside
        return done

    def _write_part(
        self,
        writer: PartWriter,
        item: tuple[Coloured, bool] | None,
        coloured: Iterator[tuple[Coloured, bool]],
        inside: bool,
    ) -> tuple[Coloured, bool] | None:
        """One part, from `item` on; the first item of the part after it."""
        encoder = self.encoding.open(self.look)
        durations: dict[int, int] = {}
        count = looks = 0
        while item is not None:
            (frame, ab, anchor, looked), begins = item
            if count and (begins or (anchor and count >= PART_FRAMES)):
                break
            durations[frame.pts] = frame.duration
            for packet in encoder.encode(self.painter.paint(frame, ab)):
                writer.add(packet, durations[packet.pts or 0])
            count += 1
            looks += looked
            share = self._share(float(frame.pts * self.look.time_base))
            self.task.step(WRITING * share, "Colouring")
            item = next(coloured, None)
        for packet in encoder.encode(None):
            writer.add(packet, durations[packet.pts or 0])
        goes_on = item is not None and not item[1]
        writer.finish(
            scenes=0 if inside else 1,
            looks=looks,
            next=item[0].frame.pts if item else None,
            carried=item[0].ab if item and goes_on else None,
        )
        return item

    def _colour(
        self, frames: Iterable[FilmFrame], carried: Ab | None, one_scene: bool
    ) -> Iterator[tuple[Coloured, bool]]:
        """Each frame with its colours, and whether a scene begins with it."""
        for _, scene in groupby(_number(frames), key=lambda pair: pair[0]):
            first = carried
            members = (frame for _, frame in scene)
            begins = True
            made = colour_scene(members, self._look_at, self.spacing, first, self._is_key)
            for each in made:
                yield each, begins
                begins = False
            if one_scene:
                return
            carried = None

    def _look_at(self, frame: FilmFrame) -> Seen:
        return self.network.look_at(frame, self.plan.find(frame.pts + self.shift))

    def _is_key(self, frame: FilmFrame) -> bool:
        return self.plan.is_key(frame.pts + self.shift)


def _number(frames: Iterable[FilmFrame]) -> Iterator[tuple[int, FilmFrame]]:
    """Each frame with the number of its scene."""
    number = 0
    for frame, begins in scenes.find_cuts(frames, lambda each: each.thumbnail):
        number += begins
        yield number, frame


class Network:
    """A model that looks at frames as they are to be seen: upright, with square pixels."""

    def __init__(self, look: Look, options: FilmOptions, runner: Runner, task: Task) -> None:
        self.look, self.options, self.runner = look, options.for_frame(), runner
        # Of its own, as what a model reports is not the share of the film.
        self.task = Task(None, task.turn, task.owner, task.stopped)

    def look_at(self, frame: FilmFrame, hints: tuple[Hint, ...] = ()) -> Seen:
        """ab (h, w, 2) at the size of the frame's luma; the hints' places are those of the frame as
        it is shown."""
        pixels = show_samples(frame.samples, self.look)
        prediction = self.runner.predict(pixels, self.options, self.task)
        free = self._find_ab(prediction, frame)
        if not hints:
            return Seen(free)
        asked = replace(self.options, hints=hints)
        guided = self.runner.guide(pixels, prediction, asked, self.task)
        return Seen(self._find_ab(guided, frame), free)

    def _find_ab(self, prediction: Any, frame: FilmFrame) -> Ab:
        options = self.options
        ab = prediction.fine_ab(options.vividness) * options.strength
        if options.finish != NO_FINISH:
            both = options.finish.adjust_ab(ab[..., 0], ab[..., 1], prediction.fine_l)
            ab = np.stack(both, -1)
        turned = np.ascontiguousarray(np.rot90(ab, -(self.look.turn // 90)))
        height, width = frame.luma.shape
        return cv2.resize(turned, (width, height), interpolation=cv2.INTER_LINEAR)
