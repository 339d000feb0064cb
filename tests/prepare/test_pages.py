"""The photos of album pages are found, straightened and cut out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import ROOT

from benchmarks.drawn_damage import lay_page
from colorize_core.imaging import image
from colorize_core.prepare.pages import Place, cut_photo, find_photos


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return image.read(ROOT / "examples/portrait-gray.jpg").pixels


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_each_is_found(photo: np.ndarray, count: int, kind: type) -> None:
    page = lay_page([photo] * count, np.random.default_rng(7), side=900)
    pixels = page.pixels if kind == np.uint8 else page.pixels.astype(np.uint16) * 257
    found = find_photos(pixels)
    assert len(found) == count
    for place, corners in zip(found, page.corners, strict=True):
        shared, _ = cv2.intersectConvexConvex(place.corners, corners)
        union = cv2.contourArea(place.corners) + cv2.contourArea(corners) - shared
        assert shared / union > 0.9
        assert cut_photo(pixels, place).dtype == kind


def test_a_turned_photo_comes_out_upright(photo: np.ndarray) -> None:
    turn = cv2.getRotationMatrix2D((256, 256), -7, 1)
    turn[:, 2] += 100
    page = cv2.warpAffine(photo, turn, (712, 712), flags=cv2.INTER_CUBIC, borderValue=(240,) * 3)
    # The middle of a pixel is half a pixel from its corner.
    made = cut_photo(page, Place(356.5, 356.5, 512, 512, 7.0))
    assert made.shape == photo.shape
    inside = np.s_[40:-40, 40:-40]
    shifted = np.roll(photo, 2, axis=1)
    error, other = (
        np.abs(made[inside].astype(int) - each[inside]).mean() for each in (photo, shifted)
    )
    assert error < other / 2, "in its place, not two pixels beside it"


def test_a_straight_one_is_copied(photo: np.ndarray) -> None:
    page = np.full((700, 800, 3), 245, np.uint8)
    page[90 : 90 + 512, 120 : 120 + 512] = photo
    made = cut_photo(page, Place(120 + 256, 90 + 256, 512, 512, 0.0))
    assert np.array_equal(made, photo)


def test_an_empty_page_has_none() -> None:
    assert find_photos(np.full((500, 400, 3), 200, np.uint8)) == []
    assert find_photos(np.full((3, 4, 3), 200, np.uint8)) == []
