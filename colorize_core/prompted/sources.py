"""Which downloads prompted colorization needs, and where they are. Nothing is downloaded here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS, Download
from colorize_core.prompted import lora
from colorize_core.prompted.settings import CONDITIONS, FIRST, PromptSettings

BASE = DOWNLOADS["stable-diffusion"]
CONTROLNETS = {name: DOWNLOADS[f"controlnet-{name}"] for name in CONDITIONS}
HED = DOWNLOADS["hed"]
FAST = DOWNLOADS["lcm-lora"]
FLUX = DOWNLOADS["flux2-klein"]
CAPTIONER = DOWNLOADS["blip"]
EVERY = (BASE, *CONTROLNETS.values(), HED, FAST, FLUX, CAPTIONER)


def list_needed(settings: PromptSettings) -> tuple[Download, ...]:
    """What has to be here to draw with these settings."""
    more = [lora.find(settings.lora)] if settings.lora else []
    if settings.start and settings.first != FIRST[0]:  # which is bundled
        more.append(DOWNLOADS[settings.first])
    if settings.model == "flux2-klein":
        return (FLUX, *more)
    if settings.fast:
        more.insert(0, FAST)
    if settings.condition == "softedge":
        more.insert(0, HED)
    return (BASE, CONTROLNETS[settings.condition], *more)


def list_missing(wanted: Iterable[Download]) -> tuple[Download, ...]:
    """What of these is not in the Hub's cache, each with those files alone; asks nobody."""
    reduced = (replace(each, files=checkpoints.list_missing(each.files)) for each in wanted)
    return tuple(each for each in reduced if each.files)


@dataclass(frozen=True)
class Folders:
    """Where the parts of a pipeline are."""

    base: Path
    controlnet: Path | None  # None: of a model that takes none
    fast: Path | None  # the file of LCM-LoRA
    lora: Path | None = None  # the file of another LoRA


def find_folders(settings: PromptSettings) -> Folders:
    """What these settings need, from the Hub's cache. Raises WeightsError, never downloads."""
    own = _find_lora(settings.lora) if settings.lora else None
    if settings.model == "flux2-klein":
        return Folders(checkpoints.find_folder(FLUX), None, None, own)
    fast = checkpoints.find_folder(FAST) / FAST.files[0].path if settings.fast else None
    controlnet = checkpoints.find_folder(CONTROLNETS[settings.condition])
    return Folders(checkpoints.find_folder(BASE), controlnet, fast, own)


def _find_lora(name: str) -> Path:
    return checkpoints.find_folder(lora.find(name)) / lora.parse(name).file


def find_hed() -> Path:
    """The soft edge detector's file. Raises WeightsError, never downloads."""
    return checkpoints.find_folder(HED) / HED.files[0].path
