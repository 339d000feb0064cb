"""The benchmarks measure what they say, tried on networks that know nothing yet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import colorize_core
from benchmarks import draws, quality, results_file, systems
from colorize_core.metrics import protocol
from colorize_core.models import coltran, diffusion
from colorize_core.models.base import SampledColorizer
from colorize_core.networks.coltran import ColTran, SamplingOptions, StagesConfig
from colorize_core.networks.diffusion_unet import DiffusionUNet, DiffusionUNetConfig

DRAWING = SamplingOptions(0.8, 1.5, 0.3)


@pytest.fixture
def truth(rng: np.random.Generator) -> NDArray[np.uint8]:
    coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
    return protocol.crop_square(coarse.repeat(64, 0).repeat(64, 1))


def small_diffusion() -> Any:
    torch.manual_seed(0)
    network = DiffusionUNet(DiffusionUNetConfig(width=8))
    return SampledColorizer(
        diffusion.CARD, network, diffusion.walk, torch.device("cpu"), multiple=16
    )


def small_coltran() -> Any:
    torch.manual_seed(0)
    network = ColTran(StagesConfig(widths=(16, 8, 8), blocks=(1, 1, 1), side=6, stem=1))
    return SampledColorizer(coltran.CARD, network, coltran.walk, torch.device("cpu"), multiple=4)


def test_coltran_is_timed_on_the_same_draws(truth: NDArray[np.uint8]) -> None:
    model = small_coltran()
    rows = systems.coltran_rows(model, truth, runs=2, places=36, side=6)
    assert rows[0].keys() == rows[-1].keys()
    assert [row["unit"] for row in rows] == ["s", "s", "ratio", "share"]
    assert "all places" in rows[1]["details"]
    assert float(rows[-1]["value"]) == 1
    some = systems.coltran_rows(model, truth, runs=2, places=5, side=6)
    assert "5 evenly spread places" in some[1]["details"]


def test_a_place_drawn_alone_is_the_one_of_the_whole_picture(truth: NDArray[np.uint8]) -> None:
    network = small_coltran().network.colorizer
    gray = systems._coltran_gray(network, truth, 6)
    chances = torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(1))
    whole = network.sample_slowly(gray, chances, DRAWING)
    places = [(0, 0), (2, 5), (5, 5)]
    drawn = systems.draw_slowly(network, gray, chances, DRAWING, whole, places)
    assert drawn == [int(whole[0, r, c]) for r, c in places]


def test_diffusion_is_timed_and_scored_both_ways(
    truth: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, asked = small_diffusion(), []

    def colorize(gray: NDArray[np.uint8], **controls: Any) -> NDArray[np.uint8]:
        asked.append(controls)
        return gray

    monkeypatch.setattr(model, "colorize", colorize)
    rows = systems.diffusion_rows(model, [truth, truth[::-1].copy()])
    plain = {"seed": 0, "guidance": 1.0, "temperature": 1.0}
    assert asked[1:3] == [
        {**plain, "sampler": "DDIM", "steps": 25},
        {**plain, "sampler": "ancestral"},
    ]
    assert rows[1]["value"] == rows[3]["value"] != "0.000"  # gray both times
    assert (rows[-1]["value"], rows[-1]["bar"]) == ("+0.00", "-2 to 2")


def test_relative_keeps_pairs_together() -> None:
    second = np.array([1.0, 5.0, 30.0])
    assert systems.relative(second, second) == (0, 0, 0)
    change, low, high = systems.relative(np.array([2.0, 7.0, 33.0]), second)
    assert change == pytest.approx(100 * 2 / 12)
    assert low < change < high


def test_two_draws_are_told_apart(truth: NDArray[np.uint8]) -> None:
    model = small_diffusion()
    first, second = draws.draws(model, truth)
    alone = protocol.recombine(model.colorize(protocol.to_gray(truth)), truth)
    assert np.abs(first.astype(int) - alone).max() <= 1
    assert np.abs(first.astype(int) - second).max() > 1


def scored(model: str, weights: str, photo: str) -> dict[str, str]:
    about = {"model": model, "photo": photo, "protocol": "recombine-256", "seed": ""}
    return about | {"weights": weights, "psnr": "20", "seconds": "1", "why": ""}


def test_an_evaluation_is_summed_up_for_those_it_has() -> None:
    digest = colorize_core.cards()[0].digest
    scores = [scored("gray", "", "a.zip/1"), scored("autochrome", digest, "a.zip/1")]
    gray, autochrome = quality.rows_of(scores)
    assert (gray["model"], gray["photos"], gray["n"]) == ("gray", "a.zip", "1")
    assert (autochrome["psnr"], autochrome["psnr_wins"]) == ("20.00", "0.5000")
    with pytest.raises(ValueError, match="autochrome was scored with other weights"):
        quality.rows_of([*scores, scored("autochrome", "0a1b2c3d", "a.zip/2")])


def test_scores_are_kept_of_models_that_are_the_same() -> None:
    first, second = colorize_core.cards()[:2]
    about = {"photos": "a.zip", "protocol": "recombine-256", "n": "1", "commit": "old"}
    before = [
        about | {"model": "gray", "weights": ""},
        about | {"model": first.name, "weights": first.digest, "machine": "another"},
        about | {"model": second.name, "weights": "0a1b2c3d"},
        about | {"model": "gone", "weights": ""},
    ]
    fresh = [about | {"model": "gray", "weights": ""}]
    assert quality.kept(fresh, before) == [
        about | {"model": first.name, "weights": first.digest},
    ]
    with pytest.raises(ValueError, match="cannot be compared"):
        quality.kept([fresh[0] | {"n": "2"}], before)


def test_models_are_timed_in_turn(
    truth: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Model:
        def __init__(self, name: str) -> None:
            self.name = name

        def colorize(self, photo: NDArray[np.uint8]) -> None:
            asked.append(self.name)
            time.sleep(0.03 if self.name == "slow" else 0)

    monkeypatch.setattr(colorize_core, "load", Model)
    seconds = quality.in_turn(["slow", "quick"], [truth] * 3)
    assert asked == ["slow", "quick"] * 4
    assert seconds["slow"] >= 0.03 > seconds["quick"]


def test_rows_of_others_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(results_file, "provenance", lambda: {"commit": "new"})
    assert results_file.read("speed") == []
    (tmp_path / "speed.csv").write_text("what,commit\na,old\nb,old\n")
    others = [row for row in results_file.read("speed") if row["what"] != "a"]
    results_file.write("speed", [{"what": "a"}], others)
    assert (tmp_path / "speed.csv").read_text() == "what,commit\na,new\nb,old\n"
    results_file.write("speed", [{"what": "a"}, {"what": "c", "commit": "older"}])
    assert (tmp_path / "speed.csv").read_text() == "what,commit\na,new\nc,older\n"
