"""The models that draw from a prompt, each with what to know before it is chosen. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from colorize_core.prompted import memory
from colorize_core.prompted.settings import CONTROLS, PROMPT, QUICK, PromptSettings
from colorize_core.prompted.sources import list_needed
from colorize_core.sizes import format_size

HALF = 2  # bytes of a number on a GPU
EVERY = tuple(control.name for control in CONTROLS)


@dataclass(frozen=True)
class Card:
    """One model. Its defaults are for PromptSettings; `controls` are the names of those CONTROLS
    that count for it."""

    name: str
    title: str
    about: str
    paper: str  # an address
    prompt: str
    steps: int
    guidance: float
    conditions: bool  # whether a ControlNet shows it the photo, else it gets the photo itself
    controls: tuple[str, ...] = EVERY
    negative: bool = True  # whether a negative prompt counts
    fast: bool = True  # whether there is LCM-LoRA for it
    multiple: int = 8  # pixels by which both sides can be divided
    shortest: int = 8  # pixels of the shorter side, at least
    widest: float = 16.0  # most that the longer side is of the shorter
    largest: int = 1024  # side of the largest square

    @property
    def defaults(self) -> dict[str, Any]:
        """What to set when it is chosen, by names of PromptSettings."""
        return {
            "model": self.name,
            "prompt": self.prompt,
            "steps": self.steps,
            "guidance": self.guidance,
        }

    @property
    def licence(self) -> str:
        """Of all that it needs to begin with."""
        return ", ".join(dict.fromkeys(source.licence for source in self._needed))

    @property
    def bytes(self) -> int:
        """To download, to begin with."""
        return sum(source.bytes for source in self._needed)

    def estimate_memory(self, pixels: int = 512 * 512) -> memory.Need:
        """Bytes on a GPU for a picture of `pixels`, by the sizes of the files."""
        return memory.estimate_download(self._needed, HALF, pixels)

    @property
    def line(self) -> str:
        """Title, memory, download and licence, to be shown beside the choice."""
        need = self.estimate_memory()
        whole, one = (format_size(part + need.work) for part in (need.weights, need.largest))
        return (
            f"{self.title}: about {whole} of GPU memory at 512 x 512, or "
            f"{one} with {format_size(need.weights)} of RAM beside it; "
            f"download {format_size(self.bytes)}; licence {self.licence}. {self.about}"
        )

    @property
    def _needed(self) -> Any:
        return list_needed(PromptSettings(model=self.name))


MODELS = {
    card.name: card
    for card in (
        Card(
            "sd15",
            "Stable Diffusion 1.5 with ControlNet",
            "Draws a new picture along the photo's edges or brightness.",
            "https://arxiv.org/abs/2302.05543",
            PROMPT,
            int(QUICK["steps"]),
            QUICK["guidance"],
            conditions=True,
        ),
        Card(
            "flux2-klein",
            "FLUX.2 [klein] 4B",
            "Edits the photo itself as the prompt tells it to. Its authors name 13 GB of GPU "
            "memory.",
            "https://bfl.ai/blog/flux2-klein-towards-interactive-visual-intelligence",
            "Colorize this black and white photograph in natural, realistic colors. Change nothing "
            "else.",
            steps=4,
            guidance=1.0,  # distilled: it takes none
            conditions=False,
            controls=("steps", "seed", "variants", "side"),
            negative=False,
            fast=False,
            multiple=16,
            shortest=64,
            # Its pipeline refuses more than 8, and reduces and cuts pictures beyond 1024 x 1024:
            # rounding stays clear of both.
            widest=7.0,
            largest=1000,
        ),
    )
}
