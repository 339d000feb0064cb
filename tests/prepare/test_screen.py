"""The dots of newspaper print are found and removed; a photo without dots is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import ROOT

from benchmarks.drawn_damage import print_dots
from colorize_core.imaging import image
from colorize_core.imaging.color import lightness, linear_to_srgb, srgb_to_linear
from colorize_core.prepare.screen import find_screen, remove_screen


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    pixels = image.read(ROOT / "examples/portrait-gray.jpg").pixels
    return np.ascontiguousarray(pixels[:384, :384])


@pytest.mark.parametrize(("pitch", "angle"), [(4, 45), (6, 0), (8, 20)])
def test_dots_are_found_and_removed(portrait: np.ndarray, pitch: float, angle: float) -> None:
    printed = print_dots(portrait, pitch, angle)
    screen = find_screen(printed)
    assert screen is not None
    assert screen.pitch == pytest.approx(pitch, rel=0.05)
    made = remove_screen(printed, screen)
    assert made.shape == printed.shape
    assert np.array_equal(made[..., 0], made[..., 2])
    light = srgb_to_linear(portrait / 255) * 0.82 + 0.05
    true = lightness(linear_to_srgb(light))
    before, after = (
        np.sqrt(np.mean((lightness(each / 255) - true) ** 2)) for each in (printed, made)
    )
    assert after < before / 3
    fine = remove_screen(printed.astype(np.uint16) * 257, screen)
    assert fine.dtype == np.uint16
    assert np.abs(fine / 257 - made).max() < 1


@pytest.mark.parametrize("name", ["portrait-gray.jpg", "rocket-gray.jpg", "cat-gray.jpg"])
def test_photos_have_none(name: str) -> None:
    assert find_screen(image.read(ROOT / "examples" / name).pixels) is None


def test_stripes_and_blank_pictures_have_none() -> None:
    x = np.arange(400)
    stripes = (128 + 80 * np.sign(np.sin(x * 2 * np.pi / 6))).astype(np.uint8)
    picture = np.repeat(np.tile(stripes, (400, 1))[..., None], 3, 2)
    assert find_screen(picture) is None
    assert find_screen(np.full((400, 400, 3), 200, np.uint8)) is None
    assert find_screen(picture[:5, :7]) is None
