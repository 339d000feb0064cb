"""Weights as published files name and shape them, by a formula: the same here as wherever the
original of a port runs."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import colorize_core
from colorize_core.downloads import checkpoints
from colorize_core.networks import ddcolor, deoldify, zhang
from colorize_core.networks.ddcolor import DDColorConfig
from colorize_core.networks.shuffle import NormedConv2d, SpectralConv1d, SpectralConv2d

SMALL_DDCOLOR = DDColorConfig((1, 1, 1, 1), (8, 8, 16, 16), 32, 5, 3, 16, 2, 32)
SMALL = {
    ddcolor: SMALL_DDCOLOR,
    zhang: zhang.ZhangConfig(width=8),
    deoldify: deoldify.DeOldifyConfig((1, 1, 1, 1), 8),
}
# What makes colours of these stand-ins vivid: u is divided by, with the singular value.
LAST = {"refine_net.0.0.weight_u": 1 / 40, "model_out.weight": 10}

MEMBERS = {"ddcolor-deoldify": ("ddcolor-modelscope", "deoldify-artistic")}  # of two networks


def stand_ins(shapes: Mapping[str, tuple[int, ...]], gain: float = 1.0) -> dict[str, Tensor]:
    """A tensor for each name, from a generator that its name seeds, of a size that lets signals
    through a deep network neither fade nor burst; `gain` multiplies its weights."""
    tensors = {name: _stand_in(name, shape, gain) for name, shape in shapes.items()}
    for name in [name for name in tensors if name.endswith("weight_orig")]:
        stem = name.removesuffix("orig")
        u, v = _singular(tensors[name].flatten(1), tensors[stem + "u"])
        tensors |= {stem + "u": u, stem + "v": v}
    return tensors


def _stand_in(name: str, shape: tuple[int, ...], gain: float) -> Tensor:
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
    return gain * noise / noise[0].numel() ** 0.5


def _singular(weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """What a few steps of the power method make of u, and v."""
    for _ in range(5):
        v = nn.functional.normalize(weight.T @ u, dim=0)
        u = nn.functional.normalize(weight @ v, dim=0)
    return u, v


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
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


def _kind(name: str) -> tuple[type[nn.Module], ModuleType, str]:
    """The network of a model of that name, and where its module has the configuration."""
    if name == "eccv16":
        return zhang.Eccv16, zhang, "FULL"
    if name == "siggraph17":
        return zhang.Siggraph17, zhang, "FULL"
    if name == "deoldify-artistic":
        return deoldify.DeOldify, deoldify, "ARTISTIC"
    return ddcolor.DDColor, ddcolor, "TINY" if name == "ddcolor-tiny" else "LARGE"


def full_network(name: str) -> nn.Module:
    """The network that a model of that name is, without memory for its weights."""
    if name in MEMBERS:
        return nn.ModuleList(full_network(each) for each in MEMBERS[name])
    network, module, config = _kind(name)
    with torch.device("meta"):
        return network(getattr(module, config))


def small_model(name: str, folder: Path) -> Any:
    """The model of that name on the CPU, loaded as from its published files, but of small networks
    and with vivid stand-ins for weights."""
    cards = {card.name: card for card in colorize_core.cards(downloads=True)}
    names = MEMBERS.get(name, (name,))
    paths = {cards[each].weights[0]: _write_small(each, folder) for each in names}
    with pytest.MonkeyPatch.context() as patch:
        for each in names:
            _, module, config = _kind(each)
            patch.setattr(module, config, SMALL[module])
        patch.setattr(checkpoints, "find", paths.__getitem__)
        return colorize_core.load(name, "cpu")


def _write_small(name: str, folder: Path) -> Path:
    network, module, _ = _kind(name)
    path = folder / f"{name}.pth"
    tensors = stand_ins(shapes(network(SMALL[module])), 2**0.5)
    for last, times in LAST.items():
        if last in tensors:
            tensors[last] *= times
    torch.save(tensors, path)
    return path
