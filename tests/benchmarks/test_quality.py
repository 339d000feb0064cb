"""Scores that were evaluated apart come together where they are of the same."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
from score_tables import METRICS, rows, write

from benchmarks import quality, results_file
from colorize_core import cards

MODELS = ("gray", "mean", "autochrome")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    for module in (results_file, quality):
        monkeypatch.setattr(module, "provenance", lambda: {"commit": "new", "machine": "a clock"})
    monkeypatch.setattr(quality, "find_photos", lambda sources, limit: [])
    monkeypatch.setattr(quality, "in_turn", lambda names, photos: dict.fromkeys(names, 0.25))
    return tmp_path


def sum_up(folder: Path, table: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> list:
    digests = {card.name: card.digest for card in cards()}
    table = [each | {"weights": digests.get(each["model"], "")} for each in table]
    scores = write(folder / "scores.csv", table)
    monkeypatch.setattr(sys, "argv", ["quality", str(scores), "--photos", "album"])
    quality.main()
    with (folder / "quality.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def only(name: str, value: str, models: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows as if that metric alone had been asked for."""
    return [
        {
            **{key: cell for key, cell in row.items() if key not in (*METRICS, "seconds", "why")},
            name: value,
            "seconds": "1",
            "why": "",
        }
        for row in rows(models)
    ]


def test_a_metric_evaluated_alone_is_added_to_what_there_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sum_up(folder, rows(MODELS), monkeypatch)
    assert "lpips-squeeze: The trunk" in before[0]["why"]
    fresh = only("r2-a", "0.5", MODELS)
    after = sum_up(folder, fresh, monkeypatch)
    assert [row["model"] for row in after] == list(MODELS)
    assert {row["r2-a"] for row in after} == {"0.5000"}
    assert [row["ciede2000"] for row in after] == [row["ciede2000"] for row in before]
    assert {row["commit"] for row in after} == {"new"}
    assert "lpips-squeeze: The trunk" in after[0]["why"]
    filled = sum_up(folder, only("lpips-squeeze", "0.25", MODELS), monkeypatch)
    assert {row["lpips-squeeze"] for row in filled} == {"0.2500"}
    assert {row["why"] for row in filled} == {""}
    assert {row["r2-a"] for row in filled} == {"0.5000"}


def test_models_without_the_new_metric_stay_with_an_empty_cell(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sum_up(folder, rows(MODELS), monkeypatch)
    after = sum_up(folder, only("r2-a", "0.5", ("gray", "mean")), monkeypatch)
    assert [row["r2-a"] for row in after] == ["0.5000", "0.5000", ""]
    assert after[2]["ciede2000"] == "8.000"


def test_scores_of_fewer_photos_do_not_take_what_others_have(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sum_up(folder, rows(MODELS), monkeypatch)
    fewer = [each for each in only("r2-a", "0.5", MODELS) if each["photo"] != "a.jpg"]
    after = sum_up(folder, fewer, monkeypatch)
    assert "ciede2000" not in after[0]
