"""Drawing with the real pipelines, on tiny untrained parts loaded from folders like the Hub's."""

from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
import torch
from diffusers import LCMScheduler, StableDiffusionControlNetPipeline
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from scenes import scene

from colorize_core.errors import Cancelled, OptionError, TooLittleMemoryError, WeightsError
from colorize_core.prompted import memory, pipeline, pipeline_cache
from colorize_core.prompted.chroma_transfer import transfer_chroma
from colorize_core.prompted.conditions import make_condition
from colorize_core.prompted.generation import Preview, Variant, draw
from colorize_core.prompted.memory import OFFLOAD, RESIDENT
from colorize_core.prompted.pipeline import Painter
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, Folders, list_needed

# NumPy 2 has a word for diffusers' UniPC, which reads a tensor as an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PHOTO = scene(90, 120)
SMALL = PromptSettings(side=64, steps=3, low=20, high=60)
SLOW = replace(SMALL, fast=False, guidance=7.5)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_diffusion.write_all(folder)
    return folder


def folders(models: Path, condition: str = "canny", fast: bool = True) -> Folders:
    lora = models / FAST.repo / FAST.files[0].path
    return Folders(models / BASE.repo, models / CONTROLNETS[condition].repo, lora if fast else None)


@pytest.fixture(scope="module")
def painter(models: Path) -> Painter:
    return pipeline.load(folders(models), "cpu")


def drawn(
    painter: Painter, settings: PromptSettings = SMALL, start: Any = None, control: Any = None
) -> list[Any]:
    control = make_condition(PHOTO, settings) if control is None else control
    return list(draw(painter, PHOTO, settings, control, start=start))


def last(painter: Painter, settings: PromptSettings = SMALL, **options: Any) -> NDArray[np.uint8]:
    picture = drawn(painter, settings, **options)[-1].drawn
    assert picture.std() > 1  # not a flat one that would equal any other
    return picture


# --- loading ---


def test_parts_are_loaded_in_float32_on_the_cpu(painter: Painter, models: Path) -> None:
    stored = load_file(models / BASE.repo / "vae" / "diffusion_pytorch_model.fp16.safetensors")
    found = painter.text.vae.state_dict()
    assert painter.placement == RESIDENT
    assert found.keys() == stored.keys()
    for name, tensor in stored.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor.float())


def test_both_pipelines_share_their_parts(painter: Painter) -> None:
    for name in ("unet", "vae", "text_encoder", "controlnet", "safety_checker"):
        assert getattr(painter.text, name) is getattr(painter.image, name)


def test_the_need_is_that_of_the_parts(painter: Painter, models: Path) -> None:
    plain = folders(models, fast=False)
    parts = [plain.base / name for name in pipeline.PARTS] + [plain.controlnet]
    modules = (getattr(painter.text, n) for n in (*pipeline.PARTS, "controlnet"))
    numbers = sum(p.numel() for m in modules for n, p in m.named_parameters() if "lora" not in n)
    assert memory.estimate(parts, 4, 1).weights == pytest.approx(4 * numbers, rel=0.01)


