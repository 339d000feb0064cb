"""The full-size path: edges, seams, lightness, sizes."""

import numpy as np
import pytest

from colorize_core.imaging import chroma
from colorize_core.imaging.color import lightness, rgb_to_lab
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Tone, measure_tone


def flat_planes(ab, shape=(9, 13)):
    planes = np.zeros((*shape, 4), np.float32)
    planes[..., 2:] = ab
    return planes


def test_recombine_gives_the_colour_asked_for():
    gray = np.full((40, 60, 3), 128, np.uint8)
    lab = rgb_to_lab(chroma.recombine(gray, Tone(), flat_planes((20, -15))) / 255.0)
    assert np.abs(lab - [53.585, 20, -15]).max() < 0.6  # 8-bit rounding


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("ab", [(0, 0), (40, 40), (-120, 100), (90, -120)])
def test_recombine_keeps_lightness_even_outside_the_gamut(rng, kind, ab):
    top = np.iinfo(kind).max
    gray = np.repeat(rng.integers(0, top + 1, (30, 50, 1), dtype=kind), 3, 2)
    result = chroma.recombine(gray, Tone(), flat_planes(ab))
    change = np.abs(lightness(result / top) - lightness(gray / top))
    assert change.max() < (0.6 if kind is np.uint8 else 0.01)


def test_strips_leave_no_seam(rng, monkeypatch):
    gray = np.repeat(rng.integers(0, 256, (97, 33, 1), dtype=np.uint8), 3, 2)
    planes = rng.normal(0, 10, (11, 7, 4)).astype(np.float32) * [0.02, 0.02, 1, 1]
    planes = planes.astype(np.float32)
    whole = chroma.recombine(gray, Tone(), planes)
    monkeypatch.setattr(chroma, "STRIP_PIXELS", 33 * 5)
    strips = chroma.recombine(gray, Tone(), planes)
    assert np.abs(whole.astype(int) - strips).max() <= 1


def test_colour_ends_at_the_edge():
    """A dark red and a light blue half whose edge lies inside a coarse cell."""
    fine = np.full((96, 96), 30, np.float32)
    fine[:, 50:] = 75
    truth = np.zeros((96, 96, 2), np.float32)
    truth[:, :50], truth[:, 50:] = (40, 20), (-5, -40)
    coarse = [resize(x, 12, 12) for x in (truth, fine)]
    sharp = chroma.sharpen_ab(*coarse, fine, (12, 12))
    planes = chroma.guide(sharp, fine)
    guided = planes[..., :2] * fine[..., None] + planes[..., 2:]
    blurred = resize(coarse[0], 96, 96)
    near = slice(42, 58)
    error, before = (np.abs(x - truth)[:, near].mean() for x in (guided, blurred))
    assert error < before / 4
    assert np.abs(guided - truth)[:, :40].max() < 1


def test_flat_gray_shows_no_blocks(rng):
    """Without edges to follow, colour between cells changes smoothly."""
    coarse = rng.normal(0, 20, (6, 6, 2)).astype(np.float32)
    flat = np.full((96, 96), 50, np.float32)
    sharp = chroma.sharpen_ab(coarse, np.full((6, 6), 50, np.float32), flat, (6, 6))
    cells_apart = max(np.abs(np.diff(coarse, axis=axis)).max() for axis in (0, 1))
    steps = max(np.abs(np.diff(sharp, axis=axis)).max() for axis in (0, 1))
    assert steps < cells_apart / 6  # a cell is 16 pixels wide; a block edge would jump by it all


@pytest.mark.parametrize("size", [(1, 1), (17, 333), (333, 17), (100, 4000)])
def test_frames_keep_the_aspect(size):
    height, width = chroma.Frame.fit(*size, 192).size()
    assert height * width == pytest.approx(192**2, rel=0.1)
    assert height / width == pytest.approx(size[0] / size[1], rel=0.1)


def test_padding_repeats_the_edge():
    padded = chroma.pad_to_multiple(np.arange(6.0).reshape(2, 3), 4)
    assert padded.shape == (4, 4)
    assert padded[3].tolist() == [3, 4, 5, 5]


def sepia(rng, amount=1.0):
    level = rng.random((60, 60, 1)) ** 1.5
    linear = level * (1 + amount * (np.array([1.0, 0.82, 0.58]) - 1))
    noisy = np.clip(linear ** (1 / 2.2) * 255 + rng.normal(0, 2, (60, 60, 3)), 0, 255)
    return noisy.astype(np.uint8)


def test_sepia_is_found_named_and_taken_out(rng):
    toned = sepia(rng)
    tone = measure_tone(toned)
    assert tone.tint == "sepia"
    white = np.array([[[255, 232, 199]]], np.uint8)  # about the paper's colour
    red, green, blue = tone.gains
    assert red < green < blue
    assert tone.lightness(white)[0, 0] == pytest.approx(lightness(white[0, 0] / 255.0), abs=1.5)
    assert measure_tone(toned, neutralize=False) == Tone()


def test_gray_and_colour_photos_are_left_alone(rng):
    gray = np.repeat(rng.integers(0, 256, (60, 60, 1), dtype=np.uint8), 3, 2)
    assert measure_tone(gray) == Tone()
    colour = rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    assert measure_tone(colour) == Tone(coloured=True)


def test_tone_takes_lightness_of_colour(rng):
    colour = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert np.abs(Tone().lightness(colour) - lightness(colour / 255.0)).max() < 0.021
    deep = colour.astype(np.uint16) * 257
    assert np.abs(Tone().lightness(deep) - lightness(colour / 255.0)).max() < 1e-3
