"""Cuts, and what is none."""

import numpy as np
import pytest
from films import draw_scene, pan
from numpy.typing import NDArray

from colorize_core.film.scenes import find_cuts, shrink

Clip = list[NDArray[np.float32]]


def _see(frames: list[NDArray[np.uint8]], grain: float = 4.0) -> Clip:
    random = np.random.default_rng(0)
    noisy = (f + random.normal(0, grain, f.shape) for f in frames)
    return [shrink(np.clip(each / 2.55, 0, 100).astype(np.float32)) for each in noisy]


def _find(clip: Clip) -> list[int]:
    begins = [begin for _, begin in find_cuts(clip, lambda each: each)]
    assert begins[0]
    return [index for index, begin in enumerate(begins) if begin][1:]


def test_every_hard_cut_is_found_at_its_frame() -> None:
    lengths = [12, 1, 5, 20, 7, 30]
    frames = [f for n, count in enumerate(lengths) for f in pan(n, count, 144, 256)]
    assert _find(_see(frames)) == np.cumsum(lengths)[:-1].tolist()


def test_a_cut_in_the_last_frame_is_found() -> None:
    assert _find(_see([*pan(1, 10, 144, 256), draw_scene(2, 144, 256)])) == [10]


def _fade(first: NDArray[np.uint8], last: NDArray[np.uint8], count: int) -> list[NDArray[np.uint8]]:
    parts = np.linspace(0, 1, count)
    return [((1 - p) * first + p * last).astype(np.uint8) for p in parts]


BLACK = np.full((144, 256), 16, np.uint8)


@pytest.mark.parametrize(
    "frames",
    [
        _fade(BLACK, draw_scene(1, 144, 256), 24),
        _fade(draw_scene(1, 144, 256), BLACK, 24) + [BLACK] * 10,
        _fade(draw_scene(1, 144, 256), np.full_like(BLACK, 250), 24),
        _fade(draw_scene(1, 144, 256), draw_scene(2, 144, 256), 24),
        [np.clip(f * (0.7 + 0.6 * (n % 2)), 0, 255) for n, f in enumerate(pan(3, 20, 144, 256))],
        pan(4, 30, 144, 256, step=12),
        [BLACK] * 20,
    ],
    ids=["in", "out", "white", "dissolve", "flicker", "fast pan", "black"],
)
def test_nothing_else_is_a_cut(frames: list[NDArray[np.uint8]]) -> None:
    assert _find(_see(frames)) == []


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_flash_is_no_cut(length: int) -> None:
    frames = pan(5, 30, 144, 256)
    for index in range(10, 10 + length):
        frames[index] = np.full_like(frames[index], 250)
    assert _find(_see(frames)) == []


def test_items_come_out_once_and_in_order() -> None:
    clip = _see(pan(6, 9, 144, 256))
    items = list(enumerate(clip))
    assert [item[0] for item, _ in find_cuts(items, lambda each: each[1])] == list(range(9))
    assert list(find_cuts([], lambda each: each)) == []
