from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile

from colorize_core.errors import NotAPictureError
from colorize_core.imaging import image, tiff, tiff_page
from tests import image_files as files
from tests.image_files import STORED


def write_pages(*pages: tuple[Any, dict[str, Any]], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **options) as writer:
        for samples, each in pages:
            writer.write(samples, photometric="minisblack", metadata=None, **each)
    return buffer.getvalue()


def test_pages_are_counted() -> None:
    pages = [(np.full((9, 7), shade, np.uint8), {}) for shade in (10, 20, 30)]
    found = image.decode(write_pages(*pages))
    assert (found.pixels == 10).all()
    assert found.pages == 3
    assert found.describe_losses() == (
        "The file holds 3 pictures: this is the first, the other 2 are left out."
    )
    assert image.decode(write_pages(*pages[:1])).describe_losses() == ""


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", "<>")
def test_the_page_of_full_size_is_taken(bigtiff: bool, byteorder: Any) -> None:
    small, large = np.full((5, 4), 9, np.uint8), files.deep(40, 30)[..., 0].copy()
    found = image.decode(
        write_pages(
            (small, {"subfiletype": 1, "description": "A bridge", "resolution": (72, 72)}),
            (large, {}),
            bigtiff=bigtiff,
            byteorder=byteorder,
        )
    )
    np.testing.assert_array_equal(found.pixels[..., 0], large)
    assert found.pages == 1
    assert found.metadata.dpi is None  # that of the small one is not the large one's
    assert b"A bridge" in (found.metadata.exif or b"")


def test_a_picture_below_its_preview_is_taken() -> None:
    small, large = np.full((5, 4), 9, np.uint8), STORED[6](files.colours(40, 30)[..., 0]).copy()
    turned = {"extratags": [(274, "H", 1, 6, True)]}
    found = image.decode(
        write_pages((small, {"subfiletype": 1, "subifds": 1, **turned}), (large, {}))
    )
    np.testing.assert_array_equal(found.pixels[..., 0], files.colours(40, 30)[..., 0])


def test_a_chain_of_directories_in_a_circle_ends() -> None:
    tags = {
        tiff.WIDTH: tiff.make_entry("<", tiff.SHORT, 1),
        tiff.HEIGHT: tiff.make_entry("<", tiff.SHORT, 1),
        tiff.BITS: tiff.make_entry("<", tiff.SHORT, 8),
        tiff.PHOTOMETRIC: tiff.make_entry("<", tiff.SHORT, 1),
        tiff.STRIP_OFFSETS: tiff.make_entry("<", tiff.SHORT, 0),
        tiff.STRIP_SIZES: tiff.make_entry("<", tiff.SHORT, 1),
    }
    directory = tiff.write_directory("<", tags)
    data = tiff.write_header("<") + directory[:-4] + b"\x08\0\0\0"
    assert image.decode(data).pages == 1


# --- what stands beside the pixels --------------------------------------------------------------

CAPTION = "Großmutter in Łódź, 1943"


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1250"])
@pytest.mark.parametrize("byteorder", "<>")
def test_texts_keep_their_bytes(byteorder: Any, encoding: str, target: str) -> None:
    caption = CAPTION.encode(encoding)
    tags = [(tag, 2, len(caption) + 1, caption + b"\0", True) for tag in (270, 315, 33432)]
    data = files.tiff(files.colours(), photometric="rgb", byteorder=byteorder, extratags=tags)
    found = image.decode(data)
    for photo in (found, image.decode(image.encode(found, target))):
        first = tiff.read_first(photo.metadata.exif)
        assert first is not None
        for tag in (270, 315, 33432):
            assert first.raw(tag) == caption + b"\0"
    if target == "TIFF" and encoding == "utf-8":
        with tifffile.TiffFile(io.BytesIO(image.encode(found, target))) as written:
            assert written.pages[0].tags[270].value == CAPTION


def test_texts_of_a_jpeg_keep_their_bytes_in_a_tiff() -> None:
    entry = tiff.Entry(tiff.ASCII, len(CAPTION.encode()), CAPTION.encode())
    block = tiff.write_header(">") + tiff.write_directory(">", {tiff.DESCRIPTION: entry})
    found = image.decode(files.saved(files.soft(), "JPEG", exif=b"Exif\0\0" + block))
    written = image.encode(found, "TIFF")
    page = tiff.read_first(written)
    assert page is not None
    assert page.raw(tiff.DESCRIPTION) == CAPTION.encode()


@pytest.mark.parametrize(
    ("unit", "expected"), [(None, (300, 150)), (2, (300, 150)), (3, (762, 381)), (1, None)]
)
def test_the_resolution_is_that_of_the_file(
    unit: int | None, expected: tuple[int, int] | None
) -> None:
    options: dict[str, Any] = {} if unit is None else {"resolutionunit": unit}
    data = files.tiff(files.colours(), photometric="rgb", resolution=(300, 150), **options)
    assert image.decode(data).metadata.dpi == expected


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_resolution_is_invented(target: str) -> None:
    entry = tiff.make_entry("<", tiff.SHORT, 8)
    size = {tiff.STRIP_OFFSETS: entry, tiff.STRIP_SIZES: tiff.make_entry("<", tiff.SHORT, 1)}
    one = {tag: tiff.make_entry("<", tiff.SHORT, 1) for tag in (256, 257, 277, 278, 262)}
    bits = {tiff.BITS: tiff.make_entry("<", tiff.SHORT, 8)}
    data = tiff.write_header("<") + tiff.write_directory("<", {**one, **bits, **size})
    found = image.decode(data)
    assert found.metadata.dpi is None
    written = image.encode(found, target)
    assert image.decode(written).metadata.dpi is None
    if target == "TIFF":
        page = tiff.read_first(written)
        assert page is not None
        assert not {282, 283, 296} & set(page.entries)


def test_large_metadata_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_page, "MAX_BLOCK", 1000)
    tags = [(270, 2, 2000, b"a" * 2000, True), (700, 1, 2000, b"<" * 2000, True)]
    data = files.tiff(files.colours(), photometric="rgb", extratags=tags)
    found = image.decode(data)
    assert (found.metadata.exif, found.metadata.xmp) == (None, None)
    assert found.describe_losses() == "Not kept: XMP and EXIF."


@pytest.mark.parametrize("compression", [32767, 34713])
def test_raw_files_below_a_preview_are_named(compression: int) -> None:
    data = files.tiff(files.colours(), photometric="rgb")
    with pytest.raises(NotAPictureError, match="raw file"):
        image.decode(files.rewritten(data, {tiff.COMPRESSION: files.longs(compression)}))
    with pytest.raises(NotAPictureError, match="raw file"):
        image.decode(files.rewritten(data, {tiff.PHOTOMETRIC: files.longs(32803)}))
