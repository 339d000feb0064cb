from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, IptcImagePlugin

from colorize_core.errors import BrokenPictureError, NotAPictureError, PictureTooLargeError
from colorize_core.imaging import image, jpeg, limits, photoshop, tiff
from tests import image_files as files
from tests.hostile_files import many_scans

IPTC = b"\x1c\x02\x78\x00\x05Kr\xc3\xa1l\x1c\x02\x50\x00\x02X."
CAPTION = "Großmutter in Łódź".encode()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(*segments: bytes, data: bytes | None = None) -> bytes:
    data = data or files.saved(files.soft(), "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def iptc_segment(iptc: bytes = IPTC) -> bytes:
    other = struct.pack(">4sHHI", b"8BIM", 0x03ED, 0, 3) + b"abc\0"
    named = struct.pack(">4sH4sI", b"8BIM", 0x0BB7, b"\2ab\0", 2) + b"xy"
    return segment(0xED, b"Photoshop 3.0\0" + other + named + photoshop.wrap_iptc(iptc))


@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF"])
def test_iptc_is_kept(target: str) -> None:
    found = image.decode(with_segments(iptc_segment()))
    assert found.metadata.iptc == IPTC
    written = image.encode(found, target)
    assert image.decode(written).metadata.iptc == IPTC
    assert found.describe_losses(target) == ""
    if target != "PNG":
        with Image.open(io.BytesIO(written)) as opened:
            read = IptcImagePlugin.getiptcinfo(opened)
            assert read is not None
            assert read[(2, 120)] == b"Kr\xc3\xa1l"


@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("comment", [CAPTION, "Großmutter".encode("latin-1"), b"plain"])
def test_comments_are_kept(comment: bytes, target: str) -> None:
    found = image.decode(with_segments(segment(0xFE, comment + b"\0")))
    assert found.metadata.comments == (comment,)
    written = image.encode(found, target)
    again = image.decode(written).metadata
    if target == "JPEG":
        assert again.comments == (comment,)
    elif target == "PNG":
        expected = comment.decode("utf-8" if comment == CAPTION else "latin-1")
        assert again.texts == (("Comment", expected),)
    else:
        page = tiff.read_first(written)
        assert page is not None
        assert page.raw(tiff.DESCRIPTION) == comment + b"\0"


def test_what_a_format_cannot_hold_is_said() -> None:
    caption = tiff.Entry(tiff.ASCII, len(CAPTION), CAPTION)
    exif = tiff.write_header("<") + tiff.write_directory("<", {tiff.DESCRIPTION: caption})
    found = image.decode(
        with_segments(
            segment(0xE1, b"Exif\0\0" + exif),
            iptc_segment(),
            segment(0xFE, b"one"),
            segment(0xFE, b"two"),
        )
    )
    assert found.describe_losses("JPEG") == ""
    assert found.describe_losses("PNG") == ""
    assert found.describe_losses("TIFF") == "Not kept: 2 texts."
    assert found.describe_losses("WEBP") == "Not kept: IPTC and 2 texts."
    assert image.decode(image.encode(found, "WEBP")).metadata.exif == found.metadata.exif


def test_a_webp_without_exif_gets_one_for_texts_and_resolution() -> None:
    found = image.decode(
        with_segments(
            segment(0xFE, CAPTION), data=files.saved(files.soft(), "JPEG", dpi=(300, 300))
        )
    )
    assert found.describe_losses("WEBP") == ""
    again = image.decode(image.encode(found, "WEBP"))
    assert again.metadata.dpi == (300, 300)
    page = tiff.read_first(again.metadata.exif)
    assert page is not None
    assert page.raw(tiff.DESCRIPTION) == CAPTION + b"\0"


def test_texts_of_a_png_in_a_jpeg() -> None:
    metadata = image.Metadata(texts=(("Title", "Łódź"), ("Comment", "seen")))
    data = image.encode(image.Photo(files.soft(), None, metadata, "PNG"), "JPEG")
    assert image.decode(data).metadata.comments == ("Title: Łódź".encode(), b"seen")


def test_segments_stand_in_the_first_strip_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorize_core.imaging.encoders.STRIP", 500)
    metadata = image.Metadata(iptc=IPTC, comments=(CAPTION,))
    pixels = np.ascontiguousarray(np.resize(files.soft(), (211, 67, 3)))
    data = image.encode(image.Photo(pixels, None, metadata, "JPEG"), "JPEG")
    found = image.decode(data)
    assert found.metadata.iptc == IPTC
    assert data.count(CAPTION) == 1
    assert found.pixels.shape == pixels.shape


@pytest.mark.parametrize(("unit", "expected"), [(0, None), (1, (300, 150)), (2, (762, 381))])
def test_the_resolution_is_read_where_it_has_a_unit(
    unit: int, expected: tuple[int, int] | None
) -> None:
    body = b"JFIF\0\1\1" + struct.pack(">BHHBB", unit, 300, 150, 0, 0)
    data = files.saved(files.soft(), "JPEG")
    data = data[:2] + segment(0xE0, body) + data[20:]
    assert image.decode(data).metadata.dpi == expected


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_without_a_resolution_brings_none(target: str) -> None:
    data = files.saved(files.soft(), "JPEG", exif=b"Exif\0\0" + files.exif_block())
    found = image.decode(data)
    assert found.metadata.dpi is None
    assert image.decode(image.encode(found, target)).metadata.dpi is None


def test_exif_with_a_resolution_counts_where_jfif_has_none() -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = 300.0, 150.0, 2
    found = image.decode(files.saved(files.soft(), "JPEG", exif=exif))
    assert found.metadata.dpi == (300, 150)


def test_the_resolution_is_turned_with_the_picture() -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296], exif[274] = 300.0, 150.0, 2, 6
    found = image.decode(files.saved(files.soft(), "JPEG", exif=exif))
    assert found.metadata.dpi == (150, 300)
    first = tiff.read_first(found.metadata.exif)
    assert first is not None
    assert (first.fraction(282), first.fraction(283)) == (150, 300)


