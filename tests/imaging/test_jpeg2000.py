from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import image, jpeg2000
from tests import image_files as files


def deep_jp2(samples: Any) -> bytes:
    """16 bits a channel, without loss, by OpenCV."""
    options = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    return bytes(cv2.imencode(".jp2", samples[..., ::-1].copy(), options)[1])


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_eight_bits(mode: str, plain: bool) -> None:
    samples = files.colours(40, 50, 4)
    picture = Image.fromarray(samples).convert(mode)
    found = image.decode(files.saved(picture, "JPEG2000", no_jp2=plain))
    assert found.format == "JPEG2000"
    np.testing.assert_array_equal(found.pixels, np.asarray(picture.convert("RGB")))
    if mode.endswith("A"):
        np.testing.assert_array_equal(found.alpha, samples[..., 3])
    else:
        assert found.alpha is None


def test_sixteen_bits() -> None:
    samples = files.deep(90, 70)
    np.testing.assert_array_equal(image.decode(deep_jp2(samples)).pixels, samples)
    gray = samples[..., 0].copy()
    found = image.decode(files.saved(Image.fromarray(gray), "JPEG2000"))
    np.testing.assert_array_equal(found.pixels, np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize("depth", [10, 12])
def test_depths_between(depth: int) -> None:
    """A file of 16 bits whose header is made to say fewer: decoders add half of the range."""
    samples = files.deep(90, 70) >> (16 - depth)
    shifted = samples + np.uint16((1 << 15) - (1 << depth - 1))
    data = bytearray(deep_jp2(shifted))
    start = data.index(jpeg2000.CODESTREAM)
    for place in (start + 42, start + 45, start + 48, data.index(b"ihdr") + 14):
        data[place] = depth - 1
    found = image.decode(bytes(data)).pixels
    assert np.abs(found - samples * (65535 / ((1 << depth) - 1))).max() <= 0.501


def test_profile_and_metadata_are_read() -> None:
    data = files.saved(files.colours(), "JPEG2000")
    icc = files.rgb_profile(files.ADOBE_RGB, files.gamma(563 / 256))
    place = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, place)
    inner = data[place + 8 : place + size]
    start = inner.index(b"colr") - 4
    (length,) = struct.unpack_from(">I", inner, start)
    dense = box(b"resc", struct.pack(">4H2b", 11811, 1, 5906, 1, 0, 0))
    header = inner[:start] + box(b"colr", b"\2\0\0" + icc) + inner[start + length :]
    changed = data[:place] + box(b"jp2h", header + box(b"res ", dense))
    changed += box(b"uuid", jpeg2000.XMP_BOX + files.XMP.replace(b'"6"', b'"1"'))
    changed += box(b"uuid", jpeg2000.EXIF_BOX + files.exif_block()) + data[place + size :]
    found = image.decode(changed)
    expected = image.decode(files.saved(files.colours(), "PNG", icc_profile=icc)).pixels
    np.testing.assert_array_equal(found.pixels, expected)
    assert b"A. Photographer" in (found.metadata.xmp or b"")
    assert b"Market square" in (found.metadata.exif or b"")
    assert found.metadata.dpi == (150.01, 300.0)


def test_damaged_files() -> None:
    whole = deep_jp2(files.deep(90, 70))
    for share in (0.02, 0.1, 0.3):
        with pytest.raises(BrokenPictureError):
            image.decode(whole[: int(len(whole) * share)])
    large = bytearray(whole)
    struct.pack_into(">II", large, whole.index(jpeg2000.CODESTREAM) + 8, 99_999, 99_999)
    with pytest.raises(PictureTooLargeError, match="megapixels"):
        image.decode(bytes(large))


def test_boxes_that_announce_another_size_than_the_pixels_have() -> None:
    whole = files.saved(files.soft(48, 64), "JPEG2000")
    boxed, other = struct.pack(">II", 48, 64), struct.pack(">II", 4800, 6400)
    assert whole.count(boxed) == 1
    with pytest.raises(BrokenPictureError, match="disagree"):
        image.decode(whole.replace(boxed, other))


def claim_size(data: bytes, width: int, height: int, tile: int) -> bytes:
    """The file with another size in its headers, in square tiles."""
    data = bytearray(data)
    start = data.index(jpeg2000.CODESTREAM)
    struct.pack_into(">2I", data, start + 8, width, height)
    struct.pack_into(">2I", data, start + 24, tile, tile)
    struct.pack_into(">2I", data, data.index(b"ihdr") + 4, height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("deep", "tile", "taken"), [(False, 1024, True), (False, 20_000, False), (True, 1024, False)]
)
def test_what_is_decoded_at_once_is_bounded(deep: bool, tile: int, taken: bool) -> None:
    small = deep_jp2(files.deep(90, 70)) if deep else files.saved(files.colours(), "JPEG2000")
    large = claim_size(small, 12_000, 10_000, tile)
    if taken:
        assert jpeg2000.take_apart(large).size == (12_000, 10_000)
    else:
        with pytest.raises(PictureTooLargeError, match="at most 100"):
            image.decode(large)
