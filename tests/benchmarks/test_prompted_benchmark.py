"""The benchmark of the prompted models, tried on tiny untrained parts on the processor."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import tiny_diffusion
import tiny_flux
import torch

from benchmarks import prompted, results_file, untrained
from colorize_core.downloads.catalogue import Download
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, FLUX

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_diffusion.write_all(folder)
    tiny_flux.write_all(folder)
    return folder


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(results_file, "provenance", lambda: {"commit": "x", "machine": "y"})
    return tmp_path / "prompted.csv"


def test_a_row_for_each_model_way_and_side(models: Path, results: Path) -> None:
    given = ["--device", "cpu", "--folder", str(models), "--runs", "2", "--sides", "64", "96"]
    prompted.main(given)
    with results.open(newline="") as stream:
        rows: list[dict[str, Any]] = list(csv.DictReader(stream))
    assert [(row["model"], row["way"], row["size"]) for row in rows] == [
        ("sd15", "fast", "64 x 64"),
        ("sd15", "fast", "96 x 96"),
        ("sd15", "thorough", "64 x 64"),
        ("sd15", "thorough", "96 x 96"),
        ("flux2-klein", "", "64 x 64"),
        ("flux2-klein", "", "96 x 96"),
    ]
    assert [row["steps"] for row in rows[::2]] == ["6", "25", "4"]
    for row in rows:
        least, middle, most = (float(row[key]) for key in ("least", "step_seconds", "most"))
        assert 0 <= least <= middle <= most  # a step of so small a model may round to nothing
        assert float(row["picture_seconds"]) > 0
        inner = int(row["steps"]) - 1  # gaps between the steps of one picture
        assert float(row["picture_seconds"]) + 0.001 >= least * inner
        assert float(row["peak_mib"]) > 1
        assert (row["placement"], row["device"]) == ("resident", "cpu")
        assert row["protocol"] == prompted.PROTOCOL
        assert row["weights"] == "of a folder"
        assert (row["commit"], row["machine"]) == ("x", "y")


def test_a_step_that_takes_long_is_seen(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step but the first, and the warm-up is left out."""
    settings = PromptSettings(side=64, steps=3, keep=False)
    times = iter(range(100))
    monkeypatch.setattr(prompted, "perf_counter", lambda: float(next(times) ** 2))
    painter = prompted.load(prompted.folders(settings, models), "cpu")
    row = prompted.measured(painter, settings, 1)
    # The warm-up asks the clock four times; then it begins at 16, and the steps end at 25, 36, 49.
    assert (row["least"], row["step_seconds"], row["most"]) == ("11.0000", "12.0000", "13.0000")
    assert row["picture_seconds"] == f"{64 - 16}.000"


def test_it_refuses_without_a_gpu(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as refused:
        prompted.main([])
    assert refused.value.code == 2
    assert "--device cpu" in capsys.readouterr().err
    assert not results.exists()


@pytest.mark.parametrize(
    ("build", "source", "part"),
    [
        (untrained.unet, BASE, "unet/"),
        (untrained.vae, BASE, "vae/"),
        (untrained.text_encoder, BASE, "text_encoder/"),
        (untrained.checker, BASE, "safety_checker/"),
        (untrained.controlnet, CONTROLNETS["canny"], ""),
        (untrained.flux_transformer, FLUX, "transformer/"),
        (untrained.flux_text_encoder, FLUX, "text_encoder/"),
        (untrained.flux_vae, FLUX, "vae/"),
    ],
)
def test_untrained_networks_are_as_large_as_the_published(
    build: Any, source: Download, part: str
) -> None:
    with torch.device("meta"):
        numbers = sum(weight.numel() for weight in build().parameters())
    files = [file for file in source.files if file.path.startswith(part)]
    assert 2 * numbers == pytest.approx(sum(file.bytes for file in files), rel=0.005)


def test_the_untrained_lora_is_as_large_as_the_published() -> None:
    with torch.device("meta"):
        network = untrained.unet()
    numbers = sum(tensor.numel() for _, tensor in untrained.lora(network))
    assert 2 * numbers == pytest.approx(FAST.bytes, rel=0.005)


def test_networks_are_filled_in_place() -> None:
    network = untrained.filled(lambda: torch.nn.BatchNorm2d(1000), torch.float32)
    assert network.weight.std().item() == pytest.approx(untrained.DEVIATION, rel=0.2)
    assert (network.running_var == 1).all()
    words = untrained.filled(lambda: tiny_flux.text_encoder(300, tied=True), torch.float32)
    assert words.lm_head.weight is words.model.embed_tokens.weight


def test_untrained_networks_are_measured(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones in the places of the large."""
    for name, build in {
        "unet": tiny_diffusion.tiny_unet,
        "controlnet": tiny_diffusion.tiny_controlnet,
        "vae": tiny_diffusion.tiny_vae,
        "text_encoder": tiny_diffusion.tiny_text_encoder,
        "checker": tiny_diffusion.tiny_checker,
        "flux_vae": tiny_flux.vae,
        "flux_text_encoder": lambda: tiny_flux.text_encoder(len(tiny_flux.tokenizer())),
        "flux_transformer": tiny_flux.transformer,
    }.items():
        monkeypatch.setattr(untrained, name, build)
    prompted.main(["--device", "cpu", "--untrained", "--runs", "1", "--sides", "64"])
    with results.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["way"] for row in rows] == ["fast", "thorough", ""]
    assert {row["weights"] for row in rows} == {"untrained"}


def test_it_says_what_is_missing(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        prompted.main(["--device", "cpu", "--folder", str(tmp_path / "none")])
    assert "cannot be loaded" in capsys.readouterr().err
    assert not results.exists()


def test_every_model_is_measured_as_its_card_says() -> None:
    for model, card in MODELS.items():
        cases = prompted.cases(model)
        assert {settings.model for settings in cases.values()} == {model}
        assert not any(settings.keep for settings in cases.values())
        assert card.steps in {settings.steps for settings in cases.values()}
