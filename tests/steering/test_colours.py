"""Colours from what people write."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from colorize_core.errors import OptionError
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.steering.colours import GROUPS, KEEP_GRAY, NAMED, colour_of, read_rgb

BROWN = (138, 51, 36)


@pytest.mark.parametrize("text", ["#8a3324", "#8A3324", " 138,51,36 ", "138, 51, 36"])
def test_a_colour_is_read_from_its_numbers(text: str) -> None:
    assert read_rgb(text) == BROWN
    expected = rgb_to_lab(np.array(BROWN) / 255)[1:]
    assert colour_of(text) == pytest.approx(expected, abs=0.01)


def test_names_are_told_apart_and_none_is_in_two_groups() -> None:
    assert len(NAMED) == sum(map(len, GROUPS.values())) >= 60
    assert len({read_rgb(name) for name in NAMED}) == len(NAMED)


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("army olive", lambda a, b: a < 0 < b),
        ("navy serge", lambda a, b: b < -10),
        ("Madder Red", lambda a, b: a > 30 and b > 10),
        ("brick", lambda a, b: a > 15 and b > 15),
        ("grass", lambda a, b: a < -10 and b > 25),
        ("sky", lambda a, b: b < -15),
    ],
)
def test_a_name_is_of_its_hue(name: str, inside: object) -> None:
    assert inside(*colour_of(name))  # type: ignore[operator]


def test_every_skin_is_of_a_skins_hue() -> None:
    for name in GROUPS["skin"]:
        a, b = colour_of(name)
        assert 15 < np.degrees(np.arctan2(b, a)) < 75, name


@pytest.mark.parametrize("text", ["gray", "Grey", KEEP_GRAY, "keep-gray"])
def test_gray_is_no_colour_at_all(text: str) -> None:
    assert colour_of(text) == (0.0, 0.0)


def test_spellings_are_one() -> None:
    assert colour_of("Field-Grey") == colour_of("field gray")
    assert colour_of("blonde  hair") == colour_of("blond hair")


@pytest.mark.parametrize(
    ("text", "near"),
    [("madder rad", "madder red"), ("olive", "army olive"), ("skin", "light skin"), ("", "army")],
)
def test_an_unknown_name_is_refused_with_near_ones(text: str, near: str) -> None:
    with pytest.raises(OptionError, match=near):
        colour_of(text)


@pytest.mark.parametrize("text", ["#12345", "#12345g", "256,0,0", "1,2", "1,2,3,4", "-1,2,3"])
def test_numbers_that_are_no_colour_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="#RRGGBB"):
        colour_of(text)


def test_no_torch_is_needed() -> None:
    code = "import sys, colorize_core.steering.colours as c; c.colour_of('sky'); "
    subprocess.run([sys.executable, "-c", code + "assert 'torch' not in sys.modules"], check=True)
