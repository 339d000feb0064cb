"""Values that the originals of the ports gave, to compare ours with.

Nobody has published what the downloaded weights make of a photo that is at hand. So the originals'
own code was run once, in float32 on a CPU, with weights by a formula (make_tensors) and one photo
(make_photo), and gave the numbers below: a port that gives them computes what its original does.
Sums taken in another order are off by some 1e-6 of the largest value.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.ddcolor import TINY, DDColor
from colorize_core.networks.deoldify import STABLE, DeOldify
from colorize_core.networks.shuffle import NormedConv2d, SpectralConv1d, SpectralConv2d
from colorize_core.networks.zhang import Eccv16, Siggraph17


@dataclass(frozen=True)
class Reference:
    """`ask`: the network -> (1, C, 64, 96). `expected`: its values at (row, column), and `largest`
    of all; a deviation up to `tolerance` of that is rounding. `gain` is that of the weights."""

    original: str  # its repository and commit
    make: Callable[[], nn.Module]
    ask: Callable[[nn.Module], Tensor]
    gain: float
    expected: Mapping[tuple[int, int], tuple[float, ...]]
    largest: float
    tolerance: float = 1e-4

    def measure_deviation(self) -> float:
        """How far ours is off, at most, as a share of the largest value."""
        network = self.make().eval()
        network.load_state_dict(make_tensors(list_shapes(network), self.gain))
        with torch.inference_mode():
            found = self.ask(network)
        apart = [
            float((found[0, :, row, column] - torch.tensor(values)).abs().max())
            for (row, column), values in self.expected.items()
        ]
        apart.append(abs(float(found.abs().max()) - self.largest))
        return max(apart) / self.largest


def make_photo() -> Tensor:
    """(1, 1, 64, 96) in [0, 1], brighter to the right and below."""
    return (torch.linspace(0, 1, 64)[:, None] * torch.linspace(0.2, 1, 96))[None, None]


def make_hints() -> tuple[Tensor, Tensor]:
    """A purple square about the third of the places in ab, and its mask."""
    ab, mask = torch.zeros(1, 2, 64, 96), torch.zeros(1, 1, 64, 96)
    ab[0, :, 20:24, 40:44] = torch.tensor([60.0, -30.0])[:, None, None]
    mask[0, 0, 20:24, 40:44] = 1
    return ab, mask


def _ask_gray(network: nn.Module) -> Tensor:
    answer: Tensor = network(make_photo().expand(1, 3, -1, -1))
    return answer


def _ask_eccv16(network: nn.Module) -> Tensor:
    # The original ends with this upsampling, for which the shared path has a better one.
    return F.interpolate(network(100 * make_photo()), scale_factor=4, mode="bilinear")


def _ask_siggraph17(network: nn.Module, share: float) -> Tensor:
    ab, mask = make_hints()
    answer: Tensor = network(100 * make_photo(), share * ab, share * mask)
    return answer


ROOT2 = 2**0.5
ZHANG = "github.com/richzhang/colorization at 4f6009e"
DDCOLOR = Reference(
    "github.com/piddnad/DDColor at 2adb63f, its smaller trunk",
    lambda: DDColor(TINY),
    _ask_gray,
    1.0,
    {
        (0, 0): (0.340313, 0.571735),
        (0, 95): (0.140657, 0.364581),
        (31, 48): (-0.369887, -0.182916),
        (40, 7): (-0.050869, 0.157779),
        (63, 95): (-0.731779, -0.581659),
    },
    0.898415,
)
DEOLDIFY = Reference(
    "github.com/jantic/DeOldify at 5f86c28, its artistic generator",
    DeOldify,
    _ask_gray,
    ROOT2,
    {
        (0, 0): (0.689903, 0.528593, 0.414878),
        (0, 95): (0.702093, 0.528469, 0.550356),
        (22, 42): (0.733291, 0.51862, 0.390459),
        (40, 7): (0.740575, 0.520383, 0.394387),
        (63, 95): (0.589376, 0.485555, 0.198373),
    },
    0.782922,
    1e-5,  # without the scale of its attention it is off by 1e-4
)
DEOLDIFY_STABLE = Reference(
    "github.com/jantic/DeOldify at 5f86c28, its stable generator",
    lambda: DeOldify(STABLE),
    _ask_gray,
    ROOT2,
    {
        (0, 0): (0.48848, 0.635046, 0.524855),
        (0, 95): (0.567322, 0.500745, 0.496618),
        (22, 42): (0.778589, 0.406765, 0.616932),
        (40, 7): (0.716476, 0.400478, 0.490377),
        (63, 95): (0.686177, 0.505688, 0.49856),
    },
    0.868013,
    1e-5,
)
ECCV16 = Reference(
    ZHANG,
    Eccv16,
    _ask_eccv16,
    ROOT2,
    {
        (0, 0): (0.72733, 0.36942),
        (0, 95): (0.66685, 0.36175),
        (22, 42): (0.95631, 0.27096),
        (40, 7): (0.79214, 0.25262),
        (63, 95): (0.73215, 0.30529),
    },
    1.014597,
)
SIGGRAPH17 = Reference(
    f"{ZHANG}, without hints",
    Siggraph17,
    lambda network: _ask_siggraph17(network, 0),
    ROOT2,
    {
        (0, 0): (-17.96643, 19.2205),
        (0, 95): (-0.78877, 18.79496),
        (22, 42): (20.98273, 43.08641),
        (40, 7): (5.19387, 11.01992),
        (63, 95): (6.84762, 5.29576),
    },
    81.846596,
)
GUIDED = Reference(
    f"{ZHANG}, with hints",
    Siggraph17,
    lambda network: _ask_siggraph17(network, 1),
    ROOT2,
    {
        (0, 0): (-17.95772, 19.20715),
        (0, 95): (-0.80823, 18.80782),
        (22, 42): (8.85506, 55.97014),
        (40, 7): (5.1337, 11.15692),
        (63, 95): (6.8547, 5.2906),
    },
    81.802811,
)
# Model -> its network's. The wider trunk of DDColor was not run: the code is the same.
REFERENCES = {
    **dict.fromkeys(
        ("ddcolor-tiny", "ddcolor-paper", "ddcolor-modelscope", "ddcolor-artistic"), (DDCOLOR,)
    ),
    "deoldify-artistic": (DEOLDIFY,),
    "deoldify-stable": (DEOLDIFY_STABLE,),
    "ddcolor-deoldify": (DDCOLOR, DEOLDIFY),
    "siggraph17": (SIGGRAPH17, GUIDED),
    "eccv16": (ECCV16,),
}


def list_shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Name and shape of what a published file of this network holds."""
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name, module in network.named_modules():
        if isinstance(module, SpectralConv1d | SpectralConv2d):
            shape = found.pop(f"{name}.weight")
            found[f"{name}.weight_orig"] = shape
            found[f"{name}.weight_u"] = shape[:1]
            found[f"{name}.weight_v"] = (math.prod(shape[1:]),)
        if isinstance(module, NormedConv2d):
            shape = found.pop(f"{name}.weight")
            found |= {f"{name}.weight_g": (shape[0], 1, 1, 1), f"{name}.weight_v": shape}
    return found


