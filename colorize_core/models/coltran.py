"""ColTran: three transformers that draw coarse colours pixel by pixel and make them fine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorize_core.cards import SEED, Control, ModelCard, WeightFile
from colorize_core.models.cards import PHOTOGRAPHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from colorize_core.models.base import SampledAb, SampledColorizer

STAGES = ("coarse", "fine", "final")
CARD = ModelCard(
    name="coltran",
    title="ColTran",
    summary="A transformer that draws coarse colours pixel by pixel, and two that refine them: "
    "another seed, other colours.",
    paper="Kumar, Weissenborn and Kalchbrenner, Colorization Transformer, ICLR 2021, "
    "https://arxiv.org/abs/2102.04432",
    licence="Apache-2.0",
    parameters=3_708_800,
    weights=(
        WeightFile(
            "coltran/model.safetensors",
            "d5c78db9dd1b399e4c64d00864661e42d4219cceedd273cc3bc4111ae93ac2a8",
            7444864,
        ),
    ),
    trained_on=PHOTOGRAPHS,
    limits="Narrower than the original and trained on far fewer photographs: people often stay "
    "nearly gray, a place may come out in a foreign colour, and high temperatures leave blotches.",
    controls=(
        SEED,
        Control(
            "guidance",
            "Guidance",
            "How much the colours follow the photo; high is bold.",
            1.5,
            1.0,
            3.0,
            0.25,
        ),
        Control(
            "parallel",
            "Photo alone",
            "Low: each colour goes on from those drawn before it. High: each by itself.",
            0.3,
            0.0,
            1.0,
            0.05,
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
            "stage",
            "Stage",
            "Which of the three networks has the last word.",
            "final",
            choices=STAGES,
        ),
    ),
    network_side=96,
)
CARDS = {CARD.name: CARD}


def load(name: str = CARD.name, device: str = "auto") -> SampledColorizer:
    """Raises WeightsError or DeviceError."""
    from colorize_core import devices
    from colorize_core.downloads import checkpoints
    from colorize_core.models.base import SampledColorizer
    from colorize_core.networks.coltran import SCALE, ColTran, StagesConfig

    network = checkpoints.load_network(checkpoints.find(CARD.weights[0]), ColTran, StagesConfig)
    return SampledColorizer(CARD, network, walk, devices.pick(device), multiple=SCALE)


def walk(
    network: Any,
    lightness: Tensor,
    seeds: Sequence[int],
    guidance: float,
    parallel: float,
    temperature: float,
    stage: str,
) -> Iterator[SampledAb]:
    """The coarse colours after each row, then what the upsamplers make of them."""
    import torch

    from colorize_core.models.base import SampledAb
    from colorize_core.networks.coltran import SCALE, SamplingOptions, compute_ab, to_middle

    rows, columns = (side // SCALE for side in lightness.shape[2:])
    chances = torch.stack(
        [torch.rand(rows, columns, generator=torch.Generator().manual_seed(s)) for s in seeds]
    )
    gray = network.colorizer.choose_gray(lightness)
    drawing = SamplingOptions(temperature, guidance, parallel)
    drawn = network.colorizer.sample(gray, chances.to(gray.device), drawing)
    for row, colours in enumerate(drawn):
        ab = compute_ab(to_middle(colours), lightness)
        ab[:, :, row + 1 :] = 0  # not drawn yet
        yield SampledAb(0.9 * (row + 1) / rows, STAGES[0], ab)
    painting = network.paint(lightness, colours)
    for number, name in enumerate(STAGES[: STAGES.index(stage) + 1]):
        share = 1.0 if name == stage else 0.93 + 0.03 * number
        yield SampledAb(share, name, compute_ab(getattr(painting, name), lightness))
