"""What time does to prints, drawn on clean photographs: scratches, hairs, dust, folds; the dots of
newspaper print; pages of albums. Widths are in pixels of a photograph of about 800."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import linear_to_srgb, srgb_to_linear

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]
Random = np.random.Generator

KINDS = ("scratches", "hairs", "dust", "folds")
PAPERS = (
    (24, 22, 22),
    (70, 62, 54),
    (120, 118, 116),
    (190, 172, 140),
    (244, 242, 238),
    (96, 110, 92),
)  # sRGB, from black to white
SEEN = 0.15  # share of the way to the damage's own gray from which a pixel counts as damaged


class Damaged(NamedTuple):
    photo: Picture  # (H, W, 3), gray
    masks: dict[str, Mask]  # of each kind

    @property
    def mask(self) -> Mask:
        every: Mask = np.any(list(self.masks.values()), axis=0)
        return every


def damage(photo: Picture, random: Random) -> Damaged:
    """All kinds on a gray photo."""
    made = photo.astype(np.float32)
    masks = {}
    draw = {"scratches": _scratch, "hairs": _hair, "dust": _dust, "folds": _fold}
    counts = {
        "scratches": int(random.integers(1, 5)),
        "hairs": int(random.integers(1, 5)),
        "dust": int(random.integers(10, 60)),
        "folds": int(random.random() < 0.5),
    }
    for kind in KINDS:
        mask = np.zeros(photo.shape[:2], bool)
        for _ in range(counts[kind]):
            share = draw[kind](photo.shape[:2], random)
            bright = random.random() < (0.9 if kind == "folds" else 0.6)
            ink = random.uniform(225, 255) if bright else random.uniform(0, 40)
            made += share[..., None] * (ink - made)
            mask |= (share > SEEN) & (np.abs(ink - photo[..., 0].astype(np.float32)) > 20)
        masks[kind] = mask
    return Damaged(np.round(np.clip(made, 0, 255)).astype(np.uint8), masks)


def _draw(shape: tuple[int, int], points: NDArray[np.float64], width: float) -> Plane:
    """A line through points (n, 2) of x and y -> the share of each pixel that it covers."""
    zoom = 4
    big = np.zeros((shape[0] * zoom, shape[1] * zoom), np.uint8)
    drawn = np.round(points * zoom).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(big, [drawn], False, 255, max(1, round(width * zoom)))
    small = cv2.resize(big, shape[::-1], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def _waver(shape: tuple[int, int], random: Random, least: float) -> Plane:
    """A smooth share in [least, 1] of each pixel: damage is not as strong everywhere."""
    rough = random.uniform(0, 1, (6, 6)).astype(np.float32)
    smooth = cv2.resize(rough, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(least + (1.2 - least) * smooth, least, 1).astype(np.float32)


def _scratch(shape: tuple[int, int], random: Random) -> Plane:
    height, width = shape
    angle = random.uniform(0, np.pi)
    length = random.uniform(0.15, 1.0) * max(shape)
    begin = np.array([random.uniform(0, width), random.uniform(0, height)])
    along, bend = np.linspace(-0.5, 0.5, 30), random.normal(0, 0.01) * length
    x, y = along * length, bend * (1 - 4 * along**2)
    turned = np.stack(
        [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)]
    )
    share = _draw(shape, begin + turned.T, random.uniform(0.8, 2.2))
    return share * _waver(shape, random, 0.2) * np.float32(random.uniform(0.4, 1))


def _hair(shape: tuple[int, int], random: Random) -> Plane:
    step = random.uniform(0.05, 0.2) * max(shape) / 40
    turns = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.15, 40))
    begin = np.array([random.uniform(0, shape[1]), random.uniform(0, shape[0])])
    points = begin + np.cumsum(step * np.stack([np.cos(turns), np.sin(turns)], 1), 0)
    share = _draw(shape, points, random.uniform(0.8, 1.8))
    return share * np.float32(random.uniform(0.5, 1))


def _dust(shape: tuple[int, int], random: Random) -> Plane:
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    radii = random.uniform(0.8, 3.5) * random.uniform(0.5, 1.2, 12)
    begin = np.array([random.uniform(0, shape[1]), random.uniform(0, shape[0])])
    points = begin + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    zoom, reach = 8, 8
    big = np.zeros((2 * reach * zoom, 2 * reach * zoom), np.uint8)
    corner = np.floor(begin).astype(int) - reach
    cv2.fillPoly(big, [np.round((points - corner) * zoom).astype(np.int32)], 255)
    small = cv2.resize(big, (2 * reach, 2 * reach), interpolation=cv2.INTER_AREA)
    share = np.zeros((shape[0] + 4 * reach, shape[1] + 4 * reach), np.float32)
    x, y = corner + 2 * reach
    share[y : y + 2 * reach, x : x + 2 * reach] = small / 255
    inside = share[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    return inside * np.float32(random.uniform(0.5, 1))


def _fold(shape: tuple[int, int], random: Random) -> Plane:
    height, width = shape
    along = np.linspace(0, 1, 60)
    if random.random() < 0.5:
        start, end = random.uniform(0.1, 0.9, 2) * height
        points = np.stack([along * width, start + along * (end - start)], 1)
        points[:, 1] += random.normal(0, 0.6, 60)
    else:
        start, end = random.uniform(0.1, 0.9, 2) * width
        points = np.stack([start + along * (end - start), along * height], 1)
        points[:, 0] += random.normal(0, 0.6, 60)
    share = _draw(shape, points, random.uniform(2, 5))
    rough = random.uniform(0.5, 1, shape).astype(np.float32)
    return share * rough * _waver(shape, random, 0.3)


def print_dots(photo: Picture, pitch: float, angle: float) -> Picture:
    """A gray photo as a newspaper prints it and a scanner sees it: black dots, whose size makes the
    gray, `pitch` pixels apart along `angle` (degrees)."""
    zoom = 4
    height, width = photo.shape[:2]
    light = srgb_to_linear(photo[..., 0].astype(np.float32) / 255).astype(np.float32)
    light = cv2.resize(light, (width * zoom, height * zoom), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[: height * zoom, : width * zoom].astype(np.float32) / zoom
    turn = np.radians(angle)
    u = (x * np.cos(turn) + y * np.sin(turn)) * np.float32(2 * np.pi / pitch)
    v = (y * np.cos(turn) - x * np.sin(turn)) * np.float32(2 * np.pi / pitch)
    screen = (np.cos(u) + np.cos(v)) / 4 + 0.5
    # Its ranks: as much of the paper is left white as the gray has of light.
    order = np.searchsorted(np.sort(screen[::7, ::7].ravel()), screen) / screen[::7, ::7].size
    ink = (order < light).astype(np.float32) * 0.82 + 0.05  # paper is not white, ink not black
    seen = cv2.GaussianBlur(ink, (0, 0), 0.5 * zoom)
    small = cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA)
    gray = np.round(255 * linear_to_srgb(small.astype(np.float64))).astype(np.uint8)
    return np.repeat(gray[..., None], 3, 2)


class Page(NamedTuple):
    """A page of an album and where its photos are: corners (4, 2), x and y, of each."""

    pixels: Picture
    corners: list[NDArray[np.float32]]


def lay_page(photos: list[Picture], random: Random, side: int = 1600) -> Page:
    """1 to 6 photos, turned a little, on paper of some tone."""
    rows, columns = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2), 5: (3, 2), 6: (3, 2)}[len(photos)]
    height, width = side, round(side * 0.75)
    paper = np.array(PAPERS[random.integers(len(PAPERS))], np.float32)
    page = paper + random.normal(0, random.uniform(0.5, 3), (height, width, 1)).astype(np.float32)
    shade = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * random.uniform(0, 5)
    page = page + shade
    corners = []
    for number, photo in enumerate(photos):
        row, column = divmod(number, columns)
        room = np.array([width / columns, height / rows])
        border = int(random.integers(0, 2)) * round(0.02 * side)
        aspect = photo.shape[1] / photo.shape[0]
        most = min(room[0] / aspect, room[1]) * random.uniform(0.6, 0.8)
        size = np.array([most * aspect, most])
        print_size = (round(size[0]), round(size[1]))
        made = cv2.resize(photo, print_size, interpolation=cv2.INTER_CUBIC)
        if border:
            made = cv2.copyMakeBorder(
                made, *[border // 2] * 4, cv2.BORDER_CONSTANT, value=(238, 234, 224)
            )
        angle = random.uniform(-8, 8)
        middle = room * (np.array([column, row]) + 0.5) + random.uniform(-0.03, 0.03, 2) * room
        turn = cv2.getRotationMatrix2D((0, 0), -angle, 1.0)
        half = np.array([made.shape[1], made.shape[0]]) / 2
        turn[:, 2] = middle - turn[:, :2] @ half
        inside = cv2.warpAffine(
            np.ones(made.shape[:2], np.float32), turn, (width, height), flags=cv2.INTER_LINEAR
        )[..., None]
        shown = cv2.warpAffine(
            made, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        page = page + inside * (shown - page)
        outline = np.array([[0, 0], [2 * half[0], 0], 2 * half, [0, 2 * half[1]]])
        corners.append((outline @ turn[:, :2].T + turn[:, 2]).astype(np.float32))
    return Page(np.round(np.clip(page, 0, 255)).astype(np.uint8), corners)
