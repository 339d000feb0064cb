"""The full-size path that every ab-predicting model shares.

    photo --tone--> L, small --network--> ab on a coarse grid --joint bilateral--> ab at WORK_SIDE
          --guided filter--> two planes that give ab from L --strips--> full-size colour

Colour is low in frequency and edges are not: ab is predicted small, and every full-size pixel gets
its ab from its own L through a local linear model, so colours end where the photo's edges are.
Full-size floats exist only a strip at a time.

Sources: Kopf et al., "Joint Bilateral Upsampling" (2007); He and Sun, "Fast Guided Filter" (2015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.imaging.color import WHITE, XYZ_TO_RGB, linear_to_srgb
from colorize_core.imaging.finish import NO_FINISH, Finish
from colorize_core.imaging.tone import FINE, Tone

Picture = NDArray[np.uint8] | NDArray[np.uint16]
Floats = NDArray[np.floating[Any]]

WORK_SIDE = 384  # the guided planes have about WORK_SIDE ** 2 pixels
REACH = 1.3  # joint bilateral: support in cells of the coarse grid
LIKENESS = 4.0  # joint bilateral: standard deviation over L
SMOOTHNESS = 1e-4  # guided filter: regularization, in (L / 100) ** 2
STRIP_PIXELS = 1 << 17  # what one strip holds: its planes fit into the cache

_KNEE = 6 / 29  # of the Lab curve
_SLOPE = 3 * _KNEE**2


@dataclass(frozen=True)
class Frame:
    """How a photo of height x width lies on a network's input: scaled evenly, then padded."""

    height: int
    width: int
    scale: float  # network pixels per photo pixel

    @classmethod
    def fit(cls, height: int, width: int, side: int) -> Frame:
        """Scale to about side x side pixels of area, whatever the aspect."""
        return cls(height, width, side / float(np.sqrt(height * width)))

    def size(self) -> tuple[int, int]:
        return (
            max(1, round(self.height * self.scale)),
            max(1, round(self.width * self.scale)),
        )


