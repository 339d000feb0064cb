"""Square windows of a photograph: one around each face for its skin, and a few that hold all people
for a closer look at them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from colorize_core.imaging.tone import Picture
from colorize_core.people.faces import Face

FACE_SHARE = 0.26  # of a window's side that the face in it takes, where skin is looked for
ABOVE = 0.24  # of a window's side, above the face
PERSON = 5.0  # heights of a face that a closer look is wide and high, from hair to hips
BODY = 9.0  # the same from hair to feet
OVER_HEAD = 0.9  # heights of a face above it
MOST_SHARE = 0.62  # of the photo's shorter side: what is larger needs no closer look
MOST = 6  # windows for a closer look: where there are more people, each holds several
GROWTH = 1.25  # of the windows' size until so few are enough


@dataclass(frozen=True)
class Rectangle:
    """Whole pixels of a plane: rows top to bottom, columns left to right, the ends left out."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left


@dataclass(frozen=True)
class Window:
    """In pixels of the photo, over whose edges it may reach."""

    left: float
    top: float
    side: float


def frame_face(face: Face) -> Window:
    """The face with hair, neck, shoulders and chest."""
    side = _choose_size(face) / FACE_SHARE
    return Window(face.center[0] - side / 2, face.top - ABOVE * side, side)


def frame_people(faces: Sequence[Face], height: int, width: int) -> list[Window]:
    """At most MOST windows, inside a photo of height x width, that hold the people whose faces
    these are, from their hair to their hips. None where people fill the photo: a part of it would
    show the network less."""
    windows = _frame_all(faces, PERSON, MOST_SHARE * min(height, width))
    return [_move_inside(window, height, width) for window in windows]


def frame_bodies(faces: Sequence[Face]) -> list[Window]:
    """At most MOST windows that would hold all of the people whose faces these are, from hair to
    feet, wherever the photo ends."""
    return _frame_all(faces, BODY, math.inf)


def _frame_all(faces: Sequence[Face], size: float, most_side: float) -> list[Window]:
    """Windows of `size` times a face, larger where they would be too many."""
    while True:
        wanted = [_frame_person(face, size) for face in faces]
        windows = _cover([window for window in wanted if window.side <= most_side])
        if len(windows) <= MOST:
            return windows
        size *= GROWTH


def _choose_size(face: Face) -> float:
    return max(face.height, 1.2 * face.width)


def _frame_person(face: Face, size: float) -> Window:
    side = size * _choose_size(face)
    return Window(face.center[0] - side / 2, face.top - OVER_HEAD * _choose_size(face), side)


def _cover(wanted: list[Window]) -> list[Window]:
    """Fewer windows of about these sizes: each takes in those whose middles are near its own."""
    windows: list[Window] = []
    left = sorted(wanted, key=lambda each: each.left)
    while left:
        first = left[0]
        near = [each for each in left if _is_near(first, each)]
        windows.append(_merge_windows(near))
        left = [each for each in left if each not in near]
    return windows


def _is_near(first: Window, other: Window) -> bool:
    """Whether one window a little larger than the first holds the middle of both people."""
    across = abs(first.left + first.side / 2 - other.left - other.side / 2) / first.side
    down = abs(first.top - other.top) / first.side
    return 0.6 < other.side / first.side < 1.6 and across < 0.55 and down < 0.4


def _merge_windows(windows: list[Window]) -> Window:
    """A square around the middles of windows, as large as they are and a little more."""
    middles = [(each.left + each.side / 2, each.top + each.side / 2) for each in windows]
    xs, ys = zip(*middles, strict=True)
    mean = sum(each.side for each in windows) / len(windows)
    side = mean + 0.5 * max(max(xs) - min(xs), max(ys) - min(ys))
    return Window((min(xs) + max(xs) - side) / 2, (min(ys) + max(ys) - side) / 2, side)


def _move_inside(window: Window, height: int, width: int) -> Window:
    """Moved so that all of it is photo, and no larger than that."""
    side = min(window.side, height, width)
    left = min(max(window.left, 0), width - side)
    top = min(max(window.top, 0), height - side)
    return Window(left, top, side)


def snap(
    top: float,
    left: float,
    bottom: float,
    right: float,
    photo: tuple[int, int],
    fine: tuple[int, ...],
) -> Rectangle:
    """A part of a photo of size `photo` in whole pixels of planes of size `fine`, at least one."""
    down, across = fine[0] / photo[0], fine[1] / photo[1]
    first = (min(int(top * down), fine[0] - 1), min(int(left * across), fine[1] - 1))
    last = (
        max(first[0] + 1, min(fine[0], int(np.ceil(bottom * down)))),
        max(first[1] + 1, min(fine[1], int(np.ceil(right * across)))),
    )
    return Rectangle(*first, *last)


def cut(image: Picture, place: Rectangle, fine: tuple[int, ...]) -> Picture:
    """The pixels of the photo that such a place holds."""
    down, across = image.shape[0] / fine[0], image.shape[1] / fine[1]
    top, left = round(place.top * down), round(place.left * across)
    bottom = max(top + 1, round(place.bottom * down))
    right = max(left + 1, round(place.right * across))
    return image[top:bottom, left:right]
