"""Dust, scratches, hairs and folds of old prints: found, and filled. Torch-free.

What is found is thin, small, darker or lighter than all around it, and judged by its form
(forms.py, judge.py): a single wire before the sky may still pass for a scratch.

Source: Bertalmio et al., "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting" (2001), as
OpenCV has it, which is nearer to the truth here than Telea's method.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.resampling import resize
from colorize_core.people.faces import find_faces
from colorize_core.prepare import forms
from colorize_core.prepare.forms import Forms
from colorize_core.prepare.judge import Judge, load_judges

Picture = NDArray[np.uint8] | NDArray[np.uint16]
Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

WORK_SIDE = 2400  # longer side, in pixels, at which damage is looked for
EYE = 0.18  # of a face's width: so far around an eye a speck is a light in it
REACH = 3  # pixels that the filling looks at around what it fills
GRAIN = 1.5  # standard deviation, in pixels, of the blur that leaves no grain


def find_damage(image: Picture) -> Mask:
    """(H, W, 3) sRGB uint8 or uint16 -> (H, W): where it is damaged. WeightsError if the file of
    the face detector, which tells lights in eyes from dust, is missing."""
    height, width = image.shape[:2]
    scale = min(1.0, WORK_SIDE / max(height, width))
    gray = measure_gray(image)
    if scale < 1:
        gray = resize(gray, max(1, round(height * scale)), max(1, round(width * scale)))
    judges = load_judges()
    found = _choose(forms.find_specks(gray), judges["specks"])
    if found.any():
        for x, y, radius in _find_eyes(image):
            place = (round(x * scale), round(y * scale))
            cv2.circle(found, place, max(1, round(radius * scale)), 0, -1)
    for name, lines in forms.LINES.items():
        small = forms.shrink(gray, lines.shrunk)
        made = _choose(forms.find_lines(small, lines), judges[name])
        found |= cv2.resize(made, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
    # What the lens and the scanner have spread of it belongs to it.
    found = cv2.dilate(found, np.ones((3, 3), np.uint8))
    if scale < 1:
        found = cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST)
    return found > 0


def measure_gray(image: Picture) -> Plane:
    """(H, W, 3) -> (H, W) in [0, 255]."""
    gray: Plane = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return gray if image.dtype == np.uint8 else gray / np.float32(257)


def _choose(found: tuple[Forms, Forms], judge: Judge) -> NDArray[np.uint8]:
    """(H, W): 1 in the forms that are damage."""
    made = np.zeros(found[0].labels.shape, np.uint8)
    for labels, numbers, measured in found:
        if len(numbers):
            kept = np.zeros(int(labels.max()) + 1, np.uint8)
            kept[numbers[judge.accept(measured)]] = 1
            made |= kept[labels]
    return made


def _find_eyes(image: Picture) -> list[tuple[float, float, float]]:
    """x, y and radius, in pixels of the photo."""
    return [(*eye, EYE * face.width) for face in find_faces(image) for eye in face.landmarks[:2]]


def fill_damage(image: Picture, mask: Mask) -> Picture:
    """(H, W, 3) and (H, W) -> the picture with what surrounds the mask, and its grain, in the mask.
    Every pixel outside it stays as it is."""
    filled = image.copy()
    if not mask.any() or mask.all():
        return filled
    marks = mask.astype(np.uint8)
    rows, columns = np.nonzero(mask)
    mirrored = _mirror(marks, rows, columns)
    top = np.iinfo(image.dtype).max
    gray = np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(
        image[..., 1], image[..., 2]
    )
    for channel in range(1 if gray else 3):
        plane = np.ascontiguousarray(image[..., channel])
        smooth = cv2.inpaint(plane, marks, REACH, cv2.INPAINT_NS).astype(np.float32)
        grain = smooth - cv2.GaussianBlur(smooth, (0, 0), GRAIN)
        made = smooth[rows, columns] + grain[mirrored]
        whole = np.round(np.clip(made, 0, top)).astype(image.dtype)
        filled[rows, columns, channel] = whole
        if gray:
            filled[rows, columns] = whole[:, None]
    return filled


def _mirror(
    marks: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each pixel of the mask the one that lies as far behind its border."""
    _, labels = cv2.distanceTransformWithLabels(
        marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    clean_rows, clean_columns = np.nonzero(marks == 0)
    place = np.zeros((2, int(labels.max()) + 1), np.intp)
    place[:, labels[clean_rows, clean_columns]] = clean_rows, clean_columns
    near_rows, near_columns = place[:, labels[rows, columns]]
    return (
        np.clip(2 * near_rows - rows, 0, marks.shape[0] - 1),
        np.clip(2 * near_columns - columns, 0, marks.shape[1] - 1),
    )
