"""Colour hints for a film: each has a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from colorize_core.errors import OptionError
from colorize_core.steering.hints import MOST_HINTS, Hint

MOST_KEYFRAMES = 200  # of a film
MOST_SECONDS = 1e6


@dataclass(frozen=True)
class Keyframe:
    """Colours wanted at places of the frame that is nearest to `at` seconds from the film's
    beginning, as it is shown: upright. Raises OptionError."""

    at: float
    hints: tuple[Hint, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.at <= MOST_SECONDS:  # also refuses NaN
            raise OptionError(
                f"A hint's time is {self.at:g}: write seconds from the beginning, as in 12.4."
            )
        if not 0 < len(self.hints) <= MOST_HINTS:
            raise OptionError(
                f"There are {len(self.hints)} hints at {self.at:g} s, 1 to {MOST_HINTS} are taken."
            )

    @classmethod
    def parse(cls, text: str, size: tuple[int, int] | None = None) -> Keyframe:
        """From "SECONDS:X,Y,COLOUR", of which the rest is as Hint.parse() takes it; `size` is that
        of the film as it is shown. Raises OptionError."""
        at, colon, rest = text.partition(":")
        try:
            seconds = float(at)
        except ValueError:
            colon = ""
        if not colon:
            raise OptionError(
                f"{text!r} is no hint for a film: write SECONDS:X,Y,COLOUR, as in "
                "12.4:0.3,0.8,brick."
            )
        return cls(seconds, (Hint.parse(rest, size),))

    def as_list(self) -> list[dict[str, Any]]:
        """For JSON: its hints as those of photos, each with the time."""
        return [{"at": self.at, **hint.as_dict()} for hint in self.hints]


def read_keyframes(given: Any) -> tuple[Keyframe, ...]:
    """From a list of hints as photos have them, each with `at`, its time in seconds. Raises
    OptionError."""
    if not isinstance(given, list | tuple):
        raise OptionError("The hints of a film are a list, each with at, x, y and ab or colour.")
    found = []
    for each in given:
        at = each.get("at") if isinstance(each, Mapping) else None
        if isinstance(at, bool) or not isinstance(at, int | float) or abs(at) > MOST_SECONDS:
            raise OptionError(
                f"A hint of a film is {each!r}: it needs a time, at, in seconds from the beginning."
            )
        hint = Hint.read({key: value for key, value in each.items() if key != "at"})
        found.append(Keyframe(float(at), (hint,)))
    return join_keyframes(found)


def join_keyframes(some: Iterable[Keyframe]) -> tuple[Keyframe, ...]:
    """In the order of time, those of one time as one. Raises OptionError."""
    by_time: dict[float, tuple[Hint, ...]] = {}
    for each in some:
        by_time[each.at] = (*by_time.get(each.at, ()), *each.hints)
    if len(by_time) > MOST_KEYFRAMES:
        raise OptionError(
            f"There are hints at {len(by_time)} times, at most {MOST_KEYFRAMES} are taken."
        )
    return tuple(Keyframe(at, by_time[at]) for at in sorted(by_time))
