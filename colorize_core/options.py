"""The ranges of what every model is asked with. Torch-free: the command line and the app show them
before any model is loaded."""

from __future__ import annotations

from colorize_core.errors import OptionError

RANGES = {
    "vividness": (0.0, 2.0),  # from timid to saturated, 1 being the model's choice
    "strength": (0.0, 1.5),  # share of the colour that is put in
    "gain": (0.5, 2.0),  # brightness of the network's copy
}


def check(name: str, value: float, limits: tuple[float, float] | None = None) -> None:
    """Raises OptionError if `value` is not within the limits, those of RANGES by default."""
    low, high = limits or RANGES[name]
    if not low <= value <= high:  # also refuses NaN
        raise OptionError(f"{name} is {value:g}, allowed is {low:g} to {high:g}.")
