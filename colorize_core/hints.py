"""Colour hints: what the network is shown of them, and how far their colour spreads.

The network is told the hinted colours where they are and decides what belongs to them. What it
leaves short of the wish is made up for here: the hint's colour spreads over cells of like L, as in
Levin, Lischinski and Weiss, "Colorization using Optimization" (2004), and dies out with distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.errors import OptionError

LIKENESS = 8.0  # L: standard deviation of what counts as alike between neighbours
SCREENING = 0.002  # 1 / SCREENING ** 0.5 cells is how far a colour reaches where L does not change
SWEEPS = 250  # of the relaxation: about as many cells as a colour can travel


@dataclass(frozen=True)
class Hint:
    """A wish for one place: at (x, y) of the photo in [0, 1] from its top left corner, within
    `radius` (a share of the photo's longer side), the colour is `ab` in Lab units."""

    x: float
    y: float
    ab: tuple[float, float]
    radius: float = 0.01

    def __post_init__(self) -> None:
        for name, value in (("x", self.x), ("y", self.y), ("radius", self.radius)):
            if not 0 <= value <= 1:
                raise OptionError(f"hint {name} is {value}, allowed is 0 to 1.")
        if not all(-128 <= value <= 128 for value in self.ab):
            raise OptionError(f"hint ab is {self.ab}, allowed is -128 to 128 each.")


def draw_hints(
    hints: Sequence[Hint], shape: Sequence[int], inside: tuple[int, int]
) -> NDArray[np.float32]:
    """Hints -> (3, H, W): a, b and a mask on the network's input; the photo fills `inside`."""
    planes = np.zeros((3, *shape), np.float32)
    for hint in hints:
        row, col = int(hint.y * (inside[0] - 1) + 0.5), int(hint.x * (inside[1] - 1) + 0.5)
        reach = max(1, round(hint.radius * max(inside)))
        rows = slice(max(0, row - reach), row + reach + 1)
        cols = slice(max(0, col - reach), col + reach + 1)
        planes[0, rows, cols], planes[1, rows, cols] = hint.ab
        planes[2, rows, cols] = 1
    return planes


def spread(
    ab: Tensor, hints: Sequence[Hint], lightness: NDArray[Any], cells: tuple[float, float]
) -> Tensor:
    """Predicted ab (1, 2, h, w) with every hint's colour mixed in over what is like its place.

    `lightness` (h, w) of the cells; `cells`: height and width of the photo in cells.
    """
    level = torch.from_numpy(lightness).to(ab)
    shares = torch.stack([_influence(level, *_cell(hint, level.shape, cells)) for hint in hints])
    shares = shares / shares.sum(0).clamp_min(1)
    wanted = torch.tensor([hint.ab for hint in hints]).to(ab)
    mixed = torch.einsum("khw,kc->chw", shares, wanted)
    return ab * (1 - shares.sum(0)) + mixed


def _cell(hint: Hint, shape: Sequence[int], cells: tuple[float, float]) -> tuple[int, int]:
    return min(int(hint.y * cells[0]), shape[0] - 1), min(int(hint.x * cells[1]), shape[1] - 1)


def _influence(level: Tensor, row: int, col: int) -> Tensor:
    """How much each cell (h, w) belongs to the one hinted, in [0, 1]: a screened diffusion."""
    down = torch.exp(-0.5 * ((level[1:] - level[:-1]) / LIKENESS) ** 2)
    right = torch.exp(-0.5 * ((level[:, 1:] - level[:, :-1]) / LIKENESS) ** 2)
    total = torch.full_like(level, SCREENING)
    total[1:] += down
    total[:-1] += down
    total[:, 1:] += right
    total[:, :-1] += right
    share = torch.zeros_like(level)
    share[row, col] = 1
    for _ in range(SWEEPS):
        flow = torch.zeros_like(level)
        flow[1:] += down * share[:-1]
        flow[:-1] += down * share[1:]
        flow[:, 1:] += right * share[:, :-1]
        flow[:, :-1] += right * share[:, 1:]
        share = flow / total
        share[row, col] = 1
    return 1 - (1 - share) ** 2  # a point's influence falls steeply: let it fill its surroundings
