from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core.imaging import avif, image, tiff
from tests import image_files as files


def test_exif_is_read_and_hidden_from_pillow() -> None:
    data = files.saved(files.soft(), "AVIF", exif=files.exif_block())
    parts = avif.take_apart(data)
    assert b"Market square" in (parts.exif or b"")
    with Image.open(files.io.BytesIO(parts.bare)) as opened:
        assert "exif" not in opened.info
    assert avif.take_apart(files.saved(files.soft(), "AVIF")).exif is None


def test_crowded_exif_is_never_seen_by_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entries all claim the same bytes: Pillow would copy them for each."""
    items = b"".join(struct.pack("<HHII", i, 7, 30_000, 8) for i in range(3000))
    block = b"II*\0" + struct.pack("<IH", 8, 3000) + items + bytes(4)
    exif = Image.Exif()
    exif[0x8769] = {0x927C: bytes(len(block))}
    data = files.saved(files.soft(), "AVIF", exif=exif)
    start = data.rindex(b"Exif\0\0", 0, data.index(bytes(1000))) + 6
    data = data[:start] + block + data[start + len(block) :]
    assert avif.take_apart(data).exif is not None
    monkeypatch.setattr(Image.Exif, "load", lambda *_: pytest.fail("Pillow has read it"))
    found = image.decode(data)
    assert found.pixels.shape == files.soft().shape
    assert found.metadata.exif is None


@pytest.mark.parametrize("orientation", files.STORED)
def test_the_file_s_own_turn_counts_and_not_that_of_exif(orientation: int) -> None:
    upright = files.soft()
    stored = np.ascontiguousarray(files.STORED[orientation](upright))
    data = files.saved(stored, "AVIF", exif=files.exif_block(orientation), quality=95)
    found = image.decode(data)
    assert found.pixels.shape == upright.shape
    assert np.abs(found.pixels.astype(int) - upright).max() <= 16
    first = tiff.read_first(found.metadata.exif)
    assert first is not None
    assert first.number(tiff.ORIENTATION, 1) == 1


def test_frames_are_counted() -> None:
    frames = [Image.fromarray(np.full((16, 16, 3), shade, np.uint8)) for shade in (10, 200, 90)]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    found = image.decode(files.saved(frames[0], "AVIF", **options))
    assert found.pages == 3
    assert np.abs(found.pixels.astype(int) - 10).max() <= 3
