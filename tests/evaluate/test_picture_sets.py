"""FID, KID and their like from the command line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from colorize_core.cli.evaluate import main
from colorize_core.errors import WeightsError
from colorize_core.evaluate import picture_sets
from colorize_core.metrics import features, kid, sets

Ask = Callable[..., int]
FEW = 12  # photographs; in place of 2,000


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a model was asked. unet-gan colours all red."""
    asked: Counter[str] = Counter()

    def load(name: str, device: str) -> Any:
        def colorize(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
            asked[name] += 1
            return np.maximum(gray, np.array([200, 0, 0], np.uint8))

        card = SimpleNamespace(sampled=False)
        return SimpleNamespace(card=card, colorize=colorize)

    monkeypatch.setattr(picture_sets, "load", load)
    return asked


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are enough, and Inception is the mean colour of four quarters."""
    monkeypatch.setattr(features, "LEAST", FEW)
    monkeypatch.setattr(sets, "LEAST", FEW)

    def make_extractor(name: str, device: str) -> Callable[[list[Any]], Any]:
        assert name == sets.INCEPTION
        return lambda some: np.stack(
            [cv2.resize(each, (2, 2), interpolation=cv2.INTER_AREA).ravel() for each in some]
        ).astype(np.float32)

    monkeypatch.setattr(picture_sets, "make_extractor", make_extractor)


@pytest.fixture
def ask(tmp_path: Path, made: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    random = np.random.default_rng(0)
    album = tmp_path / "album"
    album.mkdir()
    for number in range(FEW):
        blocks = random.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
        cv2.imwrite(str(album / f"{number}.png"), blocks)
    monkeypatch.setitem(kid.kid.__kwdefaults__, "size", FEW // 2)

    def ask(*flags: str, names: str = "fid") -> int:
        told = ["--photos", str(album), "--out", str(tmp_path / "sets.csv"), "--device", "cpu"]
        return main([*told, "--models", "unet-gan", "--set-metrics", names, *flags])

    return ask


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / "sets.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_fewer_than_2000_photographs_are_refused_in_words(
    ask: Ask, made: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        ask(names="fid,kid")
    assert refused.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "at least 2,000 photographs in colour; there are 12." in said
    assert not made


@pytest.mark.usefixtures("few")
def test_models_are_scored_beside_gray_and_what_is_there_stays(
    ask: Ask, made: Counter[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(names="fid,kid") == 0
    rows = read(tmp_path)
    assert [(row["model"], row["metric"]) for row in rows] == [
        (model, metric) for model in ("gray", "mean", "unet-gan") for metric in ("fid", "kid")
    ]
    assert {(row["n"], row["protocol"]) for row in rows} == {(str(FEW), "recombine-256")}
    assert {row["extractor"] for row in rows} == {"inception-v3-tv"}
    assert [bool(row["deviation"]) for row in rows] == [False, True] * 3
    assert made["unet-gan"] == FEW
    assert f"unet-gan  {FEW}" in capsys.readouterr().out
    assert ask(names="fid,kid") == 0
    assert (read(tmp_path), made["unet-gan"]) == (rows, FEW), "nothing is left to do"


@pytest.mark.usefixtures("few")
def test_the_distance_is_that_of_the_pictures(ask: Ask, tmp_path: Path) -> None:
    assert ask() == 0
    value = {row["model"]: float(row["value"]) for row in read(tmp_path)}
    assert 0 < value["gray"] < value["unet-gan"]


@pytest.mark.usefixtures("few")
def test_gray_photographs_do_not_count(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "album" / "0.png"), np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(SystemExit):
        ask()
    assert "in colour; there are 11." in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("few")
def test_scores_of_single_pictures_are_another_file(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sets.csv").write_text("model,photo,psnr\ngray,a.jpg,20\n")
    with pytest.raises(SystemExit):
        ask()
    assert "Name another file with --out." in capsys.readouterr().err
    assert "psnr" in (tmp_path / "sets.csv").read_text()


def test_a_network_that_cannot_be_had_is_said(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sets, "LEAST", FEW)

    def fail(name: str, device: str) -> None:
        raise WeightsError("Inception v3 (109 MB) cannot be had.")

    monkeypatch.setattr(picture_sets, "make_extractor", fail)
    assert ask() == 1
    assert "Inception v3 (109 MB) cannot be had." in capsys.readouterr().err


def test_each_metric_names_its_extractor_and_they_are_never_mixed() -> None:
    assert {each.extractor for each in sets.SET_METRICS} <= set(features.EXTRACTORS)
    assert {each.name for each in sets.SET_METRICS if "fid" in each.name} == {"fid"}
    assert sets.find("fid").extractor == "inception-v3-tv"
    offline = sets.find("frechet-efficientnet-lite0")
    assert (offline.extractor, offline.download) == ("efficientnet-lite0", "")
