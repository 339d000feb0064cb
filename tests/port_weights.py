"""Weights as published files name and shape them, by the formula of references.py, and small models
of them."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import colorize_core
from colorize_core.acceptance.references import list_shapes, make_tensors
from colorize_core.downloads import checkpoints
from colorize_core.models.blending import Blend
from colorize_core.networks import ddcolor, deoldify, zhang
from colorize_core.networks.ddcolor import DDColorConfig

stand_ins, shapes = make_tensors, list_shapes

SMALL_DDCOLOR = DDColorConfig((1, 1, 1, 1), (8, 8, 16, 16), 32, 5, 3, 16, 2, 32)
SMALL = {
    ddcolor: SMALL_DDCOLOR,
    zhang: zhang.ZhangConfig(width=8),
    deoldify: deoldify.DeOldifyConfig((1, 1, 1, 1), 8),
}
# What makes colours of these stand-ins vivid: u is divided by, with the singular value.
LAST = {"refine_net.0.0.weight_u": 1 / 40, "model_out.weight": 10}

MEMBERS = {"ddcolor-deoldify": ("ddcolor-modelscope", "deoldify-artistic")}  # of two networks


def _kind(name: str) -> tuple[type[nn.Module], ModuleType, str]:
    """The network of a model of that name, and where its module has the configuration."""
    if name == "eccv16":
        return zhang.Eccv16, zhang, "FULL"
    if name == "siggraph17":
        return zhang.Siggraph17, zhang, "FULL"
    if name.startswith("deoldify"):
        return deoldify.DeOldify, deoldify, name.removeprefix("deoldify-").upper()
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


def see_less(model: Any, side: int) -> Any:
    """The same model, whose networks see at most side x side pixels of a photo."""
    seeing = copy.copy(model)
    seeing.card = replace(model.card, network_side=min(side, model.card.network_side))
    if isinstance(model, Blend):
        seeing.members = tuple(see_less(member, side) for member in model.members)
    return seeing


def _write_small(name: str, folder: Path) -> Path:
    network, module, _ = _kind(name)
    path = folder / f"{name}.pth"
    tensors = stand_ins(shapes(network(SMALL[module])), 2**0.5)
    for last, times in LAST.items():
        if last in tensors:
            tensors[last] *= times
    torch.save(tensors, path)
    return path
