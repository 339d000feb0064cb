"""Album pages: where the photos on a scanned page are, and each of them straight and by itself.
Torch-free.

The page's paper is what its edges consist of. What differs from it, or has gradients that paper
has not, is a photo where it fills a rectangle. Photos that touch or overlap are taken as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.resampling import resize

Picture = NDArray[np.uint8] | NDArray[np.uint16]
Marks = NDArray[np.uint8]

WORK_SIDE = 800  # longer side, in pixels, at which photos are looked for
EDGE = 0.015  # of the longer side: so far from the border the page shows its paper
LEAST_AREA, MOST_AREA = 0.015, 0.95  # shares of the page that a photo covers
FILLED = 0.85  # share of its rectangle that it covers
SLENDER = 6.0  # times as long as wide: longer things are no photos
PAPER_SPREAD = 5.0  # standard deviations of the paper, beyond which it is none
LEAST_DISTANCE = 6.0  # Lab units of 8 bits, likewise
STRAIGHT = 0.15  # degrees, under which a photo is only cropped


@dataclass(frozen=True)
class Place:
    """A rectangle on a page, in its pixels."""

    x: float  # of its middle
    y: float
    width: float
    height: float
    angle: float  # degrees by which it is turned clockwise, in (-45, 45]

    @property
    def corners(self) -> NDArray[np.float32]:
        """(4, 2), x and y."""
        box = ((self.x, self.y), (self.width, self.height), self.angle)
        points: NDArray[np.float32] = cv2.boxPoints(box)
        return points


def find_photos(page: Picture) -> list[Place]:
    """(H, W, 3) sRGB uint8 or uint16 -> its photos, row by row. Empty where the page has no paper
    around them, as a single photo."""
    height, width = page.shape[:2]
    scale = min(1.0, WORK_SIDE / max(height, width))
    small = resize(page, max(1, round(height * scale)), max(1, round(width * scale)))
    if small.dtype != np.uint8:
        small = np.round(small / 257).astype(np.uint8)
    if min(small.shape[:2]) < 32:
        return []
    marks = _mark_photos(small)
    contours, _ = cv2.findContours(marks, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = []
    for contour in contours:
        hull = cv2.convexHull(contour)
        (x, y), (across, along), angle = cv2.minAreaRect(hull)
        area = across * along
        if not LEAST_AREA <= area / marks.size <= MOST_AREA:
            continue
        if cv2.contourArea(hull) < FILLED * area or max(across, along) > SLENDER * min(
            across, along
        ):
            continue
        while angle > 45:
            angle, across, along = angle - 90, along, across
        while angle <= -45:
            angle, across, along = angle + 90, along, across
        # Pixels have a width: the contour runs through their middles.
        sides = ((across + 1) / scale, (along + 1) / scale)
        found.append(Place((x + 0.5) / scale, (y + 0.5) / scale, *sides, float(angle)))
    return _order(_drop_inner(found))


def _mark_photos(small: NDArray[np.uint8]) -> Marks:
    """(h, w): 255 where there is something other than paper."""
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    rim = max(2, round(EDGE * max(small.shape)))
    inner = np.zeros(small.shape[:2], bool)
    inner[rim:-rim, rim:-rim] = True
    edge = lab[~inner]
    paper = np.median(edge, axis=0)
    away = np.linalg.norm(edge - paper, axis=1)
    # Of what lies at the edges most is paper: photos reach them in places only.
    spread = 1.4826 * float(np.median(away))
    most = max(LEAST_DISTANCE, PAPER_SPREAD * spread)
    distance = np.linalg.norm(cv2.GaussianBlur(lab, (0, 0), 1) - paper, axis=2)
    slope = np.hypot(
        cv2.Sobel(lab[..., 0], cv2.CV_32F, 1, 0), cv2.Sobel(lab[..., 0], cv2.CV_32F, 0, 1)
    )
    rough = slope > max(40.0, 4 * float(np.percentile(slope[~inner], 90)))
    marks = ((distance > most) | rough).astype(np.uint8) * 255
    marks = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(marks, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(marks, contours, -1, 255, cv2.FILLED)
    # Corners of mounts, stains and lines of writing are thin.
    thin = max(5, round(0.02 * max(small.shape))) | 1
    opened: Marks = cv2.morphologyEx(marks, cv2.MORPH_OPEN, np.ones((thin, thin), np.uint8))
    # Opening cuts the corners of what is turned: what is joined to the rest comes back.
    near = cv2.dilate(opened, np.ones((thin, thin), np.uint8))
    return np.minimum(marks, near)


def _drop_inner(found: list[Place]) -> list[Place]:
    """Without those whose middle lies in a larger one."""
    kept: list[Place] = []
    for place in sorted(found, key=lambda each: -each.width * each.height):
        middle = (place.x, place.y)
        if all(cv2.pointPolygonTest(each.corners, middle, False) < 0 for each in kept):
            kept.append(place)
    return kept


def _order(found: list[Place]) -> list[Place]:
    """From top to bottom in rows, each from left to right."""
    rows: list[list[Place]] = []
    for place in sorted(found, key=lambda each: each.y):
        if rows and place.y - rows[-1][0].y < 0.5 * min(place.height, rows[-1][0].height):
            rows[-1].append(place)
        else:
            rows.append([place])
    return [place for row in rows for place in sorted(row, key=lambda each: each.x)]


def cut_photo(page: Picture, place: Place) -> Picture:
    """The photo in that place, upright, at the page's own size: (h, w, 3) of the page's type. Where
    it is not turned, pixels are copied as they are."""
    height, width = page.shape[:2]
    if abs(place.angle) < STRAIGHT:
        left, top = (
            max(0, round(v)) for v in (place.x - place.width / 2, place.y - place.height / 2)
        )
        right = min(width, round(place.x + place.width / 2))
        bottom = min(height, round(place.y + place.height / 2))
        return page[top : max(top + 1, bottom), left : max(left + 1, right)].copy()
    size = (max(1, round(place.width)), max(1, round(place.height)))
    turn = np.radians(place.angle)
    along = np.array([np.cos(turn), np.sin(turn)])
    down = np.array([-np.sin(turn), np.cos(turn)])
    corner = np.array([place.x, place.y]) - along * size[0] / 2 - down * size[1] / 2
    # From the middles of the photo's pixels to those of the page's.
    start = corner + (along + down) / 2 - 0.5
    matrix = np.column_stack([along, down, start])
    made: Picture = cv2.warpAffine(
        page,
        matrix,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return made
