"""PNG files taken apart.

Sources: W3C PNG third edition; ImageMagick's "Raw profile type" texts, which other programs read
too, https://exiftool.org/TagNames/PNG.html.
"""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from colorize_core.errors import BrokenPictureError
from colorize_core.imaging import photoshop
from colorize_core.imaging.limits import (
    DEFLATE_RATIO,
    MAX_BLOCK,
    MAX_CHUNKS,
    MAX_TEXTS,
    check_count,
    inflate,
)
from colorize_core.imaging.parts import Parts
from colorize_core.imaging.profiles import (
    CURVES,
    PRIMARIES,
    SRGB,
    SRGB_CURVE,
    Chromaticities,
    Curve,
    make_gray_profile,
    make_rgb_profile,
)

GRAY, COLOUR, PALETTE, GRAY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, COLOUR: 3, PALETTE: 1, GRAY_ALPHA: 2, COLOUR_ALPHA: 4}
NEAR = 0.05  # how far from 2.2 a gamma means sRGB: gAMA can say no more of it (libpng has 5 %, too)
XMP_KEYWORD, RAW_PROFILE = "XML:com.adobe.xmp", "Raw profile type "


@dataclass
class PngParts(Parts):
    """A PNG. `kind` is its colour type, `key` the samples that are transparent, one for gray and
    three for colour; for a palette the bare file tells it."""

    depth: int = 8  # bits a sample
    kind: int = COLOUR
    key: tuple[int, ...] | None = None


def take_apart(data: bytes) -> PngParts:
    """Raises BrokenPictureError where a chunk that the pixels need is damaged, struct.error where
    the file is cut off, PictureTooLargeError for more than MAX_CHUNKS chunks. Another chunk that is
    damaged is left out."""
    view = memoryview(data)
    found = dict[bytes, memoryview]()
    framed = dict[bytes, memoryview]()  # with length, name and checksum
    pixels, texts = list[memoryview](), list[tuple[bytes, bytes]]()
    for name, begin, end in _read_chunks(data):
        if name == b"IDAT":
            pixels.append(view[begin - 8 : end + 4])
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            texts.append((name, data[begin:end]))
        elif name not in found:
            found[name], framed[name] = view[begin:end], view[begin - 8 : end + 4]
    width, height, depth, kind = struct.unpack_from(">IIBB", found.get(b"IHDR", b""))
    if kind not in CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise BrokenPictureError("its header is damaged")
    names = [b"IHDR", b"PLTE", *([b"tRNS"] if kind == PALETTE else [])]
    head = [framed[name] for name in names if name in framed]
    bare = b"".join([view[:8], *head, *pixels, framed[b"IEND"]])
    parts = PngParts(bare, (width, height), depth=depth, kind=kind)
    least = height * (1 + width * depth * CHANNELS[kind] // 8)
    parts.complete = least <= sum(map(len, pixels)) * DEFLATE_RATIO
    parts.key = _read_key(found.get(b"tRNS"), kind, depth)
    parts.icc = _find_profile(found, gray=kind in (GRAY, GRAY_ALPHA))
    parts.exif = bytes(found[b"eXIf"]) if b"eXIf" in found else None
    parts.pages = _count_frames(found)
    parts.dpi = _read_density(found.get(b"pHYs"))
    _read_texts(texts, parts)
    return parts


def _read_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end of the body) of the chunks whose checksums fit. BrokenPictureError where
    the pixels need one whose checksum does not."""
    view, place, name, count = memoryview(data), 8, b"", 0
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, place)
        begin, end = place + 8, place + 8 + length
        (checksum,) = struct.unpack_from(">I", data, end)
        place = end + 4
        count += 1
        check_count(count, MAX_CHUNKS, "chunks")
        if zlib.crc32(view[begin - 4 : end]) == checksum:
            yield name, begin, end
        elif not name[0] & 0x20:  # a capital letter: critical
            raise BrokenPictureError("its checksum does not fit its data")


def _read_key(clear: memoryview | None, kind: int, depth: int) -> tuple[int, ...] | None:
    """The samples of the one colour that is transparent, in the file's own depth."""
    count = {GRAY: 1, COLOUR: 3}.get(kind)
    if clear is None or count is None or len(clear) < 2 * count:
        return None
    return tuple(v & ((1 << depth) - 1) for v in struct.unpack_from(f">{count}H", clear))


def _count_frames(found: dict[bytes, memoryview]) -> int:
    control = found.get(b"acTL", b"")
    return max(1, struct.unpack_from(">I", control)[0]) if len(control) >= 4 else 1


def _read_density(body: memoryview | None) -> tuple[float, float] | None:
    """Dots an inch; None where the file gives the shape of the dots alone."""
    if body is None or len(body) < 9:
        return None
    x, y, unit = struct.unpack_from(">IIB", body)
    return (x * 0.0254, y * 0.0254) if unit == 1 and x and y else None


# --- colour -------------------------------------------------------------------------------------


