"""Prompted colorization without its networks: what is asked, shown, kept and remembered."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from scenes import ROOT, scene

from colorize_core.errors import (
    OptionError,
    TooLittleMemoryError,
    WeightsError,
)
from colorize_core.imaging import image
from colorize_core.imaging.color import lab_to_rgb, lightness, rgb_to_lab
from colorize_core.imaging.formats import CHOICES
from colorize_core.prompted import conditions, memory, preview
from colorize_core.prompted.chroma_transfer import transfer_chroma
from colorize_core.prompted.memory import OFFLOAD, RESIDENT, Need
from colorize_core.prompted.metadata import KEY, describe_settings, read_settings
from colorize_core.prompted.settings import (
    CONDITIONS,
    CONTROLS,
    PHRASES,
    PROMPT,
    PromptSettings,
    toggle_phrase,
)
from colorize_core.steering.provenance import ADDED, DRAWN, make_record

# --- settings ---


def test_defaults_are_what_the_controls_say() -> None:
    settings = PromptSettings()
    assert {c.name: c.default for c in CONTROLS} == {
        c.name: getattr(settings, c.name) for c in CONTROLS
    }
    assert settings.condition == "canny"
    assert settings.keep
    assert settings.fast


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": 0}, "steps is 0, allowed is a whole number from 1 to 100"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"steps": 51}, "at most 50 where fast is on"),
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"seed": "7"}, "seed is '7', a number is needed"),
        ({"condition": "depth"}, "canny, brightness, softedge"),
        ({"model": "sd3"}, "model is 'sd3', allowed are: sd15, flux2-klein"),
        ({"start": None}, "start is None, allowed are: true, false"),
        ({"low": 201}, "low threshold 201 is above the high one, 200"),
        ({"prompt": None}, "prompt is None, words are needed"),
        ({"negative": "x" * 2001}, "negative has 2,001 letters"),
        ({"prompt": "\ud800"}, "prompt has letters that are none"),
        ({"keep": 1}, "keep is 1, allowed are: true, false"),
    ],
)
def test_what_is_not_allowed_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        PromptSettings(**values)


def test_fast_counts_for_stable_diffusion_alone() -> None:
    assert PromptSettings(model="flux2-klein", steps=60).steps == 60


def test_every_variant_has_its_own_seed() -> None:
    assert PromptSettings(seed=5, variants=3).seeds == (5, 6, 7)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("prompt", ["", "a street, high quality", PROMPT])
def test_a_phrase_comes_and_goes(prompt: str, phrase: str) -> None:
    with_it = toggle_phrase(prompt, phrase)
    assert with_it == (f"{prompt}, {phrase}" if prompt else phrase)
    assert toggle_phrase(with_it, phrase) == prompt


@pytest.mark.parametrize(
    ("prompt", "after"),
    [
        ("a man, Navy Suit , smiling", "a man, smiling"),
        ("navy suit, a man, navy suit", "a man"),
        ("a man in a navy suit", "a man in a navy suit, navy suit"),
        ("a man,, ", "a man, navy suit"),
    ],
)
def test_a_phrase_is_found_between_commas(prompt: str, after: str) -> None:
    assert toggle_phrase(prompt, "navy suit") == after


def test_phrases_fit_between_commas() -> None:
    assert len({phrase.casefold() for phrase in PHRASES}) == len(PHRASES)
    assert not any("," in phrase for phrase in PHRASES)


# --- conditions ---


@pytest.mark.parametrize("size", [(600, 800), (801, 599), (512, 512), (30, 400), (3000, 4000)])
def test_the_working_size_has_the_area_and_the_aspect(size: tuple[int, int]) -> None:
    height, width = conditions.choose_size(*size, 512)
    assert height % 8 == width % 8 == 0
    exact = (size[0] / size[1]) ** 0.5 * 512, (size[1] / size[0]) ** 0.5 * 512
    assert abs(height - exact[0]) <= 4
    assert abs(width - exact[1]) <= 4


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1)])
def test_the_working_size_of_strange_photos_stays_in_bounds(size: tuple[int, int]) -> None:
    assert min(conditions.choose_size(*size, 512)) >= 128
    assert max(conditions.choose_size(*size, 512)) <= 2048


def test_brightness_is_the_photos_own_gray() -> None:
    photo = scene(56, 72)
    assert np.array_equal(conditions.make_gray(photo, (56, 72)), photo)
    fine = photo.astype(np.uint16) * 257
    assert np.array_equal(conditions.make_gray(fine, (56, 72)), photo)


def test_brightness_leaves_out_the_tint_of_an_old_print() -> None:
    photo = (scene(56, 72) * np.array([1, 0.85, 0.65])).astype(np.uint8)
    gray = conditions.make_gray(photo, (56, 72))
    assert np.array_equal(gray[..., 0], gray[..., 2])
    assert gray.max() > photo[..., 2].max()


def edges(low: int, high: int, blur: float = 0.0, size: tuple[int, int] = (72, 104)) -> Any:
    return conditions.detect_canny(scene(*size), low, high, blur)


def test_edges_are_opencvs_at_the_working_size() -> None:
    """Sides that are no multiples of 64 are neither bent nor cut."""
    found = edges(40, 90)
    assert found.shape == (72, 104, 3)
    assert found.dtype == np.uint8
    expected = cv2.Canny(scene(72, 104), 40, 90)
    assert 0 < (expected > 0).mean() < 0.5
    inner = (slice(None, -2), slice(None, -2))  # the rest borders on padding
    assert np.array_equal(found[..., 0][inner], expected[inner])


def test_both_thresholds_and_the_blur_leave_edges_out() -> None:
    all_edges = edges(10, 40) > 0
    for fewer in (edges(30, 40), edges(10, 90), edges(10, 40, blur=2.0)):
        assert 0 < (fewer > 0).sum() < all_edges.sum()
    assert not (edges(30, 40) > 0)[~all_edges].any()


def test_soft_edges_are_what_the_network_says(tmp_path: Path) -> None:
    from tiny_diffusion import write_hed

    torch.manual_seed(0)
    write_hed(tmp_path / "ControlNetHED.pth")
    gray = scene(64, 128)
    found = conditions.detect_soft_edges(gray, tmp_path / "ControlNetHED.pth")
    network = conditions._load_hed(tmp_path / "ControlNetHED.pth").netNetwork
    with torch.no_grad():
        maps = network(torch.from_numpy(gray).permute(2, 0, 1)[None].float())
    logits = [cv2.resize(m[0, 0].numpy(), (128, 64)) for m in maps]
    expected = 255 / (1 + np.exp(-np.mean(logits, 0)))
    assert np.abs(found[..., 1] - expected).max() <= 1
    assert conditions.detect_soft_edges(gray[:56, :72], tmp_path / "ControlNetHED.pth").shape == (
        56,
        72,
        3,
    )


@pytest.mark.parametrize("kind", CONDITIONS[:2])
def test_a_condition_has_the_working_size(kind: str) -> None:
    settings = PromptSettings(condition=kind, side=96, low=20, high=60)
    shown = conditions.make_condition(scene(300, 401), settings)
    assert shown.shape == (*conditions.choose_size(300, 401, 96), 3)
    assert shown.max() > shown.min()


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            ("conditions", "generation", "pipeline_cache"),
            ("controlnet_aux", "diffusers", "transformers"),
        ),
        (
            ("settings", "models", "sources", "metadata", "memory"),
            ("torch", "cv2", "huggingface_hub"),
        ),
    ],
)
def test_what_is_heavy_is_imported_when_it_is_needed(
    modules: tuple[str, ...], heavy: tuple[str, ...]
) -> None:
    names = ", ".join(f"colorize_core.prompted.{module}" for module in modules)
    code = f"import sys, {names}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


# --- keep the photo ---


def gray_levels(picture: NDArray[Any]) -> NDArray[np.float64]:
    """The 8-bit gray of each pixel's L."""
    lab = np.zeros(picture.shape)
    lab[..., 0] = lightness(picture / np.iinfo(picture.dtype).max)
    return lab_to_rgb(lab)[..., 0] * 255


