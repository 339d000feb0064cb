"""Loading the pipelines of diffusers: text to picture and picture to picture on the same parts, or
an editor (editor.py) in their place.

Source: von Platen et al., Diffusers, https://github.com/huggingface/diffusers; LCM-LoRA: Luo et
al., 2023, https://arxiv.org/abs/2311.05556; UniPC: Zhao et al., 2023,
https://arxiv.org/abs/2302.04867.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor

from colorize_core import devices
from colorize_core.downloads.catalogue import Download
from colorize_core.errors import OptionError, WeightsError
from colorize_core.prompted import adapters, flux, memory, preview
from colorize_core.prompted.flux import Editor
from colorize_core.prompted.memory import TILED, Need
from colorize_core.prompted.settings import MOST_FAST, PromptSettings
from colorize_core.prompted.sources import Folders

PACKAGES = ("diffusers", "peft", "controlnet_aux")  # of the extra "prompt"
PARTS = ("text_encoder", "unet", "vae", "safety_checker")

Drawn = NDArray[np.uint8]


class Painter:
    """Both pipelines, placed and ready. One drawing at a time: they share their parts."""

    def __init__(self, folders: Folders, text: Any, device: torch.device, placement: str):
        self.folders = folders
        self.device = device
        self.placement = placement
        self._schedule = text.scheduler.config
        self._combine(text.components)
        self.matrix = preview.fit(text.vae, device)  # of the step previews

    def prepare_pipeline(self, settings: PromptSettings, start: bool, pixels: int) -> Any:
        """The one to draw with: from a picture (`start`) or from noise alone, its scheduler new.
        Raises WeightsError if it is to be fast and that was not loaded."""
        from diffusers import LCMScheduler, UniPCMultistepScheduler

        if settings.fast and self.folders.fast is None:
            raise WeightsError(
                "Few steps need LCM-LoRA, which was not loaded. Turn fast off, or load it too."
            )
        chosen = self.image if start else self.text
        scheduler = LCMScheduler if settings.fast else UniPCMultistepScheduler
        chosen.scheduler = scheduler.from_config(self._schedule)
        adapters.weigh(
            chosen,
            {adapters.FAST: float(settings.fast), adapters.OWN: settings.lora_weight},
        )
        (chosen.vae.enable_tiling if pixels > TILED else chosen.vae.disable_tiling)()
        memory.move(chosen, self.placement, self.device)
        return chosen

    def make_options(
        self, settings: PromptSettings, control: Drawn, start: Drawn | None
    ) -> dict[str, Any]:
        """How to call it, with both pictures at the working size (h, w, 3)."""
        common = {
            "prompt": settings.prompt,
            "negative_prompt": settings.negative,
            "guidance_scale": settings.guidance,
            "controlnet_conditioning_scale": settings.weight,
            "output_type": "np",
        }
        if start is None:
            shown: dict[str, Any] = {"image": Image.fromarray(control)}
            return common | shown | {"num_inference_steps": settings.steps}
        return common | {
            "image": Image.fromarray(start),
            "control_image": Image.fromarray(control),
            "strength": settings.strength,
            "num_inference_steps": _count_steps(settings),
        }

    def render_preview(self, latents: Tensor, height: int, width: int) -> Drawn:
        """A step's latents (channels, h, w) of a picture of that size as (h, w, 3)."""
        return preview.render(latents, self.matrix)

    def exchange_controlnet(self, controlnet: Path | None) -> None:
        """Exchange the ControlNet, all else staying as it is. Raises WeightsError or
        TooLittleMemoryError."""
        if controlnet is None or controlnet == self.folders.controlnet:
            return
        with explain_load_errors(controlnet):
            other = _load_controlnet(controlnet, self.text.unet.dtype)
        with memory.explain():
            self._combine({**self.text.components, "controlnet": other})
        self.folders = replace(self.folders, controlnet=controlnet)

    def exchange_lora(self, file: Path | None) -> None:
        """Exchange the LoRA, all else staying as it is. Raises WeightsError."""
        adapters.exchange(self.text, self.folders.lora, file)
        self.folders = replace(self.folders, lora=file)

    def release(self) -> None:
        """Give the memory back that the last drawing kept, also one that was stopped."""
        memory.release(self.text, self.placement, self.device)

    def _combine(self, parts: dict[str, Any]) -> None:
        from diffusers import (
            StableDiffusionControlNetImg2ImgPipeline,
            StableDiffusionControlNetPipeline,
        )

        checked = parts["safety_checker"] is not None
        self.text = StableDiffusionControlNetPipeline(**parts, requires_safety_checker=checked)
        self.image = StableDiffusionControlNetImg2ImgPipeline(
            **parts, requires_safety_checker=checked
        )
        for each in (self.text, self.image):
            each.set_progress_bar_config(disable=True)
        memory.move(self.text, self.placement, self.device)


