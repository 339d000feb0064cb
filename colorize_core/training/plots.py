"""Training drawn as pictures: contact sheets and curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def draw_contact_sheet(
    rows: list[list[np.ndarray]], path: Path, across: int = 4, gap: int = 4
) -> None:
    """Rows of equally sized pictures (H, W, 3) uint8 -> one PNG with `across` rows side by side."""
    strips = [np.concatenate(row, axis=1) for row in rows]
    height, width = strips[0].shape[:2]
    down = -(-len(strips) // across)
    sheet = np.full((down * (height + gap), across * (width + gap), 3), 255, np.uint8)
    for i, strip in enumerate(strips):
        top, left = i // across * (height + gap), i % across * (width + gap)
        sheet[top : top + height, left : left + width] = strip
    Image.fromarray(sheet).save(path)


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """One panel a logged name over the photographs seen -> PNG."""
    from matplotlib.figure import Figure

    names = sorted({name for row in history for name in row} - {"seen"})
    if not names:
        return
    figure = Figure(figsize=(4 * len(names), 3), layout="constrained")
    for panel, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        points = [(row["seen"], row[name]) for row in history if name in row]
        panel.plot(*zip(*points, strict=True), linewidth=0.8)
        panel.set_title(name)
        panel.set_xlabel("photographs seen")
    figure.savefig(path, dpi=100)
