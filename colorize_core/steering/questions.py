"""What a person can be asked about a photo: which colour a region has. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.steering.hints import Hint

RADIUS = 0.012  # of an answer's hints, as a share of the photo's longer side


@dataclass(frozen=True, eq=False)
class Question:
    """Which colour has this region? Its answer is hints at several of its places."""

    x: float  # of its middle place, in [0, 1] of the photo
    y: float
    fill: NDArray[np.float32]  # (h, w) of the photo's cells, in [0, 1]: how much belongs to it
    outline: tuple[tuple[float, float], ...]  # a polygon of its largest part, in [0, 1]
    colours: tuple[tuple[float, float], ...]  # two or three ab in Lab units, the likeliest first
    odds: tuple[float, ...]  # how likely each is; what is left over is anything else
    swatches: tuple[tuple[int, int, int], ...]  # sRGB of 0 to 255, at the region's mean L
    lightness: float  # mean L of the region, for swatches of other colours
    weight: float  # share of the photo, times how far its colours are spread, in Lab units
    places: tuple[tuple[float, float], ...]  # x and y of the hints of an answer

    def answer(self, colour: int | tuple[float, float], note: str = "") -> list[Hint]:
        """The hints that give it one of its colours, by number, or another ab in Lab units.
        Raises OptionError."""
        if isinstance(colour, int):
            if not 0 <= colour < len(self.colours):
                last = len(self.colours) - 1
                raise OptionError(f"there is no colour {colour}, allowed is 0 to {last}.")
            colour = self.colours[colour]
        return [Hint(x, y, colour, RADIUS, note=note) for x, y in self.places]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: without the cells, and each colour with the hints that give it."""
        return {
            "x": round(self.x, 4),
            "y": round(self.y, 4),
            "outline": [[round(x, 4), round(y, 4)] for x, y in self.outline],
            "weight": round(self.weight, 3),
            "colours": [
                {
                    "ab": [round(a, 2), round(b, 2)],
                    "odds": round(odds, 3),
                    "swatch": "#{:02x}{:02x}{:02x}".format(*swatch),
                    "hints": [hint.as_dict() for hint in self.answer(number)],
                }
                for number, ((a, b), odds, swatch) in enumerate(
                    zip(self.colours, self.odds, self.swatches, strict=True)
                )
            ],
        }
