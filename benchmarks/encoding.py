"""python -m benchmarks.encoding : how image.py's encoders are set, and what else was possible.

jpeg  bytes and CIEDE2000 to the original with full (4:4:4) and halved (4:2:0) chroma, on three
      photographs whose ab is as smooth as a colorizer's
png   bytes and seconds by level of Deflate and by its run-length strategy, on 12 megapixels with
      the grain of a gray photograph, filtered as image.py does

Needs scikit-image.
"""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.results_file import write
from colorize_core.imaging import encoders
from colorize_core.imaging.color import lab_to_rgb_in_gamut, rgb_to_lab
from colorize_core.metrics.ciede2000 import ciede2000

SMOOTH = 4.0  # pixels: standard deviation of the blur of ab
RUNS = 3


def smooth_colour(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """The photo's own L with blurred ab."""
    lab = rgb_to_lab(rgb.astype(np.float32) / 255)
    lab[..., 1:] = cv2.GaussianBlur(np.ascontiguousarray(lab[..., 1:]), (0, 0), SMOOTH)
    return np.rint(lab_to_rgb_in_gamut(lab) * 255).astype(np.uint8)


def jpeg_rows(pictures: list[NDArray[np.uint8]]) -> Iterator[dict[str, Any]]:
    for quality in (90, 95, 97):
        for name, subsampling in (("4:2:0", 2), ("4:4:4", 0)):
            size, off = 0, []
            for picture in pictures:
                buffer = io.BytesIO()
                Image.fromarray(picture).save(
                    buffer, "JPEG", quality=quality, subsampling=subsampling
                )
                size += len(buffer.getvalue())
                with Image.open(buffer) as decoded:
                    off.append(ciede2000(picture, np.asarray(decoded)))
            setting = f"quality {quality}, {name}"
            yield row("jpeg", setting, size, ciede2000=f"{np.mean(off):.3f}")


def png_rows(picture: NDArray[np.uint8]) -> Iterator[dict[str, Any]]:
    plain = encoders._filter_rows(picture).tobytes()
    settings = [(f"level {level}", level, zlib.Z_DEFAULT_STRATEGY) for level in (1, 3, 4, 6)]
    for setting, level, strategy in [*settings, ("runs only", 1, zlib.Z_RLE)]:
        seconds = []
        for _ in range(RUNS):
            start = time.perf_counter()
            packer = zlib.compressobj(level, strategy=strategy)
            size = len(packer.compress(plain)) + len(packer.flush())
            seconds.append(time.perf_counter() - start)
        yield row("png", setting, size, seconds=f"{min(seconds):.2f}")


def row(
    what: str, setting: str, size: int, ciede2000: str = "", seconds: str = ""
) -> dict[str, Any]:
    return {
        "what": what,
        "setting": setting,
        "mb": f"{size / 1e6:.3f}",
        "ciede2000": ciede2000,
        "seconds": seconds,
    }


def main() -> None:
    from skimage import data

    pictures = [smooth_colour(photo()) for photo in (data.astronaut, data.chelsea, data.coffee)]
    large = cv2.resize(pictures[0], (4000, 3000), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 4, (3000, 4000, 1))
    grainy = np.clip(np.rint(large + grain), 0, 255).astype(np.uint8)
    print(write("encoding", [*jpeg_rows(pictures), *png_rows(grainy)]))


if __name__ == "__main__":
    main()
