"""An editor in the place of the painter: FLUX.2 [klein], which is shown the photo itself.

Source: Black Forest Labs, 2026,
https://bfl.ai/blog/flux2-klein-towards-interactive-visual-intelligence, in the pipeline of
Diffusers, https://github.com/huggingface/diffusers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from colorize_core.prompted import adapters, memory, preview
from colorize_core.prompted.memory import TILED
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import Folders

PARTS = ("text_encoder", "transformer", "vae")
PATCH = 2  # latents along each side that are one token
PREVIEW_PATCH = 64  # pixels: four tokens along each side
TILE = 768  # pixels along each side of what the VAE takes at once where it works in tiles

Drawn = NDArray[np.uint8]


class Editor:
    """The pipeline, placed and ready; to draw() what a Painter is. One drawing at a time."""

    def __init__(self, folders: Folders, edit: Any, device: torch.device, placement: str):
        self.folders = folders
        self.device = device
        self.placement = placement
        self.edit = edit
        edit.set_progress_bar_config(disable=True)
        edit.vae.tile_sample_min_size = TILE
        edit.vae.tile_latent_min_size = TILE // edit.vae_scale_factor
        memory.move(edit, placement, device)
        self.matrix = preview.fit(edit.vae, device, encode_tokens, PREVIEW_PATCH)

    def prepare_pipeline(self, settings: PromptSettings, start: bool, pixels: int) -> Any:
        """The one to draw with. It is always fast, and a start takes the photo's place."""
        adapters.weigh(self.edit, {adapters.OWN: settings.lora_weight})
        (self.edit.vae.enable_tiling if pixels > TILED else self.edit.vae.disable_tiling)()
        memory.move(self.edit, self.placement, self.device)
        return self.edit

    def make_options(
        self, settings: PromptSettings, control: Drawn, start: Drawn | None
    ) -> dict[str, Any]:
        """How to call it. `control` is the gray photo; it edits `start` instead where there is
        one of the same size."""
        return {
            "prompt": settings.prompt,
            "image": Image.fromarray(control if start is None else start),
            "num_inference_steps": settings.steps,
            "guidance_scale": 1.0,  # the model was distilled with its guidance
            "output_type": "np",
        }

    def render_preview(self, latents: Tensor, height: int, width: int) -> Drawn:
        """A step's latents (tokens, channels) of a picture of that size as (h, w, 3)."""
        cell = PATCH * self.edit.vae_scale_factor
        planes = latents.T.reshape(-1, height // cell, width // cell)
        return preview.render(planes, self.matrix)

    def exchange_controlnet(self, controlnet: Path | None) -> None:
        """Nothing to exchange: it has no ControlNet."""

    def exchange_lora(self, file: Path | None) -> None:
        """Exchange the LoRA, all else staying as it is. Raises WeightsError."""
        adapters.exchange(self.edit, self.folders.lora, file)
        self.folders = replace(self.folders, lora=file)

    def release(self) -> None:
        """Give the memory back that the last drawing kept, also one that was stopped."""
        memory.release(self.edit, self.placement, self.device)


def choose_dtype(device: torch.device) -> torch.dtype:
    """float16 is too narrow for its activations."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def assemble(folder: Path, number: torch.dtype) -> Any:
    from diffusers import Flux2KleinPipeline

    return Flux2KleinPipeline.from_pretrained(
        folder, dtype=number, use_safetensors=True, local_files_only=True
    )


def encode_tokens(vae: Any, picture: Tensor) -> Tensor:
    """What the transformer sees of a picture (1, 3, H, W) in [-1, 1], as planes
    (1, channels, h, w): latents of 2 x 2 places in one, normalised by the VAE's statistics."""
    latents = vae.encode(picture).latent_dist.mode()
    packed = torch.nn.functional.pixel_unshuffle(latents, PATCH)
    norm = vae.bn
    mean, variance = (each.view(1, -1, 1, 1) for each in (norm.running_mean, norm.running_var))
    return (packed - mean) / torch.sqrt(variance + vae.config.batch_norm_eps)
