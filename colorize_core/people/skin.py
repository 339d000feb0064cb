"""Skin in gray photographs: where it is around each face, and what colour it has there.

Where: a network that learned from photographs in colour, whose faces tell what is skin. What
colour: that of skin in such photographs at each lightness, times what the colorizing network
holds likely, so that a face in red light stays red and one of stone stays stone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.imaging import chroma
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Tone
from colorize_core.models.distribution import Distribution
from colorize_core.networks.skin import SIDE, Skin
from colorize_core.people.faces import Face
from colorize_core.people.windows import ABOVE, FACE_SHARE, Rectangle, cut, frame_face, snap

Floats = NDArray[np.float32]

STONE, STONE_SPREAD = (1.5, 5.0), 5.0  # ab of what is not skin but has a face, and its deviation
TRUST = 0.6  # how much the network's distribution weighs beside the colours of skin
ODDS = 3.0  # natural logarithm of how much likelier a face is one of skin
EVEN = 0.3  # how much the mean of the whole face weighs beside what is near a place
VIVID = 0.15  # by what share skin is more or less colourful at vividness 2 or 0
SMOOTHNESS = 1e-3  # of the mask's guided filter, in (L / 100) ** 2
# How likely skin has to be to count as none and as all: in the middle of a face, and elsewhere,
# where walls and cloth resemble it.
WITHIN, BEYOND = (0.15, 0.5), (0.6, 0.9)


@dataclass(frozen=True)
class FaceSkin:
    """The skin of one face and of what belongs to it."""

    face: Face
    place: Rectangle  # on the fine planes
    mask: Floats  # of that size, in [0, 1]


@dataclass(frozen=True)
class PlacedDistribution:
    """What a distribution says, and where: of cells that lie in `place` of the fine planes."""

    distribution: Distribution
    coarse_l: Floats
    cells: tuple[float, float]  # height and width of the place in cells
    place: Rectangle


@dataclass(frozen=True)
class SkinLayer:
    """Lays the colours of skin over ab: at a vividness `amount` of the way, within the mask."""

    mask: Floats  # (H, W) in [0, 1], with the amount and how surely it is skin in it
    ab: Floats  # (H, W, 2) in Lab units

    def apply_to(self, ab: Floats, vividness: float) -> Floats:
        """ab (H, W, 2) of the fine planes -> the same with skin."""
        wanted = self.ab * (1 + VIVID * (vividness - 1))
        return ab + (wanted - ab) * self.mask[..., None]


@dataclass(frozen=True)
class _View:
    """A face's window as the network is shown it."""

    place: Rectangle  # of what of it is photo, on the fine planes
    lightness: Floats  # (SIDE, SIDE); outside of the photo its edge goes on
    inside: tuple[slice, slice]  # rows and columns that are photo


@torch.inference_mode()
def find_skin(
    network: Skin,
    image: chroma.Picture,
    tone: Tone,
    faces: Sequence[Face],
    size: tuple[int, ...],
) -> list[FaceSkin]:
    """Where the skin of each face is in a photo (H, W, 3); masks are for planes of `size`, height
    and width."""
    if not faces:
        return []
    views = [_make_view(image, tone, face, size) for face in faces]
    planes = torch.from_numpy(np.stack([view.lightness for view in views]))[:, None]
    both = torch.cat([planes, planes.flip(-1)]).to(next(network.parameters()).device)
    logits, mirrored = network(both).float().cpu().chunk(2)
    found = ((logits + mirrored.flip(-1)) / 2).sigmoid()[:, 0].numpy()
    skins = []
    for face, view, likely in zip(faces, views, found, strict=True):
        sharp = _refine(_decide(likely), view.lightness)[view.inside]
        mask = np.clip(resize(sharp, *view.place.size), 0, 1)
        skins.append(FaceSkin(face, view.place, mask))
    return skins


