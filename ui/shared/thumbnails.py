"""Small pictures side by side, which change while they are drawn and may be picked."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import FileData
from numpy.typing import NDArray
from PIL import Image

from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from ui.shared.photo import shrink

HERE = Path(__file__).parent
Picture = NDArray[np.uint8]  # (h, w, 3) sRGB
STRIP = 10  # pictures of a process
NOISY_SIDE = 192  # the way into noise is shown on about so many pixels along each side
NOISY_CELLS = 32  # and its colours on so many, as in the diffusion model


def build(pick: bool = False, **options: Any) -> gr.HTML:
    """The component; its value is made by groups(). With `pick` each picture is a button, and the
    select event carries its index."""
    return gr.HTML(
        html_template=(HERE / "thumbnails.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "thumbnails.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        pick=pick,
        **options,
    )


def groups(*several: dict[str, Any], picked: int | None = None) -> dict[str, Any]:
    """What the component shows. `picked`: which of the pictures; None: none can be picked yet."""
    return {"groups": several, "picked": picked}


def group(cells: Sequence[dict[str, Any]], columns: int, title: str = "") -> dict[str, Any]:
    return {"title": title, "columns": columns, "cells": list(cells)}  # as they are now


def sketch(picture: Picture, caption: str, alt: str) -> dict[str, Any]:
    """A small picture, which travels with the page's data: no file is left behind."""
    return {"source": as_address(picture), "caption": caption, "alt": alt}


def result(path: Path, caption: str, alt: str) -> dict[str, Any]:
    """A picture file."""
    file = refer(path)
    return {"file": file, "caption": caption, "alt": alt}


def refer(path: Path) -> dict[str, Any]:
    """A file, as a component fetches it."""
    file: dict[str, Any] = FileData(path=str(path), orig_name=path.name).model_dump()
    return file


def as_address(picture: Picture) -> str:
    """A data URL."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _fit(picture: Picture, side: int) -> tuple[int, int]:
    """Height and width of about side x side pixels of area, in the picture's aspect."""
    scale = side / float(np.sqrt(picture.shape[0] * picture.shape[1]))
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    return height, width


def into_noise(picture: Picture, schedules: Sequence[str]) -> dict[str, Any]:
    """The picture's colours on their way into noise, by each schedule: what the diffusion model
    has learned to undo. No model is loaded for it."""
    import torch

    from colorize_core.networks.diffusion_unet import DiffusionUNetConfig
    from colorize_core.networks.noise import Noise, draw
    from colorize_core.networks.scaling import scale_ab, unscale_ab

    (height, width), cells = (_fit(picture, side) for side in (NOISY_SIDE, NOISY_CELLS))
    lab = rgb_to_lab(shrink(picture, height, width) / 255.0)
    gain = DiffusionUNetConfig().gain
    ab = torch.from_numpy(lab[..., 1:]).permute(2, 0, 1)[None].float()
    clean = scale_ab(torch.nn.functional.interpolate(ab, cells, mode="area")) * gain
    noise = draw([torch.Generator().manual_seed(0)], clean.shape[1:])
    strips = []
    for name in schedules:
        schedule = Noise(name)
        shown = []
        for step in torch.linspace(0, len(schedule) - 1, STRIP).round().long():
            noisy = unscale_ab(schedule.add(clean, noise, step[None]) / gain)
            fine = torch.nn.functional.interpolate(noisy, (height, width), mode="bilinear")[0]
            colours = np.concatenate([lab[..., :1], fine.permute(1, 2, 0).numpy()], axis=2)
            rgb = np.clip(lab_to_rgb(colours), 0, 1)
            caption = f"step {int(step) + 1}"
            alt = f"The colours after {caption} of {len(schedule)} into noise, {name} schedule"
            shown.append(sketch((rgb * 255 + 0.5).astype(np.uint8), caption, alt))
        strips.append(group(shown, STRIP, f"Into noise, {name} schedule"))
    return groups(*strips)
