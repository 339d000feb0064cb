"""Keep the photo: of what was drawn, only the chroma is taken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging import chroma
from colorize_core.imaging.chroma import Picture
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import measure_tone

# Pixels of the guided planes, along each side, that share one colour of the drawn picture. With one
# alone the colours of drawings that lie some pixels off are no better, with more those of exact
# ones lose detail.
CELL = 2


def transfer_chroma(
    photo: Picture, drawn: NDArray[np.uint8], progress: Callable[[float], None] | None = None
) -> Picture:
    """The photo (H, W, 3) with its own full-size L and the chroma of the drawn picture
    (h, w, 3) of any size, clamped to the sRGB gamut without touching L.

    What was drawn never lies exactly on the photo: its colours are averaged in cells and then end
    where the photo's edges are, by the path that all models share (imaging/chroma.py).
    """
    height, width = photo.shape[:2]
    fitted = chroma.Frame.fit(height, width, chroma.WORK_SIDE).size()
    fine = (min(height, fitted[0]), min(width, fitted[1]))
    small = resize(photo, *fine)
    tone = measure_tone(small)
    fine_l = tone.lightness(small)
    cells = (max(1, round(fine[0] / CELL)), max(1, round(fine[1] / CELL)))
    colours = resize(drawn, *cells).astype(np.float32) / 255
    ab = rgb_to_lab(colours)[..., 1:].astype(np.float32)
    fine_ab = chroma.sharpen_ab(ab, resize(fine_l, *cells), fine_l, cells)
    return chroma.recombine(photo, tone, chroma.guide(fine_ab, fine_l), progress)
