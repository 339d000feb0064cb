"""Formats of picture files: one table of what is read, and of what is written and how."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from colorize_core.imaging import encoders
from colorize_core.imaging.decoders import Pixels
from colorize_core.imaging.metadata import Metadata

Encoder = Callable[[Pixels, Pixels | None, Metadata, int], bytes]


@dataclass(frozen=True)
class Format:
    """One format. What has no encoder is read only."""

    name: str  # as Photo.format says it, and `--format`
    title: str  # for people
    suffixes: tuple[str, ...]  # the first is that of new files
    start: bytes = rb"(?!)"  # a pattern of how its files begin
    brands: tuple[bytes, ...] = ()  # of its files where they begin as those of ISO media do
    rare: tuple[str, ...] = ()  # suffixes that are read, but not written
    encoder: Encoder | None = None
    depth: int = 8  # most bits a channel of what is written
    alpha: bool = True  # whether it can be transparent; else the picture is laid on white
    lossy: bool = False  # whether `quality` counts
    side: int = 0  # most pixels that a side can have; 0: any
    widened: bool = False  # whether the app writes its full depth, whatever the photo has

    @property
    def suffix(self) -> str:
        """Of new files."""
        return self.suffixes[0]

    @property
    def choice(self) -> str:
        """Its name in the app and its endpoints."""
        return f"{self.title}, {self.depth} bit" if self.widened else self.title

    def widen(self, pixels: Pixels) -> Pixels:
        """Pixels of 8 bits with 16 where the app writes so: predicted colours then fall between
        the 8-bit steps."""
        return encoders.convert_dtype(pixels, np.uint16) if self.widened else pixels


FORMATS = {
    row.name: row
    for row in (
        Format(
            "JPEG",
            "JPEG",
            (".jpg", ".jpeg"),
            rb"\xff\xd8\xff",
            rare=(".jpe", ".jfif"),
            encoder=encoders.encode_jpeg,
            alpha=False,
            lossy=True,
            side=65_535,
        ),
        Format(
            "PNG", "PNG", (".png",), rb"\x89PNG\r\n\x1a\n", encoder=encoders.encode_png, depth=16
        ),
        Format(
            "WEBP",
            "WebP",
            (".webp",),
            rb"RIFF.{4}WEBP",
            encoder=encoders.encode_webp,
            lossy=True,
            side=16_383,
        ),
        Format(
            "TIFF",
            "TIFF",
            (".tif", ".tiff"),
            rb"II[*+]\0|MM\0[*+]",
            encoder=encoders.encode_tiff,
            depth=16,
            widened=True,
        ),
        Format("BMP", "BMP", (".bmp",), rb"BM"),
        Format("GIF", "GIF", (".gif",), rb"GIF8[79]a"),
        Format(
            "HEIC",
            "HEIC",
            (".heic", ".heif"),
            brands=(b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"),
        ),
        Format("AVIF", "AVIF", (".avif",), brands=(b"avif", b"avis")),
        Format(
            "JPEG2000",
            "JPEG 2000",
            (".jp2", ".j2k", ".j2c", ".jpf", ".jpx", ".jpc"),
            rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        ),
        Format("PNM", "PNM", (".pnm", ".pgm", ".ppm", ".pbm"), rb"P[1-6][\s#]"),
        # No mark, but a header that little else begins with: a kind, colour map or none, depth.
        Format(
            "TGA",
            "TGA",
            (".tga",),
            rb".(?:\x00[\x02\x03\x0a\x0b]\x00{5}|\x01[\x01\x09].{4}[\x0f\x10\x18\x20])"
            rb".{8}[\x01\x08\x0f\x10\x18\x20][\x00-\x3f]",
        ),
    )
}
WRITTEN = {suffix: each for each in FORMATS.values() if each.encoder for suffix in each.suffixes}
READABLE = {suffix: each for each in FORMATS.values() for suffix in (*each.suffixes, *each.rare)}
CHOICES = {each.choice: each for each in FORMATS.values() if each.encoder}


def join_names(titles: list[str], last: str = "or") -> str:
    """Names in a sentence: "JPEG, PNG or TIFF"."""
    *first, final = titles
    return f"{', '.join(first)} {last} {final}" if first else final


ACCEPTED = join_names([each.title for each in FORMATS.values()])


def recognize(data: bytes) -> str | None:
    """The name of the format by a file's first bytes, or None if it is none that is read."""
    brands: set[bytes] = set()
    if data[4:8] == b"ftyp":
        brands = {data[i : i + 4] for i in (8, *range(16, min(data[3], 64), 4))}
    for each in reversed(FORMATS.values()):  # AVIF before HEIC: its files often bear both brands
        if re.match(each.start, data[:18], re.DOTALL) or brands.intersection(each.brands):
            return each.name
    return None
