"""What the tab "Colorize" keeps of one person."""

from __future__ import annotations

from dataclasses import dataclass

from ui.shared.photo import OpenPhoto
from ui.shared.photo_tab import PhotoSession
from ui.shared.service import Colorization


@dataclass(eq=False)
class ColorizeSession(PhotoSession):
    """One photo and its colours."""

    photo: OpenPhoto
    result: Colorization
    unfinished: bool = False  # whether it is compared with the same without its finish
    plain: Colorization | None = None  # that, once it was made