def _make_view(image: chroma.Picture, tone: Tone, face: Face, size: tuple[int, ...]) -> _View:
    window = frame_face(face)
    height, width = image.shape[:2]
    left, top = max(window.left, 0.0), max(window.top, 0.0)
    right = min(window.left + window.side, width)
    bottom = min(window.top + window.side, height)
    place = snap(top, left, bottom, right, (height, width), size)
    pixels = cut(image, place, size)
    scale = SIDE / window.side
    rows, cols = (max(1, min(SIDE, round(n * scale))) for n in pixels.shape[:2])
    above = min(round((top - window.top) * scale), SIDE - rows)
    before = min(round((left - window.left) * scale), SIDE - cols)
    lightness = tone.lightness(resize(pixels, rows, cols)).clip(0, 100)
    pads = ((above, SIDE - rows - above), (before, SIDE - cols - before))
    inside = (slice(above, above + rows), slice(before, before + cols))
    return _View(place, np.pad(lightness, pads, mode="edge"), inside)


def colour_skin(
    network: Skin,
    skins: Sequence[FaceSkin],
    told: Sequence[PlacedDistribution],
    fine_l: Floats,
    amount: float,
) -> SkinLayer:
    """The colours for each face, by what the finest distribution says that holds it."""
    total = np.zeros(fine_l.shape, np.float32)
    shift = np.zeros((*fine_l.shape, 2), np.float32)
    for skin in skins:
        moved, surely = measure_tint(network, skin, _find_finest(skin, told))
        here = (slice(skin.place.top, skin.place.bottom), slice(skin.place.left, skin.place.right))
        mask = skin.mask * surely
        more = mask > total[here]
        total[here][more] = mask[more]
        shift[here][more] = moved[more]
    mean, _ = network.interpolate_colours(torch.from_numpy(fine_l))
    return SkinLayer(total * amount, mean.cpu().numpy() + shift)


def measure_tint(network: Skin, skin: FaceSkin, told: PlacedDistribution) -> tuple[Floats, float]:
    """How far the ab of this skin is from that of all skin at the same lightness, (h, w, 2) of its
    place in Lab units, and how sure it is that this is skin, in [0, 1]."""
    share = _measure_cell_shares(skin, told)
    if not float(share.max()) > 0:
        return np.zeros((*skin.place.size, 2), np.float32), 0.0
    chosen = share > 0.05 * share.max()
    logits = torch.log_softmax(told.distribution.logits[0].float().cpu(), 0)
    logits = logits[:, torch.from_numpy(chosen)].T  # (cells, Q)
    level = torch.from_numpy(told.coarse_l[chosen])
    points = told.distribution.bins.points.cpu()
    mean, covariance = (each.cpu() for each in network.interpolate_colours(level))
    grain = torch.eye(2) * told.distribution.bins.step**2 / 6  # of the grid's bilinear targets
    as_skin = _compute_log_normal(points, mean, covariance + grain)
    stone = torch.tensor(STONE).expand_as(mean)
    as_stone = _compute_log_normal(points, stone, torch.eye(2) * STONE_SPREAD**2 + grain)
    evidence = torch.logsumexp(logits + as_skin, 1) - torch.logsumexp(logits + as_stone, 1)
    weight = torch.from_numpy(share[chosen] / share[chosen].sum())
    surely = float(torch.sigmoid(ODDS + (weight * evidence).sum()))
    likely = torch.softmax(TRUST * logits + as_skin, 1)
    moved = np.zeros((*share.shape, 2), np.float32)
    moved[chosen] = (likely @ points - mean).numpy()
    return _smooth(moved, share, skin.place, told), surely


