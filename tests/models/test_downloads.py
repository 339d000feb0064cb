"""Models whose weights are downloaded: found where their cards say, loaded strictly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import port_weights
import pytest
import torch
from hub_server import serving

import colorize_core
from colorize_core import devices
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import DeviceError, WeightsError
from colorize_core.models import ddcolor as family
from colorize_core.networks import ddcolor
from colorize_core.steering.hints import Hint

CARDS = {card.name: card for card in colorize_core.cards(downloads=True)}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """What a file of a small DDColor holds, which "ddcolor-tiny" now is."""
    monkeypatch.setattr(ddcolor, "TINY", port_weights.SMALL_DDCOLOR)
    return port_weights.stand_ins(port_weights.shapes(ddcolor.DDColor(port_weights.SMALL_DDCOLOR)))


def test_weights_come_from_the_hub_once(
    small: dict[str, torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gray_scene: Any,
) -> None:
    (published,) = CARDS["ddcolor-tiny"].weights
    file = replace(published, sha256="")  # what the Hub says of the stand-in is checked then
    card = replace(CARDS["ddcolor-tiny"], weights=(file,))
    monkeypatch.setitem(family.CARDS, "ddcolor-tiny", card)
    folder = tmp_path / "hub" / file.repo
    folder.mkdir(parents=True)
    torch.save({"params": small}, folder / file.path)
    with serving(tmp_path / "hub", tmp_path / "cache", monkeypatch) as server:
        first = colorize_core.load("ddcolor-tiny", "cpu")
        assert f"GET {file.repo}/{file.path}" in server.asked
        assert server.revisions[file.repo] == published.revision
        server.asked.clear()
        second = colorize_core.load("ddcolor-tiny", "cpu")
        assert server.asked == []
    gray = gray_scene(40, 60)
    assert np.array_equal(first.colorize(gray), second.colorize(gray))


def test_another_file_than_the_published_one_is_refused(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (published,) = CARDS["ddcolor-tiny"].weights
    folder = tmp_path / "hub" / published.repo
    folder.mkdir(parents=True)
    torch.save({"params": small}, folder / published.path)
    with (
        serving(tmp_path / "hub", tmp_path / "cache", monkeypatch),
        pytest.raises(WeightsError, match=f"expected {published.sha256}"),
    ):
        colorize_core.load("ddcolor-tiny", "cpu")


def test_no_weights_and_no_connection_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="piddnad/ddcolor_paper_tiny"):
        colorize_core.load("ddcolor-tiny", "cpu")


def test_a_wrong_device_is_told_before_anything_is_downloaded(monkeypatch: Any) -> None:
    monkeypatch.setattr(checkpoints, "find", lambda file: pytest.fail("looked for weights"))
    with pytest.raises(DeviceError):
        colorize_core.load("ddcolor-tiny", "no-such-device")


@pytest.mark.parametrize("change", ["missing", "too much", "of another shape"])
def test_a_file_that_does_not_fit_is_refused(
    small: dict[str, torch.Tensor], change: str, tmp_path: Path, monkeypatch: Any
) -> None:
    name = "decoder.color_decoder.query_feat.weight"
    if change == "missing":
        del small[name]
    else:
        small[f"{name}_more" if change == "too much" else name] = torch.zeros(3)
    path = tmp_path / "pytorch_model.bin"
    torch.save(small, path)
    monkeypatch.setattr(checkpoints, "find", lambda file: path)
    with pytest.raises(WeightsError, match="not one of DDColor tiny") as error:
        colorize_core.load("ddcolor-tiny", "cpu")
    assert name in str(error.value)


def test_a_classifier_that_some_files_still_have_is_left_out(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save(small | {"encoder.arch.head_cls.weight": torch.zeros(4, 16)}, path)
    monkeypatch.setattr(checkpoints, "find", lambda file: path)
    assert colorize_core.load("ddcolor-tiny", "cpu").card.name == "ddcolor-tiny"


def test_all_models_to_score_are_those_that_need_no_download() -> None:
    from colorize_core.cli.evaluate import make_parser

    def chosen(models: str) -> tuple[str, ...]:
        given = ["--photos", "photos", "--out", "scores.csv", "--models", models]
        return tuple(make_parser().parse_args(given).models)

    assert not set(chosen("all")) & set(DOWNLOADS)
    assert chosen("eccv16,autochrome")[-2:] == ("autochrome", "eccv16")


def test_half_precision_files_load_as_float32(
    small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in small.items()}, path)
    monkeypatch.setattr(checkpoints, "find", lambda file: path)
    monkeypatch.setattr(devices, "choose_precision", lambda device: torch.float32)
    network = colorize_core.load("ddcolor-tiny", "cpu").network  # type: ignore[attr-defined]
    assert {p.dtype for p in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("name", ["ddcolor-paper", "deoldify-artistic", "deoldify-stable"])
def test_networks_made_for_gray_pictures_see_the_photos_own_gray(
    name: str, tmp_path: Path, gray_scene: Any, monkeypatch: Any
) -> None:
    model = port_weights.small_model(name, tmp_path)
    side = model.card.network_side
    photo = gray_scene(side, side)
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(model, "network", lambda gray: seen.append(gray) or gray)
    model.predict(photo)
    expected = torch.from_numpy(photo / 255).permute(2, 0, 1)[None]
    assert torch.allclose(seen[0], expected.float(), atol=1e-3)


def test_deoldify_gives_the_colours_of_its_picture(tmp_path: Path, monkeypatch: Any) -> None:
    model = port_weights.small_model("deoldify-artistic", tmp_path)
    red = torch.tensor([200.0, 60.0, 40.0]).view(1, 3, 1, 1) / 255
    monkeypatch.setattr(model, "network", lambda gray: red.expand_as(gray))
    ab = model.predict(np.full((544, 544, 3), 120, np.uint8)).decode(1.0)
    # As scikit-image's rgb2lab has it.
    assert ab[0, :, 7, 7].tolist() == pytest.approx([54.277, 43.207], abs=0.01)


def test_siggraph17_is_shown_the_hints(tmp_path: Path, gray_scene: Any, monkeypatch: Any) -> None:
    model = port_weights.small_model("siggraph17", tmp_path)
    seen: list[tuple[torch.Tensor, ...]] = []

    def network(*inputs: torch.Tensor) -> torch.Tensor:
        seen.append(inputs)
        return torch.zeros_like(inputs[1])

    monkeypatch.setattr(model, "network", network)
    model.predict(gray_scene(256, 256), hints=[Hint(0.5, 0.25, (60.0, -30.0), 0.02)])
    (light, ab, mask), free = seen[1], seen[0]
    assert float(light.max()) > 50  # L, not a share of it
    assert ab[0, :, 64, 128].tolist() == [60, -30]
    assert mask[0, 0, 64, 128] == 1
    assert float(mask.mean()) < 0.01
    assert not any(plane.any() for plane in free[1:])


def test_a_network_of_a_large_side_sees_the_photo_that_fine(tmp_path: Path) -> None:
    model = port_weights.small_model("ddcolor-tiny", tmp_path)
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255
    seen = model._see(stripes, 1.0, True)
    assert seen.network_l.shape == (512, 512)
    assert seen.network_l.std() > 45  # as of 0 and 100 in equal parts, 50
