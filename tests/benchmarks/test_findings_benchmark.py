"""Comparisons of two models photo by photo, and what is committed of them."""

from __future__ import annotations

import pytest

import colorize_core
from benchmarks import findings
from benchmarks.results_file import read

PAIR = findings.Pair("one, against two", "one", "two")


def figures(*values: float) -> findings.Figures:
    return {str(i): dict.fromkeys(findings.METRICS, value) for i, value in enumerate(values)}


def test_the_difference_is_that_of_the_same_photos() -> None:
    first, second = figures(1.0, 2.0, 3.0), figures(2.0, 2.0, 5.0, 100.0)
    rows = {row["metric"]: row for row in findings.compare(PAIR, first, second)}
    error = rows["ciede2000"]
    assert (error["n"], error["first_mean"], error["second_mean"]) == (3, "2", "3")
    assert (error["difference"], error["wins"]) == ("-1", "0.833")  # lower is better; one is equal
    assert float(error["low"]) < -1 < float(error["high"])
    assert rows["psnr"]["wins"] == "0.167"
    assert rows["colourfulness"]["wins"] == "", "more of it is not better by itself"


def test_models_without_a_common_photo_are_refused() -> None:
    with pytest.raises(ValueError, match="one and two share no ciede2000"):
        findings.compare(PAIR, figures(1.0), {})


def test_scores_of_other_weights_are_refused() -> None:
    card = next(card for card in colorize_core.cards() if card.name == "cnn-mse")
    row = {"model": "cnn-mse", "photo": "a", "weights": card.digest, "ciede2000": "3"}
    assert findings.read_figures([row], "cnn-mse") == {"a": {"ciede2000": 3.0}}
    with pytest.raises(ValueError, match="other weights"):
        findings.read_figures([row | {"weights": "deadbeef"}], "cnn-mse")


def score(name: str) -> dict[str, str]:
    card = next(card for card in colorize_core.cards() if card.name == name)
    return {
        "model": name,
        "photo": "a",
        "weights": card.digest,
        **dict.fromkeys(findings.METRICS, "3"),
    }


def test_pairs_of_which_one_is_not_scored_stay_as_they_are() -> None:
    before = read("findings")
    scores = [score("sagan"), score("unet-gan"), score("resnet-unet-gan")]
    rows = findings.compare_scored(scores[:2], before)
    assert {row["question"] for row in rows} == {"self-attention, against pix2pix", "trained"}
    assert {row["first"] for row in rows} == {"sagan", "unet-gan"}
    assert len(findings.compare_scored(scores, before)) == len(rows) + len(findings.METRICS) + 2
    with pytest.raises(ValueError, match="of no pair"):
        findings.compare_scored(scores[:1], before)


def test_a_pair_that_stays_is_of_the_weights_that_ship() -> None:
    before = [dict(row) for row in read("findings")]
    crops = next(r for r in before if (r["first"], r["metric"]) == ("resnet-unet-gan", "crops"))
    crops["first_mean"] = "1"
    with pytest.raises(ValueError, match="resnet-unet-gan was trained since"):
        findings.compare_scored([score("sagan"), score("unet-gan")], before)


def test_every_comparison_is_committed_and_of_the_weights_that_ship() -> None:
    rows = read("findings")
    asked = {pair.question for pair in (*findings.PAIRS, *findings.DRAWN)}
    assert asked <= {row["question"] for row in rows}
    told = {
        row["first"]: int(row["first_mean"])
        for row in rows
        if (row["question"], row["metric"]) == ("trained", "crops")
    }
    names = {name for pair in findings.PAIRS for name in (pair.first, pair.second)}
    expected = {
        row["first"]: row["first_mean"] for row in findings.list_models(sorted(names))[1::2]
    }
    assert told == expected
