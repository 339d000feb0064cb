"""CIEDE2000 colour difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.color import rgb_to_lab


def delta_e(lab1: NDArray[np.floating], lab2: NDArray[np.floating]) -> NDArray[np.floating]:
    """CIEDE2000 of two Lab arrays (..., 3) -> (...), with kL = kC = kH = 1.

    Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005), some of whose
    test pairs are in the tests. 0 is identical; about 1 is just noticeable.
    """
    l1, a1, b1 = np.moveaxis(lab1, -1, 0)
    l2, a2, b2 = np.moveaxis(lab2, -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean_c7 / (mean_c7 + 25.0**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1 = np.arctan2(b1, a1 * stretch) % (2 * np.pi)
    h2 = np.arctan2(b2, a2 * stretch) % (2 * np.pi)

    colourless = c1 * c2 == 0
    turn = h2 - h1
    dh = np.where(turn > np.pi, turn - 2 * np.pi, np.where(turn < -np.pi, turn + 2 * np.pi, turn))
    dh = np.where(colourless, 0.0, dh)
    far = np.abs(h1 - h2) > np.pi
    mean_h = (h1 + h2) / 2 + np.where(far, np.where(h1 + h2 < 2 * np.pi, np.pi, -np.pi), 0.0)
    mean_h = np.where(colourless, h1 + h2, mean_h)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2

    t = (
        1
        - 0.17 * np.cos(mean_h - np.pi / 6)
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.radians(6))
        - 0.20 * np.cos(4 * mean_h - np.radians(63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * t
    bend = np.radians(30) * np.exp(-(((np.degrees(mean_h) - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * np.sin(2 * bend)

    term_l = (l2 - l1) / s_l
    term_c = (c2 - c1) / s_c
    term_h = 2 * np.sqrt(c1 * c2) * np.sin(dh / 2) / s_h
    square = term_l**2 + term_c**2 + term_h**2 + rotation * term_c * term_h
    return np.sqrt(np.maximum(square, 0))


def ciede2000(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean CIEDE2000 of two sRGB pictures (H, W, 3) uint8; lower is better."""
    lab = [rgb_to_lab(p.astype(np.float32) / 255) for p in (picture, truth)]
    return float(delta_e(*lab).mean())
