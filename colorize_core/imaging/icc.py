"""ICC profiles: from the colours of a file to sRGB.

Pillow's LittleCMS does the work for 8 bits a channel. It has no mode for 16-bit RGB, so there the
curves and the matrix of the profile are applied here.

Source: ICC.1:2010.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from colorize_core.imaging.color import linear_to_srgb

STRIP = 1 << 20  # pixels that are converted at a time
Convert = Callable[[Image.Image], Image.Image]


@lru_cache(maxsize=1)
def make_srgb_profile() -> bytes:
    """An sRGB profile; its date is cleared so that equal pictures give equal files."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def make_srgb_transform(icc: bytes | None, mode: str) -> Convert | None:
    """What turns 8-bit pictures of `mode` (L, RGB, CMYK or LAB) into sRGB pictures of mode RGB.

    None where there is nothing to convert: no profile, an sRGB one, one that cannot be parsed or
    one made for other channels. Relative colorimetric with black point compensation.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc or b""))
        space = profile.profile.xcolor_space.strip()
        source = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}[space]
        if source != mode and (mode, source) != ("L", "RGB"):
            return None
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            source,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError, TypeError):
        return None

    def convert(picture: Image.Image) -> Image.Image:
        converted = transform.apply(picture.convert(source) if mode != source else picture)
        converted.info.pop("icc_profile", None)
        return converted

    return None if _is_identity(convert, mode) else convert


def _is_identity(convert: Convert, mode: str) -> bool:
    """Whether no colour moves by more than the rounding of a conversion there and back."""
    if mode == "L":
        probe = np.arange(256, dtype=np.uint8)[None]
    elif mode == "RGB":
        levels = np.linspace(0, 255, 18, dtype=np.uint8)
        probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    else:
        return False
    moved = np.asarray(convert(Image.fromarray(probe)), np.int16)
    return bool(np.abs(moved - (probe[..., None] if mode == "L" else probe)).max() <= 1)


def make_lab_transform() -> Convert:
    """Lab pictures -> sRGB ones; Pillow's own `convert` does not know Lab."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply


