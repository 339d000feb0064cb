"""Colours that hold still: the network looks at anchors, and motion carries their ab to the frames
between.

A frame takes the ab of the anchor before it and of the one after, each as far as the motion from
there is sure and the more the nearer it is. Where neither is sure the ab of near pixels of like L
is taken; where too much of a frame is unsure the network looks at it, and it is an anchor too. Each
new anchor keeps a part of what is carried to it, so that a scene does not breathe, but where hints
have decided. Keyframes, which have hints of their own, are anchors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.film import flow, scenes
from colorize_core.film.flow import Carried, Field, Motion, Plane
from colorize_core.film.signal import Luma, Signal
from colorize_core.imaging import chroma
from colorize_core.imaging.resampling import resize

KEPT = 0.75  # how much of what is carried to an anchor, where it is sure, stays
ENOUGH = 0.6  # mean sureness of a frame under which the network looks at it
FAINT = 0.02  # weight of an anchor where its motion is not sure at all
CONTRAST = 10.0  # standard deviation of L from which a frame is seen well
REACH = 12  # pixels over which unsure ab is taken from its surroundings
HINTED = 10.0  # Lab units by which hints change a colour that then is theirs alone
LIKENESS = 1e-3  # regularization of that, in (L / 100) ** 2

Ab = NDArray[np.float32]  # (h, w, 2) in Lab units, at the size of `luma` below


@dataclass(frozen=True, eq=False)
class FilmFrame:
    """One frame: its own samples and what is worked with."""

    pts: int
    duration: int
    samples: Luma  # (H, W), as they are in the film
    luma: Plane  # (h, w) in [0, 1], of about chroma.WORK_SIDE ** 2 pixels
    lightness: Plane  # its L
    small: Plane  # L at the size at which motion is measured
    thumbnail: Plane  # L as cuts are told from

    @classmethod
    def make(cls, samples: Luma, signal: Signal, pts: int, duration: int) -> FilmFrame:
        luma = signal.read_luma(_fit(samples, chroma.WORK_SIDE))
        lightness = signal.find_lightness(luma)
        small = _fit(lightness, flow.SIDE)
        return cls(pts, duration, samples, luma, lightness, small, scenes.shrink(small))

    @property
    def contrast(self) -> float:
        """How well it can be seen, in (0, 1]."""
        return max(min(float(self.small.std()) / CONTRAST, 1.0), 0.01)


class Coloured(NamedTuple):
    frame: FilmFrame
    ab: Ab
    anchor: bool  # whether the frames from here on can be made from it and its ab alone
    looked: bool  # whether the network looked at it


class Seen(NamedTuple):
    """What the network says of a frame."""

    ab: Ab
    free: Ab | None = None  # what it says without the hints that there are

    @property
    def hinted(self) -> Plane | float:
        """How far hints have decided the colours, (h, w) in [0, 1]."""
        if self.free is None:
            return 0.0
        change: Plane = np.hypot(*np.moveaxis(self.ab - self.free, -1, 0))
        return np.minimum(change / HINTED, 1)


Predict = Callable[[FilmFrame], Seen]


def _fit(plane: NDArray[Any], side: int) -> NDArray[Any]:
    height, width = plane.shape[:2]
    size = chroma.Frame.fit(height, width, side).size()
    return resize(plane, min(size[0], height), min(size[1], width))


def colour_scene(
    frames: Iterable[FilmFrame],
    predict: Predict,
    spacing: int,
    first: Ab | None = None,
    is_key: Callable[[FilmFrame], bool] = lambda _: False,
) -> Iterator[Coloured]:
    """The frames of one scene with their ab. `spacing` + 1 of them are in memory. `first`: the ab
    of the first one, where it is known. `is_key`: whether a frame is to be an anchor."""
    window: list[FilmFrame] = []
    for frame in frames:
        window.append(frame)
        if len(window) == 1:
            ab = _round(predict(frame).ab) if first is None else first
        if len(window) > spacing or (len(window) > 1 and is_key(frame)):
            *filled, last = _Window(window, predict).fill(ab)
            yield from filled
            window, ab = [last.frame], last.ab
            del filled  # whose frames would be held beside the next ones
    if window:
        yield from _Window(window, predict).fill(ab)


def _round(ab: Ab) -> Ab:
    """As it is kept in a file, so that a run that goes on gives what one without a stop gives."""
    return ab.astype(np.float16).astype(np.float32)


class _Window:
    """The frames from one anchor to the next."""

    def __init__(self, frames: list[FilmFrame], predict: Predict) -> None:
        self.frames = frames
        self.predict = predict
        self.looked = {0}
        self.motions: list[Motion] = [
            flow.measure_motion(one.small, other.small) for one, other in pairwise(frames)
        ]

    def fill(self, first: Ab) -> list[Coloured]:
        """Every frame with its ab, from that of the first one."""
        made: dict[int, Ab] = {0: first}
        last = len(self.frames) - 1
        if last:
            self._add_anchor(made, last, {0: self._carry(0, last)[-1]})
            self._fill_between(made, 0, last)
        return [
            Coloured(frame, made[index], index == 0, index in self.looked)
            for index, frame in enumerate(self.frames)
        ]

    def _fill_between(self, made: dict[int, Ab], start: int, stop: int) -> None:
        if stop - start < 2:
            return
        ahead = self._carry(start, stop)[:-1]
        behind = self._carry(stop, start)[-2::-1]
        sure = [
            float(np.maximum(one.sure, other.sure).mean())
            for one, other in zip(ahead, behind, strict=True)
        ]
        worst = int(np.argmin(sure))
        if sure[worst] < ENOUGH:
            middle = start + 1 + worst
            self._add_anchor(made, middle, {start: ahead[worst], stop: behind[worst]})
            self._fill_between(made, start, middle)
            self._fill_between(made, middle, stop)
            return
        for index, (one, other) in enumerate(zip(ahead, behind, strict=True), start + 1):
            part = (index - start) / (stop - start)
            near = {start: (one, 1 - part), stop: (other, part)}
            ab, certain = self._blend(made, near)
            made[index] = fill_unsure(ab, self.frames[index].lightness, certain)

    def _carry(self, start: int, stop: int) -> list[Carried]:
        """From frame `start` to each frame up to `stop`, in that order."""
        carried = flow.stay(*self.frames[start].small.shape)
        found = []
        step = 1 if stop > start else -1
        for index in range(start, stop, step):
            motion = self.motions[min(index, index + step)]
            way: tuple[Field, Plane] = (
                (motion.backward, motion.back_sure) if step > 0 else (motion.forward, motion.sure)
            )
            carried = flow.go_on(carried, *way)
            here, there = self.frames[index + step].small, self.frames[start].small
            alike = flow.compare_light(carried, here, there)
            found.append(carried._replace(sure=carried.sure * alike))
        return found

    def _add_anchor(self, made: dict[int, Ab], index: int, near: dict[int, Carried]) -> None:
        """Have the network look at a frame, and keep a part of what is carried to it."""
        seen = self.predict(self.frames[index])
        self.looked.add(index)
        kept, certain = self._blend(made, {key: (way, 1.0) for key, way in near.items()})
        own = self.frames[index].contrast
        others = max(self.frames[key].contrast for key in near)
        share = KEPT * certain * min(1.0, others / own) * (1 - seen.hinted)
        made[index] = _round(seen.ab + share[..., None] * (kept - seen.ab))

    def _blend(
        self, made: dict[int, Ab], near: dict[int, tuple[Carried, float]]
    ) -> tuple[Ab, Plane]:
        """What several anchors, each with its weight, say of a frame, and how sure that is."""
        height, width = self.frames[0].lightness.shape
        total, weight, certain = 0.0, 0.0, np.zeros((height, width), np.float32)
        for index, (carried, counts) in near.items():
            scale = np.array(
                [width / carried.sure.shape[1], height / carried.sure.shape[0]], np.float32
            )
            places = (cv2.resize(carried.places, (width, height)) + 0.5) * scale - 0.5
            sure = cv2.resize(carried.sure, (width, height))
            part = (sure + FAINT) * (counts * self.frames[index].contrast)
            total = total + part[..., None] * flow.sample(made[index], places)
            weight = weight + part
            certain = np.maximum(certain, sure)
        return total / weight[..., None], certain  # type: ignore[index]


def fill_unsure(ab: Ab, lightness: Plane, sure: Plane) -> Ab:
    """ab (h, w, 2) with what is unsure (0 in `sure`, (h, w)) taken from near pixels of like L: by
    local linear functions of L, as the guided filter's, in which sure pixels count."""
    if float((sure < 0.5).mean()) < 1e-3:
        return ab
    weight = sure**2 + 1e-4

    def mean(plane: NDArray[Any]) -> Plane:
        return cv2.blur(plane, (2 * REACH + 1, 2 * REACH + 1)).reshape(plane.shape)

    tone = lightness / 100
    total = mean(weight)
    mean_l = mean(weight * tone) / total
    mean_ab = mean(weight[..., None] * ab) / total[..., None]
    variance = mean(weight * tone * tone) / total - mean_l**2
    both = mean((weight * tone)[..., None] * ab) / total[..., None]
    slope = (both - mean_l[..., None] * mean_ab) / (variance + LIKENESS)[..., None]
    filled = mean_ab + slope * (tone - mean_l)[..., None]
    result: Ab = (filled + sure[..., None] * (ab - filled)).astype(np.float32)
    return result
