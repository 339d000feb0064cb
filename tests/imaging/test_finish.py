"""What is changed once the colours are there: levels, hues, cast, ceiling, at full size."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.imaging import chroma
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.imaging.finish import CONTROLS, HUES, NO_CEILING, NO_FINISH, Finish
from colorize_core.imaging.tone import Tone
from colorize_core.options import Options

EVERY = Finish(8, 92, 1.3, 0.5, -0.5, 0.4, 0.3, -0.2, 40)


def ring(strength: float, count: int = 3600) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """a and b of every hue, with that chroma."""
    hue = np.linspace(0, 2 * np.pi, count, endpoint=False)
    a, b = (strength * wave(hue) for wave in (np.cos, np.sin))
    return a.astype(np.float32), b.astype(np.float32)


def paint(image: NDArray[Any], finish: Finish, ab: tuple[float, float] = (30, 20)) -> NDArray[Any]:
    planes = np.zeros((9, 13, 4), np.float32)
    planes[..., 2:] = ab
    return chroma.recombine(image, Tone(), planes, finish=finish)


def gray_ramp(count: int = 4096) -> NDArray[np.uint16]:
    shades = np.linspace(0, 65535, count).astype(np.uint16)
    return np.repeat(shades.reshape(64, -1, 1), 3, 2)


# --- settings -----------------------------------------------------------------------------------


def test_the_table_has_the_fields_and_their_defaults() -> None:
    assert {each.name: each.default for each in fields(Finish)} == {
        name: control.default for name, control in CONTROLS.items()
    }
    assert Finish() == NO_FINISH
    assert not NO_FINISH.as_dict()


def test_settings_come_back_from_a_mapping_and_from_texts() -> None:
    assert Finish.read(EVERY.as_dict()) == EVERY
    assert Finish.read(EVERY) is EVERY
    assert Finish.parse([f"{name}={value}" for name, value in EVERY.as_dict().items()]) == EVERY
    assert Finish.parse(["red=1", "red=-0.5"]).as_dict() == {"red": -0.5}
    assert Finish.read({"black": 5}) == Finish(black=5.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"red": 1.01}, "red is 1.01, allowed is -1 to 1"),
        ({"gamma": 0.2}, "gamma is 0.2, allowed is 0.3 to 3"),
        ({"ceiling": float("nan")}, "ceiling"),
        ({"blue": True}, "a number is needed"),
        ({"blue": "much"}, "a number is needed"),
        ({"black": 60, "white": 60}, "black must be lower"),
        ({"purple": 1}, "There are: black, white, gamma, red"),
        ({3: 1}, "finish has no 3"),
        ([1, 2], "names and numbers"),
        (None, "names and numbers"),
    ],
)
def test_what_is_not_allowed_is_told(given: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Finish.read(given)
    with pytest.raises(OptionError, match=said):
        Options.read("autochrome", 1.0, 1.0, 1.0, True, finish=given)


@pytest.mark.parametrize("pair", ["red", "red=", "red=much", "purple=1", "=1", ""])
def test_texts_that_are_no_pair_are_told(pair: str) -> None:
    with pytest.raises(OptionError):
        Finish.parse([pair])


def test_options_read_a_mapping_and_the_network_knows_nothing_of_it() -> None:
    options = Options.read("autochrome", 1.0, 1.0, 1.0, True, finish={"warmth": 0.5})
    assert options.finish == Finish(warmth=0.5)
    assert options.network_part() == Options("autochrome").network_part()


# --- on planes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HUES)
def test_a_hue_and_what_is_near_is_changed_and_nothing_else(name: str) -> None:
    a, b = ring(40)
    hue = np.degrees(np.arctan2(b, a)) % 360
    away = np.abs((hue - HUES[name] + 180) % 360 - 180)
    for value, changed in ((-1.0, 0.0), (1.0, 80.0)):
        made = np.hypot(*Finish(**{name: value}).adjust_ab(a, b, np.full_like(a, 50)))
        assert made[away < 0.05] == pytest.approx(changed, abs=0.01)
        assert np.allclose(made[away > 60.1], 40)
        assert np.abs(np.diff(made)).max() < 0.15, "no seam: a tenth of a degree changes little"
        order = np.argsort(away)
        assert (np.diff(made[order]) * -np.sign(value) > -0.01).all(), "falls to both sides"


def test_all_hues_together_never_count_more_than_once() -> None:
    a, b = ring(40)
    made = np.hypot(*Finish(red=-1, green=-1, blue=-1).adjust_ab(a, b, np.full_like(a, 50)))
    assert made.min() >= -1e-4
    assert made.max() <= 40.001
    kept = {name: Finish(**{name: 1.0}).adjust_ab(a, b, np.full_like(a, 50)) for name in HUES}
    added = sum(np.hypot(*each) - 40 for each in kept.values())
    assert added.max() <= 40.001


def test_near_gray_no_hue_jumps() -> None:
    line = np.linspace(-1, 1, 4001, dtype=np.float32)
    for a, b in ((line, np.zeros_like(line)), (np.zeros_like(line), line)):
        made = Finish(red=1, green=-1, blue=0.5).adjust_ab(a, b, np.full_like(a, 50))
        assert np.abs(np.diff(made)).max() < 2.1 * 0.0005
        assert made[0][2000] == made[1][2000] == 0


def test_a_cast_leaves_black_and_white_neutral_and_has_the_direction_it_says() -> None:
    light = np.linspace(0, 100, 101, dtype=np.float32)
    none = np.zeros_like(light)
    for name, low, high in (("warmth", (0, -1), (0, 1)), ("tint", (-1, 0), (1, 0))):
        for value, direction in ((-1.0, low), (1.0, high)):
            made = np.stack(Finish(**{name: value}).adjust_ab(none, none, light))
            assert np.abs(made[:, [0, -1]]).max() == 0
            assert np.hypot(*made[:, 50]) == pytest.approx(24, abs=0.01)
            assert made[:, 50] @ direction > 20


def test_no_chroma_is_above_the_ceiling_and_little_stays_as_it_is() -> None:
    chroma = np.linspace(0, 140, 2801, dtype=np.float32)
    made, _ = Finish(ceiling=50).adjust_ab(chroma, np.zeros_like(chroma), chroma)
    assert np.array_equal(made[chroma <= 29.9], chroma[chroma <= 29.9])
    assert made.max() <= 50
    steps = np.diff(made)
    assert (steps >= -1e-4).all(), "what was stronger is never weaker"
    assert np.abs(np.diff(steps)).max() < 0.002, "no kink"
    same, _ = Finish(ceiling=NO_CEILING).adjust_ab(chroma, chroma, chroma)
    assert same is chroma


def test_levels_are_those_of_a_curve() -> None:
    light = np.array([0, 10, 20, 50, 80, 90, 100], np.float32)
    made = Finish(black=20, white=80).adjust_lightness(light)
    assert made == pytest.approx([0, 0, 0, 50, 100, 100, 100])
    assert Finish(gamma=2).adjust_lightness(light)[3] == pytest.approx(100 * 0.5**0.5)
    assert Finish(gamma=0.5).adjust_lightness(light)[3] == pytest.approx(25)
    assert made.dtype == np.float32


# --- at full size -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_no_finish_is_bit_exact(rng: np.random.Generator, kind: type) -> None:
    gray = np.repeat(rng.integers(0, np.iinfo(kind).max + 1, (97, 33, 1), dtype=kind), 3, 2)
    planes = rng.normal(0, 10, (11, 7, 4)).astype(np.float32) * np.float32([0.02, 0.02, 1, 1])
    before = chroma.recombine(gray, Tone(), planes)
    assert np.array_equal(chroma.recombine(gray, Tone(), planes, finish=Finish()), before)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_strips_are_the_whole(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    gray = np.repeat(rng.integers(0, np.iinfo(kind).max + 1, (97, 33, 1), dtype=kind), 3, 2)
    planes = rng.normal(0, 10, (11, 7, 4)).astype(np.float32) * np.float32([0.02, 0.02, 1, 1])
    whole = chroma.recombine(gray, Tone(), planes, finish=EVERY)
    monkeypatch.setattr(chroma, "STRIP_PIXELS", 33 * 5)
    strips = chroma.recombine(gray, Tone(), planes, finish=EVERY)
    assert np.abs(whole.astype(int) - strips).max() <= 1
    assert not np.array_equal(whole, chroma.recombine(gray, Tone(), planes))


def test_sixteen_bits_keep_their_shades() -> None:
    ramp = gray_ramp()
    made = paint(ramp, Finish(black=10, white=90, gamma=1.4), (0, 0))
    assert len(np.unique(made)) > 3000, "of 4096, those that are not clipped"
    assert np.ptp(made.astype(int), axis=2).max() <= 1
    light = rgb_to_lab(ramp / 65535)[..., 0]
    wanted = np.clip((light - 10) / 80, 0, 1) ** (1 / 1.4) * 100
    assert np.abs(rgb_to_lab(made / 65535)[..., 0] - wanted).max() < 0.01
    coloured = paint(ramp, EVERY)
    assert all(len(np.unique(coloured[..., channel])) > 2000 for channel in range(3))


def test_lightness_is_kept_without_levels() -> None:
    ramp = gray_ramp()
    toned = paint(ramp, Finish(red=1, green=-1, warmth=0.7, tint=-0.4, ceiling=30))
    before, after = (rgb_to_lab(each / 65535)[..., 0] for each in (ramp, toned))
    assert np.abs(before - after).max() < 0.01


def test_black_and_white_are_neutral_whatever_is_asked() -> None:
    made = paint(gray_ramp(), EVERY)
    for shade in (made[0, 0], made[-1, -1]):
        assert np.ptp(shade.astype(int)) == 0
    assert made[0, 0, 0] == 0
    assert made[-1, -1, 0] == 65535
