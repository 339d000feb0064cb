"""One photo and what the models have made of it: what the tab "Models" keeps of one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core.imaging.tone import measure_tone
from ui.models.samples import Samples
from ui.shared.service import QUALITY, Colorization, Service, read, shrink

SMALL_SIDE = 384  # of the photo's copy, along each side of its area


@dataclass(eq=False)
class ModelsSession:
    """Another photo gets another session: what a run still brings to an old one is never seen."""

    path: Path
    size: tuple[int, int]  # of the photo, width and height
    small: NDArray[np.uint8]  # (h, w, 3)
    coloured: bool  # the photo has colours of its own
    before: Path  # a JPEG of the small copy, without colours
    works: dict[str, list[Colorization]] = field(
        default_factory=dict
    )  # by model; several if it was drawn
    samples: dict[str, Samples] = field(default_factory=dict)  # of what was drawn, by model
    picked: dict[str, int] = field(default_factory=dict)  # which of them is shown
    current: str = ""  # the model whose tab is open
    away: bool = False  # there is another photo now

    @classmethod
    def open(cls, path: Path, service: Service) -> ModelsSession:
        """Raises PictureError."""
        photo = read(path)
        height, width = photo.pixels.shape[:2]
        scale = min(1.0, SMALL_SIDE / float(np.sqrt(height * width)))
        small = shrink(photo.pixels, max(1, round(height * scale)), max(1, round(width * scale)))
        before = service.folder.new(f"{path.stem}-before.jpg")
        Image.fromarray(gray(small)).save(before, quality=QUALITY)
        return cls(path, (width, height), small, measure_tone(small).coloured, before)

    def work(self, model: str) -> Colorization | None:
        """What is shown of that model."""
        works = self.works.get(model)
        return works[self.picked.get(model, 0)] if works else None

    def keep(self, work: Colorization, before: Colorization | None) -> None:
        """In the place of the one that it was made from; nowhere if that is gone meanwhile."""
        works = self.works.setdefault(work.settings.model, [work])
        if before in works:
            works[works.index(before)] = work


def gray(picture: NDArray[np.uint8]) -> NDArray[Any]:
    """(h, w, 3) -> the same without colours."""
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
