"""Where a photograph is looked at more closely."""

from __future__ import annotations

import numpy as np
import pytest

from colorize_core.people.faces import Face
from colorize_core.people.windows import (
    MOST,
    MOST_SHARE,
    Rectangle,
    cut,
    frame_face,
    frame_people,
    snap,
)


def face(x: float, y: float, height: float) -> Face:
    wide = 0.8 * height
    return Face(x - wide / 2, y - height / 2, x + wide / 2, y + height / 2, 0.9, ())


def test_a_window_around_a_face_holds_it_and_more_below_than_above() -> None:
    window = frame_face(face(100, 100, 40))
    assert window.left + window.side / 2 == pytest.approx(100)
    above, below = 80 - window.top, window.top + window.side - 120
    assert 20 < above < below


def test_a_small_person_gets_a_window_and_a_large_one_none() -> None:
    (window,) = frame_people([face(300, 200, 40)], 600, 800)
    assert window.side == pytest.approx(200)
    assert frame_people([face(300, 200, 160)], 600, 800) == []
    assert frame_people([], 600, 800) == []


def test_a_window_lies_inside_of_the_photo() -> None:
    for window in frame_people([face(5, 10, 40), face(790, 595, 40)], 600, 800):
        assert window.left >= 0
        assert window.top >= 0
        assert window.left + window.side <= 800
        assert window.top + window.side <= 600


def test_people_who_stand_together_share_windows() -> None:
    group = [face(60 + 50 * i, 300 + 20 * (i % 2), 36) for i in range(14)]
    windows = frame_people(group, 600, 800)
    assert 2 <= len(windows) <= MOST
    for each in group:
        x, y = each.center
        assert any(
            window.left < x < window.left + window.side
            and window.top < y < window.top + window.side
            for window in windows
        )
    assert all(window.side <= MOST_SHARE * 600 * 1.6 for window in windows)


def test_a_crowd_gets_few_windows() -> None:
    crowd = [face(20 + 40 * (i % 20), 40 + 60 * (i // 20), 20) for i in range(160)]
    assert len(frame_people(crowd, 600, 800)) <= MOST


def test_a_place_is_whole_pixels_and_never_empty() -> None:
    assert snap(100, 200, 300, 400, (1000, 1000), (100, 100)) == Rectangle(10, 20, 30, 40)
    assert snap(100.1, 200, 300.1, 400, (1000, 1000), (100, 100)) == Rectangle(10, 20, 31, 40)
    assert snap(999.9, 0, 999.95, 0.1, (1000, 1000), (10, 10)).size == (1, 1)


def test_a_place_of_the_fine_planes_is_cut_out_of_the_photo() -> None:
    photo = np.zeros((1000, 500, 3), np.uint8)
    photo[100:300, 200:400] = 255
    part = cut(photo, Rectangle(10, 40, 30, 80), (100, 100))
    assert part.shape == (200, 200, 3)
    assert part.min() == 255
    assert cut(photo, Rectangle(0, 0, 1, 1), (2000, 2000)).shape == (1, 1, 3)
