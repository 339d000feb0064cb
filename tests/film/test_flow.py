"""Motion, and whether it says that it is not sure."""

import itertools

import numpy as np
import pytest
from films import draw_scene, pan

from colorize_core.film import flow


def _as_light(picture: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return (picture / 2.55).astype(np.float32)


@pytest.mark.parametrize("step", [0, 1, 4])
def test_a_pan_is_measured_and_sure(step: int) -> None:
    first, second = (_as_light(each) for each in pan(1, 2, 96, 160, step))
    motion = flow.measure_motion(first, second)
    inside = (slice(8, -8), slice(16, -16))
    assert motion.backward[inside][..., 0].mean() == pytest.approx(step, abs=0.15)
    assert motion.forward[inside][..., 0].mean() == pytest.approx(-step, abs=0.15)
    assert motion.back_sure[inside].mean() > 0.9


def test_what_came_into_the_picture_is_not_sure() -> None:
    first, second = (_as_light(each) for each in pan(1, 2, 96, 160, 12))
    motion = flow.measure_motion(first, second)
    assert motion.back_sure[:, -8:].mean() < 0.2


def test_two_unlike_pictures_are_not_sure() -> None:
    first, second = (_as_light(draw_scene(n, 96, 160)) for n in (1, 2))
    motion = flow.measure_motion(first, second)
    carried = flow.go_on(flow.stay(96, 160), motion.backward, motion.back_sure)
    alike = flow.compare_light(carried, second, first)
    assert (carried.sure * alike).mean() < 0.35


def test_a_way_over_many_frames_comes_out_where_it_should() -> None:
    clip = [_as_light(each) for each in pan(2, 13, 96, 160, 2)]
    carried = flow.stay(96, 160)
    for first, second in itertools.pairwise(clip):
        motion = flow.measure_motion(first, second)
        carried = flow.go_on(carried, motion.backward, motion.back_sure)
    moved = carried.places - flow.make_grid(96, 160)
    assert moved[10:-10, 10:100, 0].mean() == pytest.approx(24, abs=1)
    assert carried.sure[10:-10, 10:100].mean() > 0.7
    assert carried.sure[:, -10:].mean() < 0.2


def test_a_lamp_that_flickers_does_not_make_it_unsure() -> None:
    picture = _as_light(draw_scene(3, 96, 160))
    carried = flow.stay(96, 160)
    assert flow.compare_light(carried, picture + 12, picture).min() > 0.99
    other = picture.copy()
    other[30:60, 40:90] += 40
    assert flow.compare_light(carried, other, picture)[40:50, 50:80].max() < 0.01
