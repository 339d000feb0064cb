"""Models that draw their colours, with small random networks, and two that do not.

What the app does with them needs no training.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

import colorize_core
from colorize_core.models import autochrome, coltran, diffusion, unet
from colorize_core.models.base import SampledColorizer
from colorize_core.networks.coltran import ColTran, StagesConfig
from colorize_core.networks.diffusion_unet import DiffusionUNet, DiffusionUNetConfig

COLTRAN = replace(coltran.CARD, network_side=32)
DIFFUSION = replace(diffusion.CARD, network_side=32)
STUDENT = replace(unet.CARDS["unet-gan"], name="student", title="Student", beside="autochrome")
CARDS = (autochrome.CARD, COLTRAN, DIFFUSION, STUDENT)


def load(name: str, pause: float = 0.0) -> Any:
    """The model of that name; one that draws waits so many seconds after each step."""
    torch.manual_seed(0)
    device = torch.device("cpu")

    def slowly(walk: Any) -> Any:
        def steps(*arguments: Any, **controls: Any) -> Iterator[Any]:
            for draft in walk(*arguments, **controls):
                time.sleep(pause)
                yield draft

        return steps

    if name == COLTRAN.name:
        stages = ColTran(StagesConfig(widths=(32, 32, 32), blocks=(1, 1, 1), side=24))
        return SampledColorizer(COLTRAN, stages, slowly(coltran.walk), device, multiple=4)
    if name == DIFFUSION.name:
        network = DiffusionUNet(DiffusionUNetConfig(width=8))
        return SampledColorizer(DIFFUSION, network, slowly(diffusion.walk), device, multiple=16)
    if name == STUDENT.name:
        student = colorize_core.load("unet-gan", device="cpu")
        student.card = STUDENT
        return student
    return colorize_core.load(name, device="cpu")
