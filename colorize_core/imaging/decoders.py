"""Bytes -> samples: the upright sRGB pixels and the alpha of a file whose format is known.

A file is taken apart first, by the module of its format, so that its cost and all that stands
beside its pixels are known before a library sees it; the libraries get the pixels alone. OpenCV
decodes JPEG, PNG, WebP and deep JPEG 2000: it needs half of Pillow's time or memory
(benchmarks/results/decode.csv), and Pillow would cut 16 bits to 8. Pillow decodes the rest. Errors
of the libraries pass through; `image.decode` translates them.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    TgaImagePlugin,
)

from colorize_core.errors import BrokenPictureError, NotAPictureError
from colorize_core.imaging import avif, gif, jpeg, jpeg2000, png, pnm, tiff_page, tiff_pixels, webp
from colorize_core.imaging.icc import (
    STRIP,
    convert_ink_to_srgb,
    convert_to_srgb,
    make_lab_transform,
    make_srgb_transform,
)
from colorize_core.imaging.levels import stretch
from colorize_core.imaging.parts import Parts

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Samples = tuple[Any, Any]  # sRGB (H, W, 3), and alpha (H, W) or None
RLE8, RLE4 = b"\1\0\0\0", b"\2\0\0\0"  # compressions of BMP


@dataclass(frozen=True)
class Reader:
    """How the files of a format are taken apart, and how the pixels are decoded from the parts."""

    take_apart: Callable[[bytes], Parts]
    decode: Callable[[Any], Samples]


def take_apart(data: bytes, kind: str) -> Parts:
    """What is in a file; its pixels are not decoded. Raises NotAPictureError, BrokenPictureError,
    PictureTooLargeError and whatever the libraries raise for damaged files."""
    return READERS[kind].take_apart(data)


def decode_samples(parts: Parts, kind: str, orientation: int) -> tuple[Pixels, Pixels | None]:
    """Upright sRGB (H, W, 3) and alpha (H, W) or None.

    Raises NotAPictureError for kinds of pixels that are not read, BrokenPictureError and anything
    that the libraries raise for damaged files.
    """
    pixels, alpha = READERS[kind].decode(parts)
    return _turn_upright(pixels, orientation), None if alpha is None else _turn_upright(
        alpha, orientation
    )


def _turn_upright(samples: Pixels, orientation: int) -> Pixels:
    """Undo what the EXIF orientation (1 to 8) says was done to the picture."""
    if orientation >= 5:
        samples = cv2.transpose(samples)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return samples if flip is None else cv2.flip(samples, flip)


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


# --- one format after the other -----------------------------------------------------------------


def _decode_jpeg(parts: jpeg.JpegParts) -> Samples:
    if parts.channels not in (1, 3):
        return _decode_by_pillow(_open_jpeg(parts.bare), parts.icc)
    flags = cv2.IMREAD_GRAYSCALE if parts.channels == 1 else cv2.IMREAD_COLOR_RGB
    found: Any = cv2.imdecode(np.frombuffer(parts.bare, np.uint8), flags)
    if found is None:  # Pillow may know to read it
        return _decode_by_pillow(_open_jpeg(parts.bare), parts.icc)
    _check_shape(found, parts)
    if _is_incomplete(parts.bare, found):
        raise BrokenPictureError("a part of its data is missing")
    return convert_to_srgb(found, parts.icc), None


def _open_jpeg(bare: bytes) -> Image.Image:
    return JpegImagePlugin.JpegImageFile(io.BytesIO(bare), "")


def _is_incomplete(bare: bytes, found: Pixels) -> bool:
    """Whether a JPEG has its end marker but not all its data: the decoder then fills up with
    middle gray. Where the last corner has that gray, bytes are added before the marker: they
    change the picture only if it still needed some. (By Pillow: OpenCV would print about them.)"""
    if (found[-8:, -8:] != 128).any():
        return False
    end = bare.rfind(b"\xff\xd9")
    longer = bare[:end] + b"\x5a" * 64 + bare[end:]
    return _open_jpeg(bare).tobytes() != _open_jpeg(longer).tobytes()


def _decode_png(parts: png.PngParts) -> Samples:
    flags = cv2.IMREAD_UNCHANGED  # elsewhere IMREAD_COLOR_RGB drops alpha and spoils 16 bits
    if parts.depth == 8 and parts.kind in (png.GRAY, png.COLOUR):
        flags = cv2.IMREAD_GRAYSCALE if parts.kind == png.GRAY else cv2.IMREAD_COLOR_RGB
    found: Any = cv2.imdecode(np.frombuffer(parts.bare, np.uint8), flags)
    _check_shape(found, parts)
    alpha = None
    if flags == cv2.IMREAD_UNCHANGED:
        found, alpha = _split_alpha(found, gray=parts.kind in (png.GRAY, png.GRAY_ALPHA))
    if parts.key is not None:
        alpha = _find_key(found, parts.key, parts.depth)
    return convert_to_srgb(found, parts.icc), alpha


def _check_shape(found: Any, parts: Parts) -> None:
    if found is None or found.shape[1::-1] != parts.size:
        raise BrokenPictureError("its header and its contents disagree, or it is cut off")


def _split_alpha(found: Any, gray: bool) -> Samples:
    """What OpenCV gives for IMREAD_UNCHANGED -> gray (H, W) or RGB (H, W, 3), and alpha."""
    if found.ndim == 2:
        return found, None
    if found.shape[2] == 3:
        return cv2.cvtColor(found, cv2.COLOR_BGR2RGB), None
    alpha = np.ascontiguousarray(found[..., 3])
    if gray:  # which comes as four channels
        return np.ascontiguousarray(found[..., 0]), alpha
    return cv2.cvtColor(found, cv2.COLOR_BGRA2RGB), alpha


def _find_key(found: Any, key: tuple[int, ...], depth: int) -> Any:
    """Alpha: 0 where the samples are those of `key`, given in `depth` bits; full elsewhere."""
    scale = 255 // ((1 << depth) - 1) if depth < 8 else 1
    clear: Any = True
    for i, value in enumerate(key):
        clear = clear & ((found if found.ndim == 2 else found[..., i]) == value * scale)
    full = np.iinfo(found.dtype).max
    return np.where(clear, 0, full).astype(found.dtype)


def _decode_tiff(parts: tiff_page.TiffParts) -> Samples:
    if not tiff_pixels.is_plain(parts.page):
        with tiff_pixels.open_page(parts.bare, parts.page) as opened:
            if opened.mode[0] in "IF":
                raise NotAPictureError(f"it is {tiff_pixels.UNUSUAL}")
            return _decode_by_pillow(opened, parts.icc)
    colours, alpha = tiff_pixels.read_colours(parts.bare, parts.page)
    if colours.ndim == 3 and colours.shape[2] == 4:
        return convert_ink_to_srgb(colours, parts.icc), alpha
    return convert_to_srgb(colours, parts.icc), alpha


def _decode_pnm(parts: pnm.PnmParts) -> Samples:
    return convert_to_srgb(pnm.read_samples(parts), None), None


def _decode_jpeg2000(parts: jpeg2000.Jpeg2000Parts) -> Samples:
    if parts.depth <= 8 or parts.channels == 2:
        opened = Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(parts.bare), "")
        return _decode_by_pillow(opened, parts.icc)
    found: Any = cv2.imdecode(np.frombuffer(parts.bare, np.uint8), cv2.IMREAD_UNCHANGED)
    _check_shape(found, parts)
    samples, alpha = _split_alpha(stretch(found, (1 << parts.depth) - 1), gray=False)
    return convert_to_srgb(samples, parts.icc), alpha


def _decode_webp(parts: webp.WebpParts) -> Samples:
    found: Any = cv2.imdecode(np.frombuffer(parts.bare, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.shape[1::-1] != parts.inner:
        raise BrokenPictureError("its header and its contents disagree, or it is cut off")
    pixels, alpha = _split_alpha(found, gray=False)
    if parts.clear and alpha is None:
        alpha = np.full(pixels.shape[:2], 255, np.uint8)
    if parts.inner != parts.size:
        pixels, alpha = (
            None if each is None else _place_on_canvas(each, parts) for each in (pixels, alpha)
        )
    return convert_to_srgb(pixels, parts.icc), alpha if parts.clear else None


def _place_on_canvas(samples: Any, parts: webp.WebpParts) -> Any:
    (width, height), (left, top) = parts.size, parts.place
    canvas = np.zeros((height, width, *samples.shape[2:]), samples.dtype)
    seen = samples[: max(0, height - top), : max(0, width - left)]
    canvas[top : top + seen.shape[0], left : left + seen.shape[1]] = seen
    return canvas


def _decode_bmp(parts: Parts) -> Samples:
    if parts.bare[30:34] not in (RLE8, RLE4):
        return _decode_by_pillow(BmpImagePlugin.BmpImageFile(io.BytesIO(parts.bare), ""), None)
    # Pillow unpacks runs in Python, byte by byte.
    found: Any = cv2.imdecode(np.frombuffer(parts.bare, np.uint8), cv2.IMREAD_COLOR_RGB)
    _check_shape(found, parts)
    return found, None


def _make_pillow_reader(opener: Callable[..., Image.Image]) -> Reader:
    """For formats whose files Pillow takes apart without decoding them."""

    def take(data: bytes) -> Parts:
        with opener(io.BytesIO(data), "") as header:
            return _describe(data, header)

    return Reader(
        take, lambda parts: _decode_by_pillow(opener(io.BytesIO(parts.bare), ""), parts.icc)
    )


def _describe(data: bytes, header: Image.Image) -> Parts:
    info = header.info
    exif, comment = info.get("exif"), info.get("comment")
    return Parts(
        data,
        header.size,
        int(getattr(header, "n_frames", 1)),
        icc=info.get("icc_profile"),
        exif=exif.removeprefix(b"Exif\0\0") if isinstance(exif, bytes) else None,
        xmp=info.get("xmp"),
        comments=[comment] if isinstance(comment, bytes) and comment else [],
        dpi=info.get("dpi"),
    )


def _open_heif(*arguments: Any) -> Image.Image:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError as error:
        raise NotAPictureError(
            "HEIC needs the package pillow-heif, which is not installed. "
            "Type `pip install pillow-heif`, or save the picture as JPEG"
        ) from error
    opened: Image.Image = HeifImageFile(*arguments)
    return opened


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


_PILLOW: dict[str, Callable[..., Image.Image]] = {
    "TGA": TgaImagePlugin.TgaImageFile,
    "HEIC": _open_heif,
}
READERS = {
    "JPEG": Reader(jpeg.take_apart, _decode_jpeg),
    "PNG": Reader(png.take_apart, _decode_png),
    "WEBP": Reader(webp.take_apart, _decode_webp),
    "TIFF": Reader(tiff_page.take_apart, _decode_tiff),
    "GIF": Reader(gif.take_apart, _make_pillow_reader(GifImagePlugin.GifImageFile).decode),
    "BMP": Reader(_make_pillow_reader(BmpImagePlugin.BmpImageFile).take_apart, _decode_bmp),
    "AVIF": Reader(avif.take_apart, _make_pillow_reader(AvifImagePlugin.AvifImageFile).decode),
    "PNM": Reader(pnm.take_apart, _decode_pnm),
    "JPEG2000": Reader(jpeg2000.take_apart, _decode_jpeg2000),
    **{name: _make_pillow_reader(opener) for name, opener in _PILLOW.items()},
}