def poster(height: int, width: int, edge: int) -> NDArray[np.uint8]:
    """Loud colours: orange on the left, blue on the right, of another lightness than any photo."""
    drawn = np.empty((height, width, 3), np.uint8)
    drawn[:, :edge], drawn[:, edge:] = (250, 120, 0), (0, 60, 250)
    return drawn


@pytest.mark.parametrize("size", [(90, 120), (17, 333), (1, 1), (700, 500)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_lightness_is_kept_within_a_level(size: tuple[int, int], depth: Any) -> None:
    photo = scene(*size).astype(depth) * depth(np.iinfo(depth).max // 255)
    before = photo.copy()
    kept = transfer_chroma(photo, poster(64, 80, 40))
    assert kept.shape == photo.shape
    assert kept.dtype == depth
    assert np.abs(gray_levels(kept) - gray_levels(photo)).max() <= 1
    assert np.array_equal(photo, before)


def test_lightness_is_kept_at_every_shade() -> None:
    photo = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (64, 1))[..., None], 3, 2)
    kept = transfer_chroma(photo, poster(64, 64, 32))
    assert np.abs(gray_levels(kept) - gray_levels(photo)).max() <= 1
    assert tuple(kept[0, 0]) == (0, 0, 0)
    assert tuple(kept[0, -1]) == (255, 255, 255)


def test_colours_are_the_drawn_ones_and_end_where_the_photo_does() -> None:
    photo = np.full((96, 120, 3), 90, np.uint8)
    photo[:, 60:] = 170
    blurred = cv2.GaussianBlur(poster(96, 120, 60), (0, 0), 3)
    ab = rgb_to_lab(transfer_chroma(photo, blurred) / 255)[48, :, 1:]
    assert (ab[:50, 1] > 30).all()  # yellow
    assert (ab[70:, 1] < -30).all()  # blue
    steps = np.hypot(*np.diff(ab, axis=0).T)
    assert steps.argmax() == 59
    assert steps[59] > 0.5 * np.hypot(*(ab[0] - ab[-1]))


def test_gray_drawings_leave_the_photo_gray() -> None:
    photo = scene(90, 120)
    assert np.abs(transfer_chroma(photo, scene(64, 80)).astype(int) - photo).max() <= 1


# --- settings in a picture ---


WISH = PromptSettings(
    model="flux2-klein",
    prompt="autumn leaves, 1950s „Kodachrome“",
    negative="",
    seed=77,
    start=True,
    fast=False,
)


@pytest.mark.parametrize("format", [each.name for each in CHOICES.values()])
def test_settings_travel_in_the_picture(format: str) -> None:
    photo = image.Photo(scene(30, 40), None, image.Metadata(), "PNG")
    data = image.encode(photo.with_record(describe_settings(WISH)), format)
    record = image.decode(data).metadata.record
    assert record
    assert read_settings(record) == WISH
    assert [name for name, _ in record.models] == ["flux2-klein"]
    assert all(weights for _, weights in record.models)
    assert record.source_type == ADDED, "the photo is kept, and its colours are new"
    assert describe_settings(replace(WISH, keep=False)).source_type == DRAWN


def test_pictures_that_were_not_drawn_from_words_have_no_settings() -> None:
    assert read_settings(None) is None
    assert read_settings(make_record(["sagan"], {"vividness": 1.0})) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": -7}, "seed is -7, allowed is"),
        ({"seeds": 7}, "do not fit: seeds"),
        ({"prompt": 7}, "prompt is 7, words are needed"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(changed: dict[str, Any], words: str) -> None:
    record = describe_settings(WISH)
    told = {KEY: record.settings[KEY] | changed}
    with pytest.raises(OptionError, match=words):
        read_settings(replace(record, settings=told))
    with pytest.raises(OptionError, match="do not fit: all"):
        read_settings(replace(record, settings={KEY: 7}))


# --- memory ---

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
GB = 10**9
NEED = Need(weights=4 * GB, largest=2 * GB, work=1 * GB)


@pytest.mark.parametrize(
    ("device", "there", "ram", "placement"),
    [
        (CPU, 5 * GB, 5 * GB, RESIDENT),
        (CPU, None, None, RESIDENT),
        (CUDA, 5 * GB, 0, RESIDENT),
        (CUDA, 5 * GB - 1, 4 * GB, OFFLOAD),
        (CUDA, 3 * GB, None, OFFLOAD),
    ],
)
def test_parts_are_placed_by_free_memory(
    device: torch.device, there: int | None, ram: int | None, placement: str
) -> None:
    assert memory.choose_placement(NEED, device, there, ram) == placement


@pytest.mark.parametrize(
    ("device", "there", "ram", "words"),
    [
        (CPU, 5 * GB - 1, 5 * GB - 1, r"about 5\.0 GB; free are 5\.0 GB\. Close"),
        (CUDA, 2 * GB, 9 * GB, r"3\.0 GB of GPU memory and 4\.0 GB of RAM; free are 2\.0 GB and"),
        (CUDA, 4 * GB, 3 * GB, r"free are 4\.0 GB and 3\.0 GB\. Close"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(
    device: torch.device, there: int, ram: int, words: str
) -> None:
    with pytest.raises(TooLittleMemoryError, match=words):
        memory.choose_placement(NEED, device, there, ram)


def test_the_need_is_counted_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    tensors = {"a": torch.zeros(10, 30), "b": torch.zeros(50)}
    save_file(tensors, tmp_path / "unet" / "model.safetensors")
    halves = {name: tensor.half() for name, tensor in tensors.items()}
    save_file(halves, tmp_path / "unet" / "model.fp16.safetensors")
    save_file(tensors, tmp_path / "lora.safetensors")
    found = memory.estimate([tmp_path / "unet", tmp_path / "lora.safetensors"], 2, 100)
    assert found == Need(2 * 700, 700, memory.WORK * 200)
    assert replace(found, work=0) == replace(memory.estimate([tmp_path / "unet"] * 2, 2, 9), work=0)
    (tmp_path / "lora.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"lora\.safetensors is damaged"):
        memory.estimate([tmp_path / "lora.safetensors"], 2, 100)


def test_this_machine_has_memory() -> None:
    assert (memory.measure_free(CPU) or 0) > 1 << 20


# --- previews ---


class LinearVae:
    """Its latents are a linear map of the colours of 8 x 8 pixels."""

    dtype = torch.float32

    class config:
        scaling_factor = 0.5

    def __init__(self) -> None:
        self.mix = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))

    def encode(self, picture: torch.Tensor) -> Any:
        cells = torch.nn.functional.avg_pool2d(picture, 8)
        latents = torch.einsum("lc,nchw->nlhw", self.mix, cells) + 0.3

        class Result:
            class latent_dist:
                mean = latents

        return Result


def test_previews_of_a_linear_vae_are_exact() -> None:
    vae = LinearVae()
    matrix = preview.fit(vae, CPU)
    photo = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    wide = photo.repeat(8, 0).repeat(8, 1)
    picture = torch.from_numpy(wide).permute(2, 0, 1)[None] / 127.5 - 1
    latents = vae.encode(picture).latent_dist.mean[0] * vae.config.scaling_factor
    assert np.abs(preview.render(latents, matrix).astype(int) - photo).max() <= 1
    assert preview.render(torch.full((4, 2, 3), torch.nan), matrix).shape == (2, 3, 3)
