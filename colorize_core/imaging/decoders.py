"""Bytes -> samples: the upright sRGB pixels and the alpha of a file whose format is known.

Pillow reads the headers and the rarer kinds of pixels. OpenCV decodes JPEG and PNG, where it needs
half of Pillow's time or memory (benchmarks/results/decode.csv), and the 16-bit files, which Pillow
cuts to 8 bits. Errors of the libraries pass through; `image.decode` translates them.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from colorize_core.errors import BrokenPictureError, NotAPictureError
from colorize_core.imaging.icc import (
    STRIP,
    convert_to_srgb,
    make_lab_transform,
    make_srgb_transform,
)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

XMP_CHUNK = b"XML:com.adobe.xmp\0\0\0\0\0"  # keyword, not compressed, no language, no translation

# TIFF tags
SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
CHANNELS, PLANES, EXTRA_SAMPLES, SAMPLE_FORMAT, DNG_VERSION = 277, 284, 338, 339, 50706
UNUSUAL_TIFF = (
    "a TIFF of an unusual layout. Save it as gray or RGB with 8 or 16 bits a channel, unsigned and "
    "interleaved, or as PNG"
)


def open_header(data: bytes, kind: str) -> Image.Image:
    """The opened file, its pixels not yet decoded.

    The class of the one format is called, not Image.open: that would try other formats, and its
    limit on pixels, a global of the process, is lower than ours.
    """
    if kind == "HEIC":
        return _import_heif()(io.BytesIO(data), "")
    openers: dict[str, Callable[..., Image.Image]] = {
        "JPEG": JpegImagePlugin.jpeg_factory,
        "PNG": PngImagePlugin.PngImageFile,
        "WEBP": WebPImagePlugin.WebPImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "AVIF": AvifImagePlugin.AvifImageFile,
    }
    try:
        header = openers[kind](io.BytesIO(data), "")
    except SyntaxError as error:
        if kind != "TIFF":
            raise
        raise NotAPictureError(f"it is damaged or {UNUSUAL_TIFF}") from error
    if kind == "PNG":
        _find_late_metadata(data, header)
    return header


def _read_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end of the body) of the chunks of a PNG. BrokenPictureError where a checksum
    does not fit, struct.error where the file is cut off."""
    view, place, name = memoryview(data), 8, b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, place)
        begin, end = place + 8, place + 8 + length
        if zlib.crc32(view[place + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise BrokenPictureError("its checksum does not fit its data")
        yield name, begin, end
        place = end + 4


def _find_late_metadata(data: bytes, header: Image.Image) -> None:
    """What stands behind the pixels: Pillow would decode them to get there."""
    for name, begin, end in _read_chunks(data):
        if name == b"eXIf":
            header.info.setdefault("exif", data[begin:end])
        if name == b"iTXt" and data.startswith(XMP_CHUNK, begin):
            header.info.setdefault("xmp", data[begin + len(XMP_CHUNK) : end])


def _strip_png(data: bytes) -> bytes:
    """The pixels alone: libpng prints its opinion of profiles and texts."""
    parts = [data[:8]]
    for name, begin, end in _read_chunks(data):
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            parts.append(data[begin - 8 : end + 4])
    return b"".join(parts)


def _import_heif() -> Callable[..., Image.Image]:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError as error:
        raise NotAPictureError(
            "HEIC needs the package pillow-heif, which is not installed. "
            "Type `pip install pillow-heif`, or save the picture as JPEG"
        ) from error
    opener: Callable[..., Image.Image] = HeifImageFile
    return opener


def count_frames(data: bytes, header: Image.Image, enough: int) -> int:
    """How many pictures the file holds; the count stops above `enough`, as a file can hold
    millions of tiny ones."""
    if isinstance(header, GifImagePlugin.GifImageFile):
        return _count_gif_frames(data, enough)
    if not isinstance(header, TiffImagePlugin.TiffImageFile):
        return int(getattr(header, "n_frames", 1))
    try:
        header.seek(enough)
    except EOFError:
        return 1
    finally:
        header.seek(0)
    return enough + 1


def _count_gif_frames(data: bytes, enough: int) -> int:
    def table(flags: int) -> int:  # bytes of the colour table that the flags announce
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    place, count = 13 + table(data[10]), 0
    while count <= enough and place < len(data) - 10 and data[place] in b",!":
        if data[place] == ord(","):
            count += 1
            place += 9 + table(data[place + 9])
        place += 2
        while place < len(data) and data[place]:
            place += data[place] + 1
        place += 1
    return count


class Quiet:
    """Hides what the decoders say about damaged files. Several threads may be inside at once:
    filters of warnings belong to the process, so the first in sets and the last out restores."""

    _lock = threading.Lock()
    _inside = 0
    _filters: Any = None
    _level: Any = None

    def __enter__(self) -> None:
        with Quiet._lock:
            Quiet._inside += 1
            if Quiet._inside == 1:
                Quiet._filters = warnings.catch_warnings()
                Quiet._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
                log = cv2.utils.logging
                Quiet._level = log.setLogLevel(log.LOG_LEVEL_SILENT)

    def __exit__(self, *_: object) -> None:
        with Quiet._lock:
            Quiet._inside -= 1
            if Quiet._inside == 0:
                Quiet._filters.__exit__(None, None, None)
                cv2.utils.logging.setLogLevel(Quiet._level)


def decode_samples(
    data: bytes, kind: str, header: Image.Image, orientation: int
) -> tuple[Pixels, Pixels | None]:
    """Upright sRGB (H, W, 3) and alpha (H, W) or None.

    Raises NotAPictureError for kinds of pixels that are not read, BrokenPictureError and anything
    that the libraries raise for damaged files.
    """
    icc = header.info.get("icc_profile")
    tags: dict[int, Any] = dict(getattr(header, "tag_v2", {}))
    if kind == "TIFF":
        _check_tiff(data, header, tags)
    plain_jpeg = kind == "JPEG" and header.mode in ("L", "RGB")
    found = None
    if plain_jpeg or kind == "PNG" or (kind == "TIFF" and _is_plain_tiff(tags)):
        found = _decode_by_opencv(data, kind, header, tags)
    if found is None:
        pixels, alpha = _decode_by_pillow(header, icc)
        orientation = 1 if kind == "TIFF" else orientation  # Pillow has turned it already
    else:
        pixels, alpha = convert_to_srgb(found[0], icc), found[1]
    return _turn_upright(pixels, orientation), None if alpha is None else _turn_upright(
        alpha, orientation
    )


def _check_tiff(data: bytes, header: Image.Image, tags: dict[int, Any]) -> None:
    if DNG_VERSION in tags or tags.get(SUBFILE, 0) & 1 or data[8:10] == b"CR":
        raise NotAPictureError("it is a camera's raw file. Export it as TIFF or JPEG first")
    if header.mode[0] in "IF" and not _is_plain_tiff(tags):
        raise NotAPictureError(f"it is {UNUSUAL_TIFF}")


def _is_plain_tiff(tags: dict[int, Any]) -> bool:
    """Whether it is gray or RGB in a layout that OpenCV decodes right. NotAPictureError for other
    pictures with more than 8 bits, which Pillow would cut."""
    bits, channels = set(tags.get(BITS, (1,))), tags.get(CHANNELS, 1)
    photometric, planes = tags.get(PHOTOMETRIC, 0), tags.get(PLANES, 1)
    unsigned = set(tags.get(SAMPLE_FORMAT, (1,))) == {1}
    plain = unsigned and (channels == 1 or planes == 1)
    if bits == {8}:
        return plain and (photometric, channels) in ((1, 1), (2, 3)) and tags.get(COMPRESSION) != 7
    if max(bits) < 8 or photometric > 2:
        return False
    if bits == {16} and plain and channels in (1, 3, 4):
        return True
    raise NotAPictureError(f"it is {UNUSUAL_TIFF}")


def _decode_by_opencv(
    data: bytes, kind: str, header: Image.Image, tags: dict[int, Any]
) -> tuple[Pixels, Pixels | None] | None:
    """Gray (H, W) or RGB (H, W, 3), and alpha. None for a JPEG that Pillow may know to read."""
    flags = cv2.IMREAD_GRAYSCALE if header.mode == "L" else cv2.IMREAD_COLOR_RGB
    flags |= cv2.IMREAD_IGNORE_ORIENTATION
    # Elsewhere IMREAD_COLOR_RGB would drop alpha, and it spoils 16-bit files (OpenCV 5.0.0).
    plain_png = kind == "PNG" and data[24:26] == b"\x08\x02" and "transparency" not in header.info
    if kind != "JPEG" and not plain_png:
        flags = cv2.IMREAD_UNCHANGED
    bare = _strip_png(data) if kind == "PNG" else data
    found: Any = cv2.imdecode(np.frombuffer(bare, np.uint8), flags)
    if found is None and kind == "JPEG":
        return None
    size = (tags.get(HEIGHT), tags.get(WIDTH)) if tags else header.size[::-1]
    if found is None or found.shape[:2] != size:
        raise BrokenPictureError("its header and its contents disagree, or it is cut off")
    if kind == "JPEG" and _is_incomplete(data, found):
        raise BrokenPictureError("a part of its data is missing")
    return (found, None) if flags != cv2.IMREAD_UNCHANGED else _split_alpha(found, header, tags)


def _split_alpha(
    found: Any, header: Image.Image, tags: dict[int, Any]
) -> tuple[Pixels, Pixels | None]:
    """What OpenCV gives for IMREAD_UNCHANGED -> gray (H, W) or RGB (H, W, 3), and alpha."""
    if tags.get(PHOTOMETRIC) == 0:  # white is zero
        np.subtract(np.iinfo(found.dtype).max, found, out=found)
    if found.ndim == 2:
        return found, None
    if found.shape[2] == 3:
        return cv2.cvtColor(found, cv2.COLOR_BGR2RGB), None
    alpha = np.ascontiguousarray(found[..., 3])
    if header.mode[0] in "1LI":  # gray with alpha comes as four channels
        return np.ascontiguousarray(found[..., 0]), alpha
    colour = cv2.cvtColor(found, cv2.COLOR_BGRA2RGB)
    extra = tags.get(EXTRA_SAMPLES, (2,))[0]
    if extra == 1:
        _divide(colour, alpha)
    return colour, alpha if extra else None


def _turn_upright(samples: Pixels, orientation: int) -> Pixels:
    """Undo what the EXIF orientation (1 to 8) says was done to the picture."""
    if orientation >= 5:
        samples = cv2.transpose(samples)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return samples if flip is None else cv2.flip(samples, flip)


def _is_incomplete(data: bytes, found: Pixels) -> bool:
    """Whether a JPEG has its end marker but not all its data: the decoder then fills up with
    middle gray. Where the last corner has that gray, bytes are added before the marker: they
    change the picture only if it still needed some. (By Pillow: OpenCV would print about them.)"""
    if (found[-8:, -8:] != 128).any():
        return False
    end = data.rfind(b"\xff\xd9")
    longer = data[:end] + b"\x5a" * 64 + data[end:]
    return open_header(data, "JPEG").tobytes() != open_header(longer, "JPEG").tobytes()


def _divide(pixels: Pixels, alpha: Pixels) -> None:
    """Colours that were multiplied by alpha -> plain colours, in place."""
    rows = max(1, STRIP // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows]
        cover = np.maximum(alpha[top : top + rows, :, None], 1) / np.float32(65535)
        strip[:] = np.minimum(np.rint(strip / cover), 65535)


def _decode_by_pillow(header: Image.Image, icc: bytes | None) -> tuple[Pixels, Pixels | None]:
    """In strips, so that the memory beside Pillow's own copy stays flat."""
    header.load()
    simpler = {"1": "L", "LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGBX": "RGB"}
    source = simpler.get(header.mode, header.mode.removesuffix("A").removesuffix("a"))
    convert = make_srgb_transform(icc, source) or (
        make_lab_transform() if source == "LAB" else None
    )
    keyed = "transparency" in header.info
    translucent = keyed or header.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    width, height = header.size
    pixels = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if translucent else None
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = header.crop((0, top, width, min(top + rows, height)))
        if alpha is not None:
            strip = strip.convert("LA") if strip.mode == "La" else strip
            strip = strip.convert("RGBA")  # also divides where colours were multiplied by alpha
            alpha[top : top + rows] = np.asarray(strip.getchannel("A"))
        if convert is not None:
            strip = convert(strip.convert(source))
        pixels[top : top + rows] = np.asarray(strip.convert("RGB"))
    return pixels, alpha
