"""Hints from what programs send, and back."""

from __future__ import annotations

import json

import pytest

from colorize_core.errors import OptionError
from colorize_core.steering.hints import MOST_HINTS, Hint, read_hints

FULL = Hint(0.25, 0.5, (12.0, -30.5), 0.02, True, "her letter of 1912")


@pytest.mark.parametrize("hint", [Hint(0.0, 1.0, (-128.0, 128.0)), FULL])
def test_json_gives_the_same_hint(hint):
    assert Hint.read(json.loads(json.dumps(hint.as_dict()))) == hint


def test_what_is_not_said_stands_at_its_default():
    assert Hint.read({"x": 0, "y": 1, "ab": [0, 0]}) == Hint(0.0, 1.0, (0.0, 0.0))
    assert set(Hint(0.0, 1.0, (0.0, 0.0)).as_dict()) == {"x", "y", "ab"}


@pytest.mark.parametrize(
    "given",
    [
        None,
        "0.5,0.5",
        {},
        {"x": 0.5, "y": 0.5},
        {"x": 0.5, "y": 0.5, "ab": [1]},
        {"x": 0.5, "y": 0.5, "ab": [1, "2"]},
        {"x": 0.5, "y": 0.5, "ab": [1, 1000]},
        {"x": 1.5, "y": 0.5, "ab": [1, 2]},
        {"x": True, "y": 0.5, "ab": [1, 2]},
        {"x": float("nan"), "y": 0.5, "ab": [1, 2]},
        {"x": 10**400, "y": 0.5, "ab": [1, 2]},
        {"x": 0.5, "y": 0.5, "ab": [1, 2], "known": "yes"},
        {"x": 0.5, "y": 0.5, "ab": [1, 2], "note": 3},
        {"x": 0.5, "y": 0.5, "ab": [1, 2], "note": "x" * 501},
        {"x": 0.5, "y": 0.5, "ab": [1, 2], "z": 3},
    ],
)
def test_what_is_no_hint_is_refused(given):
    with pytest.raises(OptionError):
        Hint.read(given)


def test_hints_are_counted():
    one = FULL.as_dict()
    assert read_hints([one] * MOST_HINTS) == (FULL,) * MOST_HINTS
    with pytest.raises(OptionError, match="at most"):
        read_hints([one] * (MOST_HINTS + 1))
    with pytest.raises(OptionError):
        read_hints(one)
