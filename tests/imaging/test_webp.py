from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import image, limits, webp
from tests import image_files as files


def make_frame(mode: str, seed: int, margin: int) -> Image.Image:
    """Random colours; with a margin, a part of the canvas that is clear or black."""
    samples = files.colours(40, 50, 4, seed)
    samples[:margin], samples[:, :margin], samples[-1 - margin :] = 0, 0, 0
    return Image.fromarray(samples).convert(mode)


@pytest.mark.parametrize("margin", [0, 10])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_first_frame_is_what_other_programs_show(
    mode: str, lossless: bool, frames: int, margin: int
) -> None:
    made = [make_frame(mode, seed, margin) for seed in range(frames)]
    options: dict[str, Any] = {"lossless": lossless}
    if frames > 1:
        options |= {"save_all": True, "append_images": made[1:]}
    data = files.saved(made[0], "WEBP", **options)
    with Image.open(io.BytesIO(data)) as reference:
        expected = np.asarray(reference.convert("RGBA"))
    found = image.decode(data)
    assert found.pages == frames
    assert (found.alpha is not None) == (mode == "RGBA")
    seen = expected[..., 3] > 0
    np.testing.assert_array_equal(found.pixels[seen], expected[..., :3][seen])
    if found.alpha is not None:
        np.testing.assert_array_equal(found.alpha, expected[..., 3])


def test_a_first_frame_that_covers_a_part_of_the_canvas() -> None:
    frames = [make_frame("RGB", seed, 0) for seed in range(2)]
    data = bytearray(files.saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    canvas = data.index(b"VP8X") + 12
    data[canvas : canvas + 6] = (69).to_bytes(3, "little") + (59).to_bytes(3, "little")
    with Image.open(io.BytesIO(bytes(data))) as reference:
        expected = np.asarray(reference.convert("RGB"))
    np.testing.assert_array_equal(image.decode(bytes(data)).pixels, expected)


def test_the_size_is_checked_before_the_decoder_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(image.decoders, "decode_samples", lambda *_: pytest.fail("decoded"))
    monkeypatch.setattr(limits, "MAX_PIXELS", 40 * 50 - 1)
    lossless = files.saved(make_frame("RGB", 0, 0), "WEBP", lossless=True)
    lossy = files.saved(make_frame("RGB", 0, 0), "WEBP")
    extended = files.saved(make_frame("RGBA", 0, 10), "WEBP")
    for data in (lossless, lossy, extended):
        with pytest.raises(PictureTooLargeError, match="50 × 40"):
            image.decode(data)


def test_without_pixels_or_with_too_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.saved(make_frame("RGB", 0, 0), "WEBP", exif=files.exif_block())
    with pytest.raises(BrokenPictureError):
        image.decode(data[:12] + b"EXIF\0\0\0\0")
    monkeypatch.setattr(webp, "MAX_CHUNKS", 1)
    with pytest.raises(PictureTooLargeError, match="more than 1 chunks"):
        image.decode(data)