def _measure_cell_shares(skin: FaceSkin, told: PlacedDistribution) -> Floats:
    """How much of each cell is surely skin, (h, w) in [0, 1]."""
    height, width = told.distribution.logits.shape[-2:]
    down, across = told.place.size[0] / told.cells[0], told.place.size[1] / told.cells[1]
    # From cells to pixels of the mask: middles to middles.
    left = told.place.left - skin.place.left + across / 2 - 0.5
    top = told.place.top - skin.place.top + down / 2 - 0.5
    matrix = np.array([[across, 0, left], [0, down, top]])
    # The mask's outside must not count as the edge of it goes on: a border of zeros.
    sigmas = [max(0.3, 0.4 * each) for each in (across, down)]
    border = round(2 * max(sigmas)) + 1
    padded = np.pad(skin.mask, border)
    blurred = cv2.GaussianBlur(padded, (0, 0), sigmas[0], sigmaY=sigmas[1])
    matrix[:, 2] += border
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    share: Floats = cv2.warpAffine(blurred, matrix, (width, height), flags=flags) ** 2
    return share


def _smooth(moved: Floats, share: Floats, place: Rectangle, told: PlacedDistribution) -> Floats:
    """A mean of cells (h, w, 2) by their shares, from near by and from all of the face, for the
    pixels of its place."""
    near = cv2.GaussianBlur(share, (0, 0), 1.0)[..., None]
    local = cv2.GaussianBlur(moved * share[..., None], (0, 0), 1.0)
    whole = (moved * share[..., None]).sum((0, 1)) / share.sum()
    mixed = (local + EVEN * whole) / (near + EVEN)
    down, across = told.place.size[0] / told.cells[0], told.place.size[1] / told.cells[1]
    left = (place.left - told.place.left + 0.5) / across - 0.5
    top = (place.top - told.place.top + 0.5) / down - 0.5
    matrix = np.array([[1 / across, 0, left], [0, 1 / down, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine: Floats = cv2.warpAffine(
        mixed, matrix, place.size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return fine


def _compute_log_normal(points: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Log density, up to a constant, at points (Q, 2) for each of means (K, 2) -> (K, Q)."""
    apart = points[None] - mean[:, None]
    inverse = torch.linalg.inv(covariance).expand(len(mean), 2, 2)
    squares = torch.einsum("kqi,kij,kqj->kq", apart, inverse, apart)
    return -0.5 * (squares + torch.logdet(covariance).view(-1, 1))


def _find_finest(skin: FaceSkin, told: Sequence[PlacedDistribution]) -> PlacedDistribution:
    """The finest that holds the middle of the face's place."""
    row = (skin.place.top + skin.place.bottom) / 2
    col = (skin.place.left + skin.place.right) / 2
    holding = [
        each
        for each in told
        if each.place.top <= row < each.place.bottom and each.place.left <= col < each.place.right
    ]
    return min(holding, key=lambda each: each.place.size[0] / each.cells[0])


def _decide(likely: Floats) -> Floats:
    """How much of a window's pixels counts as skin, from how likely it is that they are."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    middle = (ABOVE + FACE_SHARE / 2) * SIDE
    away = np.hypot((cols + 0.5 - SIDE / 2) / 0.8, rows + 0.5 - middle) / (FACE_SHARE / 2 * SIDE)
    beyond = np.clip((away - 0.7) / 0.6, 0, 1)
    low, high = (w + (b - w) * beyond for w, b in zip(WITHIN, BEYOND, strict=True))
    share = np.clip((likely - low) / (high - low), 0, 1)
    decided: Floats = (share * share * (3 - 2 * share)).astype(np.float32)
    return decided


def _refine(mask: Floats, lightness: Floats) -> Floats:
    """The mask's edges where the photo's are (He and Sun, "Fast Guided Filter", 2015)."""
    tone, reach = lightness / 100, (7, 7)
    mean_l, mean_m = cv2.blur(tone, reach), cv2.blur(mask, reach)
    variance = cv2.blur(tone * tone, reach) - mean_l**2
    slope = (cv2.blur(tone * mask, reach) - mean_l * mean_m) / (variance + SMOOTHNESS)
    offset = mean_m - slope * mean_l
    refined: Floats = np.clip(cv2.blur(slope, reach) * tone + cv2.blur(offset, reach), 0, 1)
    return refined
