"""Bytes and files -> pictures and back.

    bytes --decode--> Photo: upright sRGB pixels, alpha, metadata --encode--> bytes

The content decides what a file is, never its name. Every file that cannot be used gives one
PictureError, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from colorize_core.errors import (
    BrokenPictureError,
    EmptyFileError,
    NotAPictureError,
    OptionError,
    PictureError,
    PictureTooLargeError,
    SaveError,
)
from colorize_core.folders import write_whole
from colorize_core.imaging import decoders, encoders, limits
from colorize_core.imaging.decoders import Pixels
from colorize_core.imaging.formats import ACCEPTED, CHOICES, FORMATS, WRITTEN, join_names, recognize
from colorize_core.imaging.limits import MAX_BYTES, MAX_FRAMES, MAX_PIXELS
from colorize_core.imaging.losses import describe_dropped, describe_pages, list_dropped
from colorize_core.imaging.metadata import (
    Metadata,
    list_left_out,
    read_metadata,
    read_orientation,
)
from colorize_core.imaging.metadata import read_record as find_record
from colorize_core.steering.provenance import Record

__all__ = [
    "MAX_BYTES",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "Metadata",
    "Photo",
    "Pixels",
    "decode",
    "encode",
    "read",
    "read_record",
    "write",
]

NO_MEMORY = "needs more memory than there is. Scale it down first"
_SHORTAGE = re.compile("(?i)(out of|insufficient) memory")  # as libavif and OpenCV say it
_FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"\x00\x00\x01\xba", "a video"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x01\x00", "an icon"),
)


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded picture and what its file said beside the pixels."""

    pixels: Pixels  # (H, W, 3) sRGB, RGB order; uint16 where the file had 16 bits a channel
    alpha: Pixels | None  # (H, W) of the same dtype, 0 is transparent
    metadata: Metadata
    format: str  # what the file was: "JPEG", "PNG", ...
    pages: int = 1  # pictures in the file, of which this is the first: pages, frames
    left_out: tuple[str, ...] = ()  # what of its metadata was too large to be read

    def with_pixels(self, pixels: Pixels) -> Photo:
        """The same photo with other pixels (H, W, 3); alpha follows their dtype."""
        alpha = None if self.alpha is None else encoders.convert_dtype(self.alpha, pixels.dtype)
        return replace(self, pixels=pixels, alpha=alpha)

    def with_record(self, record: Record | None) -> Photo:
        """The same photo with another record of where its colours come from; None for none."""
        return replace(self, metadata=replace(self.metadata, record=record))

    def describe_losses(self, format: str | None = None) -> str:
        """What a file of that format (a name of FORMATS) will not have of the one that was read:
        further pages, metadata. Without a format what was not even read. Empty where nothing is."""
        dropped = [*self.left_out, *(list_dropped(self.metadata, format) if format else [])]
        return " ".join(filter(None, [describe_pages(self.pages), describe_dropped(dropped)]))


def read(path: str | Path, name: str = "", most: int | None = None) -> Photo:
    """Decode a file of at most `most` pixels (MAX_PIXELS). Raises PictureError and its subclasses,
    with the name, or else the path, in the message."""
    return decode(_read_bytes(Path(path), name or str(path)), name or str(path), most)


def read_record(path: str | Path, name: str = "") -> Record | None:
    """Where the colours of a picture file come from, None where it does not say. The pixels are not
    decoded. Raises PictureError and its subclasses as read() does."""
    name = name or str(path)
    data = _read_bytes(Path(path), name)
    kind = _recognize(data, name)
    with _translate_errors(name):
        return find_record(decoders.take_apart(data, kind))


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():
            raise PictureError(f"{name} cannot be read: there is no such file.")
        _check_bytes(path.stat().st_size, name)
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"{name} cannot be read: {error.strerror}.") from error
    except MemoryError as error:
        raise PictureTooLargeError(f"{name} {NO_MEMORY}.") from error


