"""The benchmarks of colour and its accuracy, tried on colorizers whose answers are known."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import colorize_core
from benchmarks import confidence, frontier, historical, results_file
from colorize_core import metrics
from colorize_core.imaging.color import combine_ab, rgb_to_lab
from colorize_core.metrics import protocol

Picture = NDArray[np.uint8]
SHARE = 0.8  # of the truth's ab that FromTruth gives at vividness 1


class FromTruth:
    """Knows each photo's true colours, and gives `share` of them times vividness. Its spread is
    what `spread` makes of its error."""

    def __init__(
        self,
        truths: list[Picture],
        share: float = SHARE,
        spread: Callable[[NDArray[Any]], NDArray[Any]] = lambda error: error,
    ) -> None:
        self.card = SimpleNamespace(name="from-truth", digest="0a1b2c3d")
        self.labs = {
            protocol.to_gray(truth).tobytes(): rgb_to_lab(truth.astype(np.float32) / 255)
            for truth in truths
        }
        self.share, self.spread = share, spread
        self.predicted = 0

    def predict(self, gray: Picture) -> Any:
        self.predicted += 1
        lab = self.labs[gray.tobytes()]
        result = self.render(gray, SimpleNamespace(lab=lab), vividness=1.0)
        error = np.hypot(*np.moveaxis(rgb_to_lab(result / 255)[..., 1:] - lab[..., 1:], -1, 0))
        return SimpleNamespace(lab=lab, uncertainty=lambda: self.spread(error).astype(np.float32))

    def render(self, gray: Picture, prediction: Any, vividness: float) -> Picture:
        lab = prediction.lab
        return combine_ab(lab[..., :1], lab[..., 1:] * self.share * vividness)


@pytest.fixture
def truths(rng: np.random.Generator) -> list[Picture]:
    """Of muted colours, which stay in the gamut at twice their chroma, each less muted."""
    coarse = rng.integers(0, 256, (8, 8, 8, 3)).astype(np.float32)
    light = coarse.mean(-1, keepdims=True)
    share = np.linspace(0.2, 0.3, 8)[:, None, None, None]
    muted = light / 3 + 85 + (coarse - light) * share
    return list(muted.round().astype(np.uint8).repeat(32, 1).repeat(32, 2))


@pytest.fixture
def run(
    tmp_path: Path, truths: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[dict[str, str]]]:
    """Run a benchmark on the truths and one gray photo, and read what it wrote."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, picture in enumerate([*truths, protocol.to_gray(truths[0])]):
        Image.fromarray(picture).save(photos / f"{number}.png")
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(results_file, "provenance", lambda: {"commit": "new"})

    def run(benchmark: Any, model: Any, *options: str) -> list[dict[str, str]]:
        monkeypatch.setattr(colorize_core, "load", lambda name, device: model)
        monkeypatch.setattr(sys, "argv", ["benchmark", "--photos", str(photos), *options])
        benchmark.main()
        name = benchmark.__name__.rpartition(".")[-1]
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return run


def colours(pictures: list[Picture]) -> float:
    return float(np.mean([metrics.score("colourfulness", each) for each in pictures]))


def test_frontier_finds_the_colourfulness_of_the_truth(
    truths: list[Picture], run: Callable[..., list[dict[str, str]]]
) -> None:
    model = FromTruth(truths)
    options = ("--models", "from-truth", "--vividness", "0.5", "1")
    gray, *levels, met = run(frontier, model, *options)
    assert [row["vividness"] for row in (gray, *levels)] == ["", "0", "0.5", "1", "2"]
    assert {(row["n"], row["without_colours"]) for row in (gray, *levels, met)} == {("8", "1")}
    assert (gray["model"], gray["weights"]) == ("gray", "")
    assert (met["model"], met["weights"]) == ("from-truth", "0a1b2c3d")
    assert gray["psnr"] == levels[0]["psnr"]
    assert float(gray["colourfulness"]) < 1  # what rounding to whole numbers leaves

    assert met["what"] == frontier.EQUAL
    assert [row["what"] for row in levels] == [""] * 4
    assert float(met["vividness"]) == pytest.approx(1 / SHARE, abs=0.02)
    assert float(met["colourfulness"]) == pytest.approx(colours(truths), abs=0.3)
    assert {row["truth_colourfulness"] for row in (gray, met)} == {f"{colours(truths):.3f}"}
    assert float(met["ciede2000"]) < 0.5 < min(float(row["ciede2000"]) for row in levels)
    assert float(met["psnr_low"]) < float(met["psnr"]) < float(met["psnr_high"])
    assert model.predicted == 2 * len(truths)


def test_frontier_measures_what_stands_at_that_vividness(truths: list[Picture]) -> None:
    model = FromTruth(truths)
    grays = map(protocol.to_gray, truths)
    wanted = colours([model.render(gray, model.predict(gray), 1.3) for gray in grays])
    *_, met = frontier.rows_of(model, truths, [1.0, 1.6], wanted)
    again = frontier.measure(model, truths, [float(met["vividness"])])
    assert met["ciede2000"] == f"{again[0, :, 1].mean():.3f}"