def make_tensors(shapes: Mapping[str, tuple[int, ...]], gain: float = 1.0) -> dict[str, Tensor]:
    """A tensor for each name, from a generator that its name seeds, of a size that lets signals
    through a deep network neither fade nor burst; `gain` multiplies its weights."""
    tensors = {name: _make_tensor(name, shape, gain) for name, shape in shapes.items()}
    for name in [name for name in tensors if name.endswith("weight_orig")]:
        stem = name.removesuffix("orig")
        u, v = _find_singular(tensors[name].flatten(1), tensors[stem + "u"])
        tensors |= {stem + "u": u, stem + "v": v}
    return tensors


def _make_tensor(name: str, shape: tuple[int, ...], gain: float) -> Tensor:
    kind = name.rpartition(".")[2]
    if kind == "num_batches_tracked":
        return torch.tensor(1)
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    noise = torch.randn(shape, generator=generator)
    if kind == "running_var":
        return 1 + noise.abs() / 4
    if kind == "gamma" or (kind == "weight" and noise.ndim == 1):
        return 1 + noise / 10
    if noise.ndim < 2 or "embed.weight" in name or "feat.weight" in name:
        return noise if noise.ndim > 1 else noise / 10
    return gain * noise / float(noise[0].numel() ** 0.5)


def _find_singular(weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """What a few steps of the power method make of u, and v."""
    for _ in range(5):
        v = F.normalize(weight.T @ u, dim=0)
        u = F.normalize(weight @ v, dim=0)
    return u, v
