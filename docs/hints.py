"""Make the picture of docs/steering.md: `python -m docs.hints` gives some of the examples a few
colours each, as somebody might who clicks on them, and puts before and after side by side."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import colorize_core
from colorize_core.bundled import EXAMPLES
from colorize_core.imaging import image
from colorize_core.steering.hints import Hint
from docs.tables import ROOT

OUT = ROOT / "docs" / "steering.jpg"
HEIGHT, GAP = 300, 8  # pixels
# What is clicked: a place, from 0 to 1 from the top left corner, and a colour by its name.
CLICKS = {
    "portrait-gray.jpg": (
        ("0.2,0.85", "rust brown"),
        ("0.6,0.65", "rust brown"),
        ("0.06,0.22", "navy serge"),
        ("0.65,0.1", "powder blue"),
        ("0.3,0.1", "powder blue"),
    ),
    "photographer-gray.jpg": (
        ("0.2,0.55", "navy serge"),
        ("0.8,0.2", "sky"),
        ("0.1,0.2", "sky"),
        ("0.8,0.9", "grass"),
    ),
}


def shrink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = round(picture.shape[1] * HEIGHT / picture.shape[0])
    return np.asarray(cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA))


def main() -> None:
    model = colorize_core.load("autochrome", device="cpu")
    rows = []
    for name, clicks in CLICKS.items():
        photo = image.read(EXAMPLES / name).pixels
        hints = [Hint.parse(f"{place},{colour}") for place, colour in clicks]
        made = (model.colorize(photo), model.colorize(photo, hints=hints))
        gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
        rows.append(np.hstack([shrink(made[0]), gap, shrink(made[1])]))
        rows.append(gap)
    sheet = np.hstack(rows[:-1])
    Image.fromarray(sheet).save(OUT, quality=85)


if __name__ == "__main__":
    main()
