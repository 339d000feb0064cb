"""What a film is colorized with."""

from __future__ import annotations

from dataclasses import dataclass, fields

from colorize_core import __version__, cards
from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.film.keyframes import Keyframe, join_keyframes
from colorize_core.options import RANGES, Options, check
from colorize_core.prepare.preparation import NO_PREPARATION

SPACING = 24  # frames between two anchors: one second of most films
LIMITS = {**RANGES, "spacing": (1.0, 240.0), "quality": (0.0, 63.0)}


@dataclass(frozen=True)
class FilmOptions(Options):
    """What decides how a film looks. OptionError for a value that is not allowed, TypeError for a
    control that the model does not have."""

    codec: str | None = None  # an encoder of FFmpeg; None: what suits the container and the bits
    quality: int | None = None  # the encoder's CRF, less is better; None: ours for that encoder
    spacing: int = SPACING  # most frames between two that the network looks at
    keyframes: tuple[Keyframe, ...] = ()  # colours wanted at places, each at its time

    def __post_init__(self) -> None:
        for name, limits in LIMITS.items():
            if (value := getattr(self, name)) is not None:
                check(name, value, limits)
        if self.hints:
            raise OptionError("Hints of a film have a time: give them as its keyframes.")
        if self.variant or self.second is not None:
            raise OptionError("A film takes no variant and no second model.")
        if self.prepare != NO_PREPARATION:
            raise OptionError("Only photos are prepared, not films.")
        if self.finish.levels:
            raise OptionError(
                "A film keeps its brightness: black, white and gamma of the finish are for photos."
            )
        object.__setattr__(self, "keyframes", join_keyframes(self.keyframes))
        if card := self._card():
            if self.keyframes:
                card.check_hints()
            object.__setattr__(self, "controls", tuple(card.settings(dict(self.controls)).items()))

    def _card(self) -> ModelCard | None:
        return next((card for card in cards(downloads=True) if card.name == self.model), None)

    def for_frame(self) -> Options:
        """What one frame is colorized with, without any hints."""
        own = {each.name: getattr(self, each.name) for each in fields(Options)}
        return Options(**own | {"neutralize": False})

    def describe(self) -> str:
        """Two runs of one film go on from each other where this text is the same."""
        card = self._card()
        return f"{__version__} {card.digest if card else 'none'} {self!r}"
