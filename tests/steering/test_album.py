"""Known colours on the other photos of an album."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from colorize_core.steering.album import DescribedPhoto, place
from colorize_core.steering.hints import Hint

GREEN = Hint(0.3, 0.7, (-20.0, 15.0), known=True, note="grandfather's coat")


@pytest.fixture
def features():
    """Cells that are all unlike each other."""
    return np.random.default_rng(3).normal(size=(64, 10, 12)).astype(np.float16)


def photo(features, *facts, name="other.jpg"):
    return DescribedPhoto(name, features, (10.0, 12.0), facts)


def test_a_fact_goes_where_the_same_thing_is(features):
    shifted = np.roll(features, (2, 3), (1, 2))
    (found,) = place(photo(shifted), [photo(features, GREEN, name="first.jpg")])
    assert found.hint == replace(GREEN, x=found.hint.x, y=found.hint.y)
    assert (found.hint.x, found.hint.y) == ((3 + 3 + 0.5) / 12, (7 + 2 + 0.5) / 10)
    assert found.source == "first.jpg"
    assert found.likeness > 0.9


def test_it_goes_nowhere_on_a_photo_of_other_things(features):
    strange = np.random.default_rng(8).normal(size=features.shape)
    assert place(photo(strange), [photo(features, GREEN)]) == ()


def test_a_place_that_is_more_like_another_one_is_left_out(features):
    """Its nearest counterpart lies elsewhere on the photo with the fact."""
    doubled = features.copy()
    doubled[:, 7, 3] = features[:, 7, 3] + 0.8 * features[:, 0, 0]
    doubled[:, 0, 0] = doubled[:, 7, 3]
    blank = np.random.default_rng(9).normal(size=features.shape).astype(np.float16)
    blank[:, 4, 4] = features[:, 0, 0] * 0.75 + features[:, 7, 3] * 0.65
    sure = place(photo(blank), [photo(features, GREEN)])
    unsure = place(photo(blank), [photo(features, replace(GREEN, x=0.0, y=0.0))])
    assert (len(sure), len(unsure)) == (0, 1), "the counterpart of the one is that of the other"


def test_the_same_fact_of_two_photos_is_placed_once(features):
    noisy = features + 0.2 * np.random.default_rng(1).normal(size=features.shape)
    others = [photo(noisy, GREEN, name="b.jpg"), photo(features, GREEN, name="a.jpg")]
    assert [each.source for each in place(photo(features), others)] == ["a.jpg"]
    blue = replace(GREEN, ab=(0.0, -30.0))
    both = [photo(noisy, blue, name="b.jpg"), photo(features, GREEN, name="a.jpg")]
    assert len(place(photo(features), both)) == 2, "what contradicts is shown, too"


def test_photos_without_facts_say_nothing(features):
    assert place(photo(features), [photo(features)]) == ()
    assert place(photo(features), []) == ()
