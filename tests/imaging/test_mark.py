"""The visible mark."""

from __future__ import annotations

import numpy as np
import pytest

from colorize_core.imaging.mark import draw_mark


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("size", [(400, 600), (1500, 1000), (4000, 3000)])
def test_it_is_seen_on_any_shade_in_one_corner(size: tuple[int, int], shade: int) -> None:
    photo = np.full((*size, 3), shade, np.uint8)
    marked = draw_mark(photo)
    assert (photo == shade).all(), "the photo itself stays"
    rows, columns = np.nonzero((marked != photo).any(axis=2))
    assert rows.min() > 0.94 * size[0]
    assert columns.min() > 0.75 * size[1]
    assert 0.012 * min(size) < np.ptp(rows) < 0.04 * min(size)
    part = marked[rows.min() :, columns.min() :]
    assert np.ptp(part) > 150, "light letters on a dark edge, or on what is dark"


def test_both_depths_look_the_same() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    deep = draw_mark(photo.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - draw_mark(photo)).max() <= 0.51


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (17, 33)])
def test_no_photo_is_too_small(size: tuple[int, int]) -> None:
    assert draw_mark(np.zeros((*size, 3), np.uint8)).shape == (*size, 3)
