"""Bytes and files -> pictures and back.

    bytes --decode--> Photo: upright sRGB pixels, alpha, metadata --encode--> bytes

The content decides what a file is, never its name. Pillow reads the headers, the metadata and the
rarer kinds of pixels; OpenCV decodes JPEG and PNG, where it needs half the time or half the memory
(benchmarks/results/decode.csv), and whatever has 16 bits a channel, which Pillow cuts to 8.
"""

from __future__ import annotations

import io
import os
import secrets
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from colorize_core._embedded import (
    STRIP,
    Metadata,
    metadata_of,
    orientation_of,
    srgb_profile,
    srgb_transform,
    to_srgb,
)
from colorize_core.errors import (
    BrokenPictureError,
    EmptyFileError,
    NotAPictureError,
    OptionError,
    PictureError,
    PictureTooLargeError,
    SaveError,
)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

MAX_PIXELS = 250_000_000
MAX_BYTES = 1_600_000_000  # MAX_PIXELS of 16-bit RGB, not compressed, and some metadata
MAX_FRAMES = 1_000  # an animation with more is a film

ACCEPTED = "JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF"
SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
READABLE = frozenset({*SUFFIXES, ".bmp", ".gif", ".heic", ".heif", ".avif", ".jfif", ".jpe"})


@dataclass(frozen=True)
class Photo:
    """A decoded picture and what its file said beside the pixels."""

    pixels: Pixels  # (H, W, 3) sRGB, RGB order; uint16 where the file had 16 bits a channel
    alpha: Pixels | None  # (H, W) of the same dtype, 0 is transparent
    metadata: Metadata
    format: str  # what the file was: "JPEG", "PNG", ...

    def with_pixels(self, pixels: Pixels) -> Photo:
        """The same photo with other pixels (H, W, 3); alpha follows their dtype."""
        alpha = None if self.alpha is None else _as_dtype(self.alpha, pixels.dtype)
        return replace(self, pixels=pixels, alpha=alpha)


def _as_dtype(samples: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """The same shades in uint8 or uint16, rounded."""
    if samples.dtype == dtype:
        return samples
    if dtype == np.uint16:
        return samples.astype(np.uint16) * np.uint16(257)
    result: NDArray[np.uint8] = cv2.convertScaleAbs(samples, alpha=1 / 257)
    return result


# --- reading ------------------------------------------------------------------------------------


def read(path: str | Path) -> Photo:
    """Decode a file. PictureError and its subclasses, with the path in the message."""
    path = Path(path)
    try:
        if not path.is_file():
            raise PictureError(f"{path}: there is no such file.")
        _check_bytes(path.stat().st_size, str(path))
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror}.") from error
    return decode(data, str(path))


def decode(data: bytes, name: str = "") -> Photo:
    """A picture file's bytes -> its first picture, upright and in sRGB. `name` is for messages.

    Raises EmptyFileError, NotAPictureError, BrokenPictureError or PictureTooLargeError, and
    nothing else whatever the bytes are.
    """
    name = name or "The file"
    _check_bytes(len(data), name)
    kind = _kind(data, name)
    with _reading(name), _open(data, kind, name) as header:
        _check_size(data, kind, header, name)
        orientation = orientation_of(header)
        metadata = metadata_of(header, *_turned_size(header.size, orientation))
        pixels, alpha = _samples(data, kind, header, name)
        if pixels.shape[:2] != header.size[::-1]:
            raise BrokenPictureError(_broken(name, "its header and its contents disagree"))
        turned = _turn(pixels, orientation)
        return Photo(turned, None if alpha is None else _turn(alpha, orientation), metadata, kind)


def _check_bytes(count: int, name: str) -> None:
    if count == 0:
        raise EmptyFileError(f"{name} is empty: it has no bytes. Send the picture again.")
    if count > MAX_BYTES:
        raise PictureTooLargeError(
            f"{name} has {count / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} MB are read. "
            "Save it as JPEG or scale it down first."
        )


