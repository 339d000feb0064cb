"""A conditional diffusion model: colours emerge from noise, other ones from other noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import SEED, Control, ModelCard, WeightFile
from colorize_core.models.sources import PHOTOGRAPHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from colorize_core.models.base import Draft, SampledColorizer

CARD = ModelCard(
    name="diffusion",
    title="Diffusion",
    summary="A denoising network that makes colours out of noise: another seed, other colours.",
    paper="Ho et al., Denoising Diffusion Probabilistic Models, NeurIPS 2020, "
    "https://arxiv.org/abs/2006.11239; the photo beside the noise as in Saharia et al., Palette, "
    "SIGGRAPH 2022, https://arxiv.org/abs/2111.05826",
    licence="Apache-2.0",
    parameters=0,
    weights=(WeightFile("diffusion/model.safetensors", "", 0),),
    trained_on=PHOTOGRAPHS,
    limits="",
    controls=(
        SEED,
        Control(
            "schedule", "Schedule", "How the noise grows.", "cosine", choices=("cosine", "linear")
        ),
        Control(
            "sampler",
            "Sampler",
            "DDIM takes few steps, ancestral all 300.",
            "DDIM",
            choices=("DDIM", "ancestral"),
        ),
        Control("steps", "Steps", "Of DDIM; more are finer and slower.", 25, 5, 100),
    ),
    network_side=128,
)


def load(device: str = "auto") -> SampledColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core import devices, weights
    from colorize_core.models.base import SampledColorizer
    from colorize_core.networks.diffusion_unet import CELL, DiffusionUNet, DiffusionUNetConfig

    path = weights.find(CARD.weights[0])
    network = weights.load_network(path, DiffusionUNet, DiffusionUNetConfig)
    return SampledColorizer(CARD, network, walk, devices.pick(device), multiple=4 * CELL)


def walk(
    network: Any, lightness: Tensor, seeds: Sequence[int], schedule: str, sampler: str, steps: int
) -> Iterator[Draft]:
    """What the picture is taken for after each step."""
    import torch

    from colorize_core.models.base import Draft
    from colorize_core.networks.noise import Noise

    noise = Noise(schedule)
    count = steps if sampler == "DDIM" else len(noise)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    drafts = network.sample(lightness, noise, None if sampler == "ancestral" else steps, generators)
    for number, ab in enumerate(drafts, 1):
        yield Draft(number / count, f"step {number} of {count}", ab)
