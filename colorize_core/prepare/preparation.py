"""What is done to a photo before it is coloured, and where it shows. OpenCV is loaded once a photo
is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from colorize_core.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8] | NDArray[np.uint16]

NO, COLOURING, RESULT = "no", "colouring", "result"
# Of each place where it may be done, what it is called in the app.
PLACES = {NO: "No", COLOURING: "For the colouring only", RESULT: "In the result, too"}
NAMES = {"damage": "Dust and scratches", "screen": "Newspaper print"}  # fields of Preparation


@dataclass(frozen=True)
class Preparation:
    """Each of NAMES at one of PLACES: not at all; on the copy that the network sees, so that no
    colour follows a scratch, while the result keeps the photo's every pixel; or in the result as
    well. Raises OptionError."""

    damage: str = NO  # dust, scratches, hairs and folds are filled
    screen: str = NO  # the dots of newspaper print are removed

    def __post_init__(self) -> None:
        for name in NAMES:
            if getattr(self, name) not in PLACES:
                raise OptionError(
                    f"{name} is {getattr(self, name)!r}, allowed are: {', '.join(PLACES)}."
                )

    @classmethod
    def read(cls, given: Any) -> Preparation:
        """From another one, or from what as_dict() gives. Raises OptionError."""
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise OptionError(f"prepare is {given!r}, names and places are needed.")
        if strange := [name for name in given if name not in NAMES]:
            raise OptionError(f"prepare has no {strange[0]!r}. There are: {', '.join(NAMES)}.")
        return cls(**given)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Preparation:
        """From texts like "damage" and "damage=result,screen"; of one name the last counts. Raises
        OptionError."""
        places = {}
        for part in ",".join(texts).split(",") if texts else ():
            name, equals, place = part.strip().partition("=")
            places[name] = place if equals else COLOURING
        return cls.read(places)

    def as_dict(self) -> dict[str, str]:
        """For JSON; what is not done is left out."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: place for name, place in own.items() if place != NO}

    def keep_photo(self) -> Preparation:
        """The same for the colouring alone."""
        return Preparation(*(COLOURING if getattr(self, name) != NO else NO for name in NAMES))

    @property
    def shows(self) -> bool:
        """Whether the result may have other pixels than the photo."""
        return RESULT in self.as_dict().values()


NO_PREPARATION = Preparation()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo after it."""

    seen: Picture  # (H, W, 3), what the network is shown
    shown: Picture  # (H, W, 3), what gets the colours
    damaged: float | None = None  # share of its pixels that were filled; None: not looked for
    pitch: float | None = None  # pixels from dot to dot of its screen; None where none was found

    @property
    def bytes(self) -> int:
        """That both take."""
        return self.seen.nbytes + (0 if self.shown is self.seen else self.shown.nbytes)

    def describe(self, preparation: Preparation) -> str:
        """What was found, in words. Empty where nothing was looked for."""
        told = []
        if self.damaged is not None:
            where = "filled" if preparation.damage == RESULT else "not shown to the model"
            told.append(
                f"damage on {100 * self.damaged:.2g} % {where}"
                if self.damaged
                else "no damage found"
            )
        if preparation.screen != NO:
            dots = f"dots of a screen, {self.pitch:.1f} pixels apart, removed" if self.pitch else ""
            told.append(dots or "no screen found")
        return " · ".join(told)


def prepare(image: Picture, preparation: Preparation) -> Prepared:
    """(H, W, 3) sRGB uint8 or uint16 -> what the network and the result get, both of the same size
    and type. The image itself where nothing is to be done, or nothing was found."""
    seen = shown = image
    damaged = pitch = None
    if preparation.screen != NO:
        from colorize_core.prepare.screen import find_screen, remove_screen

        if screen := find_screen(image):
            pitch = screen.pitch
            seen = remove_screen(image, screen)
            shown = seen if preparation.screen == RESULT else shown
    if preparation.damage != NO:
        from colorize_core.prepare.damage import fill_damage, find_damage

        mask = find_damage(seen)  # the dots of a screen would be specks
        damaged = float(mask.mean())
        if damaged:
            same = shown is seen
            seen = fill_damage(seen, mask)
            if preparation.damage == RESULT:
                shown = seen if same else fill_damage(shown, mask)
    return Prepared(seen, shown, damaged, pitch)
