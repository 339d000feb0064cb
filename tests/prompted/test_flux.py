"""An editor in the place of Stable Diffusion: FLUX.2's real pipeline on tiny untrained parts."""

from __future__ import annotations

import shutil
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
import tiny_flux
import torch
from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline
from diffusers.pipelines.flux2.image_processor import Flux2ImageProcessor
from hub_server import fetch, serving
from huggingface_hub import constants
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from scenes import scene

from colorize_core.errors import Cancelled, TooLittleMemoryError, WeightsError
from colorize_core.prompted import memory, pipeline, pipeline_cache, preview, settings
from colorize_core.prompted.chroma_transfer import transfer_chroma
from colorize_core.prompted.conditions import choose_size, make_condition, make_gray
from colorize_core.prompted.flux import Editor, encode_tokens
from colorize_core.prompted.generation import Preview, Variant, draw
from colorize_core.prompted.memory import OFFLOAD, RESIDENT
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.settings import CONTROLS, PromptSettings
from colorize_core.prompted.sources import (
    BASE,
    CONTROLNETS,
    FLUX,
    Folders,
    find_folders,
    list_needed,
)
from colorize_core.sizes import format_size

PHOTO = scene(90, 120)
SMALL = PromptSettings(model="flux2-klein", prompt="a red barn", side=64, steps=3)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_flux.write_all(folder)
    return folder


def there(models: Path) -> Folders:
    return Folders(models / FLUX.repo, None, None)


@pytest.fixture(scope="module")
def editor(models: Path) -> Editor:
    loaded = pipeline.load(there(models), "cpu")
    assert isinstance(loaded, Editor)
    return loaded


def drawn(editor: Editor, wish: PromptSettings = SMALL, start: Any = None) -> list[Any]:
    return list(draw(editor, PHOTO, wish, make_condition(PHOTO, wish), start=start))


def last(editor: Editor, wish: PromptSettings = SMALL, **options: Any) -> NDArray[np.uint8]:
    picture = drawn(editor, wish, **options)[-1].drawn
    assert picture.std() > 1  # not a flat one that would equal any other
    return picture


# --- the cards ---


def test_every_model_has_a_card() -> None:
    assert tuple(MODELS) == settings.MODELS
    names = {control.name for control in CONTROLS}
    for name, card in MODELS.items():
        assert card.name == name
        assert set(card.controls) <= names
        wish = PromptSettings(**card.defaults)
        assert wish.model == name


def test_a_card_says_memory_download_and_licence() -> None:
    for name, card in MODELS.items():
        sources = list_needed(PromptSettings(model=name))
        assert all(source.licence in card.line for source in sources)
        assert format_size(sum(source.bytes for source in sources)) in card.line
        need = memory.estimate_download(sources, 2, 512 * 512)
        assert f"{format_size(need.weights + need.work)} of GPU memory" in card.line
    assert MODELS["flux2-klein"].licence == "apache-2.0"


def test_the_need_is_that_of_whole_parts() -> None:
    """The text encoder is the largest, in two files."""
    need = MODELS["flux2-klein"].estimate_memory()
    assert need.weights == FLUX.bytes
    assert need.largest == 8_050_000_000


@pytest.mark.parametrize("side", [64, 256, 512, 768, 1024])
def test_the_working_size_is_one_that_the_editor_leaves_alone(side: int) -> None:
    """Its pipeline refuses narrow pictures, and cuts those that are large or no multiples of 16."""
    for aspect in np.geomspace(0.01, 100, 101):
        height, width = choose_size(round(10_000 * aspect), 10_000, side, "flux2-klein")
        assert height % 16 == width % 16 == 0
        assert height * width <= 1024 * 1024
        Flux2ImageProcessor.check_image_input(Image.new("RGB", (width, height)))
        if 256 <= side < 1024 and 0.25 < aspect < 4:
            assert height * width == pytest.approx(side**2, rel=0.1)
            assert height / width == pytest.approx(aspect, rel=0.1)


@pytest.mark.parametrize("kind", settings.CONDITIONS)
def test_the_editor_is_shown_the_gray_photo(kind: str) -> None:
    shown = make_condition(PHOTO, replace(SMALL, condition=kind))
    assert np.array_equal(shown, make_gray(PHOTO, (64, 80)))


# --- loading ---


def test_parts_are_loaded_in_float32_on_the_cpu(editor: Editor) -> None:
    assert editor.placement == RESIDENT
    for name in ("text_encoder", "transformer", "vae"):
        assert getattr(editor.edit, name).dtype == torch.float32


