"""Picture files, EXIF blocks and ICC profiles that the tests of image.py build on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from colorize_core.imaging import tiff as directories

Array = NDArray[Any]


def colours(height: int = 24, width: int = 37, channels: int = 3, seed: int = 0) -> Array:
    """Random uint8 (height, width, channels): no two neighbours, rows or channels alike."""
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def deep(height: int = 24, width: int = 37, channels: int = 3, seed: int = 0) -> Array:
    """The same in uint16, with low bytes of their own."""
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 65536, shape).astype(np.uint16)


def soft(height: int = 48, width: int = 64) -> Array:
    """Shades that a lossy format keeps within a few levels."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [x / width, y / height, (x + y) / (height + width)]
    return (np.stack(planes, axis=-1) * 200 + 30).astype(np.uint8)


def saved(picture: Image.Image | Array, format: str, **options: Any) -> bytes:
    """A file made by Pillow."""
    buffer = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def deep_png(samples: Array) -> bytes:
    """A 16-bit PNG: gray, gray with alpha, RGB or RGBA. Chunks by hand, filter 0."""
    height, width, channels = samples.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return png_of((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))


def interlaced_png(pixels: Array) -> bytes:
    """An 8-bit RGB PNG in the seven passes of Adam7."""
    passes = [
        (0, 8, 0, 8),
        (0, 8, 4, 8),
        (4, 8, 0, 4),
        (0, 4, 2, 4),
        (2, 4, 0, 2),
        (0, 2, 1, 2),
        (1, 2, 0, 1),
    ]
    parts = [pixels[top::down, left::across] for top, down, left, across in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)
    return png_of((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))


def png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    framed = (
        struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def chunks_of(png: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        found.append((kind, png[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def tiff(samples: Array, **options: Any) -> bytes:
    """A TIFF made by tifffile."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **{"metadata": None, **options})
    return buffer.getvalue()


def rewritten(data: bytes, changes: dict[int, directories.Entry]) -> bytes:
    """A TIFF with another directory, at its end."""
    page = directories.read_first(data)
    assert page is not None
    place = len(data) + len(data) % 2
    head = directories.write_header("<", place) + data[8:].ljust(place - 8, b"\0")
    return head + directories.write_directory("<", {**page.entries, **changes}, place)


def longs(*values: int) -> directories.Entry:
    return directories.make_entry("<", directories.LONG, *values)


def lzw_tiff(samples: Array) -> bytes:
    """A 16-bit TIFF with LZW compression, by OpenCV: (H, W), (H, W, 3) or (H, W, 4)."""
    order = {2: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    code = order[2 if samples.ndim == 2 else samples.shape[2]]
    swapped = samples if code is None else cv2.cvtColor(samples, code)
    return cv2.imencode(".tiff", swapped, [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()


def exif_block(orientation: int = 1, size: tuple[int, int] = (37, 24)) -> bytes:
    """EXIF as a camera writes it: main, inner and GPS directories, a maker's note, a thumbnail."""
    exif = Image.Exif()
    exif[0x010E] = "Market square"
    exif[0x010F] = "Voigtländer"
    exif[0x0112] = orientation
    exif[0x8298] = "A. Photographer"
    exif[0x8769] = {
        0x9003: "1938:05:17 12:00:00",
        0x927C: b"maker's own bytes \x00\x01\x02",
        0xA001: 65535,  # colour space: not sRGB
        0xA002: size[0],
        0xA003: size[1],
    }
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0)}
    block = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    order = "<" if block[:2] == b"II" else ">"
    count = struct.unpack_from(order + "H", block, 8)[0]
    thumbnail = struct.pack(order + "HHHIIHHI", 1, 0x0103, 3, 1, 6 << 16, 0, 0, 0)
    struct.pack_into(order + "I", block, 10 + 12 * count, len(block))
    return bytes(block + thumbnail)


# orientation -> what a camera that was held that way stores of an upright picture (EXIF 2.3)
STORED: dict[int, Callable[[Any], Any]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p.swapaxes(0, 1)[::-1],
    7: lambda p: p.swapaxes(0, 1)[::-1, ::-1],
    8: lambda p: p.swapaxes(0, 1)[:, ::-1],
}


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf'
    b'-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="6" tiff:Artist="A. Photographer"/></rdf:RDF></x:xmpmeta>'
)


# --- ICC profiles -------------------------------------------------------------------------------


def profile(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC version 2 profile with these tags; those that every profile needs are added."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        **tags,
    }
    place = 132 + 12 * len(tags)
    table, bodies = b"", b""
    for name, body in tags.items():
        body += bytes(-len(body) % 4)
        table += struct.pack(">4sII", name, place + len(bodies), len(body))
        bodies += body
    head = struct.pack(
        ">I4sI4s4s4s12x4s",
        place + len(bodies),
        b"test",
        0x02400000,
        device,
        space,
        connection,
        b"acsp",
    )
    head += bytes(68 - len(head)) + struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + bodies


def xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def srgb_curve() -> bytes:
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(v * 65536) for v in values))


# Primaries adapted to D50 (Bradford), rows X, Y, Z; columns R, G, B.
DISPLAY_P3 = np.array(
    [
        [0.515102, 0.291965, 0.157153],
        [0.241182, 0.692236, 0.066582],
        [-0.001050, 0.041882, 0.784378],
    ]
)
ADOBE_RGB = np.array(
    [
        [0.609741, 0.205276, 0.149185],
        [0.311111, 0.625671, 0.063217],
        [0.019470, 0.060867, 0.744568],
    ]
)


def rgb_profile(primaries: Array, curve: bytes) -> bytes:
    colorants = {name: xyz(*primaries[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return profile(b"mntr", b"RGB ", b"XYZ ", colorants | curves)


def gray_profile(curve: bytes) -> bytes:
    return profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve})


def table_profile(space: bytes, lab_of: Callable[[Array], Array]) -> bytes:
    """A profile with a table of colours (mft2). `lab_of` maps corners (n, channels) in 0..1 to
    Lab (n, 3); between the corners the colour engine interpolates."""
    channels = {b"CMYK": 4, b"RGB ": 3}[space]
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * channels, indexing="ij"), axis=-1)
    lab = lab_of(corners.reshape(-1, channels))
    coded = np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1)
    body = b"mft2\0\0\0\0" + struct.pack(
        ">BBBx9i", channels, 3, 2, *np.eye(3, dtype=int).ravel() * 65536
    )
    body += struct.pack(">HH", 2, 2) + struct.pack(">HH", 0, 65535) * channels
    body += np.clip(np.rint(coded), 0, 65535).astype(">u2").tobytes()
    body += struct.pack(">HH", 0, 65535) * 3
    return profile(b"prtr", space, b"Lab ", {b"A2B0": body})
