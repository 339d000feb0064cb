"""How the picture moves from one frame to the next, and how far that can be trusted.

Source: Kroeger et al., "Fast Optical Flow using Dense Inverse Search" (2016), as OpenCV has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Field = NDArray[np.float32]  # (h, w, 2), x and y in pixels

SIDE = 224  # frames are compared at about SIDE ** 2 pixels
LOOSE, SHARE = 0.5, 0.02  # squared pixels by which there and back may differ, and of the way
UNLIKE = 7.0  # Lab units of L by which what is carried may differ from what is there
BLUR = 2.0  # pixels over which L is compared: grain is not


@dataclass(frozen=True)
class Motion:
    """Between a frame and the next one: `forward` is where each pixel of the first goes, `backward`
    where each of the second comes from; `sure` and `back_sure` in [0, 1] say how sure that is."""

    forward: Field
    backward: Field
    sure: Plane
    back_sure: Plane


class Carried(NamedTuple):
    """Where each pixel of a frame comes from in another frame, and how sure that is."""

    places: Field  # x and y in the other frame
    sure: Plane  # in [0, 1]


def measure_motion(first: Plane, second: Plane) -> Motion:
    """L (h, w) in [0, 100] of two frames -> how the picture moves between them."""
    one, other = (np.round(each * 2.55).astype(np.uint8) for each in (first, second))
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forward, backward = search.calc(one, other, None), search.calc(other, one, None)
    return Motion(
        forward, backward, _compare_ways(forward, backward), _compare_ways(backward, forward)
    )


def _compare_ways(there: Field, back: Field) -> Plane:
    """How well each pixel comes back to where it began, in [0, 1]."""
    height, width = there.shape[:2]
    places = make_grid(height, width) + there
    returned = sample(back, places)
    error = ((there + returned) ** 2).sum(-1)
    allowed = LOOSE + SHARE * ((there**2).sum(-1) + (returned**2).sum(-1))
    sure = np.exp(-((error / allowed) ** 2))
    outside = (places < -0.5).any(-1) | (places > np.array([width, height]) - 0.5).any(-1)
    sure[outside] = 0
    return sure.astype(np.float32)


@lru_cache(maxsize=4)
def make_grid(height: int, width: int) -> Field:
    """The place of each pixel: (height, width, 2), x and y."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)


def sample(plane: NDArray[Any], places: Field) -> NDArray[Any]:
    """What `plane` has at the places, bilinear; the nearest edge beyond them."""
    return cv2.remap(plane, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def stay(height: int, width: int) -> Carried:
    """From a frame to itself."""
    return Carried(make_grid(height, width), np.ones((height, width), np.float32))


def go_on(carried: Carried, field: Field, sure: Plane) -> Carried:
    """One frame further: `field` says where the pixels of the new frame are in the last one."""
    height, width = field.shape[:2]
    places = make_grid(height, width) + field
    return Carried(sample(carried.places, places), sample(carried.sure, places) * sure)


def compare_light(carried: Carried, here: Plane, there: Plane) -> Plane:
    """How alike L is, in [0, 1], of a frame and of where it comes from. What all of it has become
    lighter or darker is left out."""
    blurred = cv2.GaussianBlur(here, (0, 0), BLUR), cv2.GaussianBlur(there, (0, 0), BLUR)
    difference = blurred[0] - sample(blurred[1], carried.places)
    difference -= np.median(difference)
    alike: Plane = np.exp(-((difference / UNLIKE) ** 2))
    return alike
