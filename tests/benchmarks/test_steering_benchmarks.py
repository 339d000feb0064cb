"""What stands in for a person, and for a reference, in the benchmarks of steering."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import questions, reference, results_file
from colorize_core.steering.questions import Question

TRUE = (40.0, 30.0)


@pytest.fixture
def truth() -> np.ndarray:
    """The left half in one colour, the right in another, and a spot."""
    ab = np.zeros((64, 64, 2))
    ab[:, :32] = TRUE
    ab[10, 10] = (-90, -90)
    return ab


def ask(*colours: tuple[float, float]) -> Question:
    fill = np.zeros((8, 8), np.float32)
    fill[:, :4] = 1
    places = ((0.2, 0.5), (0.3, 0.2))
    return Question(0.2, 0.5, fill, (), colours, (0.5,) * len(colours), ((0, 0, 0),), 50, 1, places)


def test_the_true_colour_is_that_of_most_of_the_region(truth: np.ndarray) -> None:
    assert questions.find_true_colour(truth, ask((0, 0))) == TRUE


def test_the_nearest_offer_is_taken_or_the_true_colour_picked(truth: np.ndarray) -> None:
    near = ask((-10.0, 0.0), (42.0, 28.0))
    for picks in (False, True):
        assert {hint.ab for hint in questions.answer(truth, near, picks)} == {(42.0, 28.0)}
    far = ask((-10.0, 0.0), (20.0, 28.0))
    assert {hint.ab for hint in questions.answer(truth, far, False)} == {(20.0, 28.0)}
    assert {hint.ab for hint in questions.answer(truth, far, True)} == {TRUE}


def test_a_click_has_the_true_colour_of_its_place(
    truth: np.ndarray, rng: np.random.Generator
) -> None:
    for _ in range(20):
        (hint,) = questions.click(truth, rng)
        if abs(hint.x - 0.5) > 0.05:
            assert hint.ab == (TRUE if hint.x < 0.5 else (0.0, 0.0))


def test_a_reference_never_shows_the_photo_itself(rng: np.random.Generator) -> None:
    truth, other = (rng.integers(0, 256, (256, 256, 3), np.uint8) for _ in range(2))
    pairs = reference.make_pairs(truth, other)
    assert all(shown.shape == (256, 256, 3) for pair in pairs.values() for shown in pair)
    assert not any(np.array_equal(*pair) for pair in pairs.values())


def test_true_answers_were_better_than_clicks_at_every_count() -> None:
    rows = results_file.read("questions")
    assert [int(row["answers"]) for row in rows] == list(questions.COUNTS)
    assert all(int(row["n"]) >= 150 for row in rows)
    for row in rows[1:]:
        assert float(row["picked_gain_low"]) > 0


def test_an_unrelated_reference_did_little_harm() -> None:
    rows = {row["reference"]: row for row in results_file.read("reference")}
    unrelated = rows.pop("another photograph")
    assert float(unrelated["gain"]) > -0.3
    assert float(unrelated["worse"]) <= 0.05
    assert all(float(row["gain_low"]) > 1 for row in rows.values())
