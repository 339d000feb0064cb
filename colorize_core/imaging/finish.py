"""What is changed of a picture once its colours are there: the levels of its gray, the chroma of
its reds, greens and blues, a cast over all of it, and the most chroma. Torch-free.

Every function works on each pixel by itself, in planes of Lab units.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.cards import Control, Value
from colorize_core.errors import OptionError

Plane = NDArray[np.floating[Any]]  # float32, as all that comes from pictures

NO_CEILING = 150.0  # sRGB has no chroma above 134
_EVERY = (
    Control("black", "Black point", "What is this dark becomes black.", 0.0, 0, 99, 1),
    Control("white", "White point", "What is this light becomes white.", 100.0, 1, 100, 1),
    Control("gamma", "Midtones", "Below 1 darker, above 1 lighter.", 1.0, 0.3, 3, 0.05),
    Control("red", "Reds", "Less or more; skin, too.", 0.0, -1, 1, 0.05),
    Control("green", "Greens", "Less or more; leaves, grass.", 0.0, -1, 1, 0.05),
    Control("blue", "Blues", "Less or more; sky, sea.", 0.0, -1, 1, 0.05),
    Control("warmth", "Cooler or warmer", "Below 0 bluish, above 0 golden.", 0.0, -1, 1, 0.05),
    Control("tint", "Greener or pinker", "Below 0 greenish, above 0 pinkish.", 0.0, -1, 1, 0.05),
    Control(
        "ceiling",
        "No colour stronger than",
        f"Against glaring colours; {NO_CEILING:g}: no limit.",
        NO_CEILING,
        5,
        NO_CEILING,
        1,
    ),
)
CONTROLS = {control.name: control for control in _EVERY}  # in the order of Finish's fields

LEAST_RANGE = 1.0  # of L, between black and white
# Lab hues in degrees, at least 1.5 REACH apart. sRGB's red has 40, its green 136, and leaves in
# photographs 90 to 135; its blue (306) is a violet: those of skies and clothes are nearer to 270.
HUES = {"red": 40.0, "green": 138.0, "blue": 270.0}
REACH = 60.0  # degrees from such a hue to where nothing is changed
WARM = 75.0  # Lab hue of a warm light
MOST_CAST = 24.0  # Lab units by which a middle gray is moved, at most
KNEE = 0.6  # share of the ceiling up to which chroma stays as it is


@dataclass(frozen=True)
class Finish:
    """The values of CONTROLS, whose defaults change nothing. Raises OptionError for one that is not
    allowed, and where `black` is not below `white`."""

    black: float = 0.0  # L that becomes 0
    white: float = 100.0  # L that becomes 100
    gamma: float = 1.0  # of L between these; above 1 is lighter
    red: float = 0.0  # -1: such hues become gray, 1: they get twice their chroma
    green: float = 0.0
    blue: float = 0.0
    warmth: float = 0.0  # -1: bluish, 1: golden
    tint: float = 0.0  # -1: greenish, 1: pinkish
    ceiling: float = NO_CEILING  # most chroma, in Lab units

    def __post_init__(self) -> None:
        for name, control in CONTROLS.items():
            object.__setattr__(self, name, control.read(getattr(self, name)))
        if self.white - self.black < LEAST_RANGE:
            raise OptionError(
                f"black is {self.black:g} and white is {self.white:g}: black must be lower, by "
                f"{LEAST_RANGE:g} or more."
            )

    @classmethod
    def read(cls, given: Any) -> Finish:
        """From another one, or from what as_dict() gives. Raises OptionError."""
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise OptionError(f"finish is {given!r}, names and numbers are needed.")
        if strange := [name for name in given if name not in CONTROLS]:
            raise OptionError(f"finish has no {strange[0]!r}. There are: {', '.join(CONTROLS)}.")
        return cls(**given)

    @classmethod
    def parse(cls, pairs: Sequence[str]) -> Finish:
        """From texts like "red=-0.5"; of one name the last counts. Raises OptionError."""
        values: dict[str, Value] = {}
        for pair in pairs:
            name, _, text = pair.partition("=")
            if name not in CONTROLS:
                there = "; ".join(f"{each.name} ({each.allowed})" for each in _EVERY)
                raise OptionError(f"{pair!r} is no NAME=VALUE of a finish. There are: {there}.")
            values[name] = CONTROLS[name].parse(text)
        return cls.read(values)

    def as_dict(self) -> dict[str, float]:
        """For JSON; what stands at its default is left out."""
        own = {name: getattr(self, name) for name in CONTROLS}
        return {name: v for name, v in own.items() if v != CONTROLS[name].default}

    @property
    def levels(self) -> bool:
        """Whether it changes L."""
        return (self.black, self.white, self.gamma) != (0.0, 100.0, 1.0)

    def adjust_lightness(self, lightness: Plane) -> Plane:
        """L in [0, 100], any shape -> the same, with the levels. What is beyond `black` and `white`
        is clipped."""
        share = np.clip((lightness - self.black) / (self.white - self.black), 0, 1)
        adjusted: Plane = 100 * share ** (1 / self.gamma)
        return adjusted

    def adjust_ab(self, a: Plane, b: Plane, lightness: Plane) -> tuple[Plane, Plane]:
        """a and b of pixels whose L, with the levels, is given -> the same, with all but levels.

        Chroma is changed along with hue first, then comes the cast, then the ceiling, above which
        nothing is. The gamut is not looked at."""
        if self.red or self.green or self.blue:
            share = self._weigh_hues(a, b)
            a, b = a * share, b * share
        if self.warmth or self.tint:
            # None at black and white, most between: paper and ink stay what they are.
            amount = lightness * (100 - lightness) / 2500
            cast = cmath.rect(MOST_CAST, math.radians(WARM)) * complex(self.warmth, -self.tint)
            a, b = a + amount * cast.real, b + amount * cast.imag
        if self.ceiling < NO_CEILING:
            share = self._limit_chroma(np.hypot(a, b))
            a, b = a * share, b * share
        return a, b

    def _weigh_hues(self, a: Plane, b: Plane) -> Plane:
        """By what chroma is multiplied. The windows over hue are smooth where they end, and sum to
        one at most; hues in none of them are multiplied by 1."""
        chroma = np.maximum(np.hypot(a, b), 1e-6)
        edge = math.cos(math.radians(REACH))
        share = np.ones_like(chroma)
        for name, hue in HUES.items():
            if value := getattr(self, name):
                centre = cmath.rect(1, math.radians(hue))
                alike = (a * centre.real + b * centre.imag) / chroma  # cosine of the distance
                near = np.clip((alike - edge) / (1 - edge), 0, 1)
                share += value * near * near * (3 - 2 * near)
        return share

    def _limit_chroma(self, chroma: Plane) -> Plane:
        """By what it is multiplied to stay under the ceiling: 1 up to the knee, bent without a kink
        from there."""
        knee = KNEE * self.ceiling
        room = self.ceiling - knee
        bent = knee + room * np.tanh((chroma - knee) / room)
        return np.where(chroma > knee, bent / np.maximum(chroma, knee), np.float32(1))


NO_FINISH = Finish()
