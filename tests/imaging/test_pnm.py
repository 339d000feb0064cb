from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import image
from tests import image_files as files


def digits(samples: Any) -> bytes:
    return "\n".join(" ".join(map(str, row)) for row in samples.reshape(len(samples), -1)).encode()


@pytest.mark.parametrize("most", [1, 15, 100, 255, 256, 1023, 65535])
@pytest.mark.parametrize("kind", [2, 3, 5, 6])
def test_gray_and_colour_of_any_depth(kind: int, most: int) -> None:
    samples = files.deep().astype(int) % (most + 1)
    samples = samples[..., :1] if kind in (2, 5) else samples
    body = digits(samples) if kind < 4 else samples.astype(">u2" if most > 255 else "u1").tobytes()
    head = f"P{kind}\n# made by hand\n37 24 # wide, high\n{most}\n".encode()
    found = image.decode(head + body)
    top = 65535 if most > 255 else 255
    assert found.format == "PNM"
    assert found.pixels.dtype == (np.uint16 if most > 255 else np.uint8)
    assert np.abs(found.pixels - samples * (top / most)).max() <= 0.501


@pytest.mark.parametrize("width", [8, 13])
def test_bits(width: int) -> None:
    bits = files.colours(9, width)[..., 0] > 127
    expected = np.repeat(np.where(bits, 0, 255)[..., None], 3, axis=2)
    packed = b"P4 %d 9\n" % width + np.packbits(bits, axis=1).tobytes()
    together = (
        b"P1\n%d 9\n" % width + "".join(str(bit) for bit in bits.ravel().astype(int)).encode()
    )
    apart = b"P1\n%d 9\n# bits\n" % width + digits(bits.astype(int))
    for data in (packed, together, apart):
        np.testing.assert_array_equal(image.decode(data).pixels, expected)


@pytest.mark.parametrize(
    "data",
    [
        b"P5 4 4 255\n" + bytes(15),
        b"P6 4 4 65535\n" + bytes(95),
        b"P4 9 2\n" + bytes(3),
        b"P1 2 2\n011",
        b"P2 2 2 9\n1 2 3",
        b"P2 2 1 9\n1 10",
        b"P2 2 1 9\n1 x",
        b"P2 2 1 9\n1 -1",
        b"P2 2 1 65535\n1 9999999",
        b"P5 4 4 0\n" + bytes(16),
        b"P5 4 4 65536\n" + bytes(32),
        b"P5 4\n",
        b"P5 0 4 255\n",
    ],
)
def test_damaged_files(data: bytes) -> None:
    with pytest.raises(BrokenPictureError):
        image.decode(data)


def test_an_announcement_is_refused() -> None:
    with pytest.raises(PictureTooLargeError, match="megapixels"):
        image.decode(b"P5 99999 99999 255\n" + bytes(99))
    with pytest.raises(BrokenPictureError, match="cut off"):
        image.decode(b"P6 15000 15000 65535\n" + bytes(99))
