from __future__ import annotations

import io
import logging
import os
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from colorize_core import errors
from colorize_core.errors import (
    BrokenPictureError,
    EmptyFileError,
    NotAPictureError,
    OptionError,
    PictureError,
    PictureTooLargeError,
    SaveError,
)
from colorize_core.imaging import decoders, formats, image, limits
from colorize_core.imaging.color import lab_to_rgb
from colorize_core.imaging.image import Metadata, Photo
from tests import image_files as files
from tests.image_files import STORED, tiff

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
LOSSLESS = ("PNG", "TIFF")

EVERYTHING = Metadata(
    exif=files.exif_block(),
    xmp=files.XMP,
    dpi=(300, 300),
    iptc=b"\x1c\x02\x78\x00\x05Kr\xc3\xa1l",
    comments=(b"A comment",),
    texts=(("Title", "A bridge"), ("Author", "Łukasz")),
)
MARKS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"GIF87a", b"GIF89a", b"BM"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    *(b"P%d " % kind for kind in range(1, 7)),
    *(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51", b"\0\0\x0a\0\0\0\0\0"),
    *(b"\0\0\0\x14ftyp" + brand + bytes(4) + brand for brand in (b"heic", b"mif1", b"avif")),
)


def photo(pixels: Any, alpha: Any = None, metadata: Metadata | None = None) -> Photo:
    return Photo(pixels, alpha, metadata or Metadata(), "PNG")


def moved(first: Any, second: Any) -> float:
    return float(np.abs(np.asarray(first, float) - second).max())


