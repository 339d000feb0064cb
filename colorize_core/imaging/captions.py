"""Pictures of one size with words under each, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PAPER, INK, SUBDUED, EMPTY = "#ffffff", "#1b1917", "#57524b", "#e6e2dc"
GAP = 16  # pixels between cells and around them
WIDTHS = (280, 480)  # least and most of a cell: words need room, and so does the whole
SIZES = (18, 15)  # of the first line's letters, and of the others'
# What the font that comes with Pillow has not.
PLAIN = str.maketrans({"–": "-", "−": "-", "×": "x", "∞": "inf", "’": "'"})


def draw_captioned_grid(
    pictures: Sequence[NDArray[np.uint8] | None],
    captions: Sequence[Sequence[str]],
    size: tuple[int, int],
    columns: int = 4,
) -> NDArray[np.uint8]:
    """Cells from left to right and down, (H, W, 3).

    `size`: width and height that the pictures (h, w, 3) have, which are shown at most 480 pixels
    wide; None leaves an empty frame. The first line of a caption is its heading; long lines wrap.
    """
    columns = min(columns, len(pictures))
    wide = min(max(size[0], WIDTHS[0]), WIDTHS[1])
    scale = min(1.0, wide / size[0])
    inner = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    texts = [_wrap(lines, wide) for lines in captions]
    words = max(sum(height for *_, height in text) for text in texts)
    cell = (wide + GAP, inner[1] + words + GAP)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell[0] + GAP, rows * cell[1] + GAP), PAPER)
    for i, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        left, top = GAP + i % columns * cell[0], GAP + i // columns * cell[1]
        _place_text(sheet, picture, (left + (wide - inner[0]) // 2, top), inner)
        _write(sheet, text, left, top + inner[1])
    return np.asarray(sheet)


def _place_text(
    sheet: Image.Image,
    picture: NDArray[np.uint8] | None,
    place: tuple[int, int],
    size: tuple[int, int],
) -> None:
    if picture is None:
        sheet.paste(EMPTY, (*place, place[0] + size[0], place[1] + size[1]))
        return
    shown = Image.fromarray(picture)
    method = Image.Resampling.BOX  # averages areas
    sheet.paste(shown if shown.size == size else shown.resize(size, method), place)


Line = tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont, str, int]  # its height comes last


def _wrap(lines: Sequence[str], width: int) -> list[Line]:
    """The lines, broken at spaces so that each fits."""
    broken: list[Line] = []
    for i, text in enumerate(lines):
        size = SIZES[min(i, 1)]
        font = ImageFont.load_default(size)
        line = ""
        for word in text.translate(PLAIN).split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                broken.append((line, font, SUBDUED if i else INK, size + 6))
                longer = word
            line = longer
        broken.append((line, font, SUBDUED if i else INK, size + 6))
    return broken


def _write(sheet: Image.Image, text: list[Line], left: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    for line, font, colour, height in text:
        draw.text((left, top + 4), line, colour, font)
        top += height
