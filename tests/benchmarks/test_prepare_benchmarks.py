"""What is drawn on clean photographs to measure the preparation of old scans, and its measures."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import scene

from benchmarks import damage_judges, prepare
from benchmarks.drawn_damage import KINDS, damage, lay_page


def test_damage_is_where_its_mask_says(rng: np.random.Generator) -> None:
    photo = scene(200, 260)
    drawn = damage(photo, rng)
    assert set(drawn.masks) == set(KINDS)
    changed = np.abs(drawn.photo.astype(int) - photo).max(2)
    assert changed[~drawn.mask].max() < 0.2 * 255, "what is fainter than is counted"
    assert changed[drawn.mask].mean() > 30


def test_pages_have_corners_for_each_photo(rng: np.random.Generator) -> None:
    page = lay_page([scene(90, 120)] * 3, rng, side=400)
    assert page.pixels.shape == (400, 300, 3)
    assert [each.shape for each in page.corners] == [(4, 2)] * 3


def test_rows_have_an_interval() -> None:
    told = prepare.row("found", "all", [0.0, 1.0, 1.0])
    assert float(told["low"]) <= float(told["mean"]) <= float(told["high"])
    assert told["n"] == 3


def test_a_judge_tells_two_kinds_apart_and_its_threshold_limits_what_is_false(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damage_judges, "STEPS", 60)
    rows = rng.normal(0, 1, (400, 3))
    truth = rows[:, 1] > 0.3
    judge = damage_judges.fit(rows, truth, 0)
    assert (judge.accept(rows) == truth).mean() > 0.9
    odds, areas = np.array([3.0, 2.0, 1.0, 0.0]), np.ones(4)
    threshold = damage_judges.choose(odds, np.array([True, True, False, True]), areas, 0.1)
    assert 1 < threshold < 2
