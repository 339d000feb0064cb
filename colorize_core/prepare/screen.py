"""Newspaper print: whether a photo consists of the dots of a halftone screen, and the photo without
them. Torch-free.

The dots lie on a square lattice, so the spectrum of such a print has four sharp peaks around its
middle, at right angles and equally far, everywhere in the print. What a photo itself has of
regular patterns is hardly ever square and everywhere; it is left alone.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import linear_to_srgb, srgb_to_linear

Picture = NDArray[np.uint8] | NDArray[np.uint16]
Plane = NDArray[np.float32]

TILE = 128  # pixels along a side of the parts whose spectra are compared
MOST_TILES = 100
LEAST_PITCH, MOST_PITCH = 2.5, 20.0  # pixels from dot to dot
PEAK = 8.0  # times the usual strength around it in the spectrum, a mean over the tiles
HERE = 4.0  # likewise in a single tile
EVERYWHERE = 0.6  # share of the tiles that have all peaks
LEAST_SPREAD = 2.0  # gray levels of 255, under which a tile is blank and tells nothing
CANDIDATES = 12  # peaks that are looked at
NOTCH = 0.3  # standard deviation of what is taken out around each peak, of the screen's frequency
DETAIL = 0.8  # of the screen's frequency, where half of the detail is left
MARGIN = 64  # pixels by which the picture is mirrored, so that it has no border


class Screen(NamedTuple):
    """The lattice of the dots: its frequency along each axis, in cycles a pixel. The other
    direction is at a right angle."""

    x: float
    y: float

    @property
    def frequency(self) -> float:
        return float(np.hypot(self.x, self.y))

    @property
    def pitch(self) -> float:
        """Pixels from dot to dot."""
        return 1 / self.frequency


def find_screen(image: Picture) -> Screen | None:
    """(H, W, 3) sRGB uint8 or uint16 -> the screen it is printed with; None where there is none,
    and where the picture is too small to tell."""
    gray = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    gray /= np.float32(1 if image.dtype == np.uint8 else 257)
    spectra = _measure_spectra(gray)
    if len(spectra) < 4:
        return None
    strength = _compare(np.exp(np.log(spectra + 1e-3).mean(0)))
    found = []
    for row, column in _find_peaks(strength):
        x, y = column - TILE // 2, row - TILE // 2
        peaks = [(x, y), (-y, x)]
        if min(_look(strength, *peak) for peak in peaks) >= PEAK:
            found.append((float(np.hypot(x, y)), peaks))
    each = [_compare(spectrum) for spectrum in spectra] if found else []
    for _, peaks in sorted(found):
        share = np.mean([min(_look(tile, *peak) for peak in peaks) >= HERE for tile in each])
        if share >= EVERYWHERE:
            return Screen(*_refine(strength, *peaks[0]))
    return None


def remove_screen(image: Picture, screen: Screen) -> Picture:
    """(H, W, 3) -> the same size and type without the dots, and without detail finer than they."""
    top = np.iinfo(image.dtype).max
    height, width = image.shape[:2]
    gray = bool((image == image[..., :1]).all())
    made = np.empty_like(image)
    gains: Plane | None = None
    for channel in range(1 if gray else 3):
        # The eye, and the lens, see the mean of ink and paper in linear light.
        light = srgb_to_linear(image[..., channel].astype(np.float32) / np.float32(top))
        sides = [
            cv2.getOptimalDFTSize(length + 2 * MARGIN) - length - MARGIN
            for length in (height, width)
        ]
        padded = cv2.copyMakeBorder(
            light.astype(np.float32), MARGIN, sides[0], MARGIN, sides[1], cv2.BORDER_REFLECT
        )
        spectrum = cv2.dft(padded, flags=cv2.DFT_COMPLEX_OUTPUT)
        if gains is None:
            gains = _make_gains(padded.shape[0], padded.shape[1], screen)
        spectrum *= gains[..., None]
        smooth = cv2.idft(spectrum, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
        inside = smooth[MARGIN : MARGIN + height, MARGIN : MARGIN + width]
        made[..., channel] = np.round(top * linear_to_srgb(np.clip(inside, 0, 1)))
    if gray:
        made[..., 1:] = made[..., :1]
    return made


def _measure_spectra(gray: Plane) -> Plane:
    """The magnitudes (n, TILE, TILE) of tiles that are not blank, frequency 0 in the middle."""
    rows, columns = (length // TILE for length in gray.shape)
    places = [(row, column) for row in range(rows) for column in range(columns)]
    places = places[:: max(1, -(-len(places) // MOST_TILES))]
    window = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
    made = []
    for row, column in places:
        tile = gray[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        if tile.std() >= LEAST_SPREAD:
            made.append(np.abs(np.fft.fftshift(np.fft.fft2((tile - tile.mean()) * window))))
    return np.array(made, np.float32).reshape(-1, TILE, TILE)


def _compare(spectrum: Plane) -> Plane:
    """How many times as strong as usual around it each frequency is."""
    level = np.log(spectrum + 1e-3).astype(np.float32)
    low, high = float(level.min()), float(level.max())
    # OpenCV takes medians over more than 5 pixels of whole numbers only.
    whole = np.round((level - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
    usual = cv2.medianBlur(whole, 15).astype(np.float32) / 255 * (high - low) + low
    return np.exp(level - usual)


def _find_peaks(strength: Plane) -> list[tuple[int, int]]:
    """Rows and columns of the strongest frequencies that may be a screen's, in one half plane."""
    y, x = np.mgrid[:TILE, :TILE] - TILE // 2
    frequency = np.hypot(x, y) / TILE
    tops = (strength >= cv2.dilate(strength, np.ones((3, 3), np.uint8))) & (strength >= PEAK)
    tops &= (frequency >= 1 / MOST_PITCH) & (frequency <= 1 / LEAST_PITCH)
    tops &= (x > 0) & (y >= 0)  # of each screen one direction lies here
    rows, columns = np.nonzero(tops)
    order = np.argsort(-strength[rows, columns])[:CANDIDATES]
    return [(int(rows[i]), int(columns[i])) for i in order]