def convert_to_srgb(samples: NDArray[Any], icc: bytes | None) -> NDArray[Any]:
    """Gray (H, W) or RGB (H, W, 3), uint8 or uint16, in the profile's colours -> sRGB (H, W, 3).

    RGB may be overwritten in place.
    """
    convert = make_srgb_transform(icc, "L" if samples.ndim == 2 else "RGB")
    if convert is not None:
        convert_strip = _make_strip_converter(convert, icc or b"", samples.dtype)
        if samples.ndim == 2:  # a gray stays one, so a table of all grays does
            samples = np.take(_convert_grays(convert_strip, icc or b"", samples.dtype), samples)
        else:
            rows = max(1, STRIP // samples.shape[1])
            for top in range(0, len(samples), rows):
                samples[top : top + rows] = convert_strip(samples[top : top + rows])
    return cv2.cvtColor(samples, cv2.COLOR_GRAY2RGB) if samples.ndim == 2 else samples


def _convert_grays(
    convert_strip: Callable[[NDArray[Any]], NDArray[Any]], icc: bytes, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Every gray of the dtype in sRGB. By the profile's curves where it has any, in 8 bits, too:
    LittleCMS goes through a coarse table there, and dark grays come out wrong by up to 10 levels.
    """
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    curves = _read_curves(icc) if dtype == np.uint8 else None
    if curves is None:
        return convert_strip(levels[None])[0, :, 1]
    deep = _convert_by_curves(levels[None] * np.uint16(257), *curves)[0, :, 1]
    return ((deep + np.uint32(128)) // 257).astype(np.uint8)


def _make_strip_converter(
    convert: Convert, icc: bytes, dtype: np.dtype[Any]
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What turns a strip, (h, W) or (h, W, 3) of `dtype`, into sRGB (h, W, 3)."""
    if dtype == np.uint8:
        return lambda strip: np.asarray(convert(Image.fromarray(strip)))
    curves = _read_curves(icc)
    if curves is None:
        return lambda strip: _convert_between_levels(strip, convert)
    return lambda strip: _convert_by_curves(strip, *curves)


def convert_ink_to_srgb(samples: NDArray[np.uint16], icc: bytes | None) -> NDArray[np.uint16]:
    """CMYK (H, W, 4) of 16 bits -> sRGB (H, W, 3) of 16 bits, by the profile or else by the formula
    of plain inks."""
    convert = make_srgb_transform(icc, "CMYK")
    pixels = np.empty((*samples.shape[:2], 3), np.uint16)
    rows = max(1, STRIP // 4 // samples.shape[1])
    for top in range(0, len(samples), rows):
        strip = samples[top : top + rows]
        if convert is None:
            light = (65535 - strip).astype(np.float32)
            pixels[top : top + rows] = light[..., :3] * light[..., 3:] / 65535 + 0.5
        else:
            pixels[top : top + rows] = _convert_ink_strip(strip, convert)
    return pixels


def _convert_ink_strip(strip: NDArray[np.uint16], convert: Convert) -> NDArray[np.uint16]:
    """Convert the 8-bit inks below each value and, one ink at a time, above it; add up what each
    share of a step changes."""
    low = np.minimum(strip // 257, 254).astype(np.uint8)
    share = (strip - low.astype(np.uint16) * 257).astype(np.float32) / 257

    def look_up(inks: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(convert(Image.fromarray(inks, "CMYK")), np.float32)

    below = look_up(low)
    total = below.copy()
    for ink in range(4):
        above = low.copy()
        above[..., ink] += 1
        total += (look_up(above) - below) * share[..., ink, None]
    return (np.clip(total, 0, 255) * 257 + 0.5).astype(np.uint16)


# --- 16 bits: Pillow's colour management stops at 8 -------------------------------------------

Curves = tuple[list[NDArray[np.float32]], NDArray[np.float32]]


def _read_curves(icc: bytes) -> Curves | None:
    """(one table of 65,536 linear values a channel, matrix to linear sRGB); None where the profile
    has no such curves but a table of colours."""
    try:
        tags = _read_tags(icc)
        if b"A2B0" in tags:
            return None
        if b"kTRC" in tags:
            return [_read_curve(tags[b"kTRC"])], np.ones((3, 1), np.float32)
        tables = [_read_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        matrix = np.linalg.inv(_read_primaries(_read_tags(make_srgb_profile()))) @ _read_primaries(
            tags
        )
        white = matrix.sum(axis=1, keepdims=True)
        if not np.allclose(white, 1, atol=0.1):
            return None
    except (struct.error, KeyError, ValueError):
        return None
    return tables, (matrix / white).astype(np.float32)  # rounded primaries would tint the grays


def _read_tags(icc: bytes) -> dict[bytes, bytes]:
    count = min(struct.unpack_from(">I", icc, 128)[0], 200)
    places = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(count)]
    return {name: icc[start : start + size] for name, start, size in places}


def _read_primaries(tags: dict[bytes, bytes]) -> NDArray[np.float64]:
    """XYZ of red, green and blue in columns, under D50, the white of all profiles."""
    return np.stack([_read_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)


def _read_xyz(tag: bytes) -> NDArray[np.float64]:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _read_curve(tag: bytes) -> NDArray[np.float32]:
    """The 65,536 values of a `curv` or `para` tag over [0, 1]. ValueError for another one."""
    x = np.linspace(0, 1, 65536)
    with np.errstate(all="ignore"):
        y = _sample_curve(tag, x) if tag[:4] == b"curv" else _compute_parametric(tag, x)
    if not np.isfinite(y).all():
        raise ValueError("not a curve")
    return np.clip(y, 0, 1).astype(np.float32)


def _sample_curve(tag: bytes, x: NDArray[np.float64]) -> NDArray[np.float64]:
    count = struct.unpack_from(">I", tag, 8)[0]
    values = np.frombuffer(tag, ">u2", offset=12)[:count]
    if len(values) < count:
        raise ValueError("not a curve")
    if count < 2:
        return x ** (values[0] / 256) if count else x
    return np.interp(x, np.linspace(0, 1, count), values / 65535)


def _compute_parametric(tag: bytes, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(a x + b) ** g + e from x = d on, c x + f below; the shorter forms leave terms out."""
    forms = ("g", "gab", "gabc", "gabcd", "gabcdef")
    kind = struct.unpack_from(">H", tag, 8)[0]
    if tag[:4] != b"para" or kind >= len(forms):
        raise ValueError("not a curve")
    values = struct.unpack_from(f">{len(forms[kind])}i", tag, 12)
    p = dict.fromkeys("abcdefg", 0.0) | {"a": 1.0}
    p |= {name: value / 65536 for name, value in zip(forms[kind], values, strict=True)}
    if kind in (1, 2):  # here c is what is added on both sides of x = -b / a
        p |= {"d": -p["b"] / p["a"] if p["a"] else 0.0, "e": p["c"], "f": p["c"], "c": 0.0}
    upper = np.clip(p["a"] * x + p["b"], 0, None) ** p["g"] + p["e"]
    return np.where(x >= p["d"], upper, p["c"] * x + p["f"])


def _convert_by_curves(
    strip: NDArray[np.uint16], tables: list[NDArray[np.float32]], matrix: NDArray[np.float32]
) -> NDArray[np.uint16]:
    channels = [strip] if strip.ndim == 2 else [strip[..., i] for i in range(3)]
    if len(tables) != len(channels):  # a gray strip under an RGB profile stays gray
        matrix, tables = matrix.sum(axis=1, keepdims=True), tables[:1]
    linear = np.stack([t[c] for t, c in zip(tables, channels, strict=True)], axis=-1) @ matrix.T
    encoded: NDArray[np.float32] = linear_to_srgb(np.clip(linear, 0, 1))
    return (encoded * 65535 + 0.5).astype(np.uint16)


def _convert_between_levels(strip: NDArray[np.uint16], convert: Convert) -> NDArray[np.uint16]:
    """Convert the 8-bit levels below and above each value, and take what lies between."""
    low = (strip // 257).astype(np.uint8)
    high = np.minimum(low, 254) + 1
    share = ((strip - low.astype(np.uint16) * 257) / 257).astype(np.float32)
    below, above = (np.asarray(convert(Image.fromarray(x)), np.float32) for x in (low, high))
    share = share[..., None] if strip.ndim == 2 else share
    return ((below + (above - below) * share) * 257 + 0.5).astype(np.uint16)
