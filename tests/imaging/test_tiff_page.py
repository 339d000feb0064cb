from __future__ import annotations

import io
from itertools import product
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize_core.errors import BrokenPictureError, NotAPictureError, PictureTooLargeError
from colorize_core.imaging import image, limits, tiff, tiff_page
from tests import image_files as files
from tests.image_files import STORED

KINDS = {1: "minisblack", 2: "minisblack", 3: "rgb", 4: "rgb"}


def make_samples(channels: int, deep: bool, height: int = 50, width: int = 67) -> Any:
    samples = (files.deep if deep else files.colours)(height, width, channels)
    if channels in (2, 4):
        samples[..., -1] |= 1
    return samples


def make_tiff(samples: Any, **options: Any) -> bytes:
    """(H, W, channels) in any layout that tifffile writes."""
    channels = samples.shape[2]
    options = {"photometric": KINDS[channels], **options}
    if channels in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    if channels == 1:
        return files.tiff(np.ascontiguousarray(samples[..., 0]), **options)
    if options.get("planarconfig") == "separate":
        return files.tiff(np.ascontiguousarray(samples.transpose(2, 0, 1)), **options)
    return files.tiff(np.ascontiguousarray(samples), **{"planarconfig": "contig", **options})


def check_samples(found: image.Photo, samples: Any) -> None:
    channels = samples.shape[2]
    colour = samples[..., :3] if channels > 2 else np.repeat(samples[..., :1], 3, axis=2)
    assert found.pixels.dtype == samples.dtype
    np.testing.assert_array_equal(found.pixels, colour)
    if channels in (2, 4):
        np.testing.assert_array_equal(found.alpha, samples[..., -1])
    else:
        assert found.alpha is None


@pytest.mark.parametrize("layout", [{"rowsperstrip": 7}, {"tile": (16, 32)}])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", KINDS)
def test_every_layout_is_read_exactly_and_turned_once(
    channels: int, deep: bool, layout: dict[str, Any]
) -> None:
    upright = make_samples(channels, deep)
    ways = product(STORED, "<>", (False, True), (None, "zlib"), ("contig", "separate"))
    for orientation, order, big, compression, planes in ways:
        if planes == "separate" and channels == 1:
            continue
        data = make_tiff(
            STORED[orientation](upright),
            byteorder=order,
            bigtiff=big,
            compression=compression,
            predictor=compression is not None,
            planarconfig=planes,
            extratags=[(274, "H", 1, orientation, True)],
            **layout,
        )
        check_samples(image.decode(data), upright)


def pillow_tiff(mode: str, **options: Any) -> bytes:
    if mode == "I;16":
        return files.saved(files.deep()[..., 0].copy(), "TIFF", **options)
    picture = Image.fromarray(files.soft())
    return files.saved(picture.convert(mode), "TIFF", **options)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"]
)
def test_every_compression_gives_the_same(mode: str, compression: str) -> None:
    found = image.decode(pillow_tiff(mode, compression=compression))
    picture = Image.fromarray(files.soft()).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        np.testing.assert_array_equal(found.pixels[..., 0], files.deep()[..., 0])
        return
    expected = np.asarray(picture.convert("RGB"), int)
    assert np.abs(found.pixels - expected).max() <= (1 if mode == "YCbCr" else 0)


@pytest.mark.parametrize(
    ("mode", "compression"),
    [("1", "group3"), ("1", "group4"), ("L", "jpeg"), ("RGB", "jpeg")],
)
def test_compressions_for_some_kinds_of_pixels(mode: str, compression: str) -> None:
    data = pillow_tiff(mode, compression=compression)
    with Image.open(io.BytesIO(data)) as reference:
        expected = np.asarray(reference.convert("RGB"))
    np.testing.assert_array_equal(image.decode(data).pixels, expected)


@pytest.mark.parametrize("layout", [{"rowsperstrip": 16}, {"tile": (32, 32)}])
@pytest.mark.parametrize(
    ("channels", "format", "code"),
    [(n, "JPEG2000", 34712) for n in (1, 3, 4)] + [(n, "WEBP", 50001) for n in (3, 4)],
)
def test_strips_that_are_pictures_themselves(
    channels: int, format: str, code: int, layout: dict[str, Any]
) -> None:
    samples = make_samples(channels, False)
    if channels == 4:
        samples[..., 3] = 255  # WebP has no colour where nothing is seen
    plain = make_tiff(samples, **layout)
    page = tiff.read_first(plain)
    assert page is not None
    blocks = tiff_page.find_blocks(plain, page)
    data, places, sizes = plain, [], []
    for place in blocks.places:
        left, top = _find_corner(len(places), blocks, 67)
        part = np.zeros((min(blocks.height, 99), blocks.width, channels), np.uint8)
        seen = samples[top : top + blocks.height, left : left + blocks.width]
        part[: seen.shape[0], : seen.shape[1]] = seen
        part = part if blocks.tiled else part[: seen.shape[0]]
        picture = Image.fromarray(part[..., 0] if channels == 1 else part)
        packed = files.saved(picture, format, **({"lossless": True} if format == "WEBP" else {}))
        assert place < len(plain)
        places.append(len(data))
        sizes.append(len(packed))
        data += packed
    names = (324, 325) if blocks.tiled else (273, 279)
    changes = {259: long(code), names[0]: long(*places), names[1]: long(*sizes)}
    check_samples(image.decode(rewrite(data, changes)), samples)


