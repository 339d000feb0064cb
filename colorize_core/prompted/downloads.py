"""What prompted colorization downloads, for the list of all downloads."""

from __future__ import annotations

from colorize_core.downloads.catalogue import Download, from_hub
from colorize_core.prompted.sources import BASE, CAPTIONER, CONTROLNETS, FAST, FLUX, HED, Source


def _of(name: str, source: Source) -> Download:
    files = {file.name: file.bytes for file in source.files}
    return from_hub(name, source.title, source.licence, source.repo, files, source.revision)


DOWNLOADS = (
    _of("stable-diffusion", BASE),
    *(_of(f"controlnet-{name}", source) for name, source in CONTROLNETS.items()),
    _of("hed", HED),
    _of("lcm-lora", FAST),
    _of("flux2-klein", FLUX),
    _of("blip", CAPTIONER),
)
