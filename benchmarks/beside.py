"""A port beside its original: the same weights and photos on both sides, timed in turn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import colorize_core
from benchmarks.options import make_parser
from benchmarks.speed import paired, photo, row
from colorize_core import devices
from colorize_core.models import ports
from colorize_core.models.base import AbColorizer

PHOTOS = ((768, 1024), (3000, 4000))  # height, width
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Pair:
    title: str
    card: str
    network: nn.Module  # ours, of float32, in evaluation mode, as the original
    original: nn.Module
    inputs: Callable[[int], tuple[tuple[Tensor, ...], tuple[Tensor, ...]]]  # of a side, for each
    side: int  # that the original shows its network
    pipeline: Callable[[NDArray[Any]], Any]  # the original's, from sRGB (H, W, 3)
    whole: str  # what its authors call that
    adapter: Callable[..., Any]
    multiple: int
    cell: int


def compare(pair: Pair, runs: int, commit: str) -> list[dict[str, Any]]:
    """Network and pipeline in float32, and in what the machine is faster with if it is."""
    rows = []
    card = next(card for card in colorize_core.cards(downloads=True) if card.name == pair.card)
    for precision in dict.fromkeys((torch.float32, devices.choose_precision(CPU))):
        network = ports.set_precision(deepcopy(pair.network), precision)
        title = pair.title + ("" if precision == torch.float32 else " in bfloat16")
        rows.append(alone(pair, network, runs, title, commit))
        model = AbColorizer(
            card, network, pair.adapter, CPU, multiple=pair.multiple, cell=pair.cell
        )
        for height, width in PHOTOS:
            rgb = cv2.cvtColor(photo(height, width), cv2.COLOR_GRAY2RGB)
            times = paired(
                lambda rgb=rgb, model=model: model.colorize(rgb),
                lambda rgb=rgb: pair.pipeline(rgb),
                runs,
            )
            against = f"its own {pair.whole} at {commit}"
            rows.append(row(f"{title}, {width} x {height}", *times, against))
    threads = {"threads": torch.get_num_threads()}
    return [{"relative_error": ""} | line | threads for line in rows]


@torch.inference_mode()
def alone(pair: Pair, network: nn.Module, runs: int, title: str, commit: str) -> dict[str, Any]:
    """The two networks at one size, and how far apart their ab is, of the largest value."""
    for_ours, for_theirs = pair.inputs(pair.side)
    ours, theirs = network(*for_ours), pair.original(*for_theirs)
    if ours.shape != theirs.shape:  # what ours leaves to the shared path
        ours = nn.functional.interpolate(ours, theirs.shape[-2:], mode="bilinear")
    error = float((ours - theirs).abs().max() / theirs.abs().max())
    times = paired(lambda: network(*for_ours), lambda: pair.original(*for_theirs), runs)
    what = f"{title}, the network alone, {pair.side} x {pair.side}"
    return {"relative_error": f"{error:.1e}"} | row(what, *times, f"the original's at {commit}")


def arguments(text: str | None) -> tuple[int, str]:
    """How many runs the command line asks for, and the commit of the clone that it names, which can
    be imported from then."""
    parser = make_parser(text, runs=9)
    parser.add_argument("folder", type=Path, metavar="DIR")
    given = parser.parse_args()
    sys.path.insert(0, str(given.folder))
    sys.dont_write_bytecode = True  # the clone stays as it is
    command = ["git", "-C", str(given.folder), "rev-parse", "--short=7", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return given.runs, found.stdout.strip()