def _find_corner(number: int, blocks: tiff_page.Blocks, width: int) -> tuple[int, int]:
    across = -(-width // blocks.width)
    return number % across * blocks.width, number // across * blocks.height


def test_deep_colours_in_a_compression_that_only_pillow_has() -> None:
    """The rows of a 16-bit RGB picture, packed as gray by Pillow and then called RGB."""
    samples = files.deep()
    wide = Image.fromarray(samples.reshape(24, 37 * 3))
    data = bytearray(files.saved(wide, "TIFF", compression="zstd"))
    reader = tiff.DirectoryReader(bytes(data))
    page = dict(reader.read(reader.first).entries)
    page |= {
        tiff.WIDTH: tiff.make_entry("<", tiff.LONG, 37),
        tiff.BITS: tiff.make_entry("<", tiff.SHORT, 16, 16, 16),
        tiff.CHANNELS: tiff.make_entry("<", tiff.SHORT, 3),
        tiff.PHOTOMETRIC: tiff.make_entry("<", tiff.SHORT, 2),
    }
    place = len(data) + len(data) % 2
    changed = tiff.write_header("<", place) + bytes(data[8:]).ljust(place - 8, b"\0")
    found = image.decode(changed + tiff.write_directory("<", page, place))
    np.testing.assert_array_equal(found.pixels, samples)


def test_white_is_zero_and_alpha_that_was_multiplied() -> None:
    samples = make_samples(1, True)
    data = make_tiff(samples, photometric="miniswhite", byteorder=">")
    np.testing.assert_array_equal(image.decode(data).pixels[..., 0], 65535 - samples[..., 0])
    gray = np.full((4, 4, 2), (60, 128), np.uint8)
    data = files.tiff(gray, photometric="minisblack", planarconfig="contig", extrasamples=[1])
    found = image.decode(data)
    assert (found.pixels == 120).all()
    assert (found.alpha == 128).all()


def black_to_lab(ink: Any) -> Any:
    """A press that prints black alone."""
    return np.outer(1 - ink[:, 3], [100, 0, 0])


@pytest.mark.parametrize("profile", [None, files.table_profile(b"CMYK", black_to_lab)])
def test_deep_ink_keeps_its_shades(profile: bytes | None) -> None:
    ink = np.zeros((1, 3000, 4), np.uint16)
    ink[0, :, 3] = np.linspace(0, 65535, 3000)
    options = {"iccprofile": profile} if profile else {}
    found = image.decode(files.tiff(ink, photometric="separated", **options))
    plain = image.decode(
        files.tiff((ink // 257).astype(np.uint8), photometric="separated", **options)
    )
    assert found.pixels.dtype == np.uint16
    assert len(np.unique(found.pixels[0, :, 1])) > 2000
    assert np.abs(found.pixels / 257 - plain.pixels).max() <= 2


# --- pages --------------------------------------------------------------------------------------


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


# --- cost ---------------------------------------------------------------------------------------


def rewrite(data: bytes, changes: dict[int, tiff.Entry]) -> bytes:
    """A TIFF with another directory, at its end."""
    page = tiff.read_first(data)
    assert page is not None
    place = len(data) + len(data) % 2
    head = tiff.write_header("<", place) + data[8:].ljust(place - 8, b"\0")
    return head + tiff.write_directory("<", {**page.entries, **changes}, place)


def long(*values: int) -> tiff.Entry:
    return tiff.make_entry("<", tiff.LONG, *values)


def test_strips_that_share_their_bytes_are_refused() -> None:
    data = files.tiff(files.colours(40, 30), photometric="rgb", compression="zlib")
    place, size = (tiff.read_first(data).number(tag) for tag in (273, 279))  # type: ignore[union-attr]
    shared = {273: long(*[place] * 40), 278: long(1), 279: long(*[size] * 40)}
    with pytest.raises(BrokenPictureError, match="claim more bytes than it has"):
        image.decode(rewrite(data, shared))


def test_strips_that_are_missing_or_cut_off() -> None:
    data = files.tiff(files.colours(40, 30), photometric="rgb", rowsperstrip=10)
    page = tiff.read_first(data)
    assert page is not None
    places = page.numbers(273)
    for changes in (
        {273: long(*places[:3])},
        {273: long(*places[:3], len(data) - 5)},
        {278: long(0)},
        {256: long(0)},
    ):
        with pytest.raises(BrokenPictureError):
            image.decode(rewrite(data, changes))


def test_limits_on_strips_tiles_and_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.tiff(files.colours(40, 30), photometric="rgb", rowsperstrip=1)
    tile = files.tiff(files.colours(40, 30), photometric="rgb", tile=(64, 64))
    assert image.decode(data).pixels.shape == image.decode(tile).pixels.shape
    monkeypatch.setattr(tiff_page, "MAX_STRIPS", 39)
    monkeypatch.setattr(tiff_page, "MAX_TILE", 64 * 64 * 3 - 1)
    for refused, what in ((data, "39 strips"), (tile, "bytes in a tile")):
        with pytest.raises(PictureTooLargeError, match=what):
            image.decode(refused)
    monkeypatch.setattr(limits, "MAX_PIXELS", 40 * 30 - 1)
    with pytest.raises(PictureTooLargeError, match="30 × 40"):
        image.decode(data)


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
        image.decode(rewrite(data, {tiff.COMPRESSION: long(compression)}))
    with pytest.raises(NotAPictureError, match="raw file"):
        image.decode(rewrite(data, {tiff.PHOTOMETRIC: long(32803)}))
