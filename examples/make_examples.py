"""python -m examples.make_examples : make this folder's pictures from scikit-image's photographs.

Only photographs that ship inside the scikit-image package and that its documentation calls CC0 or
public domain; SOURCES.md names each one's author and licence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from colorize_core.imaging.color import lab_to_rgb, lightness

FOLDER = Path(__file__).parent
GRAY = {
    "portrait-gray.jpg": data.astronaut,
    "cat-gray.jpg": data.chelsea,
    "rocket-gray.jpg": data.rocket,
}
GRAY_BY_NATURE = {"photographer-gray.jpg": data.camera}
COLOUR = {
    "portrait-colour.jpg": data.astronaut,
    "rocket-colour.jpg": data.rocket,
    "coffee-colour.jpg": data.coffee,
}


def gray(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The gray (H, W) that has the same CIE L as the colour (H, W, 3)."""
    planes = lightness(rgb.astype(np.float32) / 255)[..., None] * np.array([1, 0, 0], np.float32)
    return np.rint(np.clip(lab_to_rgb(planes)[..., 0], 0, 1) * 255).astype(np.uint8)


def main() -> None:
    pictures = {name: gray(photo()) for name, photo in GRAY.items()}
    pictures |= {name: photo() for name, photo in (GRAY_BY_NATURE | COLOUR).items()}
    for name, picture in pictures.items():
        Image.fromarray(picture).save(FOLDER / name, quality=92)


if __name__ == "__main__":
    main()
