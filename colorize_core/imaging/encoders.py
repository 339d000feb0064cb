"""Samples -> bytes. Each encoder takes sRGB pixels (H, W, 3), alpha (H, W) or None and metadata.

A picture is encoded in strips on all cores, and only compressed data adds up, so the memory stays
flat: Pillow and OpenCV would first copy the whole picture to their own order of channels.

Sources: ITU-T T.81 (JPEG), W3C PNG third edition, RFC 1950 (zlib), TIFF 6.0.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from PIL import Image

from colorize_core.imaging import photoshop, png, tiff
from colorize_core.imaging.decoders import Pixels
from colorize_core.imaging.icc import STRIP, make_srgb_profile
from colorize_core.imaging.jpeg import PHOTOSHOP_MARK
from colorize_core.imaging.metadata import Metadata, list_descriptive_tags, list_text_tags
from colorize_core.imaging.records import join_record
from colorize_core.imaging.tiff import Entry, make_entry, make_fraction

LEVEL = 1  # of Deflate: more takes longer than it saves (benchmarks/results/encoding.csv)
JPEG_SEGMENT = 65_500  # bytes that one block of JPEG metadata can hold
Part = TypeVar("Part")


def convert_dtype(samples: Pixels, dtype: Any) -> Pixels:
    """The same shades in uint8 or uint16, rounded."""
    if samples.dtype == dtype:
        return samples
    if dtype == np.uint16:
        return samples.astype(np.uint16) * np.uint16(257)
    rounded: Pixels = cv2.convertScaleAbs(samples, alpha=1 / 257)
    return rounded


def _encode_strips(encode: Callable[[slice], Part], height: int, rows: int) -> list[Part]:
    strips = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    if len(strips) == 1:
        return [encode(strips[0])]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(encode, strips))


def _merge(pixels: Pixels, alpha: Pixels | None, strip: slice) -> Pixels:
    if alpha is None:
        return pixels[strip]
    return cast(Pixels, np.dstack([pixels[strip], alpha[strip]]))


# --- JPEG ---------------------------------------------------------------------------------------


def encode_jpeg(pixels: Pixels, alpha: Pixels | None, metadata: Metadata, quality: int) -> bytes:
    """Baseline JPEG. Chroma is halved (4:2:0) up to quality 95: predicted colour is smooth, and
    full chroma costs more bytes than it saves error. The strips are joined by restart markers,
    and decode to what the whole picture would."""
    full_chroma = quality > 95
    height, width = pixels.shape[:2]
    block = 8 if full_chroma else 16
    rows = max(1, STRIP // width // block) * block

    def encode(strip: slice) -> bytes:
        part = convert_dtype(pixels[strip], np.uint8)
        if alpha is not None:
            part = _blend_on_white(part, convert_dtype(alpha[strip], np.uint8))
        buffer = io.BytesIO()
        options = _make_jpeg_options(metadata) if strip.start == 0 else {}
        picture = Image.fromarray(part)
        picture.save(
            buffer, "JPEG", quality=quality, subsampling=0 if full_chroma else 2, **options
        )
        data = buffer.getvalue()
        return _insert_segments(data, metadata) if strip.start == 0 else data

    strips = _encode_strips(encode, height, rows)
    interval = -(-width // block) * (rows // block)
    return strips[0] if len(strips) == 1 else _join_jpeg(strips, height, interval)


def _join_jpeg(strips: list[bytes], height: int, interval: int) -> bytes:
    """`interval`: how many blocks a strip has, the last one excepted."""
    frame, scan, start = _find_jpeg_parts(strips[0])
    head = bytearray(strips[0][:start])
    struct.pack_into(">H", head, frame + 5, height)
    head[scan:scan] = b"\xff\xdd" + struct.pack(">HH", 4, interval)
    parts = [bytes(head), strips[0][start:-2]]
    for number, strip in enumerate(strips[1:]):
        parts += [bytes((0xFF, 0xD0 + number % 8)), strip[_find_jpeg_parts(strip)[2] : -2]]
    return b"".join([*parts, b"\xff\xd9"])


def _find_jpeg_parts(data: bytes) -> tuple[int, int, int]:
    """Where the frame's header, the scan's header and the compressed data begin."""
    place, frame = 2, 0
    while True:
        marker, size = data[place + 1], struct.unpack_from(">H", data, place + 2)[0]
        if marker == 0xC0:
            frame = place
        if marker == 0xDA:
            return frame, place, place + 2 + size
        place += 2 + size


def _make_jpeg_options(metadata: Metadata) -> dict[str, Any]:
    """Blocks that a JPEG cannot hold are left out."""
    options: dict[str, Any] = {"icc_profile": make_srgb_profile()}
    if metadata.exif and len(metadata.exif) < JPEG_SEGMENT:
        options["exif"] = b"Exif\0\0" + metadata.exif
    if xmp := join_record(metadata.xmp, metadata.record, JPEG_SEGMENT)[0]:
        options["xmp"] = xmp
    if metadata.dpi:
        options["dpi"] = tuple(max(1, round(v)) for v in metadata.dpi)
    return options


def _insert_segments(data: bytes, metadata: Metadata) -> bytes:
    """IPTC and comments, behind the segments that applications have there already."""
    segments = [(0xED, block) for block in list_jpeg_resources(metadata)]
    segments += [(0xFE, comment) for comment in list_jpeg_comments(metadata)]
    place = 2
    while 0xE0 <= data[place + 1] <= 0xEF:
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    framed = [
        struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body
        for marker, body in segments
        if len(body) < JPEG_SEGMENT
    ]
    return b"".join([data[:place], *framed, data[place:]])


def list_jpeg_resources(metadata: Metadata) -> list[bytes]:
    """IPTC as applications look for it."""
    return [PHOTOSHOP_MARK + photoshop.wrap_iptc(metadata.iptc)] if metadata.iptc else []


def list_jpeg_comments(metadata: Metadata) -> list[bytes]:
    """Comments as they are, and the texts of a PNG after their keywords."""
    texts = [text if key == "Comment" else f"{key}: {text}" for key, text in metadata.texts]
    return [*metadata.comments, *(text.encode() for text in texts)]


def _blend_on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    cover = alpha[..., None] / np.float32(255)
    return np.rint(255 + (pixels - np.float32(255)) * cover).astype(np.uint8)


# --- WebP ---------------------------------------------------------------------------------------


def encode_webp(pixels: Pixels, alpha: Pixels | None, metadata: Metadata, quality: int) -> bytes:
    """Lossy WebP, which has EXIF and XMP alone: where there is no EXIF, the resolution and texts
    make one."""
    options: dict[str, Any] = {"icc_profile": make_srgb_profile(), "quality": quality}
    if exif := metadata.exif or make_exif(metadata):
        options["exif"] = exif
    if xmp := join_record(metadata.xmp, metadata.record)[0]:
        options["xmp"] = xmp
    picture = Image.fromarray(convert_dtype(pixels, np.uint8))
    if alpha is not None:
        picture.putalpha(Image.fromarray(convert_dtype(alpha, np.uint8)))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def make_exif(metadata: Metadata) -> bytes | None:
    """Resolution and texts as an EXIF block; None where there are none."""
    tags = {**list_text_tags(metadata, "<"), **_list_density_tags(metadata.dpi)}
    return tiff.write_header("<") + tiff.write_directory("<", tags) if tags else None


# --- PNG ----------------------------------------------------------------------------------------


def encode_png(pixels: Pixels, alpha: Pixels | None, metadata: Metadata, _quality: int) -> bytes:
    """8- or 16-bit PNG, every row filtered by Average, which suits photographs."""
    height, width = pixels.shape[:2]
    rows = max(1, STRIP // width)

    def encode(strip: slice) -> tuple[bytes, int, int]:
        lines = _filter_rows(_merge(pixels, alpha, slice(max(0, strip.start - 1), strip.stop)))
        if strip.start:
            lines = lines[1:]  # it was only there to filter the next one
        packer = zlib.compressobj(LEVEL, wbits=-15)
        end = zlib.Z_FINISH if strip.stop == height else zlib.Z_SYNC_FLUSH
        plain = lines.tobytes()
        return packer.compress(plain) + packer.flush(end), zlib.adler32(plain), len(plain)

    parts = _encode_strips(encode, height, rows)
    shape = (width, height, 8 * pixels.itemsize, 2 if alpha is None else 6, 0, 0, 0)
    data = [b"\x78\x01", *(part for part, _, _ in parts), struct.pack(">I", _join_adler(parts))]
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", *shape)),
        *_make_png_metadata(metadata),
        *((b"IDAT", part) for part in data),
        (b"IEND", b""),
    ]
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", *(piece for chunk in chunks for piece in _frame_chunk(*chunk))]
    )


def _filter_rows(strip: Pixels) -> Pixels:
    """Rows of bytes less the average of what lies left and above, each after its filter's number.
    The row above the first one counts as zero."""
    height, width, channels = strip.shape
    step = channels * strip.itemsize
    block = np.ascontiguousarray(strip, strip.dtype.newbyteorder(">")).view(np.uint8)
    block = block.reshape(height, width * step)
    above, left = np.zeros_like(block), np.zeros_like(block)
    above[1:] = block[:-1]
    left[:, step:] = block[:, :-step]
    lines = np.full((height, 1 + width * step), 3, np.uint8)
    np.subtract(block, (left & above) + ((left ^ above) >> 1), out=lines[:, 1:])
    return lines


def _join_adler(parts: list[tuple[bytes, int, int]]) -> int:
    """The checksum of all the plain data, from those of its parts."""
    low, high = 1, 0
    for _, adler, length in parts:
        high = (high + (adler >> 16) + length * (low - 1)) % 65521
        low = (low + (adler & 0xFFFF) - 1) % 65521
    return high << 16 | low


def _frame_chunk(kind: bytes, body: bytes) -> Iterator[bytes]:
    yield struct.pack(">I4s", len(body), kind)
    yield body
    yield struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _make_png_metadata(metadata: Metadata) -> Iterator[tuple[bytes, bytes]]:
    yield b"sRGB", b"\1"  # relative colorimetric
    if metadata.dpi:
        per_metre = (round(v / 0.0254) for v in metadata.dpi)
        yield b"pHYs", struct.pack(">IIB", *per_metre, 1)
    if xmp := join_record(metadata.xmp, metadata.record)[0]:
        yield b"iTXt", _write_international(png.XMP_KEYWORD, xmp)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    if metadata.iptc:
        yield _write_text(*png.write_raw_profile("iptc", photoshop.wrap_iptc(metadata.iptc)))
    for key, text in metadata.texts:
        yield _write_text(key, text)
    for comment in metadata.comments:
        yield _write_text("Comment", _decode_comment(comment))


def _decode_comment(comment: bytes) -> str:
    """Nearly all comments are UTF-8, of which ASCII is a part; any bytes are Latin-1."""
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def _write_text(key: str, text: str) -> tuple[bytes, bytes]:
    """Latin-1 where that has all letters, else UTF-8. Neither may hold a zero byte."""
    text = text.replace("\0", "")
    try:
        return b"tEXt", key.encode("latin-1") + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", _write_international(key, text.encode())


def _write_international(key: str, text: bytes) -> bytes:
    """Not compressed, no language, no translation."""
    return key.encode("latin-1") + bytes(5) + text


# --- TIFF ---------------------------------------------------------------------------------------


def encode_tiff(pixels: Pixels, alpha: Pixels | None, metadata: Metadata, _quality: int) -> bytes:
    """8- or 16-bit TIFF, Deflate with horizontal differencing; Pillow cannot write 16-bit RGB."""
    height, width = pixels.shape[:2]
    rows = max(1, STRIP // width)

    def encode(strip: slice) -> bytes:
        part = _merge(pixels, alpha, strip)
        differences: Any = part.astype(part.dtype.newbyteorder("<"))
        differences[:, 1:] -= part[:, :-1]
        return zlib.compress(differences.tobytes(), LEVEL)

    strips = _encode_strips(encode, height, rows)
    sizes = [len(strip) for strip in strips]
    channels = 3 if alpha is None else 4
    profile = make_srgb_profile()

    def short(*values: int) -> Entry:
        return make_entry("<", tiff.SHORT, *values)

    def long(*values: int) -> Entry:
        return make_entry("<", tiff.LONG, *values)

    def make_tags(start: int) -> tiff.Tags:
        return {
            **list_text_tags(metadata, "<"),
            **list_descriptive_tags(metadata.exif, "<"),
            **_list_density_tags(metadata.dpi),
            **_list_blocks(metadata),
            tiff.WIDTH: long(width),
            tiff.HEIGHT: long(height),
            tiff.BITS: short(*[8 * pixels.itemsize] * channels),
            tiff.COMPRESSION: short(8),  # Deflate
            tiff.PHOTOMETRIC: short(2),  # RGB
            tiff.STRIP_OFFSETS: long(*accumulate(sizes[:-1], initial=start)),
            tiff.ORIENTATION: short(1),
            tiff.CHANNELS: short(channels),
            tiff.STRIP_ROWS: long(rows),
            tiff.STRIP_SIZES: long(*sizes),
            tiff.PREDICTOR: short(2),
            **({} if alpha is None else {tiff.EXTRA_SAMPLES: short(2)}),  # not multiplied by alpha
            tiff.PROFILE: Entry(tiff.UNDEFINED, len(profile), profile),
        }

    start = 8 + len(tiff.write_directory("<", make_tags(0)))
    directory = tiff.write_directory("<", make_tags(start))
    return b"".join([tiff.write_header("<"), directory, *strips])


def _list_density_tags(dpi: tuple[float, float] | None) -> dict[int, Entry]:
    if dpi is None:
        return {}
    return {
        tiff.X_RESOLUTION: make_fraction("<", dpi[0]),
        tiff.Y_RESOLUTION: make_fraction("<", dpi[1]),
        tiff.RESOLUTION_UNIT: make_entry("<", tiff.SHORT, 2),  # inch
    }


def _list_blocks(metadata: Metadata) -> dict[int, Entry]:
    xmp, _ = join_record(metadata.xmp, metadata.record)
    blocks = {tiff.XMP: xmp, tiff.IPTC: metadata.iptc}
    return {tag: Entry(tiff.BYTE, len(each), each) for tag, each in blocks.items() if each}
