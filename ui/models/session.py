"""What the tab "Models" keeps of one person: a photo and what the models have made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core.file_names import make_name
from ui.models.samples import Samples
from ui.shared.photo import OpenPhoto
from ui.shared.photo_tab import PhotoSession
from ui.shared.service import QUALITY, Colorization, Service

SMALL_SIDE = 384  # of the photo's copy, along each side of its area


@dataclass(eq=False)
class ModelsSession(PhotoSession):
    """One photo and what the models have made of it."""

    photo: OpenPhoto
    small: NDArray[np.uint8]  # (h, w, 3)
    before: Path  # a JPEG of the small copy, without colours
    results: dict[str, list[Colorization]] = field(default_factory=dict)  # by model
    samples: dict[str, Samples] = field(default_factory=dict)  # of what was drawn, by model
    picked: dict[str, int] = field(default_factory=dict)  # which of several results is shown
    current: str = ""  # the model whose tab is open

    @classmethod
    def open(cls, photo: OpenPhoto, service: Service) -> ModelsSession:
        """Raises PictureError."""
        width, height = photo.size
        scale = min(1.0, SMALL_SIDE / float(np.sqrt(height * width)))
        small = photo.shrink(max(1, round(height * scale)), max(1, round(width * scale)))
        before = service.folder.new(make_name(photo.path.name, "-before", ".jpg"))
        Image.fromarray(gray(small)).save(before, quality=QUALITY)
        return cls(photo, small, before)

    def result(self, model: str) -> Colorization | None:
        """What is shown of that model."""
        results = self.results.get(model)
        return results[self.picked.get(model, 0)] if results else None

    def keep(self, result: Colorization, before: Colorization | None) -> None:
        """In the place of the one that it was made from; nowhere if that is gone meanwhile."""
        results = self.results.setdefault(result.options.model, [result])
        if before in results:
            results[results.index(before)] = result


def gray(picture: NDArray[np.uint8]) -> NDArray[Any]:
    """(h, w, 3) -> the same without colours."""
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
