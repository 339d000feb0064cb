"""Each metric against published values or an independent implementation."""

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from colorize_core.color import lightness
from colorize_core.metrics.ciede2000 import ciede2000, delta_e
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.metrics.mean_chroma import mean_chroma
from colorize_core.metrics.protocol import recombined, square, to_gray
from colorize_core.metrics.psnr import psnr

# Sharma, Wu and Dalal (2005), table 1.
PAIRS = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS)
def test_ciede2000_of_published_pairs(first, second, expected):
    assert delta_e(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)
    assert delta_e(np.array(second), np.array(first)) == pytest.approx(expected, abs=1e-4)


def test_ciede2000_agrees_with_scikit_image(rng):
    lab = rng.uniform((0, -100, -100), (100, 100, 100), (2, 5000, 3))
    assert np.abs(delta_e(*lab) - deltaE_ciede2000(*lab)).max() < 1e-8


def test_psnr_agrees_with_scikit_image(rng):
    pictures = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    assert psnr(*pictures) == pytest.approx(peak_signal_noise_ratio(*pictures), abs=1e-9)
    assert psnr(pictures[0], pictures[0]) == float("inf")


def test_colourfulness_by_hand():
    # Half red, half blue: rg is +255 and 0, yb is 127.5 and -255.
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, :, 0], picture[1, :, 2] = 255, 255
    expected = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, -63.75)
    assert colourfulness(picture) == pytest.approx(expected)
    assert colourfulness(np.full((4, 4, 3), 90, np.uint8)) == 0


def test_identical_pictures_score_zero(rng):
    picture = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert ciede2000(picture, picture) == 0


def test_the_protocol_gives_every_method_the_truths_lightness(rng):
    truth = square(rng.integers(0, 256, (300, 420, 3), dtype=np.uint8))
    assert truth.shape == (256, 256, 3)
    gray = to_gray(truth)
    assert (gray[..., 0] == gray[..., 2]).all()
    wild = rng.integers(0, 256, truth.shape, dtype=np.uint8)
    scored = recombined(wild, truth)
    difference = np.abs(lightness(scored / 255.0) - lightness(truth / 255.0))
    assert difference.mean() < 0.2  # 8-bit rounding
    assert np.abs(recombined(truth, truth).astype(int) - truth).max() <= 1


def test_mean_chroma_is_that_of_another_implementation():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    ab = rgb2lab(picture)[..., 1:]
    assert mean_chroma(picture) == pytest.approx(np.sqrt((ab**2).sum(-1)).mean(), rel=1e-3)
    assert mean_chroma(np.full((4, 4, 3), 90, np.uint8)) == pytest.approx(0, abs=0.02)
