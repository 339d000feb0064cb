"""What is compared, in which order, and which is best; the heat map and the captioned grid."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from drawing_models import CARDS

from colorize_core.errors import OptionError
from colorize_core.evaluate import comparison
from colorize_core.evaluate.comparison import BEST, SECONDS, Entry, Result
from colorize_core.imaging.captions import GAP, WIDTHS, draw_captioned_grid
from colorize_core.imaging.heatmap import FULL, draw_heat_map, draw_legend
from colorize_core.metrics.ciede2000 import ciede2000

HIGH = SimpleNamespace(name="high", title="High", better="higher", needs_truth=True)
LOW = SimpleNamespace(name="low", title="Low", better="lower", needs_truth=True)
NEAR = SimpleNamespace(name="near", title="Near", better="nearer 0", needs_truth=True)
FREE = SimpleNamespace(name="free", title="Free", better=None, needs_truth=False)
TRUTH, GRAY, MEAN = comparison.list_references(coloured=True)


def model(name: str, seed: int | None = None, **scores: float) -> Result:
    return Result(Entry("model", name.title(), name, seed=seed), scores)


def test_the_order_is_that_of_the_cards_then_vividness_then_seeds() -> None:
    planned = comparison.plan(CARDS, ["student", "coltran", "autochrome"], [2.0, 0.5, 2.0], 2)
    assert [entry.label for entry in planned] == [
        "Autochrome, vividness 0.5",
        "Autochrome, vividness 2",
        "ColTran, seed 0, vividness 0.5",
        "ColTran, seed 1, vividness 0.5",
        "ColTran, seed 0, vividness 2",
        "ColTran, seed 1, vividness 2",
        "Student, vividness 0.5",
        "Student, vividness 2",
    ]
    assert planned[4].slug == "coltran-seed-0-vividness-2"
    assert len({entry.slug for entry in planned}) == len(planned)


def test_the_truth_stands_first_where_there_is_one() -> None:
    assert [entry.kind for entry in (TRUTH, GRAY, MEAN)] == ["truth", "gray", "mean"]
    assert comparison.list_references(coloured=False) == (GRAY, MEAN)


@pytest.mark.parametrize(
    ("names", "vividness", "said"),
    [
        ([], [1.0], "at least one model"),
        (["coltran"], [], "at least one vividness"),
        (["nobody"], [1.0], "at least one"),
    ],
)
def test_nothing_to_compare_is_said(names: list[str], vividness: list[float], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        comparison.plan(CARDS, names, vividness, 1)


def test_too_many_are_counted_and_refused() -> None:
    cards = [replace(CARDS[0], name=f"model-{i}") for i in range(comparison.MOST + 1)]
    names = [card.name for card in cards]
    assert len(comparison.plan(cards, names[:-1], [1.0], 1)) == comparison.MOST
    with pytest.raises(OptionError, match=f"{comparison.MOST + 1} pictures; at most"):
        comparison.plan(cards, names, [1.0], 1)


def test_the_best_by_direction_without_the_truth_and_with_gray() -> None:
    results = [
        Result(TRUTH, {"high": float("inf"), "low": 0.0, "near": 0.0, "free": 9.0}),
        Result(GRAY, {"high": 5.0, "low": 1.0, "near": -9.0, "free": 0.0}),
        model("a", high=5.0, low=2.0, near=-1.5, free=3.0),
        model("b", high=float("nan"), low=3.0, near=2.0, free=4.0),
        Result(Entry(BEST, "B", "b", seeds=2), {"high": 99.0, "low": 0.0, "near": 0.0}),
        Result(Entry("model", "C", "c"), error="It failed."),
    ]
    assert comparison.find_best(results, HIGH) == {1, 2}, "equal ones are both the best"
    assert comparison.find_best(results, LOW) == {1}
    assert comparison.find_best(results, NEAR) == {2}
    assert comparison.find_best(results, FREE) == set()
    assert comparison.find_best([], HIGH) == set()


def test_what_to_sort_by_grows_with_what_is_better() -> None:
    assert comparison.get_sort_key(3.0, "higher") == 3.0
    assert comparison.get_sort_key(3.0, "lower") == -3.0
    assert comparison.get_sort_key(-3.0, "nearer 0") == -3.0
    assert comparison.get_sort_key(3.0, None) == 3.0
    assert comparison.get_sort_key(None, "higher") is None
    assert np.isfinite(comparison.get_sort_key(float("inf"), "higher") or 0.0)


def test_the_best_of_seeds_is_taken_figure_by_figure() -> None:
    group = [
        model("drawn", 0, high=1.0, low=5.0, near=-3.0, free=7.0, seconds=2.0),
        model("drawn", 1, high=4.0, low=6.0, near=2.0, free=8.0, seconds=3.0),
    ]
    failed = Result(Entry("model", "Drawn", "drawn", seed=2), error="It failed.")
    others = [model("plain", high=9.0), model("alone", 0, high=9.0)]
    (best,) = comparison.pick_best_of_seeds([*others, *group, failed], [HIGH, LOW, NEAR, FREE])
    assert best.entry.label == "Drawn, best of 2 seeds"
    assert best.scores == {"high": 4.0, "low": 5.0, "near": 2.0, "seconds": 5.0}
    assert "no direction" in best.reason("free")
    without = [replace(each, missing={"gone": "Not to be had."}) for each in group]
    gone = SimpleNamespace(name="gone", better="higher", needs_truth=True)
    assert comparison.pick_best_of_seeds(without, [gone])[0].reason("gone") == "Not to be had."


def test_figures_as_people_read_them() -> None:
    assert comparison.format_figure(None, 2) == "–"
    assert comparison.format_figure(float("inf"), 2) == "∞"
    assert comparison.format_figure(-1.5, 2) == "−1.50"
    assert comparison.format_figure(-0.001, 2) == "0.00"
    assert comparison.count_decimals([22.6, None, float("inf")]) == 2
    assert comparison.count_decimals([0.95, 0.1]) == 3
    assert comparison.count_decimals([0.0031]) == 5
    assert comparison.count_decimals([]) == 5


def test_csv_has_every_figure_and_every_reason() -> None:
    entry = Entry("model", "Drawn, too", "drawn", 1.5, 3)
    rows = [
        Result(GRAY, {"high": 22.123456789}, {"seconds": "No model was asked."}),
        Result(entry, {"high": 21.0, "seconds": 2.5}),
        Result(Entry("model", "Broken", "broken"), error="It failed."),
    ]
    text = comparison.format_csv(rows, [HIGH, SECONDS], photo="cup", protocol="recombine-256")
    gray, drawn, broken = csv.DictReader(io.StringIO(text))
    assert list(gray) == [
        *("photo", "protocol", "entry", "kind", "model", "vividness", "seed"),
        *("high", "seconds", "remark"),
    ]
    assert (gray["high"], gray["seconds"], gray["model"]) == ("22.1235", "", "")
    assert gray["remark"] == "No model was asked."
    assert (drawn["entry"], drawn["photo"]) == ("Drawn, too, seed 3, vividness 1.5", "cup")
    assert (drawn["vividness"], drawn["seed"], drawn["remark"]) == ("1.5", "3", "")
    assert (broken["high"], broken["seconds"], broken["remark"]) == ("", "", "It failed.")


def test_heat_grows_with_the_difference(rng: np.random.Generator) -> None:
    truth = rng.integers(0, 255, (8, 12, 3), np.uint8)
    assert not draw_heat_map(truth, truth)[..., :2].any(), "equal is black"
    far = 255 - truth
    bright = draw_heat_map(far, truth).astype(int).sum(2)
    assert ciede2000(far[:1, :1], truth[:1, :1]) > 0
    assert bright.min() > draw_heat_map(truth, truth).astype(int).sum(2).max()
    key = draw_legend()
    assert np.array_equal(key[0, 0], draw_heat_map(truth, truth)[0, 0])
    black, white = (np.full((1, 1, 3), level, np.uint8) for level in (0, 255))
    assert ciede2000(black, white) > FULL
    assert np.array_equal(key[0, -1], draw_heat_map(black, white)[0, 0]), (
        "more than full looks the same"
    )


def test_the_captioned_grid_holds_every_picture_as_it_is() -> None:
    size = (300, 200)
    pictures = [np.full((size[1], size[0], 3), level, np.uint8) for level in (10, 90, 170)]
    captions = [("Truth",), ("A rather long title of a model, vividness 1.5, seed 3", "PSNR 22")]
    sheet = draw_captioned_grid(
        [*pictures, None], [*captions, ("C",), ("D", "Failed")], size, columns=2
    )
    assert sheet.shape[1] == 2 * (size[0] + GAP) + GAP
    for i, level in enumerate((10, 90)):
        left = GAP + i * (size[0] + GAP)
        assert (sheet[GAP : GAP + size[1], left : left + size[0]] == level).all()
        below = sheet[GAP + size[1] : GAP + size[1] + 24, left : left + size[0]]
        assert below.min() < 100, "there are words under it"
    assert ((sheet == 170).all(2)).sum() == size[0] * size[1]


def test_a_large_picture_is_scaled_down_and_a_narrow_one_has_room_for_words() -> None:
    large = draw_captioned_grid([np.zeros((500, 1000, 3), np.uint8)], [("A",)], (1000, 500))
    assert large.shape[1] == WIDTHS[1] + 2 * GAP
    narrow = draw_captioned_grid([np.zeros((90, 10, 3), np.uint8)], [("A – B",)], (10, 90))
    assert narrow.shape[1] == WIDTHS[0] + 2 * GAP
    assert (narrow == 0).all(2).sum() == 900, "it is not enlarged"
