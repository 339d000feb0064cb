"""A mean of two models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import port_weights
import pytest

from colorize_core.models import blend as family
from colorize_core.models.blending import blend
from colorize_core.models.registry import MODELS


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return port_weights.small_model(family.CARD.name, tmp_path_factory.mktemp("weights"))


def test_its_card_says_what_it_is_made_of() -> None:
    card = family.CARD
    assert card.weights == (*family.FIRST.weights, *family.SECOND.weights)
    assert card.download == family.FIRST.download + family.SECOND.download
    for said in (family.FIRST.title, family.SECOND.title):
        assert said in card.summary
    assert card.licence == "Apache-2.0 and MIT"
    assert MODELS[card.name] == "blend"


def test_its_ab_are_the_weighted_mean_of_the_members(both: Any, gray_scene: Any) -> None:
    photo = gray_scene(240, 320)
    seen = both._see(photo, 1.0, True)
    first, second = (
        member._predict(member.fit(seen), (), {}, None).fine_ab(1.0) for member in both.members
    )
    assert np.abs(first - second).max() > 5
    for share in (0.0, 0.25, 1.0):
        made = both.predict(photo, share=share).fine_ab(1.0)
        assert np.allclose(made, (1 - share) * first + share * second, atol=1e-3)
    usual = both.predict(photo).fine_ab(1.0)
    assert np.allclose(usual, (first + second) / 2, atol=1e-3)


def test_all_of_one_is_that_model_alone(both: Any, gray_scene: Any, tmp_path: Path) -> None:
    photo = gray_scene(240, 320)
    alone = port_weights.small_model(family.SECOND.name, tmp_path)
    off = both.colorize(photo, share=1.0).astype(int) - alone.colorize(photo)
    assert np.abs(off).max() <= 1


def test_predictions_of_planes_of_different_size_are_blended(
    both: Any, load_model: Any, gray_scene: Any
) -> None:
    photo = gray_scene(600, 600)
    autochrome = load_model("autochrome")
    first, second = autochrome.predict(photo), both.members[1].predict(photo)
    assert first.fine_l.shape != second.fine_l.shape
    made = blend(first, second, 0.5)
    assert autochrome.render(photo, made).shape == photo.shape
    assert made.fine_ab(1.0).shape == first.fine_ab(1.0).shape


def test_progress_is_told_between_the_networks(both: Any, gray_scene: Any) -> None:
    shares: list[float] = []
    both.predict(gray_scene(60, 80), progress=shares.append)
    assert shares == [0.5, 1.0]
