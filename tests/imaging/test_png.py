from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import image, limits, photoshop, png
from tests import image_files as files

IPTC = b"\x1c\x02\x78\x00\x05Kr\xc3\xa1l"


def with_chunks(data: bytes, *chunks: tuple[bytes, bytes], late: bool = False) -> bytes:
    """A PNG with further chunks, before the palette and pixels or behind them."""
    found = files.chunks_of(data)
    place = len(found) - 1 if late else 1
    return files.png_of(*found[:place], *chunks, *found[place:])


def gray_png(samples: Any, depth: int) -> bytes:
    """(H, W) of 1, 2, 4, 8 or 16 bits."""
    height, width = samples.shape
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in samples]
    else:
        bits = np.unpackbits(samples.astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
        rows = [np.packbits(row).tobytes() for row in bits.reshape(height, -1)]
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return files.png_of((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))


# --- transparency -------------------------------------------------------------------------------


@pytest.mark.parametrize("late_bits", [0, 0xFF00])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_gray_becomes_alpha(depth: int, late_bits: int) -> None:
    most = (1 << depth) - 1
    samples = np.random.default_rng(0).integers(0, most + 1, (9, 13))
    key = int(samples[4, 4])
    said = key | late_bits if depth < 16 else key  # only as many bits count as a sample has
    found = image.decode(with_chunks(gray_png(samples, depth), (b"tRNS", struct.pack(">H", said))))
    full = 65535 if depth == 16 else 255
    np.testing.assert_array_equal(found.alpha, np.where(samples == key, 0, full))
    np.testing.assert_array_equal(found.pixels[..., 0], samples * (full // most))


def test_a_transparent_gray_is_found_before_colours_are_converted() -> None:
    samples = np.arange(256).reshape(16, 16)
    chunks = ((b"gAMA", struct.pack(">I", 100_000)), (b"tRNS", struct.pack(">H", 77)))
    found = image.decode(with_chunks(gray_png(samples, 8), *chunks))
    assert found.alpha is not None
    assert np.flatnonzero(found.alpha == 0).tolist() == [77]


@pytest.mark.parametrize("target", ["PNG", "TIFF", "WEBP"])
def test_transparency_reaches_the_result(target: str) -> None:
    samples = np.repeat([[0, 200]], 8, axis=0)
    found = image.decode(with_chunks(gray_png(samples, 8), (b"tRNS", struct.pack(">H", 0))))
    again = image.decode(image.encode(found, target))
    assert again.alpha is not None
    assert (again.alpha == [0, 255]).all()


# --- damage -------------------------------------------------------------------------------------


def damaged(data: bytes, name: bytes) -> bytes:
    """The same with another checksum of that chunk."""
    begin = data.index(name)
    end = begin + 4 + struct.unpack_from(">I", data, begin - 4)[0]
    return data[:end] + bytes((data[end] ^ 0x55,)) + data[end + 1 :]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "chunk",
    [
        (b"tEXt", b"Title\0A bridge"),
        (b"zTXt", b"Title\0\0" + zlib.compress(b"A bridge")),
        (b"iTXt", b"Title\0\0\0\0\0A bridge"),
        (b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
        (b"iCCP", b"x\0\0" + zlib.compress(files.gray_profile(files.gamma(1.0)))),
        (b"gAMA", struct.pack(">I", 100_000)),
        (b"eXIf", files.exif_block(6)),
        (b"tIME", bytes(7)),
        (b"teSt", b"whatever"),
        (b"acTL", struct.pack(">II", 3, 0)),
    ],
)
def test_a_damaged_chunk_that_pixels_do_not_need_is_dropped(
    chunk: tuple[bytes, bytes], late: bool
) -> None:
    pixels = files.colours()
    whole = with_chunks(files.saved(pixels, "PNG"), chunk, late=late)
    found = image.decode(damaged(whole, chunk[0]))
    np.testing.assert_array_equal(found.pixels, pixels)
    assert found.metadata == image.Metadata()
    assert found.pages == 1


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE", b"IDAT", b"IEND"])
def test_a_damaged_chunk_that_pixels_need_is_fatal(name: bytes) -> None:
    picture = files.Image.fromarray(files.soft()).convert("P")
    with pytest.raises(BrokenPictureError, match="checksum"):
        image.decode(damaged(files.saved(picture, "PNG"), name))


def test_too_many_chunks_and_pixels_that_cannot_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    header = struct.pack(">IIBBBBB", 15_000, 15_000, 8, 2, 0, 0, 0)
    bomb = files.png_of((b"IHDR", header), (b"IDAT", zlib.compress(bytes(999))), (b"IEND", b""))
    monkeypatch.setattr(image.decoders, "decode_samples", lambda *_: pytest.fail("decoded"))
    with pytest.raises(BrokenPictureError, match="cut off"):
        image.decode(bomb)
    monkeypatch.setattr(png, "MAX_CHUNKS", 5)
    with pytest.raises(PictureTooLargeError, match="more than 5 chunks"):
        image.decode(with_chunks(gray_png(np.zeros((1, 1)), 8), *[(b"teSt", b"")] * 3))


# --- colour -------------------------------------------------------------------------------------

RAMP = np.arange(256).reshape(1, 256)
LIGHTER = (b"gAMA", struct.pack(">I", 100_000))
SRGB_GAMMA = (b"gAMA", struct.pack(">I", 45_455))
ADOBE_POINTS = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
SRGB_POINTS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
P3_CODE, SRGB_CODE, LINEAR_CODE, HDR_CODE = (
    (b"cICP", bytes(code)) for code in ((12, 13, 0, 1), (1, 13, 0, 1), (1, 8, 0, 1), (9, 16, 0, 1))
)
STANDARD = (b"sRGB", b"\0")


def corners(*points: int) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *points)


def profile(icc: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"x\0\0" + zlib.compress(icc)


def linear_to_srgb(linear: Any) -> Any:
    """IEC 61966-2-1, 0..1 -> 0..1."""
    power = 1.055 * np.maximum(linear, 0.003) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, power)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("value", [100_000, 55_556, 30_000])
def test_gamma_counts(value: int, depth: int) -> None:
    most = (1 << depth) - 1
    samples = RAMP * (most // 255)
    found = image.decode(with_chunks(gray_png(samples, depth), (b"gAMA", struct.pack(">I", value))))
    expected = linear_to_srgb((samples / most) ** (100_000 / value)) * most
    assert np.abs(found.pixels[..., 1] - expected).max() <= (1 if depth == 8 else 30)


@pytest.mark.parametrize(
    "chunks",
    [
        [SRGB_GAMMA],
        [(b"gAMA", struct.pack(">I", 45_000))],
        [SRGB_GAMMA, corners(*SRGB_POINTS)],
        [STANDARD],
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_what_says_srgb_changes_nothing(chunks: list[tuple[bytes, bytes]], deep: bool) -> None:
    pixels = files.deep() if deep else files.colours()
    data = files.deep_png(pixels) if deep else files.saved(pixels, "PNG")
    np.testing.assert_array_equal(image.decode(with_chunks(data, *chunks)).pixels, pixels)


def test_primaries_count() -> None:
    """cHRM and gAMA of Adobe RGB (1998) mean what its profile means."""
    data = files.saved(files.colours(), "PNG")
    numbers = (b"gAMA", struct.pack(">I", 45_471)), corners(*ADOBE_POINTS)
    adobe = files.rgb_profile(files.ADOBE_RGB, files.gamma(563 / 256))
    found, expected = (
        image.decode(with_chunks(data, *chunks)).pixels.astype(int)
        for chunks in (numbers, [profile(adobe)])
    )
    assert np.abs(found - expected).max() <= 2
    assert np.abs(found - files.colours()).max() > 20


def test_primaries_alone_come_with_the_curve_of_srgb() -> None:
    grays = np.repeat(RAMP[..., None], 3, axis=2).astype(np.uint8)
    data = with_chunks(files.saved(grays, "PNG"), corners(*ADOBE_POINTS))
    assert np.abs(image.decode(data).pixels.astype(int) - grays).max() <= 1


@pytest.mark.parametrize(
    ("chunks", "winner"),
    [
        ([LIGHTER, STANDARD], []),
        ([LIGHTER, profile(files.gray_profile(files.gamma(2.2)))], None),
        ([STANDARD, profile(files.gray_profile(files.gamma(1.0)))], [LIGHTER]),
        ([profile(files.gray_profile(files.gamma(1.8))), LINEAR_CODE], [LIGHTER]),
        ([LIGHTER, SRGB_CODE], []),
        ([LIGHTER, HDR_CODE], [LIGHTER]),
        ([LIGHTER, (b"iCCP", b"x\0\0" + zlib.compress(bytes(200)))], [LIGHTER]),
        ([LIGHTER, (b"iCCP", b"x\0\0junk")], [LIGHTER]),
        ([(b"gAMA", bytes(4))], []),
        ([(b"gAMA", b"\0")], []),
    ],
)
def test_the_order_of_precedence(
    chunks: list[tuple[bytes, bytes]], winner: list[tuple[bytes, bytes]] | None
) -> None:
    """cICP, iCCP, sRGB, gAMA: the first that can be used counts, whatever the order in the file."""
    data = gray_png(RAMP, 8)
    if winner is None:
        winner = [chunks[-1]]
    expected = image.decode(with_chunks(data, *winner)).pixels.astype(int)
    for ordered in (chunks, chunks[::-1]):
        found = image.decode(with_chunks(data, *ordered)).pixels
        assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("deep", [False, True])
def test_coded_colours_are_those_of_the_profile(deep: bool) -> None:
    samples = files.deep() if deep else files.colours()
    data = files.deep_png(samples) if deep else files.saved(samples, "PNG")
    p3 = files.rgb_profile(files.DISPLAY_P3, files.srgb_curve())
    found, expected = (
        image.decode(with_chunks(data, chunk)).pixels.astype(int)
        for chunk in (P3_CODE, profile(p3))
    )
    scale = 257 if deep else 1
    assert np.percentile(np.abs(found - expected), 99) <= scale
    assert np.abs(found - samples).max() > 20 * scale


@pytest.mark.parametrize("points", [(0,) * 8, (31270, 32900) * 4, (31270, 0) + (20000, 90000) * 3])
def test_primaries_that_make_no_sense_are_ignored(points: tuple[int, ...]) -> None:
    pixels = files.colours()
    data = with_chunks(files.saved(pixels, "PNG"), corners(*points), SRGB_GAMMA)
    np.testing.assert_array_equal(image.decode(data).pixels, pixels)


# --- texts --------------------------------------------------------------------------------------


def test_texts_are_read_and_written() -> None:
    chunks = [
        (b"tEXt", b"Title\0Br\xfccke"),
        (b"zTXt", b"Author\0\0" + zlib.compress("Ångström".encode("latin-1"))),
        (b"iTXt", b"Description\0\0\0cs\0Popis\0" + "Łódź".encode()),
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress("Żółw".encode())),
        (
            b"tEXt",
            png.write_raw_profile("iptc", photoshop.wrap_iptc(IPTC))[0].encode()
            + b"\0"
            + png.write_raw_profile("iptc", photoshop.wrap_iptc(IPTC))[1].encode(),
        ),
    ]
    found = image.decode(with_chunks(files.saved(files.colours(), "PNG"), *chunks))
    again = image.decode(image.encode(found, "PNG"))
    for photo in (found, again):
        assert photo.metadata.texts == (
            ("Title", "Brücke"),
            ("Author", "Ångström"),
            ("Description", "Łódź"),
            ("Comment", "Żółw"),
        )
        assert photo.metadata.iptc == IPTC
    with files.Image.open(files.io.BytesIO(image.encode(found, "PNG"))) as opened:
        assert opened.info["Description"] == "Łódź"


@pytest.mark.parametrize("name", ["exif", "APP1"])
def test_exif_in_a_text_is_read(name: str) -> None:
    keyword, text = png.write_raw_profile(name, b"Exif\0\0" + files.exif_block(6))
    chunk = (b"zTXt", keyword.encode() + b"\0\0" + zlib.compress(text.encode()))
    found = image.decode(with_chunks(files.saved(files.colours(24, 37), "PNG"), chunk))
    assert found.pixels.shape == (37, 24, 3)
    assert b"Market square" in (found.metadata.exif or b"")


@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n9\n" + b"0" * 50_000_000)),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000))),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<" * 50_000_000)),
        (b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000))),
    ],
    ids=["exif", "text", "xmp", "profile"],
)
def test_what_inflates_to_much_is_left_out(
    chunk: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    most: list[int] = []
    monkeypatch.setattr(png, "inflate", lambda *a: most.append(1) or real(*a))
    found = image.decode(with_chunks(files.saved(files.colours(), "PNG"), chunk))
    assert most
    assert found.metadata == image.Metadata()


real = png.inflate


@pytest.mark.parametrize("unit", [0, 1])
def test_the_resolution_is_read_where_it_has_a_unit(unit: int) -> None:
    chunk = (b"pHYs", struct.pack(">IIB", 11811, 5906, unit))
    found = image.decode(with_chunks(files.saved(files.colours(), "PNG"), chunk))
    assert found.metadata.dpi == ((300.0, 150.01) if unit else None)


def test_frames_are_counted() -> None:
    frames = [files.Image.fromarray(files.colours(seed=seed)) for seed in range(4)]
    data = files.saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert image.decode(data).pages == 4


def test_gamma_counts_in_colour() -> None:
    pixels = files.colours()
    found = image.decode(with_chunks(files.saved(pixels, "PNG"), LIGHTER)).pixels
    assert np.abs(found - linear_to_srgb(pixels / 255) * 255).max() <= 1.5


def test_texts_that_are_too_long_are_not_inflated_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inflated = 0

    def inflate(packed: bytes, most: int = limits.MAX_BLOCK) -> bytes | None:
        nonlocal inflated
        inflated += most
        return limits.inflate(packed, most)

    monkeypatch.setattr(png, "inflate", inflate)
    bomb = (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2 * limits.MAX_BLOCK), 9))
    good = (b"zTXt", b"Title\0\0" + zlib.compress(b"Bridge"))
    damaged = (b"zTXt", b"Title\0\0" + b"Bridge")
    whole = files.saved(files.colours(), "PNG")
    photo = image.decode(with_chunks(whole, damaged, good, *[bomb] * 9))
    assert photo.metadata.texts == (("Title", "Bridge"),)
    assert inflated < 4 * limits.MAX_BLOCK
