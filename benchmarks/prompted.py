"""python -m benchmarks.prompted : how fast the prompted models draw, and in how much memory.

step_seconds     from the end of a step until the end of the next, of all steps but the first, with
                 least and most; the latents are on the processor by then, so that the device is
                 done with the step
picture_seconds  from the prompt to the picture: text encoder, steps, VAE; without keeping the photo
peak_mib         most that torch had on the device while one picture was drawn, the weights among
                 it; on the processor the most memory of the whole program

One picture warms up for each row. The weights come from the Hub's cache; with --folder from a
folder that has them as owner/name/file; with --untrained from nowhere: networks of the same size
are written to a temporary folder first, of 16 GB at most. Refuses without a CUDA device unless
--device cpu is given.
"""

from __future__ import annotations

import argparse
import gc
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.options import make_parser
from benchmarks.results_file import write
from benchmarks.speed import _status, photo
from colorize_core.errors import ColorizeError
from colorize_core.prompted import sources
from colorize_core.prompted.conditions import make_condition
from colorize_core.prompted.generation import Preview, draw
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.pipeline import load
from colorize_core.prompted.settings import QUICK, THOROUGH, PromptSettings
from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, FLUX, Folders

PROTOCOL = "gaps between steps, first left out"
SIDES = (512, 768)
MEBIBYTE = 1 << 20
Row = dict[str, Any]


def cases(model: str) -> dict[str, PromptSettings]:
    """Each way of drawing with it that has a speed of its own."""
    plain = PromptSettings(**MODELS[model].defaults, keep=False)
    if not MODELS[model].fast:
        return {"": plain}
    return {
        "fast": replace(plain, **QUICK),
        "thorough": replace(plain, **THOROUGH, fast=False),
    }


def folders(settings: PromptSettings, folder: Path | None) -> Folders:
    """Where the weights are: in the Hub's cache, or in a folder as owner/name/file."""
    if folder is None:
        return sources.find_folders(settings)
    if not MODELS[settings.model].conditions:
        return Folders(folder / FLUX.repo, None, None)
    controlnet = folder / CONTROLNETS[settings.condition].repo
    lora = folder / FAST.repo / FAST.files[0].path if settings.fast else None
    return Folders(folder / BASE.repo, controlnet, lora)


def measured(painter: Any, settings: PromptSettings, runs: int) -> Row:
    """Draw a square picture `runs` times after the warm-up."""
    square = np.dstack([photo(settings.side, settings.side)] * 3)
    shown = make_condition(square, settings)
    gaps: list[float] = []
    seconds, peaks = [], []
    for run in range(runs + 1):
        forget_peak(painter.device)
        start = perf_counter()
        ends = [
            perf_counter()
            for news in draw(painter, square, settings, shown)
            if isinstance(news, Preview)
        ]
        if run:
            seconds.append(perf_counter() - start)
            gaps += np.diff(ends).tolist()
            peaks.append(peak(painter.device))
    return {
        "size": f"{shown.shape[0]} x {shown.shape[1]}",
        "steps": settings.steps,
        "step_seconds": f"{statistics.median(gaps):.4f}",
        "least": f"{min(gaps):.4f}",
        "most": f"{max(gaps):.4f}",
        "picture_seconds": f"{statistics.median(seconds):.3f}",
        "peak_mib": f"{max(peaks):.0f}",
        "runs": runs,
    }


def forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path("/proc/self/clear_refs").write_text("5")


def peak(device: torch.device) -> float:
    """MiB since it was forgotten."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MEBIBYTE
    return _status("VmHWM") / 1024


def rows(model: str, sides: Sequence[int], runs: int, device: str, home: Path | None) -> list[Row]:
    """Of one model, in each of its ways and sizes."""
    found = []
    for way, settings in cases(model).items():
        painter = load(folders(settings, home), device, max(sides) ** 2)
        found += [
            {
                "model": model,
                "way": way,
                **measured(painter, replace(settings, side=side), runs),
                "placement": painter.placement,
                "device": name(painter.device),
                "protocol": PROTOCOL,
            }
            for side in sides
        ]
        del painter  # before the next one comes
        gc.collect()
    return found


def from_untrained(model: str, **options: Any) -> list[Row]:
    """The same with random weights."""
    from benchmarks import untrained

    with TemporaryDirectory() as folder:
        untrained.write(model, Path(folder))
        return rows(model, **options, home=Path(folder))


def name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def main(given: Sequence[str] | None = None) -> None:
    parser = make_parser(__doc__, runs=5, device="cuda")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--sides", type=int, nargs="+", default=list(SIDES))
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--folder", type=Path)
    where.add_argument("--untrained", action="store_true")
    arguments = parser.parse_args(given)
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("there is no CUDA device here. --device cpu measures on the processor.")
    try:
        write("prompted", all_rows(arguments))
    except ColorizeError as error:
        parser.error(str(error))


def all_rows(arguments: argparse.Namespace) -> list[Row]:
    options = {name: getattr(arguments, name) for name in ("sides", "runs", "device")}
    if arguments.untrained:
        kind, made = "untrained", [from_untrained(model, **options) for model in arguments.models]
    else:
        kind = "of a folder" if arguments.folder else "of the Hub"
        made = [rows(model, **options, home=arguments.folder) for model in arguments.models]
    return [row | {"weights": kind} for each in made for row in each]


if __name__ == "__main__":
    main()
