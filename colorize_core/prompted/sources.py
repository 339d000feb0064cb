"""Which downloads prompted colorization needs, and where they are. Nothing is downloaded here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS, Download
from colorize_core.prompted.settings import CONDITIONS, PromptSettings

BASE = DOWNLOADS["stable-diffusion"]
CONTROLNETS = {name: DOWNLOADS[f"controlnet-{name}"] for name in CONDITIONS}
HED = DOWNLOADS["hed"]
FAST = DOWNLOADS["lcm-lora"]
FLUX = DOWNLOADS["flux2-klein"]
CAPTIONER = DOWNLOADS["blip"]
EVERY = (BASE, *CONTROLNETS.values(), HED, FAST, FLUX, CAPTIONER)


def list_needed(settings: PromptSettings) -> tuple[Download, ...]:
    """What has to be here to draw with these settings."""
    if settings.model == "flux2-klein":
        return (FLUX,)
    extra = (HED,) if settings.condition == "softedge" else ()
    return (BASE, CONTROLNETS[settings.condition], *extra, *((FAST,) if settings.fast else ()))


def list_missing(wanted: Iterable[Download]) -> tuple[Download, ...]:
    """What of these is not in the Hub's cache, each with those files alone; asks nobody."""
    reduced = (replace(each, files=checkpoints.list_missing(each.files)) for each in wanted)
    return tuple(each for each in reduced if each.files)


@dataclass(frozen=True)
class Folders:
    """Where the parts of a pipeline are."""

    base: Path
    controlnet: Path | None  # None: of a model that takes none
    lora: Path | None  # the file


def find_folders(settings: PromptSettings) -> Folders:
    """What these settings need, from the Hub's cache. Raises WeightsError, never downloads."""
    if settings.model == "flux2-klein":
        return Folders(checkpoints.find_folder(FLUX), None, None)
    lora = checkpoints.find_folder(FAST) / FAST.files[0].path if settings.fast else None
    controlnet = checkpoints.find_folder(CONTROLNETS[settings.condition])
    return Folders(checkpoints.find_folder(BASE), controlnet, lora)


def find_hed() -> Path:
    """The soft edge detector's file. Raises WeightsError, never downloads."""
    return checkpoints.find_folder(HED) / HED.files[0].path
