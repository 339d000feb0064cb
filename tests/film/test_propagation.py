"""Colours that are carried: steady, in place, and looked at anew where that does not do."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from films import draw_scene, pan
from numpy.typing import NDArray

from colorize_core.film.propagation import FilmFrame, Seen, colour_scene, fill_unsure
from colorize_core.film.signal import Signal

SIGNAL = Signal(full=True)


def _make(frames: list[NDArray[np.uint8]]) -> list[FilmFrame]:
    return [FilmFrame.make(f, SIGNAL, index, 1) for index, f in enumerate(frames)]


class _Jittering:
    """Sees one colour everywhere, each time a little another, as networks do in grain."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.looks: list[int] = []

    def __call__(self, frame: FilmFrame) -> Seen:
        self.looks.append(frame.pts)
        colour = np.array([20, 30]) + self.random.normal(0, 4, 2)
        return Seen(np.broadcast_to(colour, (*frame.luma.shape, 2)).astype(np.float32))


def _find_flicker(means: list[NDArray[np.float32]]) -> float:
    return float(np.abs(np.diff(means, axis=0)).mean())


def test_a_static_shot_does_not_flicker() -> None:
    random = np.random.default_rng(1)
    picture = draw_scene(1, 90, 160)
    clip = [np.clip(picture + random.normal(0, 6, picture.shape), 0, 255) for _ in range(49)]
    frames = _make([each.astype(np.uint8) for each in clip])
    single = _Jittering()
    alone = [single(frame).ab.mean((0, 1)) for frame in frames]
    carried = _Jittering()
    made = list(colour_scene(frames, carried, 12))
    means = [each.ab.mean((0, 1)) for each in made]
    assert carried.looks == [0, 12, 24, 36, 48]
    assert [each.anchor for each in made].count(True) == 5
    assert _find_flicker(means) < _find_flicker(alone) / 15
    steps = np.abs(np.diff([means[n] for n in carried.looks], axis=0)).mean()
    assert steps < np.abs(np.diff(alone[:5], axis=0)).mean()  # anchors keep what is carried


def _paint_by_place(frame: FilmFrame, step: float) -> NDArray[np.float32]:
    """The colour of what is `step` pixels a frame to the right of where it was."""
    height, width = frame.luma.shape
    place = np.arange(width) + step * frame.pts
    a = np.broadcast_to(30 * np.sin(place / 12), (height, width))
    return np.stack([a, 0 * a], -1).astype(np.float32)


def test_colours_move_with_what_they_are_of() -> None:
    frames = _make(pan(2, 25, 90, 160, 2))
    made = list(colour_scene(frames, lambda frame: Seen(_paint_by_place(frame, 2)), 12))
    errors = [np.abs(each.ab - _paint_by_place(each.frame, 2)) for each in made]
    still = np.abs(_paint_by_place(frames[0], 2) - _paint_by_place(frames[6], 2)).mean()
    assert np.mean(errors) < still / 5  # what not moving them would cost


def test_frames_that_nothing_can_be_carried_to_are_looked_at() -> None:
    looks = _Jittering()
    frames = _make([draw_scene(number, 90, 160) for number in range(9)])
    list(colour_scene(frames, looks, 8))
    assert sorted(looks.looks) == list(range(9))


@pytest.mark.parametrize("count", [1, 2, 8, 9, 10])
def test_every_frame_comes_out_once(count: int) -> None:
    made = list(colour_scene(_make(pan(3, count, 45, 80)), _Jittering(), 8))
    assert [each.frame.pts for each in made] == list(range(count))
    assert all(each.ab.shape == (*each.frame.luma.shape, 2) for each in made)
    assert not list(colour_scene([], _Jittering(), 8))


def test_it_goes_on_from_an_anchor_as_if_it_had_not_stopped() -> None:
    frames = _make(pan(4, 21, 45, 80))
    paint = lambda frame: Seen(_paint_by_place(frame, 2))  # noqa: E731
    whole = list(colour_scene(frames, paint, 8))
    anchor = whole[8]
    assert anchor.anchor
    rest = list(colour_scene(frames[8:], paint, 8, anchor.ab.astype(np.float16).astype(np.float32)))
    assert all(np.array_equal(a.ab, b.ab) for a, b in zip(whole[8:], rest, strict=True))


def test_a_keyframe_is_an_anchor() -> None:
    looks = _Jittering()
    frames = _make(pan(3, 20, 45, 80))
    made = list(colour_scene(frames, looks, 8, is_key=lambda frame: frame.pts in (3, 12)))
    assert looks.looks == [0, 3, 11, 12, 19]
    assert [each.frame.pts for each in made] == list(range(20))
    assert [each.frame.pts for each in made if each.anchor] == looks.looks[:-1]


@pytest.mark.parametrize(("free", "kept"), [(None, True), ((20, 30), False)])
def test_what_hints_decide_is_not_washed_out(free: tuple[int, int] | None, kept: bool) -> None:
    """A still picture is blue at first and red from the keyframe on, by itself or by a hint."""

    def see(frame: FilmFrame) -> Seen:
        shape = (*frame.luma.shape, 2)
        colour = (-30, -30) if frame.pts < 5 else (60, 40)
        plain = None if free is None else np.broadcast_to(np.float32(free), shape)
        return Seen(np.broadcast_to(np.float32(colour), shape), plain)

    frames = _make([draw_scene(1, 90, 160)] * 9)
    made = list(colour_scene(frames, see, 8, is_key=lambda frame: frame.pts == 5))
    assert (made[5].ab[..., 0].mean() < 30) == kept
    assert (made[8].ab[..., 0].mean() < 59) == kept


def test_no_more_frames_are_held_than_lie_between_two_anchors() -> None:
    alive: weakref.WeakSet[FilmFrame] = weakref.WeakSet()
    most = 0

    def read() -> Iterator[FilmFrame]:
        for index in range(60):
            frame = FilmFrame.make(draw_scene(index // 40, 45, 80), SIGNAL, index, 1)
            alive.add(frame)
            yield frame
            del frame

    for _ in colour_scene(read(), _Jittering(), 10):
        most = max(most, len(alive))
    assert most <= 13


def test_unsure_places_take_the_colour_of_what_is_as_light() -> None:
    lightness = np.full((60, 60), 30, np.float32)
    lightness[:, 30:] = 80
    ab = np.zeros((60, 60, 2), np.float32)
    ab[:, :30, 0], ab[:, 30:, 0] = 20, -20
    sure = np.ones((60, 60), np.float32)
    sure[20:40, 24:36] = 0
    spoilt = ab.copy()
    spoilt[20:40, 24:36] = 90
    filled = fill_unsure(spoilt, lightness, sure)
    assert np.abs(filled - ab).max() < 3
    assert fill_unsure(ab, lightness, np.ones_like(sure)) is ab
