"""Masks that nobody has to paint: GrabCut on free photographs, and how networks are wired."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks import selective as benchmark
from colorize_core.errors import OptionError
from colorize_core.imaging.resampling import resize
from colorize_core.selective import automatic, masks
from tests import hand_masks

# --- the pictures that are measured on ----------------------------------------------------------


@pytest.mark.parametrize("name", hand_masks.PICTURES)
def test_strokes_are_where_they_are_meant_to_be(name):
    truth = hand_masks.truth(name)
    assert 0.005 < truth.mean() < 0.9
    radius = hand_masks.BRUSH * max(truth.shape)
    for points, inside in (
        (hand_masks.PICTURES[name].keep, 1),
        (hand_masks.PICTURES[name].drop, 0),
    ):
        stroke = masks.paint(np.zeros(truth.shape, np.float32), points, radius) > 0.5
        assert (truth[stroke] == inside).mean() > 0.9


def test_overlap_is_intersection_over_union():
    a, b = np.zeros((2, 4, 4), bool)
    a[:2], b[1:3] = True, True
    assert benchmark.overlap(a, b) == pytest.approx(4 / 12)
    assert benchmark.overlap(a, a) == 1


# Somewhat below what benchmarks/results/selective.csv has.
FLOORS = {"guess": 0.58, "box": 0.73, "strokes": 0.81}


@pytest.mark.parametrize("kind", FLOORS)
def test_the_offline_route_finds_what_people_draw(kind):
    assert len(hand_masks.PICTURES) >= 12
    scores = [benchmark.score(name, kind) for name in hand_masks.PICTURES]
    assert np.mean(scores) > FLOORS[kind]
    assert np.mean(scores) > 0.15 + np.mean(
        [benchmark.plain(name, kind) for name in hand_masks.PICTURES]
    )


# --- GrabCut ------------------------------------------------------------------------------------


@pytest.fixture
def ball() -> np.ndarray:
    """A bright ball with grain, right of the middle of a dark wall, 300 x 400."""
    y, x = np.mgrid[:300, :400]
    shade = (
        60
        + 120 * (np.hypot(y - 150, x - 260) < 70)
        + np.random.default_rng(0).normal(0, 4, (300, 400))
    )
    return np.dstack([np.clip(shade, 0, 255).astype(np.uint8)] * 3)


def is_ball(mask: masks.Mask) -> float:
    y, x = np.mgrid[:300, :400]
    return benchmark.overlap(mask > 0.5, np.hypot(y - 150, x - 260) < 70)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"box": (180, 70, 340, 230)},
        {"box": (340, 230, 180, 70)},
        {"box": (150, -50, 900, 250)},
        {"keep": [([(230, 150), (290, 150)], 5)], "drop": [([(30, 30), (150, 250)], 5)]},
        {"drop": [([(30, 30), (150, 250)], 5)]},
    ],
)
def test_a_ball_is_found(ball, told):
    mask = automatic.grabcut(ball, **told)
    assert mask.dtype == np.float32
    assert is_ball(mask) > 0.95
    assert np.array_equal(automatic.grabcut(ball, **told), mask)
    assert is_ball(automatic.grabcut(ball.astype(np.uint16) * 257, **told)) > 0.95


def test_strokes_decide_where_the_picture_does_not(ball):
    right, left = ([(310, 150), (311, 150)], 6), ([(215, 150), (216, 150)], 6)
    for keep, drop in ((right, left), (left, right)):
        mask = automatic.grabcut(ball, keep=[keep], drop=[drop])
        assert mask[150, round(keep[0][0][0])] == 1
        assert mask[150, round(drop[0][0][0])] == 0


def test_colours_change_nothing(ball):
    red = np.zeros_like(ball)
    red[..., 0] = ball[..., 0]
    assert is_ball(automatic.grabcut(red)) > 0.95


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 333), (2000, 30)])
def test_odd_sizes_and_flat_pictures(size, rng):
    flat = np.full((*size, 3), 90, np.uint8)
    noise = rng.integers(0, 256, (*size, 1), np.uint8).repeat(3, 2)
    for photo in (flat, noise):
        for told in ({}, {"box": (0, 0, size[1], size[0])}, {"keep": [([(0, 0)], 1)]}):
            mask = automatic.grabcut(photo, **told)
            assert mask.shape == masks.choose_size(*size)
            assert ((mask >= 0) & (mask <= 1)).all()


@pytest.mark.parametrize("box", [(500, 0, 600, 50), (10, 10, 10, 90), (-9, -9, -1, -1)])
def test_a_box_beside_the_photo_is_refused(ball, box):
    with pytest.raises(OptionError, match=r"400 × 300 pixels: give left, top, right and bottom"):
        automatic.grabcut(ball, box=box)


def test_a_megapixel_takes_less_than_a_second(ball):
    large = resize(ball, 866, 1155)
    automatic.grabcut(large)
    start = time.process_time()  # of the processor: others may use it, too
    automatic.grabcut(large)
    assert time.process_time() - start < 1
