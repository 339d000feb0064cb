"""python -m docs.reel FILM : a short film to try with, of two shots over the example photographs,
gray, with grain and a tone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging import image

EXAMPLES = Path(__file__).parent.parent / "examples"
SHOTS = (("portrait-gray.jpg", 1.2), ("cat-gray.jpg", 0.9))  # and how far the view is across it
WIDTH, HEIGHT, RATE, FRAMES = 320, 240, 24, 24


def draw_frames() -> Iterator[NDArray[np.uint8]]:
    """(HEIGHT, WIDTH) each, from 16 to 235."""
    random = np.random.default_rng(0)
    for name, way in SHOTS:
        photo = image.read(EXAMPLES / name).pixels[..., 0]
        scale = 1.2 * WIDTH / photo.shape[1]
        large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for number in range(FRAMES):
            left = int(number * way)
            view = large[:HEIGHT, left : left + WIDTH] * (219 / 255) + 16
            yield np.clip(view + random.normal(0, 3, view.shape), 16, 235).astype(np.uint8)


def write(path: Path) -> None:
    with av.open(str(path), "w") as out:
        picture: Any = out.add_stream("libx264", rate=RATE)
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound: Any = out.add_stream("aac", rate=48000)
        for number, luma in enumerate(draw_frames()):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            planes: Any = frame.planes
            for plane, samples in zip(planes, (luma, 128, 128), strict=True):
                rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
                rows[:, : plane.width] = samples
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        for number in range(len(SHOTS) * FRAMES * 48000 // RATE // 1024):
            time = (np.arange(1024) + 1024 * number) / 48000
            tone = np.tile(0.1 * np.sin(2 * np.pi * 440 * time), (2, 1)).astype(np.float32)
            played = av.AudioFrame.from_ndarray(tone, "fltp", "stereo")
            played.sample_rate, played.pts = 48000, 1024 * number
            out.mux(sound.encode(played))
        out.mux(sound.encode(None))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
