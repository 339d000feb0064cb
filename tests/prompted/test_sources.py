"""The files that prompted colorization needs, from a small Hub on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_diffusion
from hub_server import Hub, fetch, point_at, serving
from huggingface_hub import constants
from scenes import scene

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import Download
from colorize_core.errors import Cancelled, WeightsError
from colorize_core.imaging import image
from colorize_core.prompted import sources
from colorize_core.prompted.conditions import make_condition
from colorize_core.prompted.generation import draw
from colorize_core.prompted.metadata import describe_settings, read_settings
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.settings import CONDITIONS, PromptSettings
from colorize_core.prompted.sources import (
    BASE,
    CAPTIONER,
    CONTROLNETS,
    FAST,
    FLUX,
    HED,
    find_folders,
    list_missing,
    list_needed,
)
from colorize_core.sizes import format_size

PAINTING = (BASE, *CONTROLNETS.values(), HED, FAST)
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    tiny_diffusion.write_all(folder)
    return folder


@pytest.fixture
def served(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(models, tmp_path / "cache", monkeypatch) as server:
        yield server


def test_every_condition_has_a_controlnet() -> None:
    assert tuple(CONTROLNETS) == CONDITIONS
    assert list_needed(PromptSettings()) == (BASE, CONTROLNETS["canny"], FAST)
    soft = PromptSettings(condition="softedge", fast=False)
    assert list_needed(soft) == (BASE, CONTROLNETS["softedge"], HED)


def test_an_editor_needs_nothing_but_itself() -> None:
    assert list_needed(PromptSettings(model="flux2-klein", condition="softedge")) == (FLUX,)


@pytest.mark.parametrize("source", [*PAINTING, FLUX, CAPTIONER], ids=lambda source: source.repo)
def test_a_line_says_revision_size_and_licence(source: Download) -> None:
    assert source.repo in source.line
    assert source.licence in source.line
    assert format_size(source.bytes) in source.line
    assert len(source.revision) == 40
    assert source.revision[:8] in source.line


def test_nothing_is_downloaded_unless_it_is_asked_for(served: Hub) -> None:
    assert list_missing(list_needed(PromptSettings())) == list_needed(PromptSettings())
    with pytest.raises(WeightsError, match=r"LCM-LoRA.*135 MB, licence openrail\+\+"):
        find_folders(PromptSettings())
    with pytest.raises(WeightsError, match=r"Soft edge detector is not complete.*ControlNetHED"):
        sources.find_hed()
    assert served.asked == []


def test_a_download_is_told_of_and_happens_once(served: Hub) -> None:
    heard: list[tuple[int, int]] = []
    checkpoints.fetch([*BASE.files, *FAST.files], lambda *bytes: heard.append(bytes))
    shares = [done / total for done, total in heard]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert heard[0][1] == BASE.bytes + FAST.bytes
    assert not list_missing((BASE, FAST))
    asked = list(served.asked)
    fetch((BASE, FAST))
    assert served.asked == asked


def test_pinned_revisions_are_asked_for(served: Hub) -> None:
    for source in PAINTING:
        fetch((source,))
        folder = checkpoints.find_folder(source)
        assert folder.name == source.revision
        assert all((folder / file.path).is_file() for file in source.files)
    assert served.revisions == {source.repo: source.revision for source in PAINTING}


def test_a_download_that_is_stopped_goes_on(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    stop = threading.Event()

    def hear(done: int, total: int) -> None:
        if served.asked[-1].endswith("unet/diffusion_pytorch_model.fp16.safetensors"):
            stop.set()

    with pytest.raises(Cancelled):
        checkpoints.fetch(BASE.files, hear, stop)
    left = [file.path for each in list_missing((BASE,)) for file in each.files]
    assert left[0] == "unet/diffusion_pytorch_model.fp16.safetensors"
    assert "text_encoder/model.fp16.safetensors" not in left
    fetch((BASE,))
    assert not list_missing((BASE,))


def test_an_unreachable_hub_is_named(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="cannot be reached"):
        fetch((FAST,))


@pytest.mark.parametrize("kind", CONDITIONS)
def test_from_the_hub_to_a_picture_and_back(
    served: Hub, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """All of it, on the CPU: download, load offline, condition, draw, keep, save, read back."""
    settings = PromptSettings(condition=kind, side=64, steps=2, low=20, high=60, seed=3)
    fetch(list_needed(settings))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(served.asked)
    photo, shelf = scene(90, 120), PipelineCache()
    hed = sources.find_hed() if kind == "softedge" else None
    with shelf.borrow(find_folders(settings), "cpu") as painter:
        *_, variant = draw(painter, photo, settings, make_condition(photo, settings, hed))
    shelf.clear()
    assert len(served.asked) == asked
    assert variant.picture.shape == photo.shape
    colours = np.ptp(variant.picture.astype(int), axis=2)
    assert colours.max() > 10
    made = image.Photo(variant.picture, None, image.Metadata(), "PNG")
    written = image.encode(made.with_record(describe_settings(settings)), "PNG")
    assert read_settings(image.decode(written).metadata.record) == settings
