"""A conditional diffusion model: colours emerge from noise, other ones from other noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import SEED, Control, ModelCard, WeightFile
from colorize_core.models.cards import PHOTOGRAPHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from colorize_core.models.base import SampledAb, SampledColorizer

CARD = ModelCard(
    name="diffusion",
    title="Diffusion",
    summary="A denoising network that makes colours out of noise: another seed, other colours.",
    paper="Ho et al., Denoising Diffusion Probabilistic Models, NeurIPS 2020, "
    "https://arxiv.org/abs/2006.11239; the photo beside the noise as in Saharia et al., Palette, "
    "SIGGRAPH 2022, https://arxiv.org/abs/2111.05826",
    licence="Apache-2.0",
    parameters=3_882_890,
    weights=(
        WeightFile(
            "diffusion/model.safetensors",
            "f59f207744c8591ae42c04696bd3269498b80207d9da664631b91b3d0cf746c3",
            7781500,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="A narrower network than the original's, trained on far fewer photographs: it prefers "
    "warm colours, grass comes out brown more often than green; high temperatures leave blotches.",
    controls=(
        SEED,
        Control(
            "guidance",
            "Guidance",
            "How much the colours follow the photo; high is bold.",
            2.0,
            1.0,
            5.0,
            0.25,
        ),
        Control(
            "temperature",
            "Temperature",
            "Low: what is most likely. High: what is rare, too.",
            0.8,
            0.1,
            1.2,
            0.05,
        ),
        Control(
            "schedule", "Schedule", "How the noise grows.", "cosine", choices=("cosine", "linear")
        ),
        Control(
            "sampler",
            "Sampler",
            "DDIM takes few steps, ancestral all of some 300.",
            "DDIM",
            choices=("DDIM", "ancestral"),
        ),
        Control("steps", "Steps", "Of DDIM; more are finer and slower.", 25, 5, 100),
    ),
    network_side=128,
)
CARDS = {CARD.name: CARD}


def load(name: str = CARD.name, device: str = "auto") -> SampledColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core import devices
    from colorize_core.downloads import checkpoints
    from colorize_core.models.base import SampledColorizer
    from colorize_core.networks.diffusion_unet import CELL, DiffusionUNet, DiffusionUNetConfig

    path = checkpoints.find(CARD.weights[0])
    network = checkpoints.load_network(path, DiffusionUNet, DiffusionUNetConfig)
    return SampledColorizer(CARD, network, walk, devices.pick(device), multiple=4 * CELL)


def walk(
    network: Any,
    lightness: Tensor,
    seeds: Sequence[int],
    guidance: float,
    temperature: float,
    schedule: str,
    sampler: str,
    steps: int,
) -> Iterator[SampledAb]:
    """What the picture is taken for after each step."""
    import torch

    from colorize_core.models.base import SampledAb
    from colorize_core.networks.noise import Noise

    noise, walked = Noise(schedule), steps if sampler == "DDIM" else None
    count = len(noise.walk(walked))
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    drawn = network.sample(lightness, noise, walked, generators, guidance, temperature)
    for number, ab in enumerate(drawn, 1):
        yield SampledAb(number / count, f"step {number} of {count}", ab)
