"""How much a picture file may cost, checked before anything is decoded or copied.

A small file can announce what fills the memory or takes minutes: a picture of any size, a million
chunks, text that inflates a thousandfold, directories whose entries all claim the same bytes. Each
number here is far above what real files have.
"""

from __future__ import annotations

import zlib

from colorize_core.errors import BrokenPictureError, PictureTooLargeError

MAX_PIXELS = 250_000_000
MAX_SIDE = 1_000_000  # pixels; the most that libpng reads
MAX_BYTES = 1_600_000_000  # MAX_PIXELS of 16-bit RGB, not compressed, and some metadata
MAX_FRAMES = 1_000  # pages of a TIFF, too; an animation with more is a film

MAX_BLOCK = 16_000_000  # bytes of each kind of metadata, inflated: EXIF, XMP, IPTC, texts, profile
MAX_TEXTS = 1_000  # comments of a JPEG or GIF, texts of a PNG; those beyond are left out
MAX_CHUNKS = 400_000  # of a PNG, segments of a JPEG: MAX_BYTES in chunks of 4 kB
MAX_SCANS = 200  # of a JPEG, each of which goes over all pixels; progressive ones have some ten
MAX_BLOCKS = 8_000_000  # of at most 255 bytes, of a GIF
MAX_ENTRIES = 100_000  # of all directories of a TIFF file or EXIF block
MAX_STRIPS = 1_000_000  # or tiles of a TIFF's page
MAX_WAVELET = 300_000_000  # samples of a JPEG 2000 that OpenJPEG takes apart at once, 4 bytes each
MAX_TILE = 256_000_000  # bytes of tiles that reach beyond the picture

DEFLATE_RATIO = 1032  # bytes that one byte of Deflate can become at most (zlib's technical notes)


def check_area(width: int, height: int, most: int | None = None) -> None:
    """Raises BrokenPictureError where a picture has no pixels, PictureTooLargeError where it has
    more than `most` (MAX_PIXELS) or a side is too long."""
    most = MAX_PIXELS if most is None else most
    if width < 1 or height < 1:
        raise BrokenPictureError("it has no pixels")
    if width * height > most:
        raise PictureTooLargeError(
            f"has {width:,} × {height:,} = {width * height / 1e6:,.0f} megapixels; at most "
            f"{most / 1e6:,.0f} are read. Scale it down first"
        )
    if max(width, height) > MAX_SIDE:
        raise PictureTooLargeError(
            f"has {width:,} × {height:,} pixels; at most {MAX_SIDE:,} a side are read. "
            "Cut it into parts first"
        )


def check_frames(count: int) -> None:
    """Raises PictureTooLargeError where a file holds more pictures than MAX_FRAMES."""
    if count > MAX_FRAMES:
        raise PictureTooLargeError(
            f"has more than {MAX_FRAMES:,} frames. Save the one you want as a picture"
        )


def check_count(count: int, most: int, what: str) -> None:
    """Raises PictureTooLargeError where a file has more than `most` of what it consists of."""
    if count > most:
        raise PictureTooLargeError(
            f"consists of more than {most:,} {what}. Open it elsewhere and save it again"
        )


def inflate(packed: bytes | memoryview, most: int = MAX_BLOCK) -> bytes | None:
    """What Deflate packed (zlib's format); None where it is damaged or more than `most` bytes."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, most + 1)
    except zlib.error:
        return None
    return plain if unpacker.eof and len(plain) <= most else None