@pytest.mark.parametrize(
    ("wanted", "level", "what"), [(99.0, "2", frontier.TIMID), (-1.0, "0", frontier.BOLD)]
)
def test_frontier_says_where_the_truth_is_not_reached(
    truths: list[Picture], wanted: float, level: str, what: str
) -> None:
    model = FromTruth(truths)
    *levels, last = frontier.rows_of(model, truths[:2], [1.0], wanted)
    assert (last["vividness"], last["what"]) == (level, what)
    same = next(row for row in levels if row["vividness"] == level)
    assert last == same | {"what": what}
    assert model.predicted == 2


def test_meeting_is_linear_between_what_was_measured() -> None:
    assert frontier.meeting([0, 1, 2], [10, 20, 40], 25) == 1.25
    assert frontier.meeting([0, 1, 2], [10, 10, 40], 10) == 1
    assert frontier.meeting([0, 1, 2], [10, 20, 40], 40) == 2
    assert frontier.meeting([0, 1, 2], [10, 20, 40], 41) is None
    assert frontier.meeting([0, 1, 2], [10, 20, 40], 9) is None


def test_photographs_without_colours_cannot_be_measured(truths: list[Picture]) -> None:
    gray = SimpleNamespace(read=lambda: protocol.to_gray(truths[0]))
    coloured = SimpleNamespace(read=lambda: truths[0])
    found, left_out = frontier.in_colour([gray, coloured])
    assert (len(found), left_out) == (1, 1)
    with pytest.raises(ValueError, match="none of the photographs"):
        frontier.in_colour([gray])


def test_a_spread_that_equals_the_error_is_told(
    truths: list[Picture], run: Callable[..., list[dict[str, str]]]
) -> None:
    rows = run(confidence, FromTruth(truths, 0.5))
    assert [(row["over"], row["what"]) for row in rows[:2]] == [
        ("photographs", "r"),
        ("photographs", "fifth 1"),
    ]
    assert len(rows) == 12
    assert {(row["n"], row["without_colours"]) for row in rows} == {("8", "1")}
    for over in ("photographs", "pixels"):
        r, *fifths = [row for row in rows if row["over"] == over]
        assert (r["value"], r["low"], r["high"], r["spread"]) == ("1.000",) * 3 + ("",)
        errors = [float(row["value"]) for row in fifths]
        assert errors == sorted(errors)
        assert errors == pytest.approx([float(row["spread"]) for row in fifths], abs=0.002)


def test_a_random_spread_says_nothing_of_the_error(
    truths: list[Picture], rng: np.random.Generator
) -> None:
    model = FromTruth(truths, 0.5, lambda error: rng.uniform(0, 20, error.shape))
    spread, error = confidence.measure(model, truths)["pixels"]
    assert spread.shape == error.shape == (len(truths), confidence.PIXELS)
    r, low, high = confidence.correlation(spread, error)
    assert abs(r) < 0.05
    assert low < 0 < high
    values = [fifth["value"] for fifth in confidence.fifths(spread, error)]
    assert values == pytest.approx([error.mean()] * 5, rel=0.1)


def test_the_interval_of_r_is_over_photographs(rng: np.random.Generator) -> None:
    """Pixels that are copies of one another make it no narrower."""
    spread = rng.normal(5, 1, (40, 1))
    error = spread + rng.normal(0, 1, (40, 1))
    once = confidence.correlation(spread, error)
    assert once[0] == pytest.approx(np.corrcoef(spread[:, 0], error[:, 0])[0, 1])
    assert once[1] < once[0] - 0.1
    assert once[0] + 0.05 < once[2]
    assert confidence.correlation(spread.repeat(9, 1), error.repeat(9, 1)) == pytest.approx(once)


def test_historical_tells_median_and_ends(
    tmp_path: Path, truths: list[Picture], run: Callable[..., list[dict[str, str]]]
) -> None:
    """Its photographs are in gray; here one of another shape is among them."""
    folder, sheet = tmp_path / "old", tmp_path / "sheet.png"
    folder.mkdir()
    cut = [truths[0], truths[3], truths[7][:128]]
    for number, truth in enumerate(cut):
        Image.fromarray(protocol.to_gray(truth)).save(folder / f"{number}.png")
    options = ("--photos", str(folder), "--vividness", "0.5", "1", "--sheet", str(sheet))
    half, whole = run(historical, FromTruth(cut, 1.0), *options)
    assert (half["vividness"], whole["vividness"]) == ("0.5", "1")
    assert (whole["model"], whole["photos"], whole["n"]) == ("autochrome", "old", "3")
    each = sorted(metrics.score("colourfulness", truth) for truth in cut)
    found = [float(whole[name]) for name in ("least", "median", "greatest")]
    assert found == pytest.approx(each, abs=0.1)
    assert float(half["median"]) < 0.7 * each[1]
    assert "0.png" not in str(whole)  # names are on the sheet alone

    with Image.open(sheet) as picture:
        assert picture.width > 3 * historical.WIDTH
        assert picture.height > 2.5 * historical.WIDTH
        assert np.ptp(np.asarray(picture), axis=-1).max() > 10
