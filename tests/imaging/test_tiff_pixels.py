from __future__ import annotations

import io
from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import image, limits, tiff, tiff_pixels
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
    blocks = tiff_pixels.find_blocks(plain, page)
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
    changes = {
        259: files.longs(code),
        names[0]: files.longs(*places),
        names[1]: files.longs(*sizes),
    }
    check_samples(image.decode(files.rewritten(data, changes)), samples)


def _find_corner(number: int, blocks: tiff_pixels.Blocks, width: int) -> tuple[int, int]:
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


# --- cost ---------------------------------------------------------------------------------------


def test_strips_that_share_their_bytes_are_refused() -> None:
    data = files.tiff(files.colours(40, 30), photometric="rgb", compression="zlib")
    place, size = (tiff.read_first(data).number(tag) for tag in (273, 279))  # type: ignore[union-attr]
    shared = {273: files.longs(*[place] * 40), 278: files.longs(1), 279: files.longs(*[size] * 40)}
    with pytest.raises(BrokenPictureError, match="claim more bytes than it has"):
        image.decode(files.rewritten(data, shared))


def test_strips_that_are_missing_or_cut_off() -> None:
    data = files.tiff(files.colours(40, 30), photometric="rgb", rowsperstrip=10)
    page = tiff.read_first(data)
    assert page is not None
    places = page.numbers(273)
    for changes in (
        {273: files.longs(*places[:3])},
        {273: files.longs(*places[:3], len(data) - 5)},
        {278: files.longs(0)},
        {256: files.longs(0)},
    ):
        with pytest.raises(BrokenPictureError):
            image.decode(files.rewritten(data, changes))


def test_limits_on_strips_tiles_and_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.tiff(files.colours(40, 30), photometric="rgb", rowsperstrip=1)
    tile = files.tiff(files.colours(40, 30), photometric="rgb", tile=(64, 64))
    assert image.decode(data).pixels.shape == image.decode(tile).pixels.shape
    monkeypatch.setattr(tiff_pixels, "MAX_STRIPS", 39)
    monkeypatch.setattr(tiff_pixels, "MAX_TILE", 64 * 64 * 3 - 40 * 30 * 3 - 1)
    for refused, what in ((data, "39 strips"), (tile, "bytes beyond the picture")):
        with pytest.raises(PictureTooLargeError, match=what):
            image.decode(refused)
    monkeypatch.setattr(limits, "MAX_PIXELS", 40 * 30 - 1)
    with pytest.raises(PictureTooLargeError, match="30 × 40"):
        image.decode(data)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw"])
def test_a_header_that_announces_too_much_is_refused_before_unpacking(
    compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    white = np.zeros((300, 300), np.uint8)  # which packs best
    data = files.saved(white, "TIFF", compression=compression)
    assert (image.decode(data).pixels == 0).all()
    monkeypatch.setattr(tiff_pixels, "_unpack_rows", lambda *_: pytest.fail("unpacked"))
    side = {256: files.longs(15_000), 257: files.longs(15_000), 278: files.longs(15_000)}
    with pytest.raises(BrokenPictureError):
        image.decode(files.rewritten(data, side))


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "L"])
def test_a_wrong_size_of_a_strip_that_is_not_packed_does_not_matter(mode: str) -> None:
    data = pillow_tiff(mode)
    expected = image.decode(data).pixels
    for size in (0, 7, 10**6):
        found = image.decode(files.rewritten(data, {279: files.longs(size)}))
        np.testing.assert_array_equal(found.pixels, expected)
    with pytest.raises(BrokenPictureError):
        image.decode(files.rewritten(data, {273: files.longs(len(data) - 40)}))
