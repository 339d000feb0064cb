from __future__ import annotations

import struct

import pytest
from PIL import Image

from colorize_core.imaging import image, tiff
from tests import image_files as files


@pytest.mark.parametrize("order", "<>")
def test_what_is_written_is_read(order: str) -> None:
    inner = {0x9003: tiff.Entry(tiff.ASCII, 20, b"1938:05:17 12:00:00\0")}
    tags: tiff.Tags = {
        tiff.DESCRIPTION: tiff.Entry(tiff.ASCII, 3, b"abc"),
        tiff.BITS: tiff.make_entry(order, tiff.SHORT, 8, 8, 8),
        tiff.WIDTH: tiff.make_entry(order, tiff.LONG, 70_000),
        tiff.X_RESOLUTION: tiff.make_fraction(order, 118.11),
        tiff.EXIF_IFD: inner,
    }
    block = tiff.write_header(order) + tiff.write_directory(order, tags)
    first = tiff.read_first(block)
    assert first is not None
    assert first.raw(tiff.DESCRIPTION) == b"abc"
    assert first.numbers(tiff.BITS) == (8, 8, 8)
    assert first.number(tiff.WIDTH) == 70_000
    assert first.fraction(tiff.X_RESOLUTION) == pytest.approx(118.11, abs=1e-4)
    below = tiff.DirectoryReader(block).read(first.number(tiff.EXIF_IFD))
    assert below.raw(0x9003) == b"1938:05:17 12:00:00\0"
    exif = Image.Exif()
    exif.load(block)
    assert exif.get_ifd(tiff.EXIF_IFD)[0x9003] == "1938:05:17 12:00:00"


def test_the_other_byte_order() -> None:
    inner = {1: tiff.make_entry("<", tiff.SHORT, 1, 2)}
    tags = {256: tiff.make_entry("<", tiff.LONG, 258), 282: tiff.make_fraction("<", 0.5), 4: inner}
    swapped = tiff.swap_tags(tags)
    expected = {256: tiff.make_entry(">", tiff.LONG, 258), 282: tiff.make_fraction(">", 0.5)}
    assert {tag: swapped[tag] for tag in expected} == expected
    assert swapped[4] == {1: tiff.make_entry(">", tiff.SHORT, 1, 2)}


def crowded(entries: int, claimed: int) -> bytes:
    """A block whose entries all claim the same bytes."""
    items = b"".join(struct.pack("<HHII", i, 7, claimed, 8) for i in range(entries))
    return b"II*\0" + struct.pack("<IH", 8, entries) + items + bytes(4)


def test_entries_that_claim_the_same_bytes_are_refused() -> None:
    block = crowded(8000, 90_000)
    assert len(block) < 100_000
    with pytest.raises(ValueError, match="claim more bytes"):
        tiff.DirectoryReader(block).read(8)
    assert tiff.read_first(block) is None
    assert tiff.read_first(crowded(20, 200)) is not None  # a little is shared by some cameras


def test_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "MAX_ENTRIES", 10)
    reader = tiff.DirectoryReader(crowded(6, 1))
    reader.read(8)
    with pytest.raises(ValueError, match="more entries"):
        reader.read(8)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_crowded_metadata_costs_neither_memory_nor_the_picture(format: str, target: str) -> None:
    block = crowded(4000, 40_000)
    exif = b"Exif\0\0" + block if format == "JPEG" else block
    found = image.decode(files.saved(files.soft(), format, exif=exif))
    assert found.metadata.exif is None
    assert image.decode(image.encode(found, target)).pixels.shape == files.soft().shape


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0", b"XX*\0\x08\0\0\0", b"II*\0\xff\xff\0\0", b"MM\0+" + bytes(12)]
)
def test_damaged_blocks_have_no_directory(block: bytes) -> None:
    assert tiff.read_first(block) is None


def test_entries_that_point_beyond_the_end_are_left_out() -> None:
    items = struct.pack("<HHII", 270, 2, 50, 4000) + struct.pack("<HHII", 271, 99, 1, 0)
    items += struct.pack("<HHIHH", 274, 3, 1, 6, 0)
    block = b"II*\0" + struct.pack("<IH", 8, 3) + items + bytes(4)
    first = tiff.read_first(block)
    assert first is not None
    assert set(first.entries) == {274}
    assert first.number(274) == 6