def test_what_the_machine_cannot_hold_is_refused_before_it_is_loaded(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "measure_free", lambda device: 1000)
    monkeypatch.setattr(pipeline, "_assemble", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(TooLittleMemoryError, match=r"needs about .* GB; free are 0\.0 GB"):
        pipeline.load(folders(models), "cpu")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("unet/diffusion_pytorch_model.fp16.safetensors", b"broken", "is damaged"),
        ("unet/diffusion_pytorch_model.fp16.safetensors", None, "cannot be loaded"),
        ("unet/config.json", b"{", "cannot be loaded"),
        ("model_index.json", None, "cannot be loaded"),
    ],
)
def test_damaged_files_are_named(
    models: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    base = tmp_path / "base"
    shutil.copytree(models / BASE.repo, base)
    (base / name).unlink()
    if content is not None:
        (base / name).write_bytes(content)
    with pytest.raises(WeightsError, match=words):
        pipeline.load(replace(folders(models), base=base), "cpu")


def test_memory_that_runs_out_while_loading_is_explained(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to delete files that are whole."""

    def fail(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    for name in ("_assemble", "Painter"):
        with monkeypatch.context() as patch:
            patch.setattr(pipeline, name, fail)
            with pytest.raises(TooLittleMemoryError, match="ran out"):
                pipeline.load(folders(models), "cpu")


def test_a_damaged_controlnet_leaves_the_painter_as_it_was(
    painter: Painter, models: Path, tmp_path: Path
) -> None:
    before = last(painter)
    shutil.copytree(models / CONTROLNETS["brightness"].repo, tmp_path / "other")
    (tmp_path / "other" / "diffusion_pytorch_model.safetensors").write_bytes(b"broken")
    with pytest.raises(WeightsError, match="other cannot be loaded"):
        painter.exchange_controlnet(tmp_path / "other")
    assert np.array_equal(last(painter), before)


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "find_spec", lambda name: None if name == "peft" else name)
    with pytest.raises(OptionError, match=r"not here: peft\. .*autochrome-studio\[prompt\]"):
        pipeline.check(list_needed(PromptSettings()), "cpu")


def test_the_need_is_known_before_anything_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = list_needed(PromptSettings(condition="brightness"))
    found = memory.estimate_download(sources, 4, 512 * 512)
    # 860 M in the UNet, 123 M, 84 M and 304 M beside it, 361 M in a ControlNet, 67 M in LCM-LoRA
    assert found.weights / 4 == pytest.approx(1800e6, rel=0.02)
    assert found.largest / 4 == pytest.approx(860e6, rel=0.01)
    monkeypatch.setattr(memory, "measure_free", lambda device: 10_000_000_000)
    pipeline.check(sources, "cpu", 512 * 512)
    monkeypatch.setattr(memory, "measure_free", lambda device: 6_000_000_000)
    with pytest.raises(TooLittleMemoryError, match=r"about 9\.3 GB; free are 6\.0 GB"):
        pipeline.check(sources, "cpu", 512 * 512)


# --- drawing ---


def test_a_drawing_is_what_the_pipeline_gives(painter: Painter, models: Path) -> None:
    """The reference is diffusers alone, called as its documentation says."""
    plain = folders(models)
    reference = StableDiffusionControlNetPipeline.from_pretrained(
        plain.base,
        controlnet=pipeline._load_controlnet(plain.controlnet, torch.float32),
        variant="fp16",
        dtype=torch.float32,
    )
    reference.load_lora_weights(str(plain.fast.parent), weight_name=plain.fast.name)
    reference.scheduler = LCMScheduler.from_config(reference.scheduler.config)
    reference.set_progress_bar_config(disable=True)
    control = make_condition(PHOTO, SMALL)
    expected = reference(
        SMALL.prompt,
        image=Image.fromarray(control),
        negative_prompt=SMALL.negative,
        num_inference_steps=3,
        guidance_scale=SMALL.guidance,
        controlnet_conditioning_scale=SMALL.weight,
        generator=torch.Generator().manual_seed(0),
    ).images[0]
    assert np.array_equal(last(painter), np.asarray(expected))


def test_variants_come_one_after_the_other_each_with_its_steps(painter: Painter) -> None:
    news = drawn(painter, replace(SMALL, seed=4, variants=2))
    assert [type(each) for each in news] == [*[Preview] * 3, Variant] * 2
    assert [each.seed for each in news] == [4] * 4 + [5] * 4
    assert [each.number for each in news] == [1] * 4 + [2] * 4
    assert [each.share for each in news[:3]] == [1 / 3, 2 / 3, 1]
    assert news[0].picture.shape == (7, 9, 3)
    assert not np.array_equal(news[0].picture, news[2].picture)


def test_a_seed_repeats_whatever_is_drawn_beside_it(painter: Painter) -> None:
    first = last(painter, replace(SMALL, seed=5))
    torch.manual_seed(999)
    assert np.array_equal(last(painter, replace(SMALL, seed=4, variants=2)), first)
    assert not np.array_equal(last(painter, replace(SMALL, seed=6)), first)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "a navy suit"},
        {"negative": "green"},
        {"guidance": 3.0},
        {"weight": 0.2},
        {"steps": 4},
        {"fast": False},
    ],
)
def test_every_setting_counts(painter: Painter, other: dict[str, Any]) -> None:
    before = last(painter)
    assert not np.array_equal(last(painter, replace(SMALL, **other)), before)
    assert np.array_equal(last(painter), before)  # nothing of the other one stays


def test_the_condition_counts(painter: Painter) -> None:
    blank = np.zeros_like(make_condition(PHOTO, SMALL))
    assert not np.array_equal(last(painter, control=blank), last(painter))


def test_slow_drawing_is_that_of_the_network_without_lora(painter: Painter, models: Path) -> None:
    bare = pipeline.load(folders(models, fast=False), "cpu")
    assert np.array_equal(last(bare, SLOW), last(painter, SLOW))
    with pytest.raises(WeightsError, match="need LCM-LoRA"):
        drawn(bare)


@pytest.mark.parametrize("settings", [SMALL, replace(SLOW, steps=4)])
@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
def test_drawing_from_a_picture_runs_the_steps_asked_for(
    painter: Painter, settings: PromptSettings, strength: float
) -> None:
    colour = np.roll(PHOTO, 40, axis=2).copy()
    colour[..., 0] = 200
    wish = replace(settings, strength=strength)
    news = drawn(painter, wish, start=colour)
    assert [each.steps for each in news[:-1]] == [wish.steps] * wish.steps
    assert not np.array_equal(news[-1].drawn, last(painter, wish))
    assert np.array_equal(news[-1].drawn, last(painter, wish, start=colour))


@pytest.mark.parametrize(
    ("wish", "strength", "steps"), [(SMALL, 0.05, 2), (replace(SMALL, steps=50), 0.5, 25)]
)
def test_fast_drawing_takes_no_more_steps_than_there_are(
    painter: Painter, wish: PromptSettings, strength: float, steps: int
) -> None:
    """LCM knows 50 steps from noise to picture; of these the last part runs."""
    news = drawn(painter, replace(wish, strength=strength), start=PHOTO)
    assert [each.steps for each in news[:-1]] == [steps] * steps


def test_little_strength_stays_with_the_picture_it_starts_from(painter: Painter) -> None:
    """Two starts lead apart; the less is drawn anew, the further."""
    dark, light = np.full_like(PHOTO, 30), np.full_like(PHOTO, 220)

    def apart(strength: float) -> float:
        wish = replace(SLOW, strength=strength)
        pair = [last(painter, wish, start=start).astype(int) for start in (dark, light)]
        return float(np.abs(pair[0] - pair[1]).mean())

    assert apart(0.1) > apart(1.0)


def test_a_start_that_was_asked_for_is_needed(painter: Painter) -> None:
    with pytest.raises(ValueError, match="no picture to start from"):
        drawn(painter, replace(SMALL, start=True))
    wish = replace(SMALL, start=True)
    assert np.array_equal(last(painter, wish, start=PHOTO), last(painter, start=PHOTO))


def test_starts_may_have_sixteen_bits(painter: Painter) -> None:
    wide = PHOTO.astype(np.uint16) * 257
    assert np.array_equal(last(painter, start=wide), last(painter, start=PHOTO))


def test_large_pictures_are_decoded_in_tiles(
    painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = replace(SMALL, side=160)
    whole = last(painter, wish)
    assert not painter.text.vae.use_tiling
    monkeypatch.setattr(pipeline, "TILED", 128 * 128)
    tiled = last(painter, wish)
    assert painter.text.vae.use_tiling
    assert tiled.shape == whole.shape == (*make_condition(PHOTO, wish).shape[:2], 3)
    assert 0 < np.abs(tiled.astype(int) - whole).mean() < 20
    last(painter)
    assert not painter.text.vae.use_tiling


def test_the_photo_is_kept_unless_told(painter: Painter) -> None:
    kept, raw = drawn(painter)[-1], drawn(painter, replace(SMALL, keep=False))[-1]
    assert np.array_equal(kept.drawn, raw.drawn)
    assert raw.picture is raw.drawn
    assert kept.picture.shape == PHOTO.shape
    assert np.array_equal(kept.picture, transfer_chroma(PHOTO, kept.drawn))


def test_flagged_pictures_are_explained(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = painter.text.safety_checker.concept_embeds_weights
    monkeypatch.setattr(limits, "data", torch.full((17,), -2.0))  # anything is over them
    flagged = drawn(painter)[-1]
    assert flagged.picture is None
    assert flagged.drawn is None
    assert "seed 0" in flagged.note
    assert "Try another seed" in flagged.note


# --- stopping ---


@contextmanager
def counted(network: torch.nn.Module) -> Iterator[list[int]]:
    """What it is called, one number a time."""
    calls: list[int] = []
    hook = network.register_forward_pre_hook(lambda *_: calls.append(1))
    yield calls
    hook.remove()


def test_stopping_takes_effect_within_one_step(painter: Painter) -> None:
    stop = threading.Event()
    wish = replace(SMALL, steps=30, variants=4)
    threads = threading.active_count()
    with counted(painter.text.unet) as calls:
        news = draw(painter, PHOTO, wish, make_condition(PHOTO, wish), stop=stop)
        next(news)
        stop.set()
        at = len(calls)
        with pytest.raises(Cancelled):
            for _ in news:
                pass
        assert len(calls) <= at + 1
    assert threading.active_count() == threads
    last(painter)  # and it draws again


def test_a_stop_before_the_first_step_runs_none(painter: Painter) -> None:
    stop = threading.Event()
    stop.set()
    with counted(painter.text.unet) as calls, pytest.raises(Cancelled):
        next(draw(painter, PHOTO, SMALL, make_condition(PHOTO, SMALL), stop=stop))
    assert calls == []


def test_closing_the_iterator_stops_the_drawing(painter: Painter) -> None:
    wish = replace(SMALL, steps=30)
    threads = threading.active_count()
    with counted(painter.text.unet) as calls:
        news = draw(painter, PHOTO, wish, make_condition(PHOTO, wish))
        next(news)
        news.close()
        assert len(calls) < 30
    assert threading.active_count() == threads


def test_what_was_drawn_is_freed_when_it_is_stopped(painter: Painter) -> None:
    """No traceback holds on to the pipeline's tensors."""
    seen: list[Any] = []
    hook = painter.text.unet.register_forward_pre_hook(
        lambda _, inputs: seen.append(weakref.ref(inputs[0]))
    )
    stop = threading.Event()
    news = draw(painter, PHOTO, SMALL, make_condition(PHOTO, SMALL), stop=stop)
    next(news)
    stop.set()
    with pytest.raises(Cancelled) as caught:
        list(news)
    hook.remove()
    gc.collect()
    assert seen
    assert [ref() for ref in seen] == [None] * len(seen)
    assert caught.value.__context__ is None  # and it was held until here


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory"),
    ],
)
def test_memory_that_runs_out_is_explained(
    painter: Painter, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(painter.text.unet, "forward", fail)
        with pytest.raises(TooLittleMemoryError, match="smaller working size"):
            drawn(painter)
    last(painter)


def test_other_errors_are_not_hidden(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(painter.text.unet, "forward", fail)
    with pytest.raises(ZeroDivisionError, match="a mistake of ours"):
        drawn(painter)


# --- sharing ---


def test_another_controlnet_is_exchanged_in_place(models: Path) -> None:
    fresh = pipeline.load(folders(models, "brightness"), "cpu")
    moved = pipeline.load(folders(models), "cpu")
    unet, before = moved.text.unet, last(moved)
    moved.exchange_controlnet(fresh.folders.controlnet)
    assert moved.text.unet is unet
    for start in (None, PHOTO):
        expected = last(fresh, replace(SMALL, condition="brightness"), start=start)
        found = last(moved, replace(SMALL, condition="brightness"), start=start)
        assert np.array_equal(found, expected)
    moved.exchange_controlnet(folders(models).controlnet)
    assert np.array_equal(last(moved), before)


def test_parts_that_come_and_go_draw_the_same(
    models: Path, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offloading, with the CPU in the place of a GPU: the hooks are the same."""
    monkeypatch.setattr(pipeline, "_place", lambda *_: OFFLOAD)
    coming = pipeline.load(folders(models), "cpu")
    unet = coming.text.unet
    assert hasattr(unet, "_hf_hook")
    for settings in (SMALL, SLOW):
        for start in (None, PHOTO):
            expected = last(painter, settings, start=start)
            assert np.array_equal(last(coming, settings, start=start), expected)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        list(draw(coming, PHOTO, SMALL, make_condition(PHOTO, SMALL), stop=stop))
    other = replace(SMALL, condition="brightness")
    coming.exchange_controlnet(folders(models, "brightness").controlnet)
    assert coming.text.unet is unet
    assert not np.array_equal(last(coming, other), last(painter))
    coming.exchange_controlnet(folders(models).controlnet)
    assert np.array_equal(last(coming), last(painter))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Folders]:
    """What the shelf loads."""
    seen: list[Folders] = []

    def load(asked: Folders, *options: Any) -> Painter:
        seen.append(asked)
        return pipeline.load(asked, *options)

    monkeypatch.setattr(pipeline_cache, "load", load)
    return seen


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_painter_is_loaded_once_and_shared(models: Path, loads: list[Folders]) -> None:
    shared = PipelineCache()
    with shared.borrow(folders(models), "cpu") as first:
        last(first)
    with shared.borrow(folders(models, "brightness"), "cpu") as second:
        assert second is first
        assert second.folders.controlnet == folders(models, "brightness").controlnet
    with shared.borrow(folders(models, fast=False), "cpu") as third:
        assert third is first  # LCM-LoRA is there, and off
    assert len(loads) == 1
    shared.clear()


def test_what_is_not_loaded_yet_is_loaded_anew(models: Path, loads: list[Folders]) -> None:
    shared = PipelineCache()
    with shared.borrow(folders(models, fast=False), "cpu"):
        pass
    with shared.borrow(folders(models), "cpu") as painter:
        last(painter)
    assert len(loads) == 2
    shared.clear()


def test_memory_is_freed_when_idle(models: Path, loads: list[Folders]) -> None:
    shared = PipelineCache(idle=0.05)
    with shared.borrow(folders(models), "cpu") as painter:
        unet = weakref.ref(painter.text.unet)
        time.sleep(0.2)
        assert shared.loaded  # not while it is lent
    del painter
    wait_until(lambda: not shared.loaded)
    wait_until(lambda: unet() is None)
    with shared.borrow(folders(models), "cpu") as painter:
        last(painter)
    assert len(loads) == 2
    shared.clear()
    assert not shared.loaded


def test_a_timer_that_comes_late_frees_nothing(models: Path) -> None:
    shared = PipelineCache()
    with shared.borrow(folders(models), "cpu"):
        pass
    late = shared._timer
    assert late is not None
    with shared.borrow(folders(models), "cpu"):
        pass
    shared._expire(late)
    assert shared.loaded
    shared.clear()


def test_one_borrows_at_a_time(models: Path) -> None:
    shared, order = PipelineCache(), []

    def other() -> None:
        with shared.borrow(folders(models), "cpu"):
            order.append("other")

    thread = threading.Thread(target=other)
    with shared.borrow(folders(models), "cpu"):
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
    shared.clear()


def test_a_load_that_fails_leaves_the_shelf_usable(models: Path, tmp_path: Path) -> None:
    shared = PipelineCache()
    with (
        pytest.raises(WeightsError),
        shared.borrow(replace(folders(models), base=tmp_path), "cpu"),
    ):
        pass
    assert not shared.loaded
    with shared.borrow(folders(models), "cpu") as painter:
        last(painter)
    shared.clear()