def _broken(name: str, why: str) -> str:
    return f"{name} cannot be read as a picture: {why}. Try another copy or save it again."


SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    *((mark, "TIFF") for mark in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
)
FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"\x00\x00\x01\xba", "a video"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 file"),
    (b"\x00\x00\x01\x00", "an icon"),
)


def _kind(data: bytes, name: str) -> str:
    """The format by the first bytes. NotAPictureError says what the file seems to be instead."""
    start = bytes(data[:512])
    for mark, kind in SIGNATURES:
        if start.startswith(mark):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        brands = {start[i : i + 4] for i in (8, *range(16, min(start[3], 64), 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"}:
            return "HEIC"
    raise NotAPictureError(
        f"{name} is not a picture that can be read: it seems to be "
        f"{_foreign(start)}. Send {ACCEPTED}."
    )


def _foreign(start: bytes) -> str:
    for mark, what in FOREIGN:
        if start.startswith(mark):
            return what
    if start[4:8] == b"ftyp" or start[:4] == b"RIFF":
        return "a video or a sound"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    controls = set(start) & (set(range(32)) - {7, 8, 9, 10, 12, 13, 27})
    return "data of an unknown kind" if controls else "text"


def _heif_file() -> Callable[..., Image.Image]:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError as error:
        raise NotAPictureError(
            "HEIC pictures need the package pillow-heif, which is not installed. "
            "Type `pip install pillow-heif`, or save the picture as JPEG."
        ) from error
    return HeifImageFile  # type: ignore[no-any-return]


OPENERS: dict[str, Callable[..., Image.Image]] = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}


def _open(data: bytes, kind: str, name: str) -> Image.Image:
    """The opened file, its pixels not yet decoded.

    The class of the one format is called, not Image.open: that would try other formats, and its
    own limit on pixels, a global of the process, is lower than ours.
    """
    opener = OPENERS.get(kind) or _heif_file()
    return opener(io.BytesIO(data), "")


def _check_size(data: bytes, kind: str, header: Image.Image, name: str) -> None:
    width, height = header.size
    if width < 1 or height < 1:
        raise BrokenPictureError(_broken(name, "it has no pixels"))
    if width * height > MAX_PIXELS:
        raise PictureTooLargeError(
            f"{name} has {width} × {height} = {width * height / 1e6:,.0f} megapixels; at most "
            f"{MAX_PIXELS / 1e6:,.0f} are read. Scale it down first."
        )
    frames = _gif_frames(data) if kind == "GIF" else _frames(header)
    if frames > MAX_FRAMES:
        raise PictureTooLargeError(
            f"{name} has more than {MAX_FRAMES:,} frames. Save the one you want as a picture."
        )


def _frames(header: Image.Image) -> int:
    """How many pictures are in the file, counted up to MAX_FRAMES + 1."""
    if not isinstance(header, TiffImagePlugin.TiffImageFile):
        return int(getattr(header, "n_frames", 1))
    try:
        header.seek(MAX_FRAMES)
    except EOFError:
        return 1
    finally:
        header.seek(0)
    return MAX_FRAMES + 1


def _gif_frames(data: bytes) -> int:
    """Counts the image blocks up to MAX_FRAMES + 1; Pillow counts without an end."""

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    place, frames = 13 + table(data[10]), 0
    while frames <= MAX_FRAMES and place < len(data) - 10 and data[place] in b",!":
        if data[place] == ord(","):
            frames += 1
            place += 9 + table(data[place + 9])
        place += 2
        while place < len(data) and data[place]:
            place += data[place] + 1
        place += 1
    return frames


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Whatever a decoder raises becomes one PictureError."""
    try:
        with _Quiet():
            yield
    except PictureError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise PictureTooLargeError(
            f"{name} needs more memory than there is. Scale it down first."
        ) from error
    except Exception as error:  # the parsers raise anything, from IndexError to struct.error
        raise BrokenPictureError(_broken(name, "it is damaged or cut off")) from error


class _Quiet:
    """Hides what the decoders say about damaged files; several threads may be inside at once.

    Filters of warnings belong to the process, so the first one in sets and the last one out
    restores them.
    """

    _lock = threading.Lock()
    _inside = 0
    _filters: Any = None
    _level: Any = None

    def __enter__(self) -> None:
        cls = type(self)
        with cls._lock:
            cls._inside += 1
            if cls._inside == 1:
                cls._filters = warnings.catch_warnings()
                cls._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
                cls._level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

    def __exit__(self, *_: object) -> None:
        cls = type(self)
        with cls._lock:
            cls._inside -= 1
            if cls._inside == 0:
                cls._filters.__exit__(None, None, None)
                cv2.utils.logging.setLogLevel(cls._level)


# --- pixels -------------------------------------------------------------------------------------


def _samples(
    data: bytes, kind: str, header: Image.Image, name: str
) -> tuple[Pixels, Pixels | None]:
    """sRGB (H, W, 3) and alpha (H, W) or None, not yet turned upright."""
    icc = header.info.get("icc_profile")
    if _is_deep(kind, header, data):
        _check_deep(kind, header, name)
        return _by_opencv(data, cv2.IMREAD_UNCHANGED, header, name, icc)
    if header.mode in ("I", "F") or header.mode.startswith("I;"):
        raise NotAPictureError(
            f"{name} has floating-point or 32-bit pixels, which have no set white. "
            "Save it with 8 or 16 bits a channel."
        )
    fast = kind == "JPEG" and header.mode in ("L", "RGB")
    if fast or (kind == "PNG" and header.mode in ("L", "RGB", "RGBA") and not _keyed(header)):
        flags = cv2.IMREAD_GRAYSCALE if header.mode == "L" else cv2.IMREAD_COLOR
        flags = cv2.IMREAD_UNCHANGED if header.mode == "RGBA" else flags
        return _by_opencv(data, flags | cv2.IMREAD_IGNORE_ORIENTATION, header, name, icc)
    return _by_pillow(header, icc)


def _keyed(header: Image.Image) -> bool:
    return "transparency" in header.info


def _is_deep(kind: str, header: Image.Image, data: bytes) -> bool:
    if kind == "PNG":
        return data[24] == 16
    return kind == "TIFF" and header.tag_v2.get(258, (1,))[0] == 16  # type: ignore[attr-defined]


def _check_deep(kind: str, header: Image.Image, name: str) -> None:
    """NotAPictureError for the layouts of 16-bit TIFF that OpenCV gets wrong."""
    if kind != "TIFF":
        return
    tags: Any = header.tag_v2  # type: ignore[attr-defined]
    channels, planes, signed = tags.get(277, 1), tags.get(284, 1), tags.get(339, (1,))[0] != 1
    if signed or channels not in (1, 3, 4) or (planes == 2 and channels > 1) or tags[262] > 2:
        raise NotAPictureError(
            f"{name} is a 16-bit TIFF of an unusual layout. Save it as gray or RGB with "
            "interleaved channels, or as PNG."
        )


def _by_opencv(
    data: bytes, flags: int, header: Image.Image, name: str, icc: bytes | None
) -> tuple[Pixels, Pixels | None]:
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if samples is None:
        return _by_pillow(header, icc)
    alpha = None
    if samples.ndim == 3:
        if samples.shape[2] == 4:
            alpha = np.ascontiguousarray(samples[..., 3])
            samples = cv2.cvtColor(samples, cv2.COLOR_BGRA2RGB)
        else:
            cv2.cvtColor(samples, cv2.COLOR_BGR2RGB, dst=samples)
    return to_srgb(samples, icc), alpha


def _by_pillow(header: Image.Image, icc: bytes | None) -> tuple[Pixels, Pixels | None]:
    """In strips, so that the memory beside Pillow's own copy stays flat."""
    header.load()
    mode = {"1": "L", "P": "RGB", "RGBX": "RGB", "LA": "L", "La": "L", "PA": "RGB"}
    source = mode.get(header.mode, header.mode).removesuffix("A").removesuffix("a")
    convert = srgb_transform(icc, source) or (_lab_to_srgb() if source == "LAB" else None)
    translucent = header.mode in ("LA", "La", "PA", "RGBA", "RGBa") or _keyed(header)
    width, height = header.size
    pixels = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if translucent else None
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = header.crop((0, top, width, min(top + rows, height)))
        if alpha is not None:
            strip = _straight(strip)
            alpha[top : top + rows] = np.asarray(strip.getchannel("A"))
        if convert is not None:
            strip = convert(strip.convert(source))
        pixels[top : top + rows] = np.asarray(strip.convert("RGB"))
    return pixels, alpha


def _straight(strip: Image.Image) -> Image.Image:
    """RGBA with colours that are not multiplied by alpha."""
    return strip.convert("LA" if strip.mode == "La" else "RGBA").convert("RGBA")


def _lab_to_srgb() -> Callable[[Image.Image], Image.Image]:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply


def _turned_size(size: tuple[int, int], orientation: int) -> tuple[tuple[int, int], bool]:
    return (size[::-1], True) if orientation >= 5 else (size, False)


def _turn(samples: Pixels, orientation: int) -> Pixels:
    """Make upright what the EXIF orientation (1 to 8) says lies otherwise."""
    if orientation >= 5:
        samples = cv2.transpose(samples)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return samples if flip is None else cv2.flip(samples, flip)


# --- writing ------------------------------------------------------------------------------------


def write(path: str | Path, photo: Photo, quality: int = 95) -> None:
    """Encode by the suffix and put the file in place whole, or not at all. Raises SaveError."""
    path = Path(path)
    format = SUFFIXES.get(path.suffix.lower())
    if format is None:
        raise SaveError(
            f"{path}: pictures are not written as {path.suffix or 'a file without a suffix'}. "
            f"Name it {', '.join(SUFFIXES)}."
        )
    data = encode(photo, format, quality)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def encode(photo: Photo, format: str, quality: int = 95) -> bytes:
    """The photo as "JPEG", "PNG", "WEBP" or "TIFF", in sRGB and with its metadata.

    16-bit pixels stay so in PNG and TIFF. JPEG has no alpha: the picture is laid on white.
    `quality` (1 to 100) is for JPEG and WebP. Raises SaveError, OptionError.
    """
    encoders = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": _tiff}
    if format not in encoders:
        raise SaveError(f"Pictures are not written as {format!r}: choose {', '.join(encoders)}.")
    if not 1 <= quality <= 100:
        raise OptionError(f"quality is {quality}; it must be from 1 to 100.")
    height, width = photo.pixels.shape[:2]
    limit = {"JPEG": 65_535, "WEBP": 16_383}.get(format)
    if limit and max(height, width) > limit:
        raise SaveError(
            f"{format} pictures have at most {limit:,} pixels a side; this one is "
            f"{width} × {height}. Save it as PNG or TIFF."
        )
    return encoders[format](photo, quality)


def _jpeg(photo: Photo, quality: int) -> bytes:
    pixels = _on_white(photo) if photo.alpha is not None else photo.pixels
    return _by_pillow_encoder(
        pixels,
        None,
        photo.metadata,
        "JPEG",
        quality=quality,
        limit=65_000,
        subsampling=0 if quality > 95 else 2,
    )


def _webp(photo: Photo, quality: int) -> bytes:
    return _by_pillow_encoder(photo.pixels, photo.alpha, photo.metadata, "WEBP", quality=quality)


def _by_pillow_encoder(
    pixels: Pixels,
    alpha: Pixels | None,
    metadata: Metadata,
    format: str,
    limit: int = 1 << 31,
    **options: Any,
) -> bytes:
    """Metadata blocks over `limit` bytes are left out."""
    picture = Image.fromarray(_as_dtype(pixels, np.dtype(np.uint8)))
    if alpha is not None:
        picture.putalpha(Image.fromarray(_as_dtype(alpha, np.dtype(np.uint8))))
    if metadata.exif and len(metadata.exif) < limit:
        options["exif"] = b"Exif\0\0" + metadata.exif
    if metadata.xmp and len(metadata.xmp) < limit:
        options["xmp"] = metadata.xmp
    if metadata.dpi:
        options["dpi"] = tuple(round(v) for v in metadata.dpi)
    buffer = io.BytesIO()
    picture.save(buffer, format, icc_profile=srgb_profile(), **options)
    return buffer.getvalue()


def _on_white(photo: Photo) -> Pixels:
    assert photo.alpha is not None
    result = np.empty_like(photo.pixels)
    white = np.float32(np.iinfo(photo.pixels.dtype).max)
    rows = max(1, STRIP // photo.pixels.shape[1])
    for top in range(0, len(result), rows):
        strip = slice(top, top + rows)
        cover = photo.alpha[strip, :, None] / white
        result[strip] = np.rint(white + (photo.pixels[strip] - white) * cover)
    return result


def _png(photo: Photo, quality: int) -> bytes:
    pixels = photo.pixels
    if photo.alpha is not None:
        picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGRA)
        picture[..., 3] = photo.alpha
    else:
        picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()
    header = 8 + 12 + 13  # signature and IHDR
    return data[:header] + b"".join(_png_chunks(photo.metadata)) + data[header:]


def _png_chunks(metadata: Metadata) -> Iterator[bytes]:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    yield chunk(b"sRGB", b"\1")  # relative colorimetric
    if metadata.dpi:
        yield chunk(b"pHYs", struct.pack(">IIB", *(round(v / 0.0254) for v in metadata.dpi), 1))
    if metadata.xmp:
        yield chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp)
    if metadata.exif:
        yield chunk(b"eXIf", metadata.exif)


def _tiff(photo: Photo, quality: int) -> bytes:
    """Deflate with horizontal differencing. Pillow writes the directory but no 16-bit RGB."""
    pixels = photo.pixels
    if photo.alpha is not None:
        pixels = np.dstack([pixels, photo.alpha])
    height, width, channels = pixels.shape
    rows = max(1, STRIP // width)
    strips = [_tiff_strip(pixels[top : top + rows]) for top in range(0, height, rows)]
    sizes = [len(strip) for strip in strips]
    tags = _descriptive_tags(photo.metadata)
    tags |= {
        256: width,
        257: height,
        258: (8 * pixels.itemsize,) * channels,
        259: 8,  # Deflate
        262: 2,  # RGB
        273: tuple(int(start) for start in np.cumsum([0, *sizes[:-1]])),
        274: 1,
        277: channels,
        278: rows,
        279: tuple(sizes),
        317: 2,  # horizontal differencing
        34675: srgb_profile(),
    }
    if channels == 4:
        tags[338] = 2  # alpha, colours not multiplied by it
    if photo.metadata.xmp:
        tags[700] = photo.metadata.xmp
    if photo.metadata.dpi:
        tags |= {282: photo.metadata.dpi[0], 283: photo.metadata.dpi[1], 296: 2}
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
    for tag, value in tags.items():
        directory[tag] = value
    return b"".join([b"II*\0\x08\0\0\0", directory.tobytes(8), *strips])


def _tiff_strip(strip: Pixels) -> bytes:
    differences = strip.astype(strip.dtype.newbyteorder("<"))
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.tobytes(), 3)


def _descriptive_tags(metadata: Metadata) -> dict[int, Any]:
    exif = Image.Exif()
    if metadata.exif:
        exif.load(metadata.exif)
    tags = {tag: value for tag, value in exif.items() if tag not in (34665, 34853)}
    return tags | {tag: dict(ifd) for tag in (34665, 34853) if (ifd := exif.get_ifd(tag))}
