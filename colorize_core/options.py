"""The ranges of what every model is asked with. Torch-free: the command line and the app show them
before any model is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from colorize_core.errors import OptionError
from colorize_core.imaging.finish import NO_FINISH, Finish
from colorize_core.prepare.preparation import NO_PREPARATION, Preparation
from colorize_core.sizes import format_number
from colorize_core.steering.hints import Hint, read_hints

if TYPE_CHECKING:
    from colorize_core.cards import Value

DEFAULT_MODEL = "autochrome"
VARIANTS = 6  # of a photo, at most; the first is the usual one

RANGES = {
    "vividness": (0.0, 2.0),  # from timid to saturated, 1 being the model's choice
    "strength": (0.0, 1.5),  # share of the colour that is put in
    "gain": (0.5, 2.0),  # brightness of the network's copy
}


def check(name: str, value: float, limits: tuple[float, float] | None = None) -> None:
    """Raises OptionError if `value` is not within the limits, those of RANGES by default."""
    low, high = limits or RANGES[name]
    if not low <= value <= high:  # also refuses NaN
        raise OptionError(f"{name} is {format_number(value)}, allowed is {low:g} to {high:g}.")


def check_variant(number: Any) -> None:
    """Raises OptionError unless it is the number of a variant, as far as that can be told without
    the photo. 2.0 is one, too: JSON does not tell it from 2."""
    whole = isinstance(number, int | float) and not isinstance(number, bool)
    if not (whole and 0 <= number < VARIANTS and number == int(number)):
        real = isinstance(number, int | float)
        shown = format_number(number) if real else repr(number)  # thousands of digits are cut
        raise OptionError(
            f"variant is {shown}, allowed is a whole number from 0 to {VARIANTS - 1}."
        )


@dataclass(frozen=True)
class Second:
    """Another model, whose colours are mixed in. Raises OptionError."""

    model: str
    share: float = 0.5  # of its ab in the mean, in [0, 1]

    def __post_init__(self) -> None:
        check("share", self.share, (0.0, 1.0))

    @classmethod
    def read(cls, given: Any) -> Second | None:
        """From what as_dict() gives; None where nothing is given. Raises OptionError."""
        if given is None or isinstance(given, cls):
            return given
        try:
            model, share = given["model"], given["share"]
        except (KeyError, TypeError, IndexError) as error:
            raise OptionError(f"second is {given!r}, model and share are needed.") from error
        if not isinstance(model, str) or isinstance(share, bool):
            raise OptionError(f"second is {given!r}, a name and a number are needed.")
        if not isinstance(share, int | float):
            raise OptionError(f"share is {share!r}, a number is needed.")
        return cls(model, share)

    def as_dict(self) -> dict[str, Any]:
        return {"model": self.model, "share": self.share}


@dataclass(frozen=True)
class Options:
    """What one photo is colorized with; the ranges are those of RANGES."""

    model: str = DEFAULT_MODEL
    vividness: float = 1.0
    strength: float = 1.0
    gain: float = 1.0
    neutralize: bool = True
    controls: tuple[tuple[str, Value], ...] = ()  # the model's own, the defaults where not named
    hints: tuple[Hint, ...] = ()  # colours wanted at places of the photo
    variant: int = 0  # which of the model's variants of the photo; 0: the usual one
    finish: Finish = NO_FINISH  # what is changed once the colours are there
    second: Second | None = None  # what is mixed in
    prepare: Preparation = NO_PREPARATION  # what is done to the photo before

    @classmethod
    def read(
        cls,
        model: Any,
        vividness: Any,
        strength: Any,
        gain: Any,
        neutralize: Any,
        hints: Any = (),
        variant: Any = 0,
        finish: Any = NO_FINISH,
    ) -> Options:
        """From what a program sends. Raises OptionError where a number is none, or out of range,
        and for what is no list of hints or no finish."""
        numbers = {"vividness": vividness, "strength": strength, "gain": gain}
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise OptionError(f"{name} is {value!r}, a number is needed.")
            check(name, value)  # also for float(): whole numbers may be larger than any float
        check_variant(variant)
        return cls(
            str(model),
            float(vividness),
            float(strength),
            float(gain),
            bool(neutralize),
            hints=read_hints(hints),
            variant=int(variant),
            finish=Finish.read(finish),
        )

    def with_controls(self, **controls: Value) -> Options:
        """The same with other values of some of the model's own controls."""
        return replace(self, controls=tuple({**dict(self.controls), **controls}.items()))

    def network_part(self) -> tuple[Any, ...]:
        """What a prediction depends on: with these unchanged the network need not run again."""
        own = self.model, self.gain, self.neutralize, self.controls, self.hints, self.variant
        return *own, self.second, self.prepare

    def describe_second(self) -> Options:
        """What the second model predicts with: as it is, on what the first one sees."""
        name = self.second.model if self.second else self.model
        return Options(name, prepare=self.prepare, **self.shown())

    def shown(self) -> dict[str, Any]:
        """What decides how the photo is shown to the network."""
        return {"gain": self.gain, "neutralize": self.neutralize}

    def steering(self) -> dict[str, Any]:
        """What predict() takes of hints and variants, where they are asked for."""
        asked = {"hints": self.hints, "variant": self.variant}
        return {name: value for name, value in asked.items() if value}
