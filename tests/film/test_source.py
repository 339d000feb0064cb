"""Films that are read: their luma in every way that it is stored, and what is found out of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from films import pan, read_plane, write_film

from colorize_core.errors import FilmError
from colorize_core.film.signal import Signal
from colorize_core.film.source import Film, Look, _choose_format, read_luma

SIZE = (48, 64)


def _look(name: str, bits: int, rgb: bool = False) -> Look:
    return Look(
        *(SIZE[1], SIZE[0], Fraction(1, 25), Fraction(25), name, "420", Signal(bits, rgb)),
        *((0, 2, 2, 1), Fraction(1)),
        rgb=rgb,
    )


def _fill(name: str) -> av.VideoFrame:
    frame = av.VideoFrame(SIZE[1], SIZE[0], name)
    bits = frame.format.components[0].bits
    random = np.random.default_rng(0)
    planes: Any = frame.planes
    for plane in planes:
        samples = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)
        samples[:] = random.integers(16 << (bits - 8), 235 << (bits - 8), samples.shape)
    return frame


@pytest.mark.parametrize(
    ("stored", "of"),
    [
        ("yuv420p", "yuv420p"),
        ("nv12", "yuv420p"),
        ("yuyv422", "yuv422p"),
        ("yuva420p", "yuv420p"),
        ("gray", "gray"),
        ("p010le", "yuv420p10le"),
        ("yuv420p10be", "yuv420p10le"),
        ("gray10le", "gray10le"),
        ("yuv422p12le", "yuv422p12le"),
        ("gray16le", "gray16le"),
    ],
)
def test_luma_comes_out_number_by_number(stored: str, of: str) -> None:
    whole = _fill(of)
    name, bits, _, rgb = _choose_format(av.VideoFormat(stored))
    assert not rgb
    assert name == of
    frame = whole.reformat(format=stored) if stored != of else whole
    assert np.array_equal(read_luma(frame, _look(name, bits)), read_plane(whole))


@pytest.mark.parametrize("stored", ["rgb24", "gbrp", "bgr0"])
def test_rgb_becomes_luma_of_the_full_range(stored: str) -> None:
    gray = np.tile(np.linspace(0, 255, SIZE[1]).astype(np.uint8), (SIZE[0], 1))
    frame = av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, 2), "rgb24")
    name, bits, chroma, rgb = _choose_format(av.VideoFormat(stored))
    assert (bits, chroma, rgb) == (8, "444", True)
    found = read_luma(frame.reformat(format=stored), _look(name, bits, rgb))
    assert np.abs(found.astype(int) - gray).max() <= 1


def test_a_film_tells_its_look(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "in.mp4",
        pan(1, 5, *SIZE),
        codec="libx264",
        pixels="yuv420p",
        tags=(1, 1, 1, 1),
        shape=Fraction(8, 9),
        rotation=270,
    )
    with Film(path) as film:
        look = film.look
        assert (look.width, look.height, look.rate) == (64, 48, 25)
        assert (look.tags, look.shape, look.turn) == ((1, 1, 1, 1), Fraction(8, 9), 270)
        assert len(look.matrix) == 9
        assert look.signal == Signal(8, False, 1, 1, 1)
        assert film.seconds == pytest.approx(0.2)
        assert len(list(film.frames())) == 5


@pytest.mark.parametrize(("pixels", "full"), [("gray", True), ("yuv420p", False)])
def test_gray_without_a_range_is_full(pixels: str, full: bool, tmp_path: Path) -> None:
    path = write_film(tmp_path / "in.mkv", pan(1, 2, *SIZE), pixels=pixels)
    with Film(path) as film:
        assert film.look.signal.full is full


@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
@pytest.mark.parametrize("start", [0, 7, 19])
def test_reading_goes_on_at_a_frame(codec: str, start: int, tmp_path: Path) -> None:
    path = write_film(tmp_path / "in.mkv", pan(1, 20, *SIZE), codec=codec, pixels="yuv420p")
    with Film(path) as film:
        whole = list(film.frames())
    times = [pts for _, pts, _ in whole]
    with Film(path) as film:
        rest = list(film.frames(times[start]))
    assert [pts for _, pts, _ in rest] == times[start:]
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(rest, whole[start:], strict=True))


def test_two_films_are_told_apart(tmp_path: Path) -> None:
    one = write_film(tmp_path / "one.mkv", pan(1, 5, *SIZE))
    other = write_film(tmp_path / "other.mkv", pan(2, 5, *SIZE))
    with Film(one) as first, Film(other) as second:
        assert first.digest() == first.digest() != second.digest()


def test_an_empty_file_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(FilmError, match="cannot be read as a film"):
        Film(tmp_path / "empty.mp4")
