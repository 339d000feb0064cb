"""sRGB <-> CIE L*a*b* (D65, 2 degree observer): the only colour conversion of the project.

Every function takes a NumPy array or a torch tensor and gives back the same kind. `axis` is the
channel axis: -1 for pictures (H, W, 3), 1 for batches (N, 3, H, W). RGB is sRGB in [0, 1];
L is in [0, 100], a and b in Lab units (the sRGB gamut spans about -86..98 and -108..95).

Sources: IEC 61966-2-1 (transfer curve and primaries), CIE 15:2004 (Lab). The white point is the
sum of the matrix rows, so that R = G = B has a = b = 0 exactly.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = TypeVar("Array", bound=Any)  # numpy.ndarray or torch.Tensor

RGB_TO_XYZ = np.array(
    [
        [0.4123907993, 0.3575843394, 0.1804807884],
        [0.2126390059, 0.7151686788, 0.0721923154],
        [0.0193308187, 0.1191947798, 0.9505321522],
    ]
)
XYZ_TO_RGB = np.linalg.inv(RGB_TO_XYZ)
WHITE = RGB_TO_XYZ.sum(axis=1)

# Below this ratio the cube root gives way to a straight line (CIE 15:2004).
_DELTA = 6 / 29
_SLOPE = 1 / (3 * _DELTA**2)


def _get_namespace(x: Any) -> ModuleType:
    if isinstance(x, np.ndarray | np.generic):
        return np
    import torch

    return torch


def _split(x: Any, axis: int) -> tuple[Any, Any, Any]:
    if x.shape[axis] != 3:
        raise ValueError(f"expected 3 channels on axis {axis}, got shape {tuple(x.shape)}")
    first, second, third = (_get_namespace(x).moveaxis(x, axis, 0)[i] for i in range(3))
    return first, second, third


def srgb_to_linear(rgb: Array) -> Array:
    """Decode the sRGB transfer curve, [0, 1] -> [0, 1]."""
    xp = _get_namespace(rgb)
    return xp.where(rgb <= 0.04045, rgb / 12.92, ((xp.clip(rgb, 0.0, None) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Array) -> Array:
    """Encode with the sRGB transfer curve, [0, 1] -> [0, 1]; negative values stay linear."""
    xp = _get_namespace(linear)
    root = 1.055 * xp.clip(linear, 0.0031308, None) ** (1 / 2.4) - 0.055
    return xp.where(linear <= 0.0031308, 12.92 * linear, root)


def _compress(t: Any) -> Any:
    xp = _get_namespace(t)
    return xp.where(t > _DELTA**3, xp.clip(t, _DELTA**3, None) ** (1 / 3), _SLOPE * t + 4 / 29)


def _expand(f: Any) -> Any:
    return _get_namespace(f).where(f > _DELTA, f**3, (f - 4 / 29) / _SLOPE)


def rgb_to_lab(rgb: Array, axis: int = -1) -> Array:
    """sRGB in [0, 1] -> Lab on the same axis. ValueError if the axis has not 3 channels."""
    return linear_to_lab(srgb_to_linear(rgb), axis)


def linear_to_lab(linear: Array, axis: int = -1) -> Array:
    """Linear sRGB in [0, 1] -> Lab on the same axis. ValueError if the axis has not 3 channels."""
    r, g, b = _split(linear, axis)
    fx, fy, fz = (
        _compress((m[0] * r + m[1] * g + m[2] * b) / w)
        for m, w in zip(RGB_TO_XYZ.tolist(), WHITE.tolist(), strict=True)
    )
    xp = _get_namespace(linear)
    return xp.moveaxis(xp.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]), 0, axis)


def lab_to_linear(lightness: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Lab planes -> linear sRGB planes, unbounded."""
    fy = (lightness + 16) / 116
    xyz = [
        _expand(f) * w
        for f, w in zip((fy + a / 500, fy, fy - b / 200), WHITE.tolist(), strict=True)
    ]
    red, green, blue = (m[0] * xyz[0] + m[1] * xyz[1] + m[2] * xyz[2] for m in XYZ_TO_RGB.tolist())
    return red, green, blue


def lab_to_rgb(lab: Array, axis: int = -1) -> Array:
    """Lab -> sRGB on the same axis, *not* clipped: outside [0, 1] means outside the gamut."""
    xp = _get_namespace(lab)
    return linear_to_srgb(xp.moveaxis(xp.stack(lab_to_linear(*_split(lab, axis))), 0, axis))


def lab_to_rgb_in_gamut(lab: Array, axis: int = -1) -> Array:
    """Lab -> sRGB in [0, 1]; colours outside the gamut lose chroma, never L.

    They are mixed in linear light with the gray of their own luminance until all three channels
    fit: a straight line to the white point, which keeps luminance (and so L) and the dominant
    wavelength. L must be in [0, 100].
    """
    xp = _get_namespace(lab)
    red, green, blue = lab_to_linear(*_split(lab, axis))
    m = RGB_TO_XYZ[1].tolist()
    gray = xp.clip(m[0] * red + m[1] * green + m[2] * blue, 0.0, 1.0)
    high = xp.maximum(xp.maximum(red, green), blue)
    low = xp.minimum(xp.minimum(red, green), blue)
    kept = xp.minimum(
        xp.where(high > 1, (1 - gray) / xp.clip(high - gray, 1e-9, None), xp.ones_like(gray)),
        xp.where(low < 0, gray / xp.clip(gray - low, 1e-9, None), xp.ones_like(gray)),
    )
    linear = xp.stack([gray + kept * (channel - gray) for channel in (red, green, blue)])
    return xp.clip(linear_to_srgb(xp.moveaxis(linear, 0, axis)), 0.0, 1.0)


def combine_ab(lightness: NDArray[np.floating], ab: NDArray[np.floating]) -> NDArray[np.uint8]:
    """L (H, W, 1) in [0, 100] and ab (H, W, 2) -> sRGB (H, W, 3), brought into the gamut."""
    rgb = lab_to_rgb_in_gamut(np.concatenate([lightness, ab], -1))
    return np.round(rgb * 255).astype(np.uint8)


def lightness(rgb: Array, axis: int = -1) -> Array:
    """L in [0, 100] of sRGB in [0, 1]; the channel axis is dropped."""
    r, g, b = _split(srgb_to_linear(rgb), axis)
    m = RGB_TO_XYZ[1].tolist()
    return 116 * _compress(m[0] * r + m[1] * g + m[2] * b) - 16