def test_xmp_beyond_its_first_segment_is_said() -> None:
    more = segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(50))
    found = image.decode(with_segments(more, more))
    assert found.describe_losses() == "Not kept: the longer part of XMP."


def test_damaged_exif_is_said() -> None:
    found = image.decode(files.saved(files.soft(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\0\0"))
    assert found.metadata.exif is None
    assert found.describe_losses() == "Not kept: damaged EXIF."


def test_pictures_side_by_side_are_counted_and_previews_are_not() -> None:
    def several(*attributes: int) -> bytes:
        entries = b"".join(struct.pack("<4I", each, 0, 0, 0) for each in attributes)
        entry = tiff.Entry(tiff.UNDEFINED, len(entries), entries)
        block = tiff.write_header("<") + tiff.write_directory("<", {0xB002: entry})
        return with_segments(segment(0xE2, b"MPF\0" + block))

    assert image.decode(several(0x20020002, 0x00020002)).pages == 2
    assert image.decode(several(0x20030000, 0x00010001)).pages == 1
    assert image.decode(several(0x20030000, 0)).pages == 1
    assert image.decode(with_segments(segment(0xE2, b"MPF\0junk"))).pages == 1


def test_a_profile_in_several_segments_in_any_order() -> None:
    icc = files.rgb_profile(files.ADOBE_RGB, files.gamma(563 / 256))
    half = len(icc) // 2
    parts = [b"ICC_PROFILE\0" + bytes((i + 1, 2)) + icc[i * half :][: half + i * 9] for i in (0, 1)]
    expected = image.decode(files.saved(files.soft(), "JPEG", icc_profile=icc)).pixels
    found = image.decode(with_segments(*(segment(0xE2, part) for part in parts[::-1])))
    np.testing.assert_array_equal(found.pixels, expected)


# --- cost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("progressive", [False, True])
def test_a_header_that_announces_too_much_is_refused_before_decoding(
    progressive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(files.saved(files.colours(64, 64), "JPEG", progressive=progressive))
    frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    struct.pack_into(">HH", data, frame + 5, 15_800, 15_800)
    monkeypatch.setattr(image.decoders, "decode_samples", lambda *_: pytest.fail("decoded"))
    with pytest.raises(BrokenPictureError, match="cut off"):
        image.decode(bytes(data) + bytes(300_000))


def test_the_least_that_pixels_take_is_below_what_they_take() -> None:
    for mode in ("L", "RGB", "CMYK"):
        for subsampling in (0, 1, 2):
            picture = Image.new(mode, (801, 603), (128,) * len(Image.new(mode, (1, 1)).getbands()))
            data = files.saved(
                picture, "JPEG", quality=1, progressive=True, subsampling=subsampling
            )
            assert image.decode(data).pixels.shape == (603, 801, 3)


@pytest.mark.parametrize("fill", [b"\xff", b"\xff\0"])
def test_filling_between_segments_is_passed_over(fill: bytes) -> None:
    data = files.saved(files.soft(), "JPEG")
    found = image.decode(data[:2] + fill * 2_000_000 + data[2:])
    np.testing.assert_array_equal(found.pixels, image.decode(data).pixels)


def test_many_comments_and_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    found = image.decode(with_segments(segment(0xFE, b"a") * 100_000))
    assert len(found.metadata.comments) == 1000
    assert found.describe_losses() == "Not kept: texts."
    monkeypatch.setattr(jpeg, "MAX_CHUNKS", 20)
    with pytest.raises(PictureTooLargeError, match="more than 20 segments"):
        image.decode(with_segments(segment(0xFE, b"a") * 21))


def test_twelve_bits_a_channel_are_named() -> None:
    data = bytearray(files.saved(files.soft(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(NotAPictureError, match="12 bits"):
        image.decode(bytes(data))


def test_scans_are_counted() -> None:
    assert image.decode(many_scans(limits.MAX_SCANS - 20, 16)).pixels.shape == (16, 16, 3)
    with pytest.raises(PictureTooLargeError, match="more than 200 scans"):
        image.decode(many_scans(limits.MAX_SCANS, 16))
