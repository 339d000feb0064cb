"""LoRA files of the Hub: looked up on a small one on this machine, and drawn with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
import tiny_flux
import torch
from diffusers import UNet2DConditionModel
from hub_server import COMMIT, Hub, fetch, serving
from huggingface_hub import constants
from numpy.typing import NDArray
from safetensors.torch import save_file
from scenes import scene

from colorize_core.downloads.catalogue import ODD
from colorize_core.errors import OptionError, WeightsError
from colorize_core.prompted import lora, pipeline, sources
from colorize_core.prompted.conditions import make_condition
from colorize_core.prompted.generation import draw
from colorize_core.prompted.metadata import describe_settings, read_settings
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import BASE, FLUX, find_folders, list_missing, list_needed
from colorize_core.steering.provenance import Record

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PHOTO = scene(90, 120)
PAGE = """---
license: mit
base_model:
- stable-diffusion-v1-5/stable-diffusion-v1-5
---
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything to draw with, and LoRAs: one that fits, several, one that is none."""
    folder = tmp_path_factory.mktemp("hub")
    tiny_diffusion.write_all(folder)
    tiny_flux.write_all(folder)
    unet = UNet2DConditionModel.from_pretrained(folder / BASE.repo / "unet", variant="fp16")
    torch.manual_seed(1)
    fitting = tiny_diffusion.lora(unet)
    write(folder / "anna" / "tints" / lora.USUAL, fitting)
    (folder / "anna" / "tints" / "README.md").write_text(PAGE)
    write(folder / "anna" / "both" / "weak.safetensors", fitting)
    write(folder / "anna" / "both" / "strong.safetensors", {k: v * 2 for k, v in fitting.items()})
    wide = {k: torch.cat([v, v], 1) if "lora_down" in k else v for k, v in fitting.items()}
    write(folder / "anna" / "wide" / "wide.safetensors", wide)
    write(folder / "anna" / "none" / "x.safetensors", {"something": torch.zeros(2)})
    (folder / "anna" / "empty").mkdir()
    key = "transformer.transformer_blocks.0.attn.to_q.lora"
    write(
        folder / "anna" / "flux" / "f.safetensors",
        {f"{key}_A.weight": torch.randn(2, 32), f"{key}_B.weight": torch.randn(32, 2)},
    )
    return folder


def write(path: Path, tensors: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)


@pytest.fixture
def hub(
    models: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    monkeypatch.setattr(lora, "_found", {})
    with serving(models, tmp_path_factory.getbasetemp() / "lora-cache", monkeypatch) as server:
        yield server


# --- names ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna/tints", lora.Lora("anna/tints")),
        (" anna/tints@v1.0 ", lora.Lora("anna/tints", "", "v1.0")),
        ("anna/tints/a/b.safetensors", lora.Lora("anna/tints", "a/b.safetensors")),
        (f"anna/t/b.safetensors@{COMMIT}", lora.Lora("anna/t", "b.safetensors", COMMIT)),
        ("https://huggingface.co/anna/tints", lora.Lora("anna/tints")),
    ],
)
def test_a_name_is_read(text: str, expected: lora.Lora) -> None:
    assert lora.parse(text) == expected
    assert lora.parse(str(expected)) == expected
    assert expected.pinned == text.endswith(COMMIT)


@pytest.mark.parametrize("text", ["tints", "anna/", "anna/tints/weights.bin", "../..//x", "a b/c"])
def test_what_names_no_lora_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="names no LoRA"):
        lora.parse(text)


def test_settings_take_only_what_was_looked_up() -> None:
    with pytest.raises(OptionError, match="Look it up first"):
        PromptSettings(lora="anna/tints")
    with pytest.raises(OptionError, match="lora_weight is 3"):
        PromptSettings(lora_weight=3)


# --- what the Hub says ---


def test_size_licence_file_and_commit_are_known_before_anything_is_downloaded(hub: Hub) -> None:
    found, made_for = lora.look_up("anna/tints")
    assert str(found) == f"anna/tints/{lora.USUAL}@{COMMIT}"
    assert made_for == "stable-diffusion-v1-5/stable-diffusion-v1-5"
    source = lora.find(str(found))
    assert source.licence == "mit"
    weights = source.files[0]
    assert weights.bytes == (hub.folder / "anna" / "tints" / lora.USUAL).stat().st_size
    assert len(weights.sha256) == 64
    assert hub.asked == []
    settings = PromptSettings(lora=str(found))
    assert list_needed(settings)[-1] == source
    assert list_needed(replace(settings, model="flux2-klein")) == (FLUX, source)


def test_of_several_files_one_is_named(hub: Hub) -> None:
    with pytest.raises(OptionError, match=r"has 2 files\. Name one of them: anna/both/strong"):
        lora.look_up("anna/both")
    found, made_for = lora.look_up("anna/both/weak.safetensors@older")
    assert (found.file, found.revision, made_for) == ("weak.safetensors", "older", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("anna/empty", "has no safetensors"),
        ("anna/both/third.safetensors", r"has no third\.safetensors\. It has: strong"),
    ],
)
def test_a_repository_without_the_file_says_what_it_has(hub: Hub, text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        lora.look_up(text)


@pytest.mark.parametrize("says", [None, (401, "GatedRepo"), (503, "")])
def test_a_hub_that_does_not_tell_is_explained(hub: Hub, says: tuple[int, str] | None) -> None:
    hub.says = says
    with pytest.raises(WeightsError, match="anna/unknown"):
        lora.look_up("anna/unknown")


def test_offline_it_is_said_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        lora.look_up("anna/tints")


def test_what_is_here_is_known_without_the_hub(
    hub: Hub, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(lora.look_up("anna/tints")[0])
    fetch([lora.find(name)])
    monkeypatch.setattr(lora, "_found", {})
    asked = list(hub.asked)
    source = lora.find(name)
    assert source.licence == "mit"
    assert source.bytes == (models / "anna" / "tints" / lora.USUAL).stat().st_size
    assert list_missing([source]) == ()
    assert hub.asked == asked
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert lora.find(name).licence == ODD
    assert list_missing([lora.find(name)]) != ()


# --- drawing ---


def drawn(cache: PipelineCache, settings: PromptSettings) -> NDArray[np.uint8]:
    with cache.borrow(find_folders(settings), "cpu") as painter:
        control = make_condition(PHOTO, settings)
        picture: Any = list(draw(painter, PHOTO, settings, control))[-1].drawn
    assert picture.std() > 1  # not a flat one that would equal any other
    return np.asarray(picture)


def pin(hub: Hub, text: str) -> str:
    return str(lora.look_up(text)[0])


@pytest.mark.parametrize(
    ("model", "name", "other"),
    [("sd15", "anna/tints", "anna/wide"), ("flux2-klein", "anna/flux", "anna/tints")],
)
def test_a_lora_changes_the_drawing_by_its_weight(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, model: str, name: str, other: str
) -> None:
    """And is exchanged without the pipeline's being loaded anew; of one that does not fit nothing
    stays."""
    plain = PromptSettings(model=model, side=64, steps=2, low=20, high=60)
    with_it = replace(plain, lora=pin(hub, name))
    unfit = replace(plain, lora=pin(hub, other))
    fetch(list_missing((*list_needed(with_it), *list_needed(unfit))))
    cache = PipelineCache()
    before = drawn(cache, plain)
    monkeypatch.setattr(pipeline, "load", lambda *_: pytest.fail("loaded anew"))
    full, half = drawn(cache, with_it), drawn(cache, replace(with_it, lora_weight=0.3))
    assert np.abs(full.astype(int) - before).mean() > np.abs(half.astype(int) - before).mean() > 0
    assert np.array_equal(drawn(cache, replace(with_it, lora_weight=0)), before)
    with pytest.raises(WeightsError, match="does not fit this model"):
        drawn(cache, unfit)
    assert np.array_equal(drawn(cache, plain), before)
    assert np.array_equal(drawn(cache, with_it), full)
    cache.clear()


def test_with_many_steps_it_counts_and_lcm_does_not(hub: Hub) -> None:
    slow = PromptSettings(side=64, steps=2, low=20, high=60, fast=False)
    with_it = replace(slow, lora=pin(hub, "anna/tints"))
    fetch(list_missing((*list_needed(with_it), sources.FAST)))
    alone, beside = PipelineCache(), PipelineCache()
    expected = drawn(alone, with_it)
    drawn(beside, replace(with_it, fast=True))
    assert np.array_equal(drawn(beside, with_it), expected)
    assert not np.array_equal(drawn(beside, slow), expected)


def test_what_is_no_lora_is_refused(hub: Hub) -> None:
    settings = PromptSettings(side=64, lora=pin(hub, "anna/none"))
    fetch(list_missing(list_needed(settings)))
    with pytest.raises(WeightsError, match=r"x\.safetensors does not fit"):
        drawn(PipelineCache(), settings)


# --- the record ---


def test_a_picture_tells_its_lora_and_an_older_one_has_none(hub: Hub) -> None:
    settings = PromptSettings(lora=pin(hub, "anna/tints"), lora_weight=0.5)
    record = describe_settings(settings)
    assert read_settings(record) == settings
    assert any(name.startswith("anna/tints") for name, _ in record.models)
    values = dict(record.settings["prompted"])
    for name in ("lora", "lora_weight", "first"):
        del values[name]
    assert read_settings(Record((), {"prompted": values})) == PromptSettings()


def test_first_colours_may_be_those_of_another_model() -> None:
    needed = list_needed(PromptSettings(start=True, first="ddcolor-tiny"))
    assert needed[-1].name == "ddcolor-tiny"
    assert list_needed(PromptSettings(start=True)) == list_needed(PromptSettings())