def pad_to_multiple(plane: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Repeat the bottom and right edge until both sides are multiples."""
    height, width = plane.shape[:2]
    edges = ((0, -height % multiple), (0, -width % multiple)) + ((0, 0),) * (plane.ndim - 2)
    return np.pad(plane, edges, mode="edge")


def sharpen_ab(
    ab: Floats,
    coarse_l: Floats,
    fine_l: Floats,
    cells: tuple[float, float],
) -> Floats:
    """Joint bilateral upsampling of ab, or of other planes (h, w, C), to the size of `fine_l`
    (H, W).

    Every fine pixel takes the mean of the near cells, those of similar L counting most.
    `coarse_l` (h, w): L of the cells; `cells`: height and width of the photo in cells, which may
    be fractional and less than (h, w), the rest being padding.
    """
    coarse = torch.from_numpy(np.dstack([ab, coarse_l])).permute(2, 0, 1).contiguous()
    fine = torch.from_numpy(fine_l)
    total = torch.zeros(ab.shape[2], *fine.shape)
    weight = torch.zeros_like(fine)
    for i, near_row in _find_taps(fine.shape[0], cells[0], ab.shape[0]):
        rows = coarse.index_select(1, i)
        for j, near_col in _find_taps(fine.shape[1], cells[1], ab.shape[1]):
            near = rows.index_select(2, j)  # (a, b, L) of one cell for each fine pixel
            unlike = (fine - near[-1]).square_()
            alike = unlike.mul_(-0.5 / LIKENESS**2).exp_()
            # The small constant decides where no cell is alike: distance alone then counts.
            part = alike.add_(1e-4).mul_(near_row[:, None] * near_col)
            total.addcmul_(part, near[:-1])
            weight += part
    sharp: Floats = (total / weight).permute(1, 2, 0).contiguous().numpy()
    return sharp


def _find_taps(fine: int, cells: float, count: int) -> list[tuple[Tensor, Tensor]]:
    """For `fine` samples over `cells` cells: the numbers of the cells within REACH, one offset at
    a time, with their tent weights. There are `count` cells, padding included."""
    position = (torch.arange(fine) + 0.5) * (cells / fine) - 0.5
    first = torch.ceil(position - REACH)
    taps = []
    for offset in range(int(np.ceil(2 * REACH))):
        cell = first + offset
        weight = (1 - (position - cell).abs() / REACH).clamp_min(0) + 1e-6
        taps.append((cell.long().clamp(0, count - 1), weight))
    return taps


def guide(ab: Floats, lightness: Floats) -> Floats:
    """ab (h, w, 2) as local linear functions of L -> (h, w, 4): the slopes of a and b, then their
    offsets."""

    def mean(x: Floats) -> Floats:
        return cv2.blur(x, (3, 3), borderType=cv2.BORDER_REPLICATE).reshape(x.shape)

    tone = lightness / 100
    mean_l, mean_ab = mean(tone), mean(ab)
    variance = mean(tone * tone) - mean_l**2
    covariance = mean(tone[..., None] * ab) - mean_l[..., None] * mean_ab
    slope = covariance / (variance + SMOOTHNESS)[..., None]
    offset = mean_ab - slope * mean_l[..., None]
    return mean(np.concatenate([slope / 100, offset], axis=-1))


def recombine(
    image: Picture,
    tone: Tone,
    planes: Floats,
    progress: Callable[[float], None] | None = None,
    finish: Finish = NO_FINISH,
) -> Picture:
    """The photo's own L with ab from `planes` (h, w, 4) of guide(), changed by `finish`, then
    clamped to the sRGB gamut without touching L -> (H, W, 3) of the photo's type.

    `progress` gets the finished share after each strip; what it raises stops the work.
    """
    height, width = image.shape[:2]
    result = np.empty(image.shape, image.dtype)  # contiguous, whatever the photo is
    # fx = fy + a / 500 and fz = fy - b / 200, as functions of fy = (L + 16) / 116.
    scale = np.array([1 / 500, -1 / 200], np.float32)
    offset = (planes[..., 2:] - 16 * planes[..., :2]) * scale
    slope = 1 + 116 * planes[..., :2] * scale
    wide = [
        cv2.resize(plane, (width, len(planes)), interpolation=cv2.INTER_LINEAR)
        for plane in (slope[..., 0], slope[..., 1], offset[..., 0], offset[..., 1])
    ]
    across = torch.from_numpy(np.stack(wide))  # (4, h, W)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image[top : top + rows]
        near, weights = _interpolate(height, planes.shape[0], top, len(strip))
        coefficients = weights @ across[:, near]  # (4, rows, W)
        _fill(result[top : top + rows], tone.compress(strip), coefficients, finish)
        if progress:
            progress((top + len(strip)) / height)
    return result


def _interpolate(fine: int, coarse: int, start: int, count: int) -> tuple[slice, Tensor]:
    """The coarse samples that the fine ones start..start+count lie between, and the bilinear
    weights (count, number of these)."""
    position = (torch.arange(start, start + count) + 0.5) * (coarse / fine) - 0.5
    position = position.clamp(0, coarse - 1)
    low = position.floor().long().clamp(max=max(coarse - 2, 0))
    part = (position - low)[:, None]
    near = slice(int(low[0]), min(int(low[-1]) + 2, coarse))
    low = (low - near.start)[:, None]
    weights = torch.zeros(count, near.stop - near.start)
    weights.scatter_(1, low, 1 - part)
    weights.scatter_add_(1, (low + 1).clamp(max=weights.shape[1] - 1), part)
    return near, weights


# Columns: X, Y and Z relative to white.
_TO_LINEAR = torch.tensor(XYZ_TO_RGB * WHITE * FINE, dtype=torch.float32)


def _fill(out: Picture, compressed: Floats, coefficients: Tensor, finish: Finish) -> None:
    """One strip: fy (h, w) and planes (4, h, w) -> sRGB into `out` (h, w, 3)."""
    fy = torch.from_numpy(compressed)
    f = torch.empty(3, *fy.shape)
    f[1].copy_(fy)
    torch.addcmul(coefficients[2], coefficients[0], fy, out=f[0])
    torch.addcmul(coefficients[3], coefficients[1], fy, out=f[2])
    if finish != NO_FINISH:
        _apply(finish, f.numpy())
    bent = f.clamp(min=_KNEE)
    xyz = torch.addcmul((f - bent).mul_(_SLOPE), bent * bent, bent)
    gray = xyz[1] * FINE
    linear = (_TO_LINEAR @ xyz.view(3, -1)).view(3, *fy.shape)
    high, low = linear.amax(0), linear.amin(0)
    if float(high.max()) > FINE or float(low.min()) < 0:
        # The share of chroma that fits; over 1 where the colour fits anyway.
        over = (FINE - gray) / high.sub_(gray).clamp_min_(0.01)
        under = gray / low.neg_().add_(gray).clamp_min_(0.01)
        kept = torch.minimum(over, under).clamp_(0, 1)
        linear = torch.lerp(gray.expand_as(linear), linear, kept)
    _store(linear.clamp_(0, FINE), out)


def _apply(finish: Finish, f: NDArray[np.float32]) -> None:
    """Change fx, fy and fz (3, h, w) in place; fy only where the levels do."""
    a, b = 500 * (f[0] - f[1]), 200 * (f[1] - f[2])
    lightness = 116 * f[1] - 16
    if finish.levels:
        lightness = finish.adjust_lightness(lightness)
        f[1] = (lightness + 16) / 116
    a, b = finish.adjust_ab(a, b, lightness)
    f[0], f[2] = f[1] + a / 500, f[1] - b / 200


def _store(linear: Tensor, out: Picture) -> None:
    """Linear sRGB (3, h, w) in [0, FINE] -> encoded, rounded, interleaved into `out` (h, w, 3)."""
    if out.dtype == np.uint8:
        fine = linear.to(torch.uint16).numpy()
        planes = cv2.LUT(fine.reshape(3, -1), _make_encoding()).reshape(linear.shape)
    else:
        planes = (linear_to_srgb(linear.numpy() / FINE) * 65535 + 0.5).astype(np.uint16)
    cv2.merge(list(planes), out)


@lru_cache(maxsize=1)
def _make_encoding() -> NDArray[np.uint8]:
    """Linear light in whole numbers, their fraction cut off -> 8-bit sRGB."""
    middles = np.minimum((np.arange(FINE + 1) + 0.5) / FINE, 1)
    return np.round(linear_to_srgb(middles) * 255).astype(np.uint8).reshape(1, -1)