# --- kinds of pixels ----------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_rgb_is_read_exactly(format: str) -> None:
    pixels = files.colours()
    found = image.decode(files.saved(pixels, format))
    assert found.format == format
    assert found.pixels.dtype == np.uint8
    assert found.alpha is None
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF"])
def test_gray_becomes_three_equal_channels(format: str) -> None:
    gray = files.colours()[..., 0]
    found = image.decode(files.saved(gray, format)).pixels
    np.testing.assert_array_equal(found, np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit_becomes_black_and_white(format: str) -> None:
    bits = files.colours()[..., 0] > 127
    found = image.decode(files.saved(Image.fromarray(bits), format)).pixels
    np.testing.assert_array_equal(found, np.repeat(bits[..., None], 3, axis=2) * np.uint8(255))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF"])
def test_palette_is_looked_up(format: str) -> None:
    palette, index = files.colours(1, 256)[0], files.colours()[..., 0]
    picture = Image.fromarray(index)
    picture.putpalette(palette.tobytes())
    np.testing.assert_array_equal(image.decode(files.saved(picture, format)).pixels, palette[index])


def test_an_interlaced_png() -> None:
    pixels = files.colours()
    np.testing.assert_array_equal(image.decode(files.interlaced_png(pixels)).pixels, pixels)


@pytest.mark.parametrize("bits", [2, 4])
def test_png_of_few_bits(bits: int) -> None:
    levels = files.colours(8, 8)[..., 0] >> (8 - bits)
    step = 8 // bits
    packed = sum(levels[:, i::step].astype(int) << (8 - bits * (i + 1)) for i in range(step))
    rows = b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", 8, 8, bits, 0, 0, 0, 0)
    data = files.png_of((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    found = image.decode(data).pixels
    np.testing.assert_array_equal(found[..., 0], levels * (255 // (2**bits - 1)))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile(format: str) -> None:
    ink = np.full((16, 16, 4), (40, 80, 120, 30), np.uint8)
    data = files.saved(Image.fromarray(ink, "CMYK"), format)
    expected = (255 - ink[0, 0, :3].astype(float)) * (255 - 30) / 255
    assert moved(image.decode(data).pixels, expected) <= (3 if format == "JPEG" else 1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_has_the_values_of_libjpeg(mode: str, progressive: bool) -> None:
    data = files.saved(Image.fromarray(files.soft()).convert(mode), "JPEG", progressive=progressive)
    with Image.open(io.BytesIO(data)) as reference:
        expected = np.asarray(reference.convert("RGB"))
    np.testing.assert_array_equal(image.decode(data).pixels, expected)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_stay_near(format: str) -> None:
    found = image.decode(files.saved(files.soft(), format, quality=95))
    assert found.format == format
    assert moved(found.pixels, files.soft()) <= 12


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.fromarray(np.full((9, 9, 3), shade, np.uint8)) for shade in (10, 200)]
    for format in ("GIF", "WEBP", "TIFF", "PNG"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = files.saved(frames[0], format, save_all=True, append_images=frames[1:], **options)
        assert (image.decode(data).pixels == 10).all(), format


def test_lab_tiff_becomes_srgb() -> None:
    lab = np.full((5, 5, 3), (150, 20, 246), np.uint8)  # a = 20, b = -10 as signed bytes
    found = image.decode(files.saved(Image.fromarray(lab, "LAB"), "TIFF")).pixels
    # The profile's white is D50 and this module's is D65: relative colorimetric maps one to the
    # other, but not exactly; hence 4 levels.
    expected = lab_to_rgb(np.array([150 / 2.55, 20.0, -10.0])) * 255
    assert moved(found, expected) <= 4


def test_a_png_named_jpg_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(files.saved(files.colours(), "PNG"))
    assert image.read(path).format == "PNG"


def test_pixels_are_the_callers_own() -> None:
    for format in ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"):
        pixels = image.decode(files.saved(files.colours(), format)).pixels
        assert pixels.flags.writeable, format
        assert pixels.flags.c_contiguous, format


# --- 16 bits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_deep_png_is_read_exactly(channels: int) -> None:
    samples = files.deep(channels=channels)
    found = image.decode(files.deep_png(samples))
    colour = samples[..., :3] if channels > 2 else np.repeat(samples[..., :1], 3, axis=2)
    assert found.pixels.dtype == np.uint16
    np.testing.assert_array_equal(found.pixels, colour)
    if channels in (2, 4):
        np.testing.assert_array_equal(found.alpha, samples[..., -1])


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("kind", "order"),
    [("minisblack", "<"), ("minisblack", ">"), ("miniswhite", "<"), ("rgb", "<"), ("rgb", ">")],
)
def test_deep_tiff_is_read_exactly(kind: str, order: Any, compression: str | None) -> None:
    samples = files.deep() if kind == "rgb" else files.deep()[..., 0].copy()
    found = image.decode(
        tiff(samples, photometric=kind, compression=compression, byteorder=order)
    ).pixels
    expected = samples if kind == "rgb" else np.repeat(samples[..., None], 3, axis=2)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, 65535 - expected if kind == "miniswhite" else expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_tiff_with_lzw(channels: int) -> None:
    samples = files.deep(channels=channels)
    found = image.decode(files.lzw_tiff(samples[..., 0] if channels == 1 else samples))
    np.testing.assert_array_equal(found.pixels, np.broadcast_to(samples[..., :3], (24, 37, 3)))


def test_deep_tiff_with_alpha() -> None:
    samples = files.deep(channels=4)
    found = image.decode(tiff(samples, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(found.pixels, samples[..., :3])
    np.testing.assert_array_equal(found.alpha, samples[..., 3])
    found = image.decode(tiff(samples, photometric="rgb", extrasamples=["unspecified"]))
    assert found.alpha is None


def test_colours_that_were_multiplied_by_alpha_are_divided() -> None:
    colour, alpha = files.deep() // 2 + 20000, files.deep(seed=1)[..., :1] // 2 + 30000
    stored = np.rint(colour.astype(float) * alpha / 65535).astype(np.uint16)
    samples = np.concatenate([stored, alpha], axis=2)
    found = image.decode(tiff(samples, photometric="rgb", extrasamples=["assocalpha"]))
    assert moved(found.pixels, colour) <= 2  # what rounding the product loses at alpha 30000
    np.testing.assert_array_equal(found.alpha, alpha[..., 0])


def test_kinds_of_numbers_in_tiff_that_are_not_read_say_so() -> None:
    for data in (
        tiff(files.deep()[..., 0].astype(np.int16), photometric="minisblack"),
        tiff(files.deep()[..., 0].astype(np.float32), photometric="minisblack"),
        tiff(files.deep()[..., 0].astype(np.uint32), photometric="minisblack"),
        tiff(files.deep().astype(np.float32), photometric="rgb"),
    ):
        with pytest.raises(NotAPictureError, match="16"):
            image.decode(data)


@pytest.mark.parametrize("format", LOSSLESS)
@pytest.mark.parametrize("make", [files.colours, files.deep])
@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (37, 51)])
def test_round_trip_is_exact(
    format: str, make: Callable[..., Any], with_alpha: bool, size: tuple[int, int]
) -> None:
    pixels = make(*size)
    alpha = make(*size, seed=1)[..., 0] if with_alpha else None
    found = image.decode(image.encode(photo(pixels, alpha), format))
    assert found.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(found.pixels, pixels)
    if with_alpha:
        np.testing.assert_array_equal(found.alpha, alpha)
    else:
        assert found.alpha is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_other_programs_read_what_is_written(dtype: Any) -> None:
    pixels = files.deep() if dtype == np.uint16 else files.colours()
    png, written = (image.encode(photo(pixels), format) for format in LOSSLESS)
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(written)), pixels)
    for data in (png, written):
        with Image.open(io.BytesIO(data)) as opened:
            assert moved(np.asarray(opened), pixels >> (8 if dtype == np.uint16 else 0)) <= 1


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_deep_pixels_are_rounded_for_formats_of_eight_bits(format: str) -> None:
    pixels = files.soft()
    for offset in (-100, 0, 100):
        deep = (pixels.astype(int) * 257 + offset).astype(np.uint16)
        assert image.encode(photo(deep), format) == image.encode(photo(pixels), format)


# --- large pictures are encoded in strips -------------------------------------------------------


@pytest.fixture
def small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("decoders", "encoders", "icc", "tiff_pixels"):
        monkeypatch.setattr(f"colorize_core.imaging.{module}.STRIP", 500)


@pytest.mark.usefixtures("small_strips")
@pytest.mark.parametrize("quality", [60, 95, 96, 100])
@pytest.mark.parametrize("size", [(16, 37), (17, 37), (333, 41), (200, 5)])
def test_jpeg_strips_decode_to_the_same_as_the_whole(size: tuple[int, int], quality: int) -> None:
    pixels = np.ascontiguousarray(np.resize(files.soft(), (*size, 3)))
    subsampling = 0 if quality > 95 else 2
    whole = image.decode(files.saved(pixels, "JPEG", quality=quality, subsampling=subsampling))
    strips = image.decode(image.encode(photo(pixels), "JPEG", quality))
    np.testing.assert_array_equal(strips.pixels, whole.pixels)


@pytest.mark.usefixtures("small_strips")
@pytest.mark.parametrize("format", LOSSLESS)
@pytest.mark.parametrize("make", [files.colours, files.deep])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_lossless_strips_are_exact(format: str, make: Callable[..., Any], with_alpha: bool) -> None:
    pixels = make(211, 67)
    alpha = make(211, 67, seed=1)[..., 0] if with_alpha else None
    found = image.decode(image.encode(photo(pixels, alpha), format))
    np.testing.assert_array_equal(found.pixels, pixels)
    assert alpha is None or np.array_equal(found.alpha, alpha)


@pytest.mark.usefixtures("small_strips")
def test_strips_make_a_sound_png() -> None:
    data = image.encode(photo(files.colours(211, 67)), "PNG")
    plain = zlib.decompress(
        b"".join(body for kind, body in files.chunks_of(data) if kind == b"IDAT")
    )
    assert len(plain) == 211 * (1 + 3 * 67)  # zlib has checked the joined sum
    with Image.open(io.BytesIO(data)) as opened:
        opened.verify()


@pytest.mark.usefixtures("small_strips")
@pytest.mark.parametrize("format", ["TIFF", "BMP", "WEBP", "GIF"])
def test_reading_in_strips_is_reading_whole(format: str) -> None:
    data = files.saved(files.colours(61, 67), format)
    with Image.open(io.BytesIO(data)) as opened:
        np.testing.assert_array_equal(image.decode(data).pixels, np.asarray(opened.convert("RGB")))


# --- alpha --------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_kept(format: str, mode: str) -> None:
    samples = files.colours(channels=4)
    samples[..., 3] = np.maximum(samples[..., 3], 1)  # WebP drops the colour under alpha 0
    picture = Image.fromarray(samples).convert(mode)
    options = {"lossless": True} if format == "WEBP" else {}
    found = image.decode(files.saved(picture, format, **options))
    np.testing.assert_array_equal(found.alpha, samples[..., 3])
    np.testing.assert_array_equal(found.pixels, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_transparent_entry_of_the_palette_becomes_alpha(format: str) -> None:
    index = np.array([[0, 1], [1, 0]], np.uint8)
    picture = Image.fromarray(index)
    picture.putpalette(bytes([250, 0, 0, 0, 0, 250]))
    found = image.decode(files.saved(picture, format, transparency=0))
    np.testing.assert_array_equal(found.alpha, index * np.uint8(255))
    assert found.pixels[0, 1].tolist() == [0, 0, 250]


def test_a_transparent_colour_of_a_png_becomes_alpha() -> None:
    data = files.saved(np.array([[[9, 8, 7], [1, 2, 3]]], np.uint8), "PNG", transparency=(9, 8, 7))
    assert image.decode(data).alpha.tolist() == [[0, 255]]
    deep = files.chunks_of(files.deep_png(np.array([[[9, 8, 7], [1, 2, 3]]], np.uint16)))
    deep.insert(1, (b"tRNS", struct.pack(">HHH", 9, 8, 7)))
    found = image.decode(files.png_of(*deep))
    assert found.pixels.dtype == np.uint16
    assert found.alpha.tolist() == [[0, 65535]]


def test_jpeg_lays_alpha_on_white() -> None:
    pixels = np.full((16, 48, 3), 40, np.uint8)
    alpha = np.repeat(np.repeat(np.array([[0, 128, 255]], np.uint8), 16, 0), 16, 1)
    found = image.decode(image.encode(photo(pixels, alpha), "JPEG"))
    assert found.alpha is None
    assert moved(found.pixels[8, [8, 24, 40], 0], [255, 255 - 215 * 128 / 255, 40]) <= 2


def test_with_pixels_keeps_the_rest() -> None:
    first = photo(files.colours(), files.colours()[..., 0], Metadata(dpi=(300, 300)))
    deep = first.with_pixels(files.deep())
    assert deep.metadata == first.metadata
    np.testing.assert_array_equal(deep.alpha, first.alpha.astype(np.uint16) * 257)
    np.testing.assert_array_equal(deep.with_pixels(first.pixels).alpha, first.alpha)


# --- orientation --------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_and_reset(format: str, orientation: int) -> None:
    upright = files.colours(channels=4)
    upright[..., 3] |= 1
    stored = np.ascontiguousarray(STORED[orientation](upright))
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {}
    exif = Image.Exif()
    exif.load(files.exif_block(orientation))
    found = image.decode(files.saved(stored, format, exif=exif, dpi=(100, 300), **options))
    np.testing.assert_array_equal(found.pixels, upright[..., :3])
    np.testing.assert_array_equal(found.alpha, upright[..., 3])
    kept = exif_of(found)
    assert kept.get(0x0112, 1) == 1
    assert (kept.get_ifd(0x8769)[0xA002], kept.get_ifd(0x8769)[0xA003]) == (37, 24)
    if format != "WEBP":
        expected = (300, 100) if orientation >= 5 else (100, 300)
        assert found.metadata.dpi == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("orientation", STORED)
def test_orientation_of_a_jpeg(orientation: int) -> None:
    upright = files.soft()
    stored = np.ascontiguousarray(STORED[orientation](upright))
    data = files.saved(stored, "JPEG", quality=95, exif=b"Exif\0\0" + files.exif_block(orientation))
    assert moved(image.decode(data).pixels, upright) <= 12


def test_orientation_in_xmp_alone_is_applied_and_reset() -> None:
    found = image.decode(files.saved(files.colours(24, 37), "JPEG", xmp=files.XMP))
    assert found.pixels.shape == (37, 24, 3)
    assert b'tiff:Orientation="1"' in found.metadata.xmp


def test_an_impossible_orientation_is_ignored() -> None:
    data = files.saved(files.colours(24, 37), "PNG", exif=files.exif_block(77))
    assert image.decode(data).pixels.shape == (24, 37, 3)


# --- metadata -----------------------------------------------------------------------------------


def exif_of(found: Photo) -> Image.Exif:
    assert found.metadata.exif is not None
    exif = Image.Exif()
    exif.load(found.metadata.exif)
    return exif


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_metadata_is_kept(source: str, target: str) -> None:
    exif = Image.Exif()
    exif.load(files.exif_block())
    xmp = {} if source == "TIFF" else {"xmp": files.XMP.replace(b'"6"', b'"1"')}
    if source == "TIFF":
        exif[700] = files.XMP
    if source == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", files.XMP.decode())
        xmp = {"pnginfo": info}
    data = files.saved(files.soft(), source, exif=exif, dpi=(240, 120), **xmp)
    found = image.decode(image.encode(image.decode(data), target))
    kept = exif_of(found)
    assert kept[0x010E] == "Market square"
    assert kept[0x8298] == "A. Photographer"
    inner = kept.get_ifd(0x8769)
    assert inner[0x9003] == "1938:05:17 12:00:00"
    assert inner[0x927C] == b"maker's own bytes \x00\x01\x02"
    assert inner[0xA001] == 1  # sRGB
    assert kept.get_ifd(0x8825)[2] == (48.0, 51.0, 30.0)
    assert b'tiff:Artist="A. Photographer"' in found.metadata.xmp
    if source not in ("WEBP", "AVIF") and target != "WEBP":
        assert found.metadata.dpi == pytest.approx((240, 120), abs=0.02)


def test_the_old_thumbnail_goes_and_other_bytes_stay() -> None:
    block = files.exif_block(orientation=6)
    data = files.saved(files.soft(), "JPEG", exif=b"Exif\0\0" + block)
    kept = image.decode(data).metadata.exif
    assert Image.Exif.get_ifd(exif_of(image.decode(data)), 1) == {}
    assert len(kept) == len(block)
    assert sum(a != b for a, b in zip(kept, block, strict=True)) <= 12  # the tags set, the pointer


def test_png_metadata_behind_the_pixels_is_found() -> None:
    chunks = files.chunks_of(files.saved(files.colours(24, 37), "PNG"))
    late = [(b"eXIf", files.exif_block(6)), (b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + files.XMP)]
    found = image.decode(files.png_of(*chunks[:-1], *late, chunks[-1]))
    assert found.pixels.shape == (37, 24, 3)
    assert exif_of(found)[0x010E] == "Market square"
    assert b"A. Photographer" in found.metadata.xmp


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_metadata_does_not_cost_the_picture(format: str) -> None:
    for block in (b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"junk"):
        data = files.saved(files.soft(), "PNG", exif=block)
        found = image.decode(data)
        again = image.decode(image.encode(found, format))
        assert again.pixels.shape == files.soft().shape


def test_blocks_too_large_for_jpeg_are_left_out() -> None:
    large = Metadata(exif=files.exif_block() + bytes(70_000), xmp=files.XMP + b" " * 70_000)
    found = image.decode(image.encode(photo(files.soft(), metadata=large), "JPEG"))
    assert found.metadata == Metadata(dpi=found.metadata.dpi)
    found = image.decode(image.encode(photo(files.soft(), metadata=large), "PNG"))
    assert found.metadata.exif is not None


@pytest.mark.parametrize("format", FORMATS)
def test_files_say_that_they_are_srgb(format: str) -> None:
    data = image.encode(photo(files.soft()), format)
    with Image.open(io.BytesIO(data)) as opened:
        if format == "PNG":
            assert opened.info["srgb"] == 1
        else:
            described = ImageCms.ImageCmsProfile(io.BytesIO(opened.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(described)


@pytest.mark.parametrize("format", FORMATS)
def test_equal_pictures_give_equal_files(format: str) -> None:
    assert image.encode(photo(files.soft()), format) == image.encode(photo(files.soft()), format)


# --- colour profiles ----------------------------------------------------------------------------

P3 = files.rgb_profile(files.DISPLAY_P3, files.srgb_curve())
ADOBE = files.rgb_profile(files.ADOBE_RGB, files.gamma(563 / 256))
LINEAR_GRAY = files.gray_profile(files.gamma(1.0))

# Linear RGB of the space -> linear sRGB, both under D65, by the primaries in CSS Color 4 (Display
# P3) and Adobe RGB (1998). This way does not pass through the D50 that profiles are written in.
P3_TO_SRGB = [
    [1.2249402, -0.2249402, 0],
    [-0.0420570, 1.0420570, 0],
    [-0.0196376, -0.0786361, 1.0982736],
]
ADOBE_TO_SRGB = [[1.3983557, -0.3983557, 0], [0, 1, 0], [0, -0.0429290, 1.0429290]]


def srgb_encoded(linear: Any) -> Any:
    """IEC 61966-2-1, 0..1 -> 0..1."""
    power = 1.055 * np.maximum(linear, 0.003) ** (1 / 2.4) - 0.055
    return np.clip(np.where(linear <= 0.0031308, 12.92 * linear, power), 0, 1)


def srgb_decoded(encoded: Any) -> Any:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


KNOWN: dict[str, tuple[bytes, Any, Callable[[Any], Any]]] = {
    "p3": (P3, P3_TO_SRGB, srgb_decoded),
    "adobe": (ADOBE, ADOBE_TO_SRGB, lambda encoded: encoded ** (563 / 256)),
}


def expected_srgb(name: str, pixels: Any) -> Any:
    """Values (..., 3) in 0..1 of the space -> sRGB in 0..1."""
    _, matrix, decoded = KNOWN[name]
    return srgb_encoded(decoded(pixels) @ np.array(matrix).T)


@pytest.mark.parametrize("name", KNOWN)
def test_colours_follow_the_profile(name: str) -> None:
    """8 bits: within a level, or two where colours outside the gamut are clipped near black."""
    pixels = files.colours()
    found = image.decode(files.saved(pixels, "PNG", icc_profile=KNOWN[name][0])).pixels
    off = np.abs(found - expected_srgb(name, pixels / 255) * 255)
    assert off.max() <= 2.5
    assert off.mean() <= 0.5
    assert moved(found, pixels) > 20


@pytest.mark.parametrize("name", KNOWN)
def test_deep_colours_follow_the_profile(name: str) -> None:
    samples = files.deep()
    found = image.decode(with_profile(files.deep_png(samples), KNOWN[name][0])).pixels
    off = np.abs(found - expected_srgb(name, samples / 65535) * 65535)
    assert found.dtype == np.uint16
    assert np.percentile(off, 99) <= 30  # of 65535; the profile's primaries have 16 bits
    assert off.max() <= 200  # at the foot of the curve, where it is steep


def with_profile(png: bytes, icc: bytes) -> bytes:
    chunks = files.chunks_of(png)
    return files.png_of(chunks[0], (b"iCCP", b"test\0\0" + zlib.compress(icc)), *chunks[1:])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_format_uses_its_profile(format: str) -> None:
    flat = np.full((16, 16, 3), (150, 180, 150), np.uint8)
    found = image.decode(files.saved(flat, format, icc_profile=ADOBE, quality=100)).pixels
    assert moved(found[8, 8], expected_srgb("adobe", flat[8, 8] / 255) * 255) <= 3


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_gray_profiles_are_used_for_gray_alone(mode: str) -> None:
    flat = Image.new(mode, (9, 9), (64,) * len(mode))
    found = image.decode(files.saved(flat, "PNG", icc_profile=LINEAR_GRAY)).pixels
    # 64 / 255 of the light is 137 in sRGB
    assert moved(found, 137 if mode == "L" else 64) <= 1


def test_deep_gray_profile() -> None:
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    found = image.decode(with_profile(files.deep_png(samples), LINEAR_GRAY)).pixels
    assert moved(found[..., 1], srgb_encoded(samples[..., 0] / 65535) * 65535) <= 1
    assert (found[..., 0] == found[..., 2]).all()


@pytest.mark.parametrize("deep", [False, True])
def test_an_rgb_profile_keeps_a_gray_picture_gray(deep: bool) -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None]
    data = (
        files.deep_png(ramp.astype(np.uint16) * 257) if deep else files.saved(ramp[..., 0], "PNG")
    )
    found = image.decode(with_profile(data, ADOBE)).pixels.astype(int)
    spread = found.max(axis=2) - found.min(axis=2)
    assert spread.max() <= 1
    assert np.abs(found[0, :, 0] / (257 if deep else 1) - ramp[0, :, 0]).max() > 1


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels, deep = files.colours(), files.deep()
    found = image.decode(files.saved(pixels, "PNG", icc_profile=srgb)).pixels
    np.testing.assert_array_equal(found, pixels)
    np.testing.assert_array_equal(
        image.decode(with_profile(files.deep_png(deep), srgb)).pixels, deep
    )


def ink_to_lab(ink: Any) -> Any:
    """A press whose black leaves nothing and whose cyan is (55, -37, -50)."""
    paper = 1 - ink[:, 3]
    cyan = ink[:, 0]
    return np.stack([paper * (100 - 45 * cyan), -37 * cyan * paper, -50 * cyan * paper], axis=1)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_profile(format: str) -> None:
    icc = files.table_profile(b"CMYK", ink_to_lab)
    for ink, expected in (((0, 0, 0, 0), (255, 255, 255)), ((0, 0, 0, 255), (0, 0, 0))):
        flat = Image.fromarray(np.full((16, 16, 4), ink, np.uint8), "CMYK")
        found = image.decode(files.saved(flat, format, icc_profile=icc)).pixels
        assert moved(found, expected) <= 2, ink
    cyan = Image.fromarray(np.full((16, 16, 4), (255, 0, 0, 0), np.uint8), "CMYK")
    red, green, blue = image.decode(files.saved(cyan, format, icc_profile=icc)).pixels[8, 8]
    assert red < 60  # the formula without the profile gives (0, 255, 255)
    assert 120 < green < 165
    assert 200 < blue < 235


def test_deep_pictures_with_a_table_of_colours() -> None:
    icc = files.table_profile(b"RGB ", lambda c: np.outer(c.mean(axis=1), [100, 0, 0]))
    samples = np.linspace(0, 65535, 400).astype(np.uint16).reshape(1, 400, 1).repeat(3, axis=2)
    found = image.decode(with_profile(files.deep_png(samples), icc)).pixels.astype(int)
    rounded = image.decode(
        files.saved((samples >> 8).astype(np.uint8), "PNG", icc_profile=icc)
    ).pixels
    assert found.dtype != np.uint8
    assert moved(found / 257, rounded) <= 3
    assert (np.diff(found[0, :, 1]) >= 0).all()  # a ramp stays one
    assert len(np.unique(found[0, :, 1])) > 350  # and keeps its shades


@pytest.mark.parametrize("deep", [False, True])
def test_broken_profiles_are_ignored(deep: bool) -> None:
    pixels = files.deep() if deep else files.colours()
    data = files.deep_png(pixels) if deep else files.saved(pixels, "PNG")
    for icc in (b"", b"not a profile", P3[:200], P3[:128] + b"\xff" * 400, bytes(600)):
        np.testing.assert_array_equal(image.decode(with_profile(data, icc)).pixels, pixels)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_profiles_never_stop_a_picture(data: st.DataObject) -> None:
    icc = bytearray(data.draw(st.sampled_from([P3, ADOBE, LINEAR_GRAY])))
    for _ in range(data.draw(st.integers(1, 8))):
        icc[data.draw(st.integers(0, len(icc) - 1))] = data.draw(st.integers(0, 255))
    for samples in (files.deep(4, 4), files.deep(4, 4, 1)):
        assert image.decode(with_profile(files.deep_png(samples), bytes(icc))).pixels.shape == (
            4,
            4,
            3,
        )


# --- what cannot be used ------------------------------------------------------------------------


def test_empty() -> None:
    with pytest.raises(EmptyFileError, match=r"holiday\.jpg is empty"):
        image.decode(b"", "holiday.jpg")


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"Dear Sir or Madam,\n", "text"),
        ("Sehr geehrte Frau Müller".encode(), "text"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04\x14\0\0\0", "ZIP"),
        (b"<!DOCTYPE html><html><body>", "web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">', "SVG"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", "video"),
        (b"RIFF\x24\0\0\0AVI LIST", "video"),
        (b"8BPS\0\x01", "Photoshop"),
        (bytes(range(256)), "unknown"),
    ],
)
def test_other_files_are_named(start: bytes, what: str) -> None:
    with pytest.raises(NotAPictureError, match=what) as raised:
        image.decode(start + bytes(300) * (what not in ("text", "web page")), "file.jpg")
    assert "JPEG, PNG" in str(raised.value)
    assert "file.jpg" in str(raised.value)


def test_a_camera_raw_file_is_not_taken_for_its_preview() -> None:
    raw = tiff(files.colours(), photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True)])
    preview = tiff(files.colours(), photometric="rgb", subfiletype=1)
    for data in (raw, preview):
        with pytest.raises(NotAPictureError, match="raw file"):
            image.decode(data)


WHOLE = {
    "gray.jpg": files.saved(files.soft()[..., 0], "JPEG"),
    "colour.jpg": files.saved(files.soft(), "JPEG", exif=b"Exif\0\0" + files.exif_block(6)),
    "progressive.jpg": files.saved(files.soft(), "JPEG", progressive=True),
    "cmyk.jpg": files.saved(Image.fromarray(files.soft()).convert("CMYK"), "JPEG"),
    "colour.png": files.saved(files.colours(), "PNG", icc_profile=P3),
    "palette.png": files.saved(Image.fromarray(files.soft()).convert("P"), "PNG"),
    "deep.png": files.deep_png(files.deep()),
    "colour.webp": files.saved(files.soft(), "WEBP", exif=files.exif_block(3)),
    "alpha.webp": files.saved(files.colours(channels=4), "WEBP", lossless=True),
    "colour.tif": files.saved(files.colours(), "TIFF"),
    "packed.tif": files.saved(files.soft(), "TIFF", compression="tiff_lzw"),
    "deep.tif": tiff(files.deep(), photometric="rgb", compression="zlib"),
    "deep-lzw.tif": files.lzw_tiff(files.deep()),
    "ours.tif": image.encode(photo(files.deep()), "TIFF"),
    "colour.bmp": files.saved(files.colours(), "BMP"),
    "colour.gif": files.saved(files.soft(), "GIF"),
    "colour.avif": files.saved(files.soft(), "AVIF"),
    "zstd.tif": files.saved(files.soft(), "TIFF", compression="zstd"),
    "fax.tif": files.saved(
        Image.fromarray(files.soft()).convert("1"), "TIFF", compression="group4"
    ),
    "big.tif": tiff(files.deep(), photometric="rgb", bigtiff=True, byteorder=">", tile=(16, 16)),
    "colour.jp2": files.saved(files.colours(), "JPEG2000"),
    "colour.tga": files.saved(files.soft(), "TGA", rle=True),
    "colour.ppm": b"P6 37 24 255\n" + files.colours().tobytes(),
    "digits.pgm": b"P2 3 2 9\n1 2 3\n4 5 6\n",
}
FRAMES = [Image.fromarray(files.soft()), Image.fromarray(files.soft()[::-1].copy())]
# Files that may lose a part and still have their first picture, or whose decoder prints.
OTHERS = {
    "jpeg.tif": files.saved(files.soft(), "TIFF", compression="jpeg"),
    **{
        f"animation.{format}": files.saved(
            FRAMES[0], format, save_all=True, append_images=FRAMES[1:]
        )
        for format in ("gif", "webp", "png", "tiff")
    },
    "texts.png": image.encode(photo(files.soft(), metadata=EVERYTHING), "PNG"),
    "texts.jpg": image.encode(photo(files.soft(), metadata=EVERYTHING), "JPEG"),
    "texts.tif": image.encode(photo(files.soft(), metadata=EVERYTHING), "TIFF"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_cut_off_is_broken_not_half_gray(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    whole = WHOLE[name]
    assert image.decode(whole).pixels.size
    for share in (0.2, 0.4, 0.6, 0.8, 0.9):
        with pytest.raises(PictureError) as raised:
            image.decode(whole[: int(len(whole) * share)], name)
        assert isinstance(raised.value, BrokenPictureError | NotAPictureError)
        assert name in str(raised.value)
    assert capfd.readouterr().err == ""
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_jpeg_that_lost_its_middle_is_broken(mode: str, share: float) -> None:
    whole = files.saved(Image.fromarray(files.colours(160, 160)).convert(mode), "JPEG")
    with pytest.raises(BrokenPictureError, match="missing"):
        image.decode(whole[: int(len(whole) * share)] + b"\xff\xd9")


def test_a_progressive_jpeg_that_lost_its_first_scan_is_broken() -> None:
    whole = files.saved(files.colours(160, 160), "JPEG", progressive=True)
    first = whole.index(b"\xff\xda")
    second = whole.index(b"\xff\xda", first + 2)
    for share in (0.3, 0.7):
        cut = int(first + (second - first) * share)
        with pytest.raises(BrokenPictureError):
            image.decode(whole[:cut] + b"\xff\xd9")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_that_ends_in_middle_gray_is_whole(
    mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = files.saved(Image.new(mode, (64, 64), (128,) * len(mode)), "JPEG")
    assert (image.decode(data).pixels == 128).all()
    assert capfd.readouterr().err == ""


def test_a_jpeg_without_its_end_marker_is_read() -> None:
    whole = files.saved(files.soft(), "JPEG")
    np.testing.assert_array_equal(image.decode(whole[:-2]).pixels, image.decode(whole).pixels)


def test_a_header_that_contradicts_the_contents_is_broken() -> None:
    jpeg = bytearray(files.saved(files.colours(64, 64), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    struct.pack_into(">H", jpeg, frame + 5, 128)  # twice as high as it is
    png = files.chunks_of(files.saved(files.colours(), "PNG"))
    taller = struct.pack(">IIBBBBB", 37, 48, 8, 2, 0, 0, 0)
    changed = bytearray(files.saved(files.colours(), "PNG"))
    changed[200] ^= 1  # the checksum no longer fits
    for data in (
        bytes(jpeg),
        files.png_of((b"IHDR", taller), *png[1:]),
        bytes(changed),
        b"\x89PNG\r\n\x1a\n" + files.saved(files.colours(), "JPEG"),
        b"RIFF\x24\0\0\0WEBP" + files.saved(files.colours(), "PNG"),
    ):
        with pytest.raises(BrokenPictureError):
            image.decode(data)


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (250_001, 1_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    header = struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)
    data = files.png_of((b"IHDR", header), (b"IDAT", zlib.compress(bytes(9))), (b"IEND", b""))
    with pytest.raises(PictureTooLargeError, match="megapixels") as raised:
        image.decode(data, "bomb.png")
    assert f"{image.MAX_PIXELS / 1e6:.0f}" in str(raised.value)


def test_bombs_of_other_formats_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 37 - 1)

    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(decoders, "decode_samples", never)
    for format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"):
        with pytest.raises(PictureTooLargeError, match="37 × 24"):
            image.decode(files.saved(files.colours(), format))


def test_limits_hold_what_is_promised() -> None:
    assert image.MAX_PIXELS >= 200_000_000
    assert image.MAX_BYTES >= 6 * image.MAX_PIXELS


def test_pillows_own_limit_does_not_bind() -> None:
    width, height = 20_000, 9_500  # 190 megapixels: Image.open refuses from 179 on
    rows = zlib.compress(bytes((1 + width // 8) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = files.png_of((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    limits.check_area(*decoders.take_apart(data, "PNG").size, 190_000_000)
    with pytest.raises(PictureTooLargeError, match=r"large\.png has 20,000 × 9,500"):
        image.decode(data, "large.png", 189_999_999)


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = files.saved(files.colours(), "PNG")
    monkeypatch.setattr(limits, "MAX_BYTES", len(data) - 1)
    path = tmp_path / "large.png"
    path.write_bytes(data)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("was read"))
    for attempt in (lambda: image.decode(data), lambda: image.read(path)):
        with pytest.raises(PictureTooLargeError, match="MB"):
            attempt()


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_too_many_frames(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.fromarray(files.colours(seed=seed)) for seed in range(4)]
    data = files.saved(frames[0], format, save_all=True, append_images=frames[1:])
    monkeypatch.setattr(limits, "MAX_FRAMES", 4)
    assert image.decode(data).pixels.shape == (24, 37, 3)
    monkeypatch.setattr(limits, "MAX_FRAMES", 3)
    with pytest.raises(PictureTooLargeError, match="more than 3 frames"):
        image.decode(data)


def test_out_of_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoders, "decode_samples", full)
    with pytest.raises(PictureTooLargeError, match="memory"):
        image.decode(files.saved(files.colours(), "PNG"))


def test_heic_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    with pytest.raises(NotAPictureError, match="pip install pillow-heif"):
        image.decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


def test_heic() -> None:
    heif = pytest.importorskip("pillow_heif", reason="the optional package for HEIC")
    upright = files.soft()
    buffer = io.BytesIO()
    heif.from_pillow(Image.fromarray(np.ascontiguousarray(STORED[6](upright)))).save(
        buffer, quality=95, exif=files.exif_block(6)
    )
    found = image.decode(buffer.getvalue())
    assert found.format == "HEIC"
    assert moved(found.pixels, upright) <= 16
    assert exif_of(found)[0x0112] == 1
    assert exif_of(found)[0x010E] == "Market square"
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(PictureError):
            image.decode(buffer.getvalue()[: int(len(buffer.getvalue()) * share)])


KINDS = (EmptyFileError, NotAPictureError, BrokenPictureError, PictureTooLargeError)


def check(data: bytes) -> None:
    """Either a picture, which every format can then hold, or a PictureError."""
    problem: PictureError | None = None
    try:
        found = image.decode(data, "mutant")
    except PictureError as error:
        problem = error
    if problem is not None:
        assert type(problem) in KINDS
        assert str(problem).startswith("mutant")
        assert str(problem).endswith(".")
        return
    assert found.pixels.ndim == 3
    assert found.pixels.shape[2] == 3
    assert found.pixels.dtype in (np.uint8, np.uint16)
    if found.pixels.size < 100_000:
        for format in FORMATS:
            assert image.encode(found, format)


@pytest.mark.parametrize("name", [*WHOLE, *OTHERS])
@given(data=st.data())
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_but_picture_errors_comes_out(
    name: str, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 1_000_000)  # large ones are slow, not different
    mutant = bytearray({**WHOLE, **OTHERS}[name])
    head = st.integers(0, min(400, len(mutant) - 1))
    place = st.one_of(head, st.integers(0, len(mutant) - 1))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(place)
        end = start + data.draw(st.sampled_from([0, 1, 1, 2, 4, 50]))
        mutant[start:end] = data.draw(st.binary(max_size=8))
    check(bytes(mutant))


@given(st.sampled_from(MARKS), st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_a_signature_with_anything_behind_it(mark: bytes, rest: bytes) -> None:
    check(mark + rest)


@given(st.binary(max_size=64))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    check(data)


def test_filters_of_warnings_are_left_as_they_were() -> None:
    before = list(warnings.filters)
    data, barrier = files.saved(files.colours(), "PNG"), threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(20):
            image.decode(data)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", formats.WRITTEN)
def test_the_suffix_decides_what_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix.upper()}"
    image.write(path, photo(files.soft()))
    assert image.read(path).format == formats.WRITTEN[suffix].name
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format", [f for f in formats.FORMATS.values() if f.encoder])
def test_the_table_of_formats_tells_what_is_written(format: formats.Format) -> None:
    deep = np.arange(48, dtype=np.uint16).reshape(4, 4, 3) * 1000
    alpha = np.full((4, 4), 30_000, np.uint16)
    back = image.decode(image.encode(photo(deep, alpha), format.name, 90))
    assert back.format == format.name
    assert 8 * back.pixels.itemsize == format.depth
    assert (back.alpha is not None) == format.alpha
    plain = photo(files.soft())
    small, large = (image.encode(plain, format.name, quality) for quality in (10, 90))
    assert (len(small) < len(large)) == format.lossy
    assert format.widen(plain.pixels).itemsize == (2 if "16 bit" in format.choice else 1)


def test_quality_changes_the_size(tmp_path: Path) -> None:
    for format in ("JPEG", "WEBP"):
        sizes = [len(image.encode(photo(files.soft()), format, quality)) for quality in (20, 95)]
        assert sizes[0] < sizes[1]
    for quality in (0, 101, -5):
        with pytest.raises(OptionError, match="from 1 to 100"):
            image.encode(photo(files.soft()), "JPEG", quality)


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="JPEG, PNG"):
        image.encode(photo(files.soft()), "JPEG2000")
    for name in ("photo.gif", "photo", "photo.exe"):
        with pytest.raises(SaveError, match=r"\.png"):
            image.write(tmp_path / name, photo(files.soft()))
    assert list(tmp_path.iterdir()) == []


def test_sides_that_a_format_cannot_hold() -> None:
    for format, side in (("JPEG", 65_536), ("WEBP", 16_384)):
        with pytest.raises(SaveError, match="Save it as PNG"):
            image.encode(photo(np.zeros((1, side, 3), np.uint8)), format)
    assert image.encode(photo(np.zeros((1, 65_536, 3), np.uint8)), "PNG")


@pytest.mark.parametrize("failing", ["write", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"old")

    class Full(io.FileIO):
        def write(self, data: Any, /) -> int:
            super().write(data[:10])
            raise OSError(28, "No space left on device")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        if failing == "write":
            patched.setattr(Path, "open", lambda self, mode: Full(self, mode))
        else:
            patched.setattr(os, "replace", refused)
        with pytest.raises(SaveError, match=r"photo\.png cannot be written: (No space|Permission)"):
            image.write(path, photo(files.soft()))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    for path in ("missing/photo.png", "file/photo.png", "folder.png", f"{'n' * 300}.png"):
        with pytest.raises(SaveError, match="cannot be written"):
            image.write(tmp_path / path, photo(files.soft()))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.png"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    image.write(tmp_path / "link.png", photo(files.soft()))
    assert (tmp_path / "link.png").is_symlink()
    assert image.read(tmp_path / "real.png").format == "PNG"


def test_places_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.png", tmp_path, tmp_path / ("n" * 300)):
        with pytest.raises(PictureError, match="cannot be read"):
            image.read(path)


def test_messages_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(WHOLE["colour.jpg"][:500])
    with pytest.raises(BrokenPictureError, match=r"broken\.jpg cannot be read"):
        image.read(path)


def test_every_error_of_pictures_is_documented() -> None:
    for name in (
        "EmptyFileError",
        "NotAPictureError",
        "BrokenPictureError",
        "PictureTooLargeError",
    ):
        assert name in (image.decode.__doc__ or "")
        assert issubclass(getattr(errors, name), errors.PictureError)
