"""What the tab "Colorize" keeps of one person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from colorize_core.cards import AUTO_VIVIDNESS
from colorize_core.errors import OptionError
from colorize_core.options import Options
from colorize_core.steering.album import PlacedHint
from colorize_core.steering.hints import Hint
from ui.shared import model_choices
from ui.shared.kept_work import KeptSession
from ui.shared.photo import OpenPhoto
from ui.shared.service import Colorization
from ui.shared.thumbnails import as_address

PREVIEW_SIDE = 1024  # pixels along the longer side of the picture that is steered


@dataclass(eq=False)
class ColorizeSession(KeptSession):
    """One photo and its colours."""

    photo: OpenPhoto
    result: Colorization
    unfinished: bool = False  # whether it is compared with the same without its finish
    plain: Colorization | None = None  # that, once it was made
    steering: bool = False  # the hint editor is shown, not the slider
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    earlier: str = ""
    asked: int = 0  # the number of the editor's last message, and of the last that was answered
    seen: int = 0
    hints: tuple[Hint, ...] = ()  # also while a model is chosen that takes none
    variant: int = 0
    picture: str = ""  # what the editor shows, as a data: address
    placed: tuple[PlacedHint, ...] = ()  # what is known on other photos and may be on this one
    decided: frozenset[Hint] = frozenset()  # of these, what was taken or put away

    def __post_init__(self) -> None:
        self.take(self.result)

    def take(self, result: Colorization) -> None:
        """Other colours, which the other tabs begin with."""
        self.result = result
        self.photo.colours = result.options

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Have the editor show another picture, of the size of small()."""
        self.picture = as_address(picture)

    @property
    def by_hand(self) -> bool:
        return bool(self.hints)

    @property
    def suggested(self) -> list[PlacedHint]:
        """What is still to be decided of what was placed."""
        return [each for each in self.placed if each.hint not in self.decided]

    @property
    def work(self) -> Options:
        """All that was asked for, also hints that wait for a model that takes them."""
        return replace(self.result.options, hints=self.hints, variant=self.variant)

    def add_steering(self, options: Options) -> Options:
        """The options with hints and variant, where their model takes them."""
        return add_steering(options, self.hints, self.variant)

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """The photo as the editor shows it, (H, W, 3)."""
        width, height = self.photo.size
        scale = min(1.0, PREVIEW_SIDE / max(width, height))
        return self.photo.shrink(max(1, round(height * scale)), max(1, round(width * scale)))


def add_steering(options: Options, hints: tuple[Hint, ...], variant: int) -> Options:
    """The options with these, where their model takes them, and else without any. Raises
    OptionError for a model that is not known."""
    card = next((card for card in model_choices.every() if card.name == options.model), None)
    if card is None:
        raise OptionError(f"There is no model {options.model}.")
    taken = hints if card.takes_hints else ()
    variant = variant if card.takes_hints and AUTO_VIVIDNESS in card.controls else 0
    return replace(options, hints=taken, variant=variant)
