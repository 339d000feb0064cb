"""Settings of what is done before, and what the network and the result get of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from colorize_core.errors import OptionError
from colorize_core.options import Options
from colorize_core.prepare.preparation import NO_PREPARATION, Preparation, prepare


def test_settings_come_back_from_texts_and_mappings() -> None:
    both = Preparation("result", "colouring")
    assert Preparation.parse(["damage=result,screen"]) == both
    assert Preparation.parse(["damage", "screen", "damage=result"]) == both
    assert Preparation.parse([]) == NO_PREPARATION
    assert Preparation.read(both.as_dict()) == both
    assert both.shows
    assert not Preparation("colouring").shows
    assert NO_PREPARATION.as_dict() == {}


@pytest.mark.parametrize("texts", [["dust"], ["damage=yes"], [""], ["damage="], ["damage,,screen"]])
def test_others_are_told(texts: list[str]) -> None:
    with pytest.raises(OptionError, match="damage"):
        Preparation.parse(texts)


@pytest.mark.parametrize("given", [None, 3, ["damage"], {"damage": 1}, {1: "no"}])
def test_what_is_no_preparation_is_told(given: Any) -> None:
    with pytest.raises(OptionError):
        Preparation.read(given)


def test_a_prediction_depends_on_it() -> None:
    plain, prepared = Options(), Options(prepare=Preparation("colouring"))
    assert plain.network_part() != prepared.network_part()


def test_where_nothing_is_found_the_image_is_the_same() -> None:
    flat = np.full((200, 200, 3), 90, np.uint8)
    made = prepare(flat, Preparation("result", "result"))
    assert made.seen is flat
    assert made.shown is flat
    assert made.damaged == 0
    assert made.describe(Preparation("result", "result")) == "no damage found · no screen found"


def test_damage_is_filled_on_the_copy_or_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((60, 80, 3), 90, np.uint8)
    image[30] = 250
    mask = np.zeros((60, 80), bool)
    mask[29:32] = True
    monkeypatch.setattr("colorize_core.prepare.damage.find_damage", lambda _: mask)
    made = prepare(image, Preparation("colouring"))
    assert made.shown is image
    assert (made.seen == 90).all()
    assert prepare(image, Preparation("result")).shown.max() == 90
    assert made.damaged == pytest.approx(3 / 60)
