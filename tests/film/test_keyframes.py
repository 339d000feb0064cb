"""Hints with a time, from what people and programs write, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from colorize_core.errors import OptionError
from colorize_core.film import FilmOptions, Keyframe
from colorize_core.film.keyframes import MOST_KEYFRAMES, join_keyframes, read_keyframes
from colorize_core.options import Options
from colorize_core.steering.hints import Hint

RED, BLUE = Hint(0.3, 0.8, (40.0, 20.0)), Hint(0.1, 0.2, (0.0, -30.0), 0.02, True, "a letter")


def test_what_is_written_is_read_again_by_time() -> None:
    frames = (Keyframe(2.5, (RED, BLUE)), Keyframe(12.0, (BLUE,)))
    told = [each for frame in reversed(frames) for each in frame.as_list()]
    assert read_keyframes(json.loads(json.dumps(told))) == frames
    assert told[0]["at"] == 12.0
    named = read_keyframes([{"at": 1, "x": 0.5, "y": 0.5, "colour": "brick"}])
    assert named == (Keyframe.parse("1:0.5,0.5,brick"),)


def test_a_hint_is_typed_with_its_time_in_front() -> None:
    (hint,) = Keyframe.parse("12.4:0.3,0.8,#808080").hints
    assert (hint.x, hint.y) == (0.3, 0.8)
    assert hint.ab == pytest.approx((0, 0), abs=0.1)
    assert Keyframe.parse("0:3px,1px,gray", (8, 4)).hints[0].x == 3.5 / 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.3,0.8,brick", "write SECONDS:X,Y,COLOUR"),
        ("soon:0.3,0.8,brick", "write SECONDS:X,Y,COLOUR"),
        ("-1:0.3,0.8,brick", "write seconds from the beginning"),
        ("nan:0.3,0.8,brick", "write seconds from the beginning"),
        ("1:0.3,0.8", "write X,Y,COLOUR"),
        ("1:1.3,0.8,brick", "allowed is 0 to 1"),
    ],
)
def test_what_is_no_hint_is_told_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Keyframe.parse(text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"at": 1}, "are a list"),
        (["red"], "needs a time, at, in seconds"),
        ([RED.as_dict()], "needs a time, at, in seconds"),
        ([{"at": "1", **RED.as_dict()}], "needs a time, at, in seconds"),
        ([{"at": True, **RED.as_dict()}], "needs a time, at, in seconds"),
        ([{"at": -3, **RED.as_dict()}], "from the beginning"),
        ([{"at": 1, "x": 0.5}], "two numbers are needed"),
        ([{"at": n, **RED.as_dict()} for n in range(MOST_KEYFRAMES + 1)], "at most"),
    ],
)
def test_what_a_program_sends_is_checked(given: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        read_keyframes(given)


def test_options_hold_keyframes_in_the_order_of_time() -> None:
    options = FilmOptions(
        keyframes=(Keyframe(3, (RED,)), Keyframe(1, (RED,)), Keyframe(3, (BLUE,)))
    )
    assert options.keyframes == (Keyframe(1, (RED,)), Keyframe(3, (RED, BLUE)))
    assert options.describe() != FilmOptions().describe()
    assert options.for_frame() == Options(neutralize=False, controls=options.controls)
    assert join_keyframes(()) == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hints": (RED,)}, "as its keyframes"),
        ({"model": "cnn-mse", "keyframes": (Keyframe(1, (RED,)),)}, "takes no colour hints"),
    ],
)
def test_hints_that_a_film_cannot_have_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        FilmOptions(**options)
