from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import image, limits
from tests import image_files as files

# --- limits of other libraries ------------------------------------------------------------------

FILES: dict[str, Any] = {
    "gray.jpg": lambda: files.saved(files.soft()[..., 0], "JPEG"),
    "ink.jpg": lambda: files.saved(Image.fromarray(files.soft()).convert("CMYK"), "JPEG"),
    "bits.png": lambda: files.saved(Image.fromarray(files.soft()).convert("1"), "PNG"),
    "palette.png": lambda: files.saved(Image.fromarray(files.soft()).convert("P"), "PNG"),
    "bits.tif": lambda: files.saved(Image.fromarray(files.soft()).convert("1"), "TIFF"),
    "palette.tif": lambda: files.saved(Image.fromarray(files.soft()).convert("P"), "TIFF"),
    "ink.tif": lambda: files.saved(Image.fromarray(files.soft()).convert("CMYK"), "TIFF"),
    "packed.tif": lambda: files.saved(files.soft(), "TIFF", compression="zstd"),
    "photo.webp": lambda: files.saved(files.soft(), "WEBP"),
    "photo.gif": lambda: files.saved(files.soft(), "GIF"),
    "photo.bmp": lambda: files.saved(files.soft(), "BMP"),
    "photo.avif": lambda: files.saved(files.soft(), "AVIF"),
    "photo.jp2": lambda: files.saved(files.soft(), "JPEG2000"),
    "photo.tga": lambda: files.saved(files.soft(), "TGA"),
    "animation.gif": lambda: files.saved(
        files.soft(),
        "GIF",
        save_all=True,
        append_images=[Image.fromarray(files.soft())],
        disposal=2,
    ),
    "pages.tif": lambda: files.saved(
        files.soft(), "TIFF", save_all=True, append_images=[Image.fromarray(files.soft())]
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_only_limit_on_pixels_is_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = FILES[name]()
    expected = image.decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for module in ("decoders", "tiff_pixels"):  # no strip is a large picture
        monkeypatch.setattr(f"colorize_core.imaging.{module}.STRIP", 64)
    found = image.decode(data)
    np.testing.assert_array_equal(found.pixels, expected.pixels)


# --- TGA ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"rle": True}, {"orientation": 1}])
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
def test_tga(mode: str, options: dict[str, Any]) -> None:
    samples = files.colours(channels=4)
    picture = Image.fromarray(samples).convert(mode)
    found = image.decode(files.saved(picture, "TGA", **options))
    assert found.format == "TGA"
    np.testing.assert_array_equal(found.pixels, np.asarray(picture.convert("RGB")))
    if mode.endswith("A"):
        np.testing.assert_array_equal(found.alpha, samples[..., 3])


def test_tga_with_a_name_inside() -> None:
    whole = files.saved(files.colours(), "TGA")
    named = b"\5" + whole[1:18] + b"name." + whole[18:]
    np.testing.assert_array_equal(image.decode(named).pixels, files.colours())
    with pytest.raises(BrokenPictureError):
        image.decode(whole[:200])


# --- BMP ----------------------------------------------------------------------------------------


def packed_bmp(indices: Any, palette: Any, end: bytes = b"\0\1") -> bytes:
    """A BMP of runs (RLE8), each row by itself."""
    height, width = indices.shape
    body = b""
    for row in indices[::-1]:
        edges = [0, *(np.flatnonzero(np.diff(row)) + 1), width]
        runs = [(b - a, row[a]) for a, b in pairwise(edges)]
        body += b"".join(bytes((int(length), int(value))) for length, value in runs) + b"\0\0"
    body += end
    start = 54 + 1024
    table = np.zeros((256, 4), np.uint8)
    table[:, :3] = palette[:, ::-1]
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    return (
        b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + table.tobytes() + body
    )


def test_packed_bmp_is_read_by_a_decoder_that_is_not_written_in_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("PIL.BmpImagePlugin.BmpRleDecoder.decode", lambda *_: pytest.fail("slow"))
    indices = np.repeat(files.colours(30, 20)[..., 0], 5, axis=1)
    palette = files.colours(256, 1)[:, 0]
    data = packed_bmp(indices, palette)
    np.testing.assert_array_equal(image.decode(data).pixels, palette[indices])
    with pytest.raises(BrokenPictureError):
        image.decode(data[: len(data) // 2])


# --- orientation --------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_no_decoder_turns_a_second_time(format: str) -> None:
    """A picture that is dark at the left end: EXIF tells in which direction it was held."""
    upright = np.full((40, 64, 3), 200, np.uint8)
    upright[:, :16] = 20
    for orientation, stored in files.STORED.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = files.saved(np.ascontiguousarray(stored(upright)), format, exif=exif)
        found = image.decode(data)
        assert np.abs(found.pixels.astype(int) - upright).mean() < 4, orientation


def test_opencv_reads_what_is_promised() -> None:
    """OpenCV reads 2 to the 30th pixels and 2 to the 20th a side, libpng a million a side."""
    assert image.MAX_PIXELS < 1 << 30
    assert limits.MAX_SIDE < 1 << 20
    narrow = files.saved(np.zeros((limits.MAX_SIDE, 1), np.uint8), "PNG")
    assert image.decode(narrow).pixels.shape == (limits.MAX_SIDE, 1, 3)
    with pytest.raises(PictureTooLargeError, match="a side"):
        image.decode(files.saved(np.zeros((limits.MAX_SIDE + 1, 1), np.uint8), "PNG"))