def load(folders: Folders, device: str = "auto", pixels: int = TILED) -> Painter | Editor:
    """Build the pipelines from what is on the disk, in half precision on CUDA, else in float32.

    `pixels`: of the largest picture to be drawn. Raises WeightsError, DeviceError, or OptionError
    for packages and TooLittleMemoryError before anything is loaded."""
    _check_packages()
    picked = devices.pick(device)
    if folders.controlnet is None:
        return _load_editor(folders, picked, pixels)
    return _load_painter(folders, folders.controlnet, picked, pixels)


def _load_painter(folders: Folders, controlnet: Path, device: torch.device, pixels: int) -> Painter:
    dtype = _choose_dtype(device)
    parts = [*(folders.base / name for name in PARTS), controlnet]
    parts += [file for file in (folders.fast, folders.lora) if file]
    placement = _place(memory.estimate(parts, dtype.itemsize, pixels), device)
    with explain_load_errors(folders.base, controlnet):
        text = _check_complete(_assemble(folders, controlnet, dtype))
    with memory.explain():
        painter = Painter(replace(folders, lora=None), text, device, placement)
    painter.exchange_lora(folders.lora)
    return painter


def _load_editor(folders: Folders, device: torch.device, pixels: int) -> Editor:
    dtype = flux.choose_dtype(device)
    parts = [folders.base / name for name in flux.PARTS]
    parts += [folders.lora] if folders.lora else []
    placement = _place(memory.estimate(parts, dtype.itemsize, pixels), device)
    with explain_load_errors(folders.base):
        edit = _check_complete(flux.assemble(folders.base, dtype))
    with memory.explain():
        editor = Editor(replace(folders, lora=None), edit, device, placement)
    editor.exchange_lora(folders.lora)
    return editor


def _check_complete(pipeline: Any) -> Any:
    """The pipeline; ValueError where a file lacked weights, which diffusers leaves without data."""
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module) and any(each.is_meta for each in part.parameters()):
            raise ValueError(f"the weights of {name} are not complete")
    return pipeline


def _count_steps(settings: PromptSettings) -> int:
    """From a picture, only the last share `strength` of the steps run: ask for so many that
    settings.steps do, as far as the scheduler goes."""
    most = MOST_FAST if settings.fast else 1000
    return max(min(most, math.ceil(settings.steps / settings.strength)), settings.steps)


def check(downloads: Iterable[Download], device: str = "auto", pixels: int = TILED) -> None:
    """Whether the machine could hold these, before they are downloaded. Raises OptionError where
    packages are missing, DeviceError, or TooLittleMemoryError with the numbers."""
    _check_packages()
    picked = devices.pick(device)
    _place(memory.estimate_download(downloads, _choose_dtype(picked).itemsize, pixels), picked)


def _check_packages() -> None:
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise OptionError(
            f"Drawing from a prompt needs packages that are not here: {', '.join(missing)}. "
            "Install them: pip install 'autochrome-studio[prompt]'"
        )


def _choose_dtype(device: torch.device) -> torch.dtype:
    return torch.float16 if device.type == "cuda" else torch.float32


def _place(wanted: Need, device: torch.device) -> str:
    """Where the parts will live. Raises TooLittleMemoryError."""
    return memory.choose_placement(
        wanted, device, memory.measure_free(device), memory.measure_free(torch.device("cpu"))
    )


@contextmanager
def explain_load_errors(*folders: Path) -> Iterator[None]:
    """What diffusers and transformers raise for files that are damaged or do not fit together
    becomes WeightsError."""
    try:
        with memory.explain():
            yield
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise WeightsError(
            f"The files in {' and '.join(map(str, folders))} cannot be loaded: "
            f"{(str(error) or type(error).__name__).splitlines()[0]}. Delete what is there and "
            "download it again."
        ) from error


def _assemble(folders: Folders, controlnet: Path, dtype: torch.dtype) -> Any:
    from diffusers import StableDiffusionControlNetPipeline

    text = StableDiffusionControlNetPipeline.from_pretrained(
        folders.base,
        controlnet=_load_controlnet(controlnet, dtype),
        dtype=dtype,
        variant=_choose_variant(folders.base / "unet"),
        use_safetensors=True,
        local_files_only=True,
    )
    if folders.fast:
        adapters.load(text, folders.fast, adapters.FAST)
    return text


def _load_controlnet(folder: Path, dtype: torch.dtype) -> Any:
    from diffusers import ControlNetModel

    return ControlNetModel.from_pretrained(
        folder,
        dtype=dtype,
        variant=_choose_variant(folder),
        use_safetensors=True,
        local_files_only=True,
    )


def _choose_variant(folder: Path) -> str | None:
    return "fp16" if any(folder.glob("*.fp16.safetensors")) else None
