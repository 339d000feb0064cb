"""The first mask: people where there are any, with their faces, else what stands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from colorize_core.imaging.tone import Picture
from colorize_core.people.faces import Face, find_faces
from colorize_core.selective import automatic, masks
from colorize_core.selective.masks import Mask
from colorize_core.selective.people import PEOPLE
from colorize_core.selective.segmenters import find_classes

# Of the photo: people without a face have to be so large, as smaller ones are mistakes too often.
# Chosen on the pictures of tests/hand_masks.py.
LEAST_BODY = 0.05
SUPERSAMPLED = 4  # fractional bits of an ellipse's corners, as OpenCV takes them
EDGE = 0.06  # softness of a face's edge, as a share of its height
REACH = 1.1  # a face's box goes from brow to chin: half axes are so many times its half sides


def find_subject(
    photo: Picture, *, device: str = "auto", progress: Callable[[float], None] | None = None
) -> Mask:
    """What a photo (H, W, 3) is about: a mask of screen size, with nothing told and nothing
    downloaded.

    Of people it is all that the network for people finds and every face, which a guess from
    lightness often leaves out; where nobody is found it is grabcut()'s guess, and where there is a
    face but no body it is both. `progress` gets shares of the work in [0, 1]; what it
    raises stops it. Raises WeightsError, OptionError or DeviceError.
    """
    seen = masks.shrink_to_screen(photo)
    layers = find_classes(seen, network=PEOPLE.name, device=device, progress=progress)
    faces = find_faces(seen)
    bodies = [layer.mask for layer in layers if faces or layer.share >= LEAST_BODY]
    mask = bodies[0] if bodies else automatic.grabcut(seen)
    return np.maximum(mask, cover_faces(faces, mask.shape)).clip(0, 1)


def cover_faces(faces: Sequence[Face], shape: Sequence[int]) -> Mask:
    """A mask (H, W) of the ellipses that faces, in its pixels, fill."""
    mask = np.zeros(shape, np.float32)
    for face in faces:
        one = np.zeros(shape, np.float32)
        fine = 1 << SUPERSAMPLED
        middle = tuple(round(value * fine) for value in face.center)
        axes = tuple(round(side / 2 * REACH * fine) for side in (face.width, face.height))
        cv2.ellipse(one, middle, axes, 0, 0, 360, 1.0, -1, cv2.LINE_8, SUPERSAMPLED)
        np.maximum(mask, cv2.GaussianBlur(one, (0, 0), max(0.5, EDGE * face.height)), out=mask)
    return mask
