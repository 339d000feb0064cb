"""A colour wanted at one place of a photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from colorize_core.errors import OptionError
from colorize_core.steering.colours import colour_of

MOST_HINTS = 500  # of a photo
MOST_NOTE = 500  # characters


@dataclass(frozen=True)
class Hint:
    """The colour wanted at one place: at (x, y) of the photo in [0, 1] from its top left corner,
    within `radius` (a share of the photo's longer side), the colour is `ab` in Lab units."""

    x: float
    y: float
    ab: tuple[float, float]
    radius: float = 0.01
    known: bool = False  # a fact, not a guess
    note: str = ""  # where it is known from

    def __post_init__(self) -> None:
        for name, value in (("x", self.x), ("y", self.y), ("radius", self.radius)):
            if not 0 <= value <= 1:
                raise OptionError(f"hint {name} is {value}, allowed is 0 to 1.")
        if not all(-128 <= value <= 128 for value in self.ab):
            raise OptionError(f"hint ab is {self.ab}, allowed is -128 to 128 each.")
        if len(self.note) > MOST_NOTE:
            raise OptionError(f"a hint's note has at most {MOST_NOTE} characters.")

    @classmethod
    def read(cls, given: Any) -> Hint:
        """From what as_dict() gives; in place of ab, it may have a `colour` that colour_of() takes.
        Raises OptionError."""
        if not isinstance(given, Mapping):
            raise OptionError(f"a hint is {given!r}, x, y and ab are needed.")
        if strange := set(given) - {*(field.name for field in fields(cls)), "colour"}:
            raise OptionError(f"a hint has no {', '.join(sorted(map(str, strange)))}.")
        if "ab" in given and "colour" in given:
            raise OptionError("a hint has ab or a colour, not both.")
        ab = colour_of(str(given["colour"])) if "colour" in given else given.get("ab")
        if not isinstance(ab, list | tuple) or len(ab) != 2:
            raise OptionError(f"hint ab is {ab!r}, two numbers are needed.")
        x, y, radius, *colour = (
            _read_number(name, value)
            for name, value in (
                ("x", given.get("x")),
                ("y", given.get("y")),
                ("radius", given.get("radius", cls.radius)),
                *(("ab", each) for each in ab),
            )
        )
        known, note = given.get("known", False), given.get("note", "")
        if not isinstance(known, bool) or not isinstance(note, str):
            raise OptionError("of a hint, known is true or false and note is a text.")
        return cls(x, y, (colour[0], colour[1]), radius, known, note)

    @classmethod
    def parse(cls, text: str, size: tuple[int, int] | None = None) -> Hint:
        """From "X,Y,COLOUR": a place in [0, 1], or in pixels with px ("140px"), for which `size`,
        the photo's width and height, is needed; and what colour_of() takes. Raises OptionError."""
        x, y, colour = (*text.split(",", 2), "", "")[:3]
        if not colour.strip():
            raise OptionError(f"{text!r} is no hint: write X,Y,COLOUR, as in 0.3,0.8,brick.")
        width, height = size or (None, None)
        return cls(_parse_place(x, width), _parse_place(y, height), colour_of(colour))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what stands at its default is left out."""
        given = {"x": self.x, "y": self.y, "ab": list(self.ab)}
        own = {"radius": self.radius, "known": self.known, "note": self.note}
        return given | {name: v for name, v in own.items() if v != getattr(type(self), name)}


def read_hints(given: Any) -> tuple[Hint, ...]:
    """From a list of what as_dict() gives. Raises OptionError."""
    if not isinstance(given, list | tuple):
        raise OptionError("hints are a list, each with x, y and ab.")
    if len(given) > MOST_HINTS:
        raise OptionError(f"there are {len(given)} hints, at most {MOST_HINTS} are taken.")
    return tuple(Hint.read(each) for each in given)


def _parse_place(text: str, length: int | None) -> float:
    """A share in [0, 1] as it is, or the middle of a pixel of so many as one."""
    number = text.strip().removesuffix("px")
    try:
        value = float(number)
    except ValueError:
        raise OptionError(
            f"{text!r} is no place: write a share from 0 to 1, or pixels as in 140px."
        ) from None
    if number == text.strip():
        return value
    if length is None:
        raise OptionError(f"{text!r}: pixels need one photo; write a share from 0 to 1 for many.")
    if not 0 <= value < length:
        raise OptionError(f"{text!r} is outside the photo, allowed is 0px to {length - 1}px.")
    return (value + 0.5) / length


def _read_number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e6:
        raise OptionError(f"hint {name} is {value!r}, a number is needed.")
    return float(value)
