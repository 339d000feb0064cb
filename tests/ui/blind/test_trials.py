"""The arithmetic of the blind tests, against published and hand-computed numbers."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from ui.blind.trials import (
    CHOICE_COLUMNS,
    NEITHER,
    ORIGINAL,
    PREFER,
    REAL,
    TRIAL_COLUMNS,
    WRONG,
    Bag,
    Choice,
    Planner,
    Results,
    Trial,
    compute_elo,
    compute_wilson,
    count_caught,
    rate_fooling,
    write_csv,
)

MODELS = ("one", "two", "three")
FOOLED = Trial("2026-11-21T10:00:00Z", "a.jpg", "key", "one", "A", "B", False, False, 2.5)
RIGHT = replace(FOOLED, guess="A")
CATCH = replace(RIGHT, model="", catch=True)
WON = Choice("2026-11-21T10:00:00Z", "a.jpg", "one", "two", "A", 2.5)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(hits: int, n: int, low: float, high: float) -> None:
    assert compute_wilson(hits, n) == pytest.approx((low, high), abs=5e-5)
    mirrored = 1 - compute_wilson(n - hits, n)[1], 1 - compute_wilson(n - hits, n)[0]
    assert mirrored == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_everything() -> None:
    assert compute_wilson(0, 0) == (0.0, 1.0)
    assert compute_wilson(7, 7)[1] == 1.0


def test_elo_by_hand() -> None:
    # one beats two: 1516, 1484. A tie: one was expected to get 1 / (1 + 10 ** -0.08) = 0.545922,
    # and loses 32 * 0.045922 = 1.469502. three then beats one, expected 0.479101: + 16.668764.
    choices = [WON, replace(WON, choice=NEITHER), replace(WON, a="three", b="one")]
    table = {line.model: line for line in compute_elo(choices)}
    assert [line.model for line in compute_elo(choices)] == ["three", "one", "two"]
    assert table["two"].rating == pytest.approx(1484 + 1.469502, abs=1e-6)
    assert table["three"].rating == pytest.approx(1516.668764, abs=1e-6)
    assert table["one"].rating == pytest.approx(1516 - 1.469502 - 16.668764, abs=1e-6)
    assert table["one"][2:] == (3, 1, 1)
    assert table["two"][2:] == (2, 0, 1)
    assert sum(line.rating for line in table.values()) == pytest.approx(4500)


def test_elo_does_not_care_for_sides_but_for_order() -> None:
    turned = replace(WON, a="two", b="one", choice="B")
    assert compute_elo([turned]) == compute_elo([WON])
    lost = replace(WON, choice="B")
    assert compute_elo([WON, lost]) != compute_elo([lost, WON])


def test_fooling_counts_each_model_alone_and_neither_catches_nor_seen_photos() -> None:
    seen = replace(FOOLED, seen=True)
    other = replace(RIGHT, model="two")
    rates = rate_fooling([RIGHT, FOOLED, FOOLED, CATCH, replace(CATCH, guess="B"), seen, other])
    assert [(rate.model, rate.fooled, rate.n) for rate in rates] == [("one", 2, 3), ("two", 0, 1)]
    assert rates[0].share == pytest.approx(2 / 3)
    assert rates[0].interval == compute_wilson(2, 3)


def test_catches_are_counted_apart() -> None:
    assert count_caught([FOOLED, CATCH, CATCH, replace(CATCH, guess="B")]) == (2, 3)
    assert count_caught([FOOLED, RIGHT]) == (0, 0)


def test_csv_has_no_formulas() -> None:
    text = write_csv(TRIAL_COLUMNS, [replace(FOOLED, photo="=cmd|' /C calc'!A1.jpg")])
    assert next(csv.DictReader(io.StringIO(text)))["photo"] == "'=cmd|' /C calc'!A1.jpg"


def test_csv_has_every_round() -> None:
    odd = replace(FOOLED, photo='a "b", c.jpg')
    rows = list(csv.DictReader(io.StringIO(write_csv(TRIAL_COLUMNS, [odd, CATCH]))))
    assert rows[0] == {
        "time": "2026-11-21T10:00:00Z",
        "photo": 'a "b", c.jpg',
        "model": "one",
        "side": "A",
        "guess": "B",
        "right": "0",
        "catch": "0",
        "seen": "0",
        "seconds": "2.5",
    }
    assert (rows[1]["catch"], rows[1]["right"], rows[1]["model"]) == ("1", "1", "")
    assert write_csv(CHOICE_COLUMNS, [WON]).splitlines() == [
        "time,photo,a,b,choice,seconds",
        "2026-11-21T10:00:00Z,a.jpg,one,two,A,2.5",
    ]


def test_results_come_back_from_the_browser_as_they_were() -> None:
    results = Results((FOOLED, CATCH), (WON,))
    assert Results.read(results.dump()) == results
    assert len(results) == 3


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"trials": "no", "choices": 3},
        {"trials": [None, {}, {**Results((FOOLED,)).dump()["trials"][0], "side": "C"}]},
        {"trials": [{**Results((FOOLED,)).dump()["trials"][0], "seconds": "2"}]},
        {"choices": [{**Results((), (WON,)).dump()["choices"][0], "b": "one"}]},
    ],
)
def test_what_is_no_round_is_left_out(kept: object) -> None:
    assert Results.read(kept) == Results()


def test_every_photo_and_every_model_has_its_turn() -> None:
    plans = [Planner(REAL, 5, MODELS, random.Random(seed)) for seed in range(50)]
    for planner in plans:
        rounds = [planner.plan() for _ in range(10)]
        for half in (rounds[:5], rounds[5:]):
            assert sorted(plan.photo for plan in half) == list(range(5))
        models = [plan.model for plan in rounds if not plan.catch]
        assert set(models[:3]) == set(MODELS)


def test_sides_are_a_fair_coin_that_nothing_foretells() -> None:
    planner = Planner(REAL, 5, MODELS, random.Random(7))
    plans = [planner.plan() for _ in range(4000)]
    left = [plan.pair[0] == ORIGINAL for plan in plans]
    assert sum(left) == pytest.approx(2000, abs=160)  # five standard deviations
    same = sum(one == other for one, other in pairwise(left))
    assert same == pytest.approx(2000, abs=160)
    for model in (*MODELS, ""):
        sides = [plan.pair[0] == ORIGINAL for plan in plans if plan.model == model]
        assert sum(sides) / len(sides) == pytest.approx(0.5, abs=0.11)


def test_about_one_round_in_eight_is_a_catch_and_never_the_first() -> None:
    assert not any(
        Planner(REAL, 2, MODELS, random.Random(seed)).plan().catch for seed in range(200)
    )
    planner = Planner(REAL, 2, MODELS, random.Random(7))
    catches = [planner.plan() for _ in range(4000)]
    assert sum(plan.catch for plan in catches) == pytest.approx(500, abs=105)
    assert all(set(plan.pair) == {ORIGINAL, WRONG} for plan in catches if plan.catch)


def test_two_different_models_are_compared_and_all_equally_often() -> None:
    planner = Planner(PREFER, 5, MODELS, random.Random(7))
    plans = [planner.plan() for _ in range(3000)]
    assert all(plan.pair[0] != plan.pair[1] and not plan.catch for plan in plans)
    for model in MODELS:
        first = sum(plan.pair[0] == model for plan in plans)
        second = sum(plan.pair[1] == model for plan in plans)
        assert first + second == pytest.approx(2000, abs=2)
        assert first == pytest.approx(1000, abs=130)


def test_a_bag_of_two_never_gives_the_excluded_one() -> None:
    bag = Bag("xy", random.Random(7))
    for _ in range(20):
        first = bag.draw()
        assert bag.draw(but=first) != first