def _look(strength: Plane, x: int, y: int) -> float:
    """The greatest at a frequency, given in cycles a tile, and beside it."""
    row, column = y + TILE // 2, x + TILE // 2
    return float(strength[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].max())


def _refine(strength: Plane, x: int, y: int) -> tuple[float, float]:
    """A frequency in cycles a pixel, between those of the spectrum."""
    near = np.s_[y + TILE // 2 - 1 : y + TILE // 2 + 2, x + TILE // 2 - 1 : x + TILE // 2 + 2]
    weights = strength[near] ** 2
    down, right = np.mgrid[-1:2, -1:2]
    total = float(weights.sum())
    across, along = float((weights * right).sum()), float((weights * down).sum())
    return (x + across / total) / TILE, (y + along / total) / TILE


def _make_gains(rows: int, columns: int, screen: Screen) -> Plane:
    """What each frequency (rows, columns) is multiplied by."""
    y = np.fft.fftfreq(rows).astype(np.float32)[:, None]
    x = np.fft.fftfreq(columns).astype(np.float32)[None]
    limit = np.float32((DETAIL * screen.frequency) ** 2)
    gains: Plane = np.float32(1) / (np.float32(1) + np.square((x * x + y * y) / limit))
    width = 2 * (NOTCH * screen.frequency) ** 2
    for i in range(-2, 3):
        for j in range(-2, 3):
            u, v = i * screen.x - j * screen.y, i * screen.y + j * screen.x
            if (i, j) != (0, 0) and max(abs(u), abs(v)) < 0.5 + screen.frequency:
                away = (x - np.float32(u)) ** 2 + (y - np.float32(v)) ** 2
                gains *= np.float32(1) - np.exp(-away / np.float32(width))
    return gains
