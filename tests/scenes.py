"""Made-up pictures for tests, and where the repository is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A gray picture of smooth shades, edges and a little grain: (H, W, 3), equal channels."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    shade = 90 + 70 * np.sin(5 * x + 3 * y) + 60 * ((x - 0.5) ** 2 + (y - 0.4) ** 2 < 0.05)
    grain = np.random.default_rng(seed).normal(0, 3, (height, width))
    gray = np.clip(shade + grain, 0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)