def test_what_the_machine_cannot_hold_is_refused(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "measure_free", lambda device: 1000)
    monkeypatch.setattr(pipeline.flux, "assemble", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(TooLittleMemoryError, match=r"needs about .* GB; free are 0\.0 GB"):
        pipeline.load(there(models), "cpu")
    with pytest.raises(TooLittleMemoryError, match=r"about 34\.0 GB; free are 0\.0 GB"):
        pipeline.check(list_needed(SMALL), "cpu", 512 * 512)


@pytest.mark.parametrize(
    "name", ["transformer/diffusion_pytorch_model.safetensors", "model_index.json"]
)
def test_damaged_files_are_named(models: Path, tmp_path: Path, name: str) -> None:
    base = tmp_path / "base"
    shutil.copytree(models / FLUX.repo, base)
    (base / name).write_bytes(b"broken")
    with pytest.raises(WeightsError, match=r"is damaged|cannot be loaded"):
        pipeline.load(Folders(base, None, None), "cpu")


def test_weights_that_lack_some_are_named(models: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(models / FLUX.repo, base)
    file = base / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors["proj_out.weight"]
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(WeightsError, match="the weights of transformer are not complete"):
        pipeline.load(Folders(base, None, None), "cpu")


# --- drawing ---


def test_a_drawing_is_what_the_pipeline_gives(editor: Editor, models: Path) -> None:
    """The reference is diffusers alone, called as its documentation says."""
    reference = Flux2KleinPipeline.from_pretrained(models / FLUX.repo, dtype=torch.float32)
    reference.set_progress_bar_config(disable=True)
    expected = reference(
        image=Image.fromarray(make_gray(PHOTO, (64, 80))),
        prompt=SMALL.prompt,
        num_inference_steps=3,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(0),
    ).images[0]
    assert np.array_equal(last(editor), np.asarray(expected))


def test_variants_come_one_after_the_other_each_with_its_steps(editor: Editor) -> None:
    news = drawn(editor, replace(SMALL, seed=4, variants=2))
    assert [type(each) for each in news] == [*[Preview] * 3, Variant] * 2
    assert [each.seed for each in news] == [4] * 4 + [5] * 4
    assert [each.share for each in news[:3]] == [1 / 3, 2 / 3, 1]
    assert news[0].picture.shape == (4, 5, 3)
    assert not np.array_equal(news[0].picture, news[2].picture)


def test_a_seed_repeats_whatever_is_drawn_beside_it(editor: Editor) -> None:
    first = last(editor, replace(SMALL, seed=5))
    torch.manual_seed(999)
    assert np.array_equal(last(editor, replace(SMALL, seed=4, variants=2)), first)
    assert not np.array_equal(last(editor, replace(SMALL, seed=6)), first)


@pytest.mark.parametrize(
    "other", [{"prompt": "a green barn"}, {"steps": 4}, {"side": 128}, {"seed": 9}]
)
def test_what_counts_is_what_the_card_says(editor: Editor, other: dict[str, Any]) -> None:
    before = last(editor)
    assert not np.array_equal(last(editor, replace(SMALL, **other)), before)
    assert np.array_equal(last(editor), before)


def test_the_rest_does_not_count(editor: Editor) -> None:
    """Nothing that the card leaves out."""
    card = MODELS["flux2-klein"]
    assert {"steps", "side", "seed", "variants"} == set(card.controls)
    other = replace(
        SMALL,
        negative="green",
        condition="softedge",
        low=1,
        high=2,
        blur=3.0,
        guidance=9.0,
        weight=0.1,
        strength=0.1,
        fast=False,
    )
    changed = {f.name for f in fields(other) if getattr(other, f.name) != getattr(SMALL, f.name)}
    assert not changed & set(card.controls)
    assert np.array_equal(last(editor, other), last(editor))


def test_it_edits_the_start_where_there_is_one(editor: Editor) -> None:
    colour = np.roll(PHOTO, 40, axis=2).copy()
    colour[..., 0] = 200
    found = last(editor, replace(SMALL, start=True), start=colour)
    assert not np.array_equal(found, last(editor))
    wide = colour.astype(np.uint16) * 257
    assert np.array_equal(last(editor, start=wide), found)


def test_the_photo_is_kept_unless_told(editor: Editor) -> None:
    kept, raw = drawn(editor)[-1], drawn(editor, replace(SMALL, keep=False))[-1]
    assert np.array_equal(kept.drawn, raw.drawn)
    assert raw.picture is raw.drawn
    assert np.array_equal(kept.picture, transfer_chroma(PHOTO, kept.drawn))
    assert not np.array_equal(kept.picture, PHOTO)


def test_large_pictures_go_through_the_vae_in_tiles(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = replace(SMALL, side=192)
    whole = last(editor, wish)
    monkeypatch.setattr("colorize_core.prompted.flux.TILED", 128 * 128)
    monkeypatch.setattr(editor.edit.vae, "tile_sample_min_size", 128)
    monkeypatch.setattr(editor.edit.vae, "tile_latent_min_size", 16)
    tiled = last(editor, wish)
    assert editor.edit.vae.use_tiling
    assert tiled.shape == whole.shape == (*choose_size(90, 120, 192, "flux2-klein"), 3)
    assert not np.array_equal(tiled, whole)
    last(editor)
    assert not editor.edit.vae.use_tiling


def test_tiles_are_no_larger_than_what_is_taken_whole(editor: Editor) -> None:
    vae = editor.edit.vae
    assert vae.tile_sample_min_size**2 == memory.TILED
    assert vae.tile_latent_min_size * 8 == vae.tile_sample_min_size


# --- previews ---


class LinearVae(torch.nn.Module):
    """Its latents are a linear map of the colours of 8 x 8 pixels."""

    config = AutoencoderKLFlux2(norm_num_groups=1, block_out_channels=(1,) * 4).config

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.randn(32, 3, generator=torch.Generator().manual_seed(0))
        self.bn = torch.nn.BatchNorm2d(128, affine=False)
        torch.nn.init.uniform_(self.bn.running_mean, -1, 1)
        torch.nn.init.uniform_(self.bn.running_var, 0.5, 2)

    dtype = torch.float32

    def encode(self, picture: torch.Tensor) -> Any:
        cells = torch.nn.functional.avg_pool2d(picture, 8)

        class Result:
            class latent_dist:
                mode = staticmethod(lambda: torch.einsum("lc,nchw->nlhw", self.mix, cells) + 0.3)

        return Result


def test_tokens_are_those_of_the_pipeline(editor: Editor) -> None:
    picture = torch.rand(1, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        expected = editor.edit._encode_vae_image(picture, None)
        assert torch.allclose(encode_tokens(editor.edit.vae, picture), expected, atol=1e-5)


def test_previews_of_a_linear_vae_are_exact(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = LinearVae()
    monkeypatch.setattr(editor, "matrix", preview.fit(vae, CPU, encode_tokens, 64))
    photo = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    wide = torch.from_numpy(photo.repeat(16, 0).repeat(16, 1)).permute(2, 0, 1)[None]
    packed = editor.edit._pack_latents(encode_tokens(vae, wide / 127.5 - 1))
    assert packed.shape == (1, 35, 128)
    found = editor.render_preview(packed[0], 80, 112)
    assert np.abs(found.astype(int) - photo).max() <= 1
    noisy = packed[0] + torch.randn(packed[0].shape) * 0.1
    assert np.abs(editor.render_preview(noisy, 80, 112).astype(int) - photo).mean() < 6


# --- stopping and sharing ---


def test_stopping_takes_effect_within_one_step(editor: Editor) -> None:
    stop, calls = threading.Event(), []
    hook = editor.edit.transformer.register_forward_pre_hook(lambda *_: calls.append(1))
    threads = threading.active_count()
    wish = replace(SMALL, steps=30, variants=4)
    news = draw(editor, PHOTO, wish, make_condition(PHOTO, wish), stop=stop)
    next(news)
    stop.set()
    at = len(calls)
    with pytest.raises(Cancelled):
        list(news)
    hook.remove()
    assert len(calls) <= at + 1
    assert threading.active_count() == threads
    last(editor)  # and it draws again


def test_closing_the_iterator_stops_the_drawing(editor: Editor) -> None:
    threads = threading.active_count()
    wish = replace(SMALL, steps=100)
    news = draw(editor, PHOTO, wish, make_condition(PHOTO, wish))
    next(news)
    news.close()
    assert threading.active_count() == threads


def test_memory_that_runs_out_is_explained(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(editor.edit.transformer, "forward", fail)
        with pytest.raises(TooLittleMemoryError, match="smaller working size"):
            drawn(editor)
    last(editor)


def test_parts_that_come_and_go_draw_the_same(
    models: Path, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offloading, with the CPU in the place of a GPU: the hooks are the same."""
    monkeypatch.setattr(pipeline, "_place", lambda *_: OFFLOAD)
    coming = pipeline.load(there(models), "cpu")
    assert isinstance(coming, Editor)
    assert hasattr(coming.edit.transformer, "_hf_hook")
    for _ in range(2):
        assert np.array_equal(last(coming), last(editor))


def test_the_shelf_holds_one_model_at_a_time(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_diffusion.write_all(tmp_path)
    other = Folders(tmp_path / BASE.repo, tmp_path / CONTROLNETS["canny"].repo, None)
    seen: list[Folders] = []
    monkeypatch.setattr(
        pipeline_cache, "load", lambda *asked: seen.append(asked[0]) or pipeline.load(*asked)
    )
    shared = PipelineCache()
    for asked in (there(models), there(models), other, there(models)):
        with shared.borrow(asked, "cpu") as lent:
            assert lent.folders == asked
    assert seen == [there(models), other, there(models)]
    shared.clear()
    assert not shared.loaded


def test_from_the_hub_to_a_picture(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(models, tmp_path / "cache", monkeypatch) as server:
        with pytest.raises(WeightsError, match=r"FLUX.*16 GB, licence apache-2\.0"):
            find_folders(SMALL)
        fetch(list_needed(SMALL))
        assert server.revisions == {FLUX.repo: FLUX.revision}
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        asked, shared = len(server.asked), PipelineCache()
        with shared.borrow(find_folders(SMALL), "cpu") as lent:
            *_, variant = draw(lent, PHOTO, SMALL, make_condition(PHOTO, SMALL))
        shared.clear()
        assert len(server.asked) == asked
    assert variant.picture.shape == PHOTO.shape
    assert np.ptp(variant.picture.astype(int), axis=2).max() > 10
