"""Skin in colour photographs, to learn from: windows around faces, with what resembles the face in
colour and is connected with it; and the colours of skin at each level of lightness.

Nobody has drawn these masks. A face that is found shows the colour of its skin between eyes and
mouth, and colour tells skin from hair, cloth and walls in most photographs, which gray does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.skin import SIDE
from colorize_core.people.faces import Face, find_faces
from colorize_core.people.windows import Window, frame_face

SHOWN = 256  # pixels along a side at which faces are looked for
MOST_FACES = 3  # of one photograph: crowds are alike
LEAST_FACE = 14.0  # pixels of the photograph
LEAST_SCORE = 0.5
CHROMAS, HUES = (7.0, 45.0), (15.0, 85.0)  # of a face that is neither gray nor in coloured light
NEAR, FAR = 2.0, 3.6  # deviations from a face's colour: surely skin, surely not


class Skin(NamedTuple):
    """Windows around faces: pixels (K, 3, SIDE, SIDE) uint8 sRGB; mask (K, 1, SIDE, SIDE) uint8, in
    which 255 is skin; `known`, likewise, 0 where the window reaches over the photograph's edge."""

    pixels: Tensor
    mask: Tensor
    known: Tensor


def find_skin(photos: Tensor) -> Skin:
    """Photographs (N, 3, H, W) uint8 -> the windows around the faces in them that are in colour.
    ValueError if there is none."""
    pictures = (each.permute(1, 2, 0).numpy() for each in photos)
    with ThreadPoolExecutor(2) as pool:
        found = [window for windows in pool.map(_cut_windows, pictures) for window in windows]
    if not found:
        raise ValueError("no faces found in the photographs")
    pixels, *planes = (torch.from_numpy(np.stack(each)) for each in zip(*found, strict=True))
    mask, known = (plane[:, None] for plane in planes)
    return Skin(pixels.permute(0, 3, 1, 2), mask, known)


def _cut_windows(photo: NDArray[np.uint8]) -> list[tuple[NDArray[np.uint8], ...]]:
    height, width = photo.shape[:2]
    faces = [face for face in find_faces(photo, SHOWN) if face.height >= LEAST_FACE]
    faces = [face for face in faces if face.score >= LEAST_SCORE]
    lab = rgb_to_lab(photo.astype(np.float32) / 255).astype(np.float32)
    masks = [(face, label_skin(lab, face)) for face in faces]
    coloured = [(face, mask) for face, mask in masks if mask is not None]
    if not coloured:
        return []
    skin = np.maximum.reduce([mask for _, mask in coloured])
    everywhere = np.full((height, width), 255, np.uint8)
    windows = [frame_face(face) for face, _ in coloured[:MOST_FACES]]
    planes = (photo, (skin * 255).astype(np.uint8), everywhere)
    return [tuple(_cut(plane, window) for plane in planes) for window in windows]


def label_skin(lab: NDArray[np.float32], face: Face) -> NDArray[np.float32] | None:
    """Lab (H, W, 3) -> how likely each pixel (H, W) is the skin of that face, by its colour; None
    if the face has no colour of skin."""
    x, y = face.center
    rows, cols = np.mgrid[: lab.shape[0], : lab.shape[1]]
    inner = ((cols - x) / (0.3 * face.width)) ** 2 + ((rows - y) / (0.3 * face.height)) ** 2 < 1
    if inner.sum() < 12:
        return None
    core = lab[inner]
    middle = np.median(core, axis=0)
    chroma, hue = np.hypot(*middle[1:]), np.degrees(np.arctan2(middle[2], middle[1]))
    if not (CHROMAS[0] <= chroma <= CHROMAS[1] and HUES[0] <= hue <= HUES[1]):
        return None
    spread = 1.48 * np.median(np.abs(core - middle), axis=0)
    spread = np.clip(spread, (10.0, 2.5, 2.5), (16.0, 5.0, 5.0))
    unlike = np.sqrt((((lab - middle) / spread) ** 2).sum(-1))
    likely = np.clip((FAR - unlike) / (FAR - NEAR), 0, 1).astype(np.float32)
    near = np.hypot((cols - x) / face.width, (rows - y) / face.height) < 6
    _, pieces = cv2.connectedComponents(((likely > 0.3) & near).astype(np.uint8))
    touching = np.unique(pieces[inner & (likely > 0.3)])
    connected = np.isin(pieces, touching[touching > 0]).astype(np.float32)
    likely *= cv2.blur(connected, (3, 3)) > 0
    return likely if likely[inner].mean() > 0.5 else None


def _cut(plane: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    """The window of a plane (H, W, ...), SIDE pixels along each side; 0 outside of the plane."""
    scale = SIDE / window.side
    matrix = np.array([[scale, 0, -window.left * scale], [0, scale, -window.top * scale]])
    size = (SIDE, SIDE)
    border = cv2.BORDER_REPLICATE if plane.ndim == 3 else cv2.BORDER_CONSTANT
    cut: NDArray[np.uint8] = cv2.warpAffine(
        plane, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border
    )
    return cut


def measure_colours(skin: Skin, levels: int, smoothing: float = 4.0) -> tuple[Tensor, Tensor]:
    """The ab of skin at each of `levels` evenly spaced L from 0 to 100: means (levels, 2) and
    covariances (levels, 2, 2), Lab units. Faces count alike, whatever their size."""
    sums = torch.zeros(levels, 1 + 2 + 4, dtype=torch.float64)
    for lab, weight in _select_pixels(skin):
        weight = weight / weight.sum().clamp_min(1)
        terms = torch.cat([torch.ones_like(lab[:, :1]), lab[:, 1:], _scale_squares(lab[:, 1:])], 1)
        at = (lab[:, 0] / 100 * (levels - 1)).round().long().clamp(0, levels - 1)
        sums.index_add_(0, at, terms.double() * weight[:, None].double())
    grid = torch.arange(levels, dtype=torch.float64) * 100 / (levels - 1)
    kernel = (-0.5 * ((grid[:, None] - grid[None]) / smoothing) ** 2).exp()
    sums = kernel @ sums
    mean = sums[:, 1:3] / sums[:, :1]
    covariance = (sums[:, 3:] / sums[:, :1]).view(-1, 2, 2) - mean[:, :, None] * mean[:, None]
    return mean.float(), covariance.float()


def _scale_squares(ab: Tensor) -> Tensor:
    return (ab[:, :, None] * ab[:, None]).flatten(1)


def _select_pixels(skin: Skin) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each window Lab (P, 3) and how surely it is skin, (P,): only what is sure."""
    for pixels, mask in zip(skin.pixels, skin.mask, strict=True):
        sure = mask[0] > 200
        lab = rgb_to_lab(pixels.float()[:, sure].T / 255)
        yield lab, torch.ones(len(lab))
