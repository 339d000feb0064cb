"""The ranges of what every model is asked with. Torch-free: the command line and the app show them
before any model is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from colorize_core.errors import OptionError
from colorize_core.sizes import format_number
from colorize_core.steering.hints import Hint

if TYPE_CHECKING:
    from colorize_core.cards import Value

DEFAULT_MODEL = "autochrome"

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

    @classmethod
    def read(cls, model: Any, vividness: Any, strength: Any, gain: Any, neutralize: Any) -> Options:
        """From what a program sends. Raises OptionError where a number is none, or out of range."""
        numbers = {"vividness": vividness, "strength": strength, "gain": gain}
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise OptionError(f"{name} is {value!r}, a number is needed.")
            check(name, value)  # also for float(): whole numbers may be larger than any float
        return cls(str(model), float(vividness), float(strength), float(gain), bool(neutralize))

    def with_controls(self, **controls: Value) -> Options:
        """The same with other values of some of the model's own controls."""
        return replace(self, controls=tuple({**dict(self.controls), **controls}.items()))

    def network_part(self) -> tuple[Any, ...]:
        """What a prediction depends on: with these unchanged the network need not run again."""
        return self.model, self.gain, self.neutralize, self.controls, self.hints
