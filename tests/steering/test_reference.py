"""Colours by correspondence, on features that are made up."""

from __future__ import annotations

import numpy as np
import pytest

from colorize_core.steering.reference import Correspondence, Reference, match, pick_hints

HEIGHT, WIDTH = 16, 24


def things(rng: np.random.Generator, noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Features (C, h, w) and ab of three things side by side, of which each cell is a bit other."""
    kinds = np.eye(3).repeat(32, 1)  # (3, 96)
    which = np.arange(WIDTH) * 3 // WIDTH
    features = np.broadcast_to(kinds[which].T[:, None], (96, HEIGHT, WIDTH))
    colours = np.array([(40.0, 30.0), (-30.0, 20.0), (0.0, -40.0)])[which]
    ab = np.broadcast_to(colours[None], (HEIGHT, WIDTH, 2)).copy()
    return features + noise * rng.standard_normal(features.shape), ab


def test_each_thing_takes_the_colour_of_its_like(rng: np.random.Generator) -> None:
    features, ab = things(rng)
    found = match(features, features[:, :, ::-1], ab[:, ::-1])
    assert np.abs(found.ab - ab).max() < 1
    assert np.median(found.confidence) > 0.5


def test_the_unlike_and_the_contradictory_are_not_sure(rng: np.random.Generator) -> None:
    features, ab = things(rng)
    strange = rng.standard_normal(features.shape)
    assert match(strange, features, ab).confidence.max() < 0.5
    mixed = rng.choice([-50.0, 50.0], ab.shape)
    assert np.median(match(features, features[:, :, ::-1], mixed).confidence) < 0.2


def test_hints_are_where_it_is_sure_and_as_strong_as_asked() -> None:
    confidence = np.zeros((HEIGHT, WIDTH))
    confidence[:, : WIDTH // 2] = 0.9
    ab = np.full((HEIGHT, WIDTH, 2), 20.0)
    found = Correspondence(ab, confidence)
    cells = (float(HEIGHT), float(WIDTH))
    hints = pick_hints(found, np.zeros_like(ab), cells, 0.5)
    assert 8 <= len(hints) <= 64
    assert all(hint.x < 0.5 and hint.ab == (10.0, 10.0) for hint in hints)
    few = np.zeros_like(confidence)
    few[0, :3] = 1
    assert pick_hints(Correspondence(ab, few), ab, cells, 1.0) == ()


def test_a_reference_is_known_by_its_pixels() -> None:
    first, same = (Reference(np.full((4, 6, 3), 7, np.uint8)) for _ in range(2))
    assert first == same
    assert hash(first) == hash(same)
    assert first != Reference(np.full((6, 4, 3), 7, np.uint8))
    assert first != Reference(np.full((4, 6, 3), 8, np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3)])
def test_tiny_photos_have_matches_too(shape: tuple[int, int], rng: np.random.Generator) -> None:
    features = rng.standard_normal((5, *shape))
    found = match(features, features, np.zeros((*shape, 2)))
    assert found.ab.shape == (*shape, 2)
