"""A small visible mark on a picture whose colours are invented."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from colorize_core.imaging.decoders import Pixels

TEXT = "AI colours"
SIZE = 0.022  # of the font, of the picture's shorter side
LEAST, MOST = 8, 400  # pixels of the same
WIDTH = 0.5  # most that it takes of the picture's width
EDGE = 0.12  # width of the dark line around the letters, of the font's size
COVER = 0.85  # how much of the picture behind it is covered


def draw_mark(pixels: Pixels) -> Pixels:
    """A copy of the picture (H, W, 3), uint8 or uint16, with the mark in its lower right corner:
    light letters with a dark edge. A picture without room for the smallest letters has part of
    it."""
    height, width = pixels.shape[:2]
    ink, edge = _draw_text(_choose_size(height, width))
    gap = max(1, ink.shape[0] // 3)
    bottom, right = max(0, height - gap), max(0, width - gap)
    top, left = max(0, bottom - ink.shape[0]), max(0, right - ink.shape[1])
    shown = (slice(0, bottom - top), slice(0, right - left))
    result: Pixels = pixels.copy()
    part = result[top:bottom, left:right]
    light = np.iinfo(pixels.dtype).max
    mixed = part * (1 - edge[shown]) * (1 - ink[shown]) + light * ink[shown]
    part[:] = np.rint(np.clip(mixed, 0, light)).astype(pixels.dtype)
    return result


def _choose_size(height: int, width: int) -> int:
    size = min(max(round(SIZE * min(height, width)), LEAST), MOST)
    wide = float(ImageFont.load_default(size).getlength(TEXT))
    return max(LEAST, min(size, int(size * WIDTH * width / wide)))


def _draw_text(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much letters, and letters with their edge, cover of each pixel, (h, w, 1) in [0, 1]."""
    font, line = ImageFont.load_default(size), max(1, round(EDGE * size))
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox(
        (0, 0), TEXT, font=font, stroke_width=line
    )
    area = (int(right - left) + 1, int(bottom - top) + 1)
    covers = []
    for width in (0, line):
        drawn = Image.new("L", area)
        ImageDraw.Draw(drawn).text((-left, -top), TEXT, 255, font, stroke_width=width)
        covers.append(np.asarray(drawn, np.float32)[..., None] * np.float32(COVER / 255))
    return covers[0], covers[1]