def decode(data: bytes, name: str = "", most: int | None = None) -> Photo:
    """A picture file's bytes -> its first picture, upright and in sRGB. `name` is for messages.

    Raises EmptyFileError, NotAPictureError, BrokenPictureError or PictureTooLargeError (also where
    there are more than `most` pixels (MAX_PIXELS)), and nothing else whatever the bytes are.
    """
    name = name or "The file"
    kind = _recognize(data, name)
    with _translate_errors(name):
        parts = decoders.take_apart(data, kind)
        limits.check_area(*parts.size, most)
        limits.check_frames(parts.pages)
        if not parts.complete:
            raise BrokenPictureError("its header and its contents disagree, or it is cut off")
        orientation = read_orientation(parts)
        pixels, alpha = decoders.decode_samples(parts, kind, orientation)
        metadata = read_metadata(parts, pixels.shape[1::-1], turned=orientation >= 5)
    return Photo(pixels, alpha, metadata, kind, parts.pages, list_left_out(parts))


def _recognize(data: bytes, name: str) -> str:
    _check_bytes(len(data), name)
    kind = recognize(data)
    if kind is None:
        seems = _describe_foreign(data)
        raise NotAPictureError(f"{name} is not a picture but {seems}. Accepted are {ACCEPTED}.")
    return kind


def _describe_foreign(data: bytes) -> str:
    """What a file that is no picture seems to be, in words."""
    start = data[:512]
    for mark, what in _FOREIGN:
        if start.startswith(mark):
            return what
    if start[4:8] == b"ftyp" or start[:4] == b"RIFF":
        return "a video or a sound"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    controls = set(start) & (set(range(32)) - set(b"\t\n\f\r\x1b"))
    return "data of an unknown kind" if controls else "text"


def _check_bytes(count: int, name: str) -> None:
    if count == 0:
        raise EmptyFileError(f"{name} is empty: it has no bytes. Try another copy.")
    if count > limits.MAX_BYTES:
        raise PictureTooLargeError(
            f"{name} has {count / 1e6:,.0f} MB; at most {limits.MAX_BYTES / 1e6:,.0f} MB are read. "
            "Save it as JPEG or scale it down first."
        )


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """Whatever a decoder raises becomes one PictureError with the name in front."""
    try:
        with decoders.Quiet():
            yield
    except PictureTooLargeError as error:
        raise PictureTooLargeError(f"{name} {error}.") from error
    except NotAPictureError as error:
        raise NotAPictureError(f"{name} cannot be read: {error}.") from error
    except Exception as error:  # the parsers raise anything, from IndexError to struct.error
        if isinstance(error, MemoryError) or _SHORTAGE.search(str(error)):
            raise PictureTooLargeError(f"{name} {NO_MEMORY}.") from error
        why = str(error) if isinstance(error, BrokenPictureError) else "it is damaged or cut off"
        raise BrokenPictureError(
            f"{name} cannot be read: {why}. Try another copy, or open it elsewhere and save it "
            f"again as {ACCEPTED}."
        ) from error


def encode(photo: Photo, format: str, quality: int = 95) -> bytes:
    """The photo in a format that is written (a name of FORMATS), in sRGB and with its metadata.

    16-bit pixels stay so where the format has as many. Without alpha in it the picture is laid on
    white. `quality` (1 to 100) is for those that are lossy. Raises SaveError, OptionError.
    """
    chosen = FORMATS.get(format)
    if chosen is None or chosen.encoder is None:
        known = ", ".join(dict.fromkeys(each.name for each in WRITTEN.values()))
        raise SaveError(f"Pictures are not written as {format!r}: choose {known}.")
    if not 1 <= quality <= 100:
        raise OptionError(f"quality is {quality}; it must be from 1 to 100.")
    height, width = photo.pixels.shape[:2]
    if chosen.side and max(height, width) > chosen.side:
        others = join_names([each.title for each in CHOICES.values() if not each.side])
        raise SaveError(
            f"{format} pictures have at most {chosen.side:,} pixels a side; this one has "
            f"{width:,} × {height:,}. Save it as {others}."
        )
    return chosen.encoder(photo.pixels, photo.alpha, photo.metadata, quality)


def write(path: str | Path, photo: Photo, quality: int = 95) -> None:
    """Encode by the suffix and put the file in place whole, or not at all. Raises SaveError."""
    path = Path(path)
    format = WRITTEN.get(path.suffix.lower())
    if format is None:
        what = f"with the suffix {path.suffix}" if path.suffix else "without a suffix"
        raise SaveError(f"{path}: no picture is written {what}. Choose {', '.join(WRITTEN)}.")
    data = encode(photo, format.name, quality)
    with write_whole(path) as file:
        file.write(data)