def _find_profile(found: dict[bytes, memoryview], gray: bool) -> bytes | None:
    """What the samples mean, as a profile; None for sRGB. The first of cICP, iCCP, sRGB, and gAMA
    with cHRM counts that can be used (section 4.3 of the specification)."""
    coded = bytes(found.get(b"cICP", b""))
    if len(coded) == 4 and coded[0] in PRIMARIES and coded[1] in CURVES and coded[2:] == b"\0\1":
        return _make_profile(PRIMARIES[coded[0]], CURVES[coded[1]], gray)
    _, _, packed = bytes(found.get(b"iCCP", b"")).partition(b"\0")
    profile = inflate(packed[1:])
    if profile and profile[36:40] == b"acsp":
        return profile
    if b"sRGB" in found:
        return None
    points, gamma = _read_chromaticities(found.get(b"cHRM")), _read_gamma(found.get(b"gAMA"))
    if points is None and gamma is None:
        return None
    points, curve = points or SRGB, SRGB_CURVE
    if gamma and not ((gray or _is_srgb(points)) and abs(gamma / 2.2 - 1) < NEAR):
        curve = gamma
    return _make_profile(points, curve, gray)


def _is_srgb(points: Chromaticities) -> bool:
    return all(abs(v - known) < 0.002 for v, known in zip(points, SRGB, strict=True))


def _make_profile(points: Chromaticities, curve: Curve, gray: bool) -> bytes | None:
    """None for what is sRGB."""
    if curve == SRGB_CURVE and (gray or _is_srgb(points)):
        return None
    return make_gray_profile(curve) if gray else make_rgb_profile(points, curve)


def _read_gamma(body: memoryview | None) -> float | None:
    """The exponent that makes the samples linear; None where it is missing or senseless."""
    value = struct.unpack_from(">I", body)[0] if body is not None and len(body) >= 4 else 0
    return 100_000 / value if 10_000 <= value <= 1_000_000 else None


def _read_chromaticities(body: memoryview | None) -> Chromaticities | None:
    if body is None or len(body) < 32:
        return None
    wx, wy, rx, ry, gx, gy, bx, by = (v / 100_000 for v in struct.unpack_from(">8I", body))
    return (wx, wy, rx, ry, gx, gy, bx, by)


# --- texts --------------------------------------------------------------------------------------


def _read_texts(chunks: list[tuple[bytes, bytes]], parts: PngParts) -> None:
    """Puts the texts in their places; beyond MAX_TEXTS, or MAX_BLOCK bytes of all of them, they are
    left out."""
    left = MAX_BLOCK
    if len(chunks) > MAX_TEXTS:
        parts.left_out.append("texts")
    for name, body in chunks[:MAX_TEXTS]:
        keyword, text = _read_text(name, body, left)
        if text is None:  # it may have been inflated as far as it goes
            left -= min(left, DEFLATE_RATIO * len(body))
            continue
        left -= len(text)
        title = keyword.decode("latin-1")
        if title == XMP_KEYWORD:
            parts.xmp = parts.xmp or text
        elif title.startswith(RAW_PROFILE):
            _place_raw_profile(title.removeprefix(RAW_PROFILE).lower(), text, parts)
        elif title.strip():
            words = text.decode("utf-8" if name == b"iTXt" else "latin-1", "replace")
            parts.texts.append((title, words))


def _read_text(name: bytes, body: bytes, most: int) -> tuple[bytes, bytes | None]:
    """Keyword and text, which is None where it is damaged or has more than `most` bytes."""
    keyword, _, rest = body.partition(b"\0")
    packed = name == b"zTXt" or (name == b"iTXt" and rest[:1] == b"\1")
    if name == b"iTXt":
        _language, _, rest = rest[2:].partition(b"\0")
        _translated, _, rest = rest.partition(b"\0")
    elif packed:
        rest = rest[1:]  # the method of compression
    text = inflate(rest, most) if packed else rest
    return keyword, text if text and len(text) <= most else None


def _place_raw_profile(kind: str, text: bytes, parts: PngParts) -> None:
    """A block in hexadecimal digits after its name and length, as ImageMagick writes it."""
    try:
        _, _, _, digits = text.split(b"\n", 3)
        block = binascii.unhexlify(b"".join(digits.split()))
    except ValueError:
        return
    exif = block.removeprefix(b"Exif\0\0")
    if kind in ("exif", "app1") and exif[:2] in (b"II", b"MM"):
        parts.exif = parts.exif or exif
    elif kind in ("xmp", "app1") and b"<" in block:
        parts.xmp = parts.xmp or block[block.index(b"<") :]
    elif kind in ("iptc", "8bim"):
        plain = block if block.startswith(photoshop.IPTC_MARK) else None
        parts.iptc = parts.iptc or plain or photoshop.find_iptc(block)


def write_raw_profile(kind: str, block: bytes) -> tuple[str, str]:
    """The keyword and text of such a block."""
    digits = block.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return f"{RAW_PROFILE}{kind}", f"\n{kind}\n{len(block):8}\n{lines}\n"
