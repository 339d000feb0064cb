"""The samples of a TIFF's page.

Pillow's libtiff unpacks what is compressed in other ways than by Deflate. It is told that a row is
so many bytes of gray: what the samples mean (16 bits, byte order, differences, planes, alpha) is
worked out here, for every compression alike. Only what is not made of whole bytes, of colours by
number or of JPEG is left to Pillow's own modes.

Sources: TIFF 6.0; Adobe's TIFF technical note 3 (differences).
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

from colorize_core.errors import BrokenPictureError, NotAPictureError
from colorize_core.imaging import jpeg2000, tiff, webp
from colorize_core.imaging.icc import STRIP
from colorize_core.imaging.limits import (
    DEFLATE_RATIO,
    MAX_PIXELS,
    MAX_STRIPS,
    MAX_TILE,
    check_area,
    check_count,
)
from colorize_core.imaging.tiff import Directory, Entry

UNUSUAL = (
    "a TIFF of an unusual layout. Save it as gray or RGB with 8 or 16 bits a channel, unsigned, or "
    "as PNG"
)
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, INK, YCBCR = 0, 1, 2, 5, 6  # photometric interpretations
# Compressions of bytes, whatever they mean.
PLAIN, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS, LZMA, ZSTD = 1, 5, 8, 32946, 32773, 34925, 50000
LOSSLESS = frozenset({PLAIN, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS, LZMA, ZSTD})
# Those whose strips or tiles are pictures themselves.
WEBP, JPEG2000 = 50001, frozenset({33003, 33005, 34712})
# What says how pixels lie, beside what is worked out here: fax options, colours by number, inks,
# JPEG's tables, chroma.
LAYOUT = frozenset({292, 293, 320, 332, 347, *range(512, 522), 529, 530, 531, 532})
# Bytes that one byte can become at most: a code of LZW has at least 9 bits and stands for at most
# 4,096 bytes (TIFF 6.0, section 13), a pair of PackBits for 128. The others have no such limit.
RATIOS = {PLAIN: 1, LZW: 4096, PACK_BITS: 64} | dict.fromkeys((DEFLATE, OLD_DEFLATE), DEFLATE_RATIO)
DISAGREE = "its header and its contents disagree, or it is cut off"


class PageFile(TiffImagePlugin.TiffImageFile):
    """A TIFF as Pillow opens it, without Pillow's own limit on pixels: ours was checked before, and
    a row of a deep picture is many pixels here."""

    def load_prepare(self) -> None:
        ImageFile.ImageFile.load_prepare(self)


@dataclass(frozen=True)
class Blocks:
    """Strips or tiles of a page, of one plane after the other."""

    width: int  # pixels; a strip has the whole width
    height: int
    tiled: bool
    places: tuple[int, ...]
    sizes: tuple[int, ...]  # bytes


def is_plain(page: Directory) -> bool:
    """Whether read_samples() reads it; else open_page() may. Raises NotAPictureError for other
    pictures with more than 8 bits, which Pillow would cut."""
    bits, kind = set(page.numbers(tiff.BITS, (1,))), page.number(tiff.PHOTOMETRIC)
    channels = page.number(tiff.CHANNELS, 1)
    least = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, INK: 4, YCBCR: 3}.get(kind)
    plain = (
        bits in ({8}, {16})
        and set(page.numbers(tiff.SAMPLE_FORMAT, (1,))) <= {1, 4}  # unsigned, or not said
        and least is not None
        and least <= channels <= 8
        and (page.number(tiff.COMPRESSION, 1) in LOSSLESS or _has_pictures(page))
        and page.number(tiff.PREDICTOR, 1) in (1, 2)
        and (kind != INK or (bits == {16} and page.number(tiff.INK_SET, 1) == 1))
        and (kind != YCBCR or bits == {8})
        and (kind != YCBCR or page.numbers(tiff.SUBSAMPLING) == (1, 1))
    )
    if not plain and max(bits) > 8:
        raise NotAPictureError(f"it is {UNUSUAL}")
    return plain


def _has_pictures(page: Directory) -> bool:
    """Whether its strips or tiles are pictures, of one plane."""
    compression = page.number(tiff.COMPRESSION, 1)
    return (
        (compression == WEBP or compression in JPEG2000)
        and page.number(tiff.PLANES, 1) == 1
        and page.number(tiff.PHOTOMETRIC) in (BLACK_IS_ZERO, RGB)
    )


def find_blocks(data: bytes, page: Directory) -> Blocks:
    """Where the strips or tiles are. Raises BrokenPictureError where some are missing, or claim
    more bytes than there are, PictureTooLargeError where they are too many or too large."""
    width, height = page.number(tiff.WIDTH), page.number(tiff.HEIGHT)
    check_area(width, height)
    tiled = tiff.TILE_OFFSETS in page.entries
    names = (
        (tiff.TILE_OFFSETS, tiff.TILE_SIZES) if tiled else (tiff.STRIP_OFFSETS, tiff.STRIP_SIZES)
    )
    for name in names:
        if name in page.entries:
            check_count(page.entries[name].count, MAX_STRIPS, "strips")
    places, sizes = (page.numbers(name) for name in names)
    if tiled:
        across, down = page.number(tiff.TILE_WIDTH), page.number(tiff.TILE_HEIGHT)
    else:
        across, down = width, min(height, page.number(tiff.STRIP_ROWS, height))
    if across < 1 or down < 1:
        raise BrokenPictureError("its strips or tiles have no size")
    planes = page.number(tiff.CHANNELS, 1) if page.number(tiff.PLANES, 1) == 2 else 1
    bits = _count_bits(page) // planes  # of a pixel, in a plane
    count = -(-width // across) * -(-height // down) * planes
    least = planes * height * -(-width * bits // 8)
    check_count(least, MAX_PIXELS * 8, "bytes of samples")
    check_count(count * across * down * bits // 8 - least, MAX_TILE, "bytes beyond the picture")
    if page.number(tiff.COMPRESSION, 1) == PLAIN and page.number(tiff.PHOTOMETRIC) != YCBCR:
        sizes = _list_sizes(page, across, down, tiled, count, bits)  # some programs write others
    if not sizes and len(places) == 1:
        sizes = (len(data) - min(places[0], len(data)),)
    if len(places) < count or len(sizes) < count:
        raise BrokenPictureError(DISAGREE)
    packed = sum(sizes[:count])
    if packed > len(data):
        raise BrokenPictureError("its strips claim more bytes than it has")
    ratio = RATIOS.get(page.number(tiff.COMPRESSION, 1))
    if ratio and page.number(tiff.PHOTOMETRIC) != YCBCR and (packed + count) * ratio < least:
        raise BrokenPictureError(DISAGREE)
    return Blocks(across, down, tiled, places[:count], sizes[:count])


def _count_bits(page: Directory) -> int:
    """Bits of a pixel, all channels together."""
    channels, bits = page.number(tiff.CHANNELS, 1), page.numbers(tiff.BITS, (1,))
    return sum(bits[:channels]) if len(bits) >= channels else bits[0] * channels


def _list_sizes(
    page: Directory, across: int, down: int, tiled: bool, count: int, bits: int
) -> tuple[int, ...]:
    """The bytes of strips or tiles that are not compressed."""
    row, height = -(-across * bits // 8), page.number(tiff.HEIGHT)
    each = -(-height // down)  # strips in a plane
    last = height - (each - 1) * down
    return tuple(row * (down if tiled or (i + 1) % each else last) for i in range(count))


def open_page(data: bytes, page: Directory) -> PageFile:
    """The page as a file of its own, opened by Pillow: nothing beside its pixels is in it. Raises
    NotAPictureError where Pillow knows no such pixels."""
    blocks = find_blocks(data, page)
    tags = {tag: each for tag, each in page.entries.items() if tag in LAYOUT and each.kind < 16}
    for tag in (tiff.BITS, tiff.EXTRA_SAMPLES, tiff.SAMPLE_FORMAT):
        if tag in page.entries:
            tags[tag] = page.entries[tag]
    kept = (tiff.COMPRESSION, tiff.PHOTOMETRIC, tiff.FILL_ORDER, tiff.CHANNELS, tiff.PLANES)
    for tag in (*kept, tiff.PREDICTOR):
        if tag in page.entries:
            tags[tag] = tiff.make_entry(page.order, tiff.SHORT, page.number(tag) & 0xFFFF)
    size = page.number(tiff.WIDTH), page.number(tiff.HEIGHT)
    return _open(data, page.order, tags, size, blocks)


def _open(
    data: bytes, order: str, tags: dict[int, Entry], size: tuple[int, int], blocks: Blocks
) -> PageFile:
    if any(at + size > len(data) for at, size in zip(blocks.places, blocks.sizes, strict=True)):
        raise BrokenPictureError(DISAGREE)

    def entry(*values: int) -> Entry:
        return tiff.make_entry(order, tiff.LONG, *values)

    tags |= {tiff.WIDTH: entry(size[0]), tiff.HEIGHT: entry(size[1])}
    if blocks.tiled:
        tags |= {tiff.TILE_WIDTH: entry(blocks.width), tiff.TILE_HEIGHT: entry(blocks.height)}
        tags |= {tiff.TILE_OFFSETS: entry(*blocks.places), tiff.TILE_SIZES: entry(*blocks.sizes)}
    else:
        tags |= {tiff.STRIP_ROWS: entry(blocks.height)}
        tags |= {tiff.STRIP_OFFSETS: entry(*blocks.places), tiff.STRIP_SIZES: entry(*blocks.sizes)}
    place = len(data) + len(data) % 2
    file = b"".join(
        [
            tiff.write_header(order, place),
            memoryview(data)[8:],
            bytes(place - len(data)),
            tiff.write_directory(order, tags, place),
        ]
    )
    try:
        return PageFile(io.BytesIO(file), "")
    except (SyntaxError, KeyError) as error:
        raise NotAPictureError(f"it is damaged or {UNUSUAL}") from error


def read_samples(data: bytes, page: Directory) -> NDArray[Any]:
    """All samples of a plain page, (H, W, channels) uint8 or uint16, as they are stored: upside
    down, inverted, multiplied by alpha. Raises what find_blocks() raises, and OSError for damaged
    data."""
    width, height = page.number(tiff.WIDTH), page.number(tiff.HEIGHT)
    channels = page.number(tiff.CHANNELS, 1)
    stored = np.dtype(page.order + f"u{page.numbers(tiff.BITS)[0] // 8}")
    blocks = find_blocks(data, page)
    if _has_pictures(page):
        samples = np.empty((height, width, channels), stored.newbyteorder("="))
        _decode_pictures(data, page, blocks, samples)
        return samples
    planes = channels if page.number(tiff.PLANES, 1) == 2 else 1
    together = channels // planes
    found = []
    for plane in range(planes):
        count = len(blocks.places) // planes
        part = slice(plane * count, (plane + 1) * count)
        own = Blocks(
            blocks.width, blocks.height, blocks.tiled, blocks.places[part], blocks.sizes[part]
        )
        rows = _unpack_rows(data, page, own, together * stored.itemsize)
        samples = rows.view(stored).reshape(height, width, together)
        if stored.itemsize > 1 and not stored.isnative:
            samples = samples.byteswap(inplace=True).view(stored.newbyteorder("="))
        if page.number(tiff.PREDICTOR, 1) == 2 and page.number(tiff.COMPRESSION, 1) != PLAIN:
            _add_differences(samples, own)
        found.append(samples)
    return found[0] if planes == 1 else np.concatenate(found, axis=2)


def _unpack_rows(data: bytes, page: Directory, blocks: Blocks, step: int) -> NDArray[np.uint8]:
    """The bytes of a plane, (H, W * step); `step` is bytes a pixel."""
    width, height = page.number(tiff.WIDTH), page.number(tiff.HEIGHT)
    rows = np.empty((height, width * step), np.uint8)
    reversed_bits = page.number(tiff.FILL_ORDER, 1) == 2
    compression = page.number(tiff.COMPRESSION, 1)
    if compression in UNPACKERS and not reversed_bits:
        _fill_rows(data, rows, blocks, step, UNPACKERS[compression])
        return rows
    tags = {
        tag: tiff.make_entry(page.order, tiff.SHORT, value)
        for tag, value in (
            (tiff.BITS, 8),
            (tiff.COMPRESSION, compression),
            (tiff.PHOTOMETRIC, BLACK_IS_ZERO),
            (tiff.FILL_ORDER, 2 if reversed_bits else 1),
        )
    }
    wide = Blocks(blocks.width * step, blocks.height, blocks.tiled, blocks.places, blocks.sizes)
    with _open(data, page.order, tags, (width * step, height), wide) as opened:
        opened.load()
        lines = max(1, STRIP // width)
        for top in range(0, height, lines):
            bottom = min(top + lines, height)
            rows[top:bottom] = np.asarray(opened.crop((0, top, width * step, bottom)))
    return rows


def _decode_pictures(data: bytes, page: Directory, blocks: Blocks, samples: NDArray[Any]) -> None:
    """Fills in the samples, (H, W, channels)."""
    height, width, channels = samples.shape
    webps = page.number(tiff.COMPRESSION) == WEBP
    across = -(-width // blocks.width)
    for number, (place, size) in enumerate(zip(blocks.places, blocks.sizes, strict=True)):
        top, left = number // across * blocks.height, number % across * blocks.width
        packed = data[place : place + size]
        lines = blocks.height if blocks.tiled else min(blocks.height, height - top)
        parts = webp.take_apart(packed) if webps else jpeg2000.take_apart(packed)
        found: Any = None
        if parts.size == (blocks.width, lines):  # which costs no more than the page
            found = cv2.imdecode(np.frombuffer(parts.bare, np.uint8), cv2.IMREAD_UNCHANGED)
        if found is None or found.dtype != samples.dtype:
            raise BrokenPictureError(DISAGREE)
        found = found.reshape(*found.shape[:2], -1)
        if found.shape[2] >= 3:  # OpenCV has blue first
            found[..., :3] = found[..., 2::-1].copy()
        if found.shape[2] == 3 and channels == 4:  # WebP leaves out an alpha that is full
            full = np.full((*found.shape[:2], 1), np.iinfo(found.dtype).max, found.dtype)
            found = np.concatenate([found, full], axis=2)
        if found.shape[2] != channels:
            raise BrokenPictureError(DISAGREE)
        part = samples[top : top + lines, left : left + blocks.width]
        part[:] = found[: part.shape[0], : part.shape[1]]


Unpack = Callable[[bytes, int, int, int], NDArray[np.uint8]]


def _take(data: bytes, place: int, _packed: int, size: int) -> NDArray[np.uint8]:
    """`size` bytes from `place` on. Raises BrokenPictureError where they are not there."""
    if place + size > len(data):
        raise BrokenPictureError(DISAGREE)
    return np.frombuffer(data, np.uint8, size, place)


def _inflate(data: bytes, place: int, packed: int, size: int) -> NDArray[np.uint8]:
    """What `packed` bytes become, of which `size` are wanted. Raises BrokenPictureError where they
    are fewer, zlib.error where they are damaged."""
    plain = zlib.decompressobj().decompress(memoryview(data)[place : place + packed], size)
    if len(plain) < size:
        raise BrokenPictureError(DISAGREE)
    return np.frombuffer(plain, np.uint8)


UNPACKERS: dict[int, Unpack] = {PLAIN: _take, DEFLATE: _inflate, OLD_DEFLATE: _inflate}


def _fill_rows(
    data: bytes, rows: NDArray[np.uint8], blocks: Blocks, step: int, unpack: Unpack
) -> None:
    """Puts strips or tiles into their places, on all cores."""
    across = -(-rows.shape[1] // (blocks.width * step))

    def fill(numbers: range) -> None:
        for number in numbers:
            top, left = number // across * blocks.height, number % across * blocks.width * step
            lines = blocks.height if blocks.tiled else min(blocks.height, len(rows) - top)
            size = lines * blocks.width * step
            block = unpack(data, blocks.places[number], blocks.sizes[number], size)
            part = rows[top : top + lines, left : left + blocks.width * step]
            part[:] = block.reshape(lines, -1)[: part.shape[0], : part.shape[1]]

    count, workers = len(blocks.places), min(8, os.cpu_count() or 1)
    share = -(-count // (4 * workers))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fill, [range(i, min(i + share, count)) for i in range(0, count, share)]))


def _add_differences(samples: NDArray[Any], blocks: Blocks) -> None:
    """Each sample was stored less its left neighbour, in each strip or tile anew. In place, and in
    parts: one plane at a time is several times as fast."""
    height, width, _ = samples.shape
    lines = max(1, STRIP // 8 // blocks.width)
    for left in range(0, width, blocks.width):
        for top in range(0, height, lines):
            part = samples[top : top + lines, left : left + blocks.width]
            planes = cv2.split(np.ascontiguousarray(part))
            sums = [np.add.accumulate(each, axis=1, dtype=samples.dtype) for each in planes]
            part[:] = cv2.merge(sums).reshape(part.shape)


def divide_alpha(pixels: NDArray[Any], alpha: NDArray[Any]) -> None:
    """Colours (H, W, 3) or gray (H, W) that were multiplied by alpha -> plain ones, in place."""
    most = np.iinfo(pixels.dtype).max
    rows = max(1, STRIP // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows]
        cover = np.maximum(alpha[top : top + rows], 1) / np.float32(most)
        cover = cover[..., None] if pixels.ndim == 3 else cover
        strip[:] = np.minimum(np.rint(strip / cover), most)


def _convert_chroma(samples: NDArray[Any]) -> None:
    """Y, Cb and Cr of 8 bits over the full range -> RGB, in place."""
    rows = max(1, STRIP // samples.shape[1])
    for top in range(0, len(samples), rows):
        strip = Image.fromarray(samples[top : top + rows], "YCbCr")
        samples[top : top + rows] = np.asarray(strip.convert("RGB"))


def read_colours(data: bytes, page: Directory) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """A plain page: gray (H, W), RGB (H, W, 3) or ink (H, W, 4), and alpha (H, W) or None."""
    samples = read_samples(data, page)
    kind, channels = page.number(tiff.PHOTOMETRIC), samples.shape[2]
    count = {RGB: 3, INK: 4, YCBCR: 3}.get(kind, 1)
    if channels == count:
        colours, alpha = samples, None
    else:
        extra = page.number(tiff.EXTRA_SAMPLES, 2)  # who does not say means alpha
        alpha = np.ascontiguousarray(samples[..., count]) if extra in (1, 2) else None
        colours = np.ascontiguousarray(samples[..., :count])
    colours = colours[..., 0] if count == 1 else colours
    if kind == YCBCR:
        _convert_chroma(colours)
    if kind == WHITE_IS_ZERO:
        np.subtract(np.iinfo(colours.dtype).max, colours, out=colours)
    if alpha is not None and page.number(tiff.EXTRA_SAMPLES, 2) == 1:
        divide_alpha(colours, alpha)
    return np.ascontiguousarray(colours), alpha
