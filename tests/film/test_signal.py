"""Numbers of a film to light and back."""

import av
import numpy as np
import pytest

from colorize_core.film.signal import BT709, BT2020, PQ, SMPTE170M, Signal, guess_matrix
from colorize_core.imaging.color import lightness, rgb_to_lab

SIGNALS = [
    Signal(bits, full, matrix)
    for bits in (8, 10, 12)
    for full in (False, True)
    for matrix in (BT709, SMPTE170M)
]


@pytest.mark.parametrize("signal", SIGNALS, ids=str)
def test_gray_stays_gray_and_its_ends_are_black_and_white(signal: Signal) -> None:
    step = 1 << (signal.bits - 8)
    ends = (0, (1 << signal.bits) - 1) if signal.full else (16 * step, 235 * step)
    luma = signal.read_luma(np.array([ends], np.uint16))
    assert luma.tolist() == [[0, 1]]
    assert signal.find_lightness(luma) == pytest.approx(np.array([[0, 100]]), abs=1e-3)
    chroma = signal.find_chroma(np.full((1, 5), 60, np.float32), np.zeros((1, 5, 2), np.float32))
    assert (signal.write_chroma(chroma) == 1 << (signal.bits - 1)).all()


@pytest.mark.parametrize("matrix", [BT709, SMPTE170M])
@pytest.mark.parametrize("full", [False, True])
def test_chroma_of_a_colour_is_what_ffmpeg_makes_of_it(matrix: int, full: bool) -> None:
    rgb = np.random.default_rng(1).integers(30, 226, (16, 16, 3)).astype(np.uint8)
    lab = rgb_to_lab(rgb.astype(np.float32) / 255)
    signal = Signal(8, full, matrix)
    ours = signal.write_chroma(signal.find_chroma(lab[..., 0], lab[..., 1:]))
    theirs = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(
        format="yuv444p",
        dst_colorspace="ITU709" if matrix == BT709 else "ITU601",
        dst_color_range="JPEG" if full else "MPEG",
    )
    expected = np.moveaxis(theirs.to_ndarray()[1:], 0, -1).astype(int)
    assert np.abs(ours.astype(int) - expected).max() <= 2  # swscale counts in whole numbers


def test_lightness_is_that_of_the_gray_photo() -> None:
    gray = np.arange(256, dtype=np.uint8)[None]
    expected = lightness(np.repeat(gray[..., None], 3, 2) / 255)
    assert Signal(full=True).find_lightness(gray / np.float32(255)) == pytest.approx(
        expected, abs=0.15
    )


def test_wide_primaries_need_less_chroma_for_the_same_colour() -> None:
    light, ab = np.full((1, 1), 50, np.float32), np.full((1, 1, 2), 40, np.float32)
    narrow = Signal(10, False, BT2020, BT709).find_chroma(light, ab)
    wide = Signal(10, False, BT2020, BT2020).find_chroma(light, ab)
    assert 0 < np.abs(wide).sum() < np.abs(narrow).sum()


def test_what_rgb_cannot_hold_is_left_out_and_no_more() -> None:
    random = np.random.default_rng(2)
    luma = random.random((20, 20)).astype(np.float32)
    chroma = (random.random((20, 20, 2)) - 0.5).astype(np.float32)
    signal = Signal()
    kept = signal.limit_chroma(luma, chroma)
    red, blue = signal.weights
    blues, reds = luma + kept[..., 0] * (2 - 2 * blue), luma + kept[..., 1] * (2 - 2 * red)
    greens = (luma - red * reds - blue * blues) / (1 - red - blue)
    every = np.stack([reds, greens, blues])
    assert every.min() > -1e-4
    assert every.max() < 1 + 1e-4
    shrunk = np.abs(kept - chroma).sum(-1) > 1e-6
    touching = np.minimum(every.min(0), 1 - every.max(0)) < 1e-4
    assert (touching | ~shrunk).all()


def test_ordinary_white_is_light_in_films_of_high_dynamic_range_too() -> None:
    luma = np.full((1, 1), 0.58, np.float32)
    assert Signal(10, transfer=PQ).find_lightness(luma)[0, 0] == pytest.approx(100, abs=0.1)
    assert Signal(10).find_lightness(luma)[0, 0] < 65


def test_a_film_that_does_not_say_has_the_matrix_of_its_size() -> None:
    assert [guess_matrix(*size) for size in ((720, 576), (1280, 720), (720, 580))] == [
        SMPTE170M,
        BT709,
        BT709,
    ]
