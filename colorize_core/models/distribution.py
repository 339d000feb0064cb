"""What a network that classifies tells of a photo: for each cell how likely each colour is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.networks.ab_bins import AbBins
from colorize_core.options import RANGES

# What vividness 0, 1 and 2 mean: (rebalance, temperature, lift). Chosen on the validation photos.
VIVIDNESS = ((0.0, 0.5, 0.0), (0.1, 0.5, 0.3), (0.3, 0.4, 0.5))
HOLD = 16.0  # Lab units around a colour within which what is likely counts for it
TURN, REACH = 7.5, 35.0  # of lift(), chroma in Lab units
# Of even_out(): cells to each side, standard deviations in cells and in L, spread that makes a cell
# count half, and the spreads at which it begins to be evened out and is so wholly.
EVEN_CELLS, EVEN_WIDTH, EVEN_L = 4, 3.0, 4.0
EVEN_HALF, EVEN_FROM, EVEN_TO = 5.0, 10.0, 18.0


@dataclass(frozen=True, eq=False)
class Distribution:
    """A Decoder: logits (1, Q, h, w) of a grid of colours, and what can be asked of them."""

    bins: AbBins
    logits: Tensor
    features: Tensor | None = None  # (1, C, h, w), what the network made them from
    known: tuple[Tensor, ...] | None = None  # what an encoder that sees L alone told of the photo
    level: Tensor | None = None  # (h, w), L of the cells, along which ab is evened out
    boost: float = 0.0  # share by which vividness is raised, as far as its range goes

    def __call__(self, vividness: float) -> Tensor:
        """ab (1, 2, h, w) in Lab units at a vividness in [0, 2]."""
        raised = min(vividness * (1 + self.boost), RANGES["vividness"][1])
        rebalance, temperature, amount = _interpolate(raised)
        ab = lift(self.bins.decode(self.logits, temperature, rebalance), amount)
        return ab if self.level is None else even_out(ab, self.measure_spread(), self.level)

    def pick(self, index: int, count: int) -> Distribution:
        """That of one photo, where this is of a batch of `count` that nothing was done with yet."""
        known = self.known and tuple(each[[index, index + count]] for each in self.known)
        features = None if self.features is None else self.features[[index]]
        return Distribution(self.bins, self.logits[[index]], features, known)

    def smooth_along(self, level: NDArray[np.float32]) -> Distribution:
        """The same, evened out along L (h, w) of the cells."""
        return replace(self, level=torch.from_numpy(level).to(self.logits.device))

    def compute_probabilities(self) -> Tensor:
        """(1, Q, h, w), summing to 1."""
        return torch.softmax(self.logits.float(), dim=1)

    def measure_spread(self) -> Tensor:
        """How far the colours that are likely lie apart, (1, 1, h, w) in Lab units: the root mean
        square distance from their mean."""
        shares, points = self.compute_probabilities(), self.bins.points
        mean = torch.einsum("nqhw,qc->nchw", shares, points)
        squares = torch.einsum("nqhw,q->nhw", shares, points.square().sum(1))
        return (squares - mean.square().sum(1)).clamp_min(0).sqrt()[:, None]

    def measure_share(self, ab: Tensor) -> Tensor:
        """How likely a colour near ab (1, 2, h, w), Lab units, is in each of as many cells of the
        first rows and columns: (1, 1, h, w)."""
        height, width = ab.shape[-2:]
        shares = self.compute_probabilities()[..., :height, :width]
        apart = (self.bins.points[None, :, :, None, None] - ab[:, None]).norm(dim=2)
        return (shares * (apart <= HOLD)).sum(1, keepdim=True)

    def describe(self) -> NDArray[np.float32]:
        """What the network makes of each cell, and what its encoder does: (C, h, w)."""
        if self.features is None or self.known is None:
            raise ValueError("a distribution of a whole photo is needed, as the network gives it")
        size = self.features.shape[-2:]
        known = F.interpolate(self.known[1][:1], size=size, mode="bilinear")
        both: NDArray[np.float32] = torch.cat([self.features, known], 1)[0].float().cpu().numpy()
        return both

    def mix(self, towards: Distribution, share: float | Tensor) -> Distribution:
        """A mean of the two, of the logarithms of their probabilities; `share` is one for all
        cells, or (1, 1, h, w)."""
        first, second = (torch.log_softmax(each.logits.float(), 1) for each in (self, towards))
        logits = first + share * (second - first)
        return Distribution(self.bins, logits, self.features, boost=self.boost)

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Distribution:
        """What is told of a part of the photo: `box` is left, top, right and bottom in cells;
        `size`: height and width in other cells."""
        left, top, right, bottom = box
        height, width = self.logits.shape[-2:]
        x = left + (torch.arange(size[1]) + 0.5) * ((right - left) / size[1])
        y = top + (torch.arange(size[0]) + 0.5) * ((bottom - top) / size[0])
        rows, cols = torch.meshgrid(2 * y / height - 1, 2 * x / width - 1, indexing="ij")
        grid = torch.stack([cols, rows], -1)[None].to(self.logits.device)
        told = F.grid_sample(
            torch.log_softmax(self.logits.float(), 1),
            grid,
            padding_mode="border",
            align_corners=False,
        )
        return Distribution(self.bins, told, boost=self.boost)


def even_out(ab: Tensor, spread: Tensor, level: Tensor) -> Tensor:
    """Blotches go where lightness gives no reason for them: what is unsure takes the colour of what
    is near, as light as it, and surer (a joint bilateral filter, weighted by the spread).

    ab (1, 2, h, w) and `spread` (1, 1, h, w) in Lab units, `level` (h, w) L of the cells.
    """
    height, width = level.shape
    pads = (EVEN_CELLS,) * 4
    planes = F.pad(torch.cat([ab, spread, level[None, None]], 1), pads, mode="replicate")
    total, weights = torch.zeros_like(ab), torch.zeros_like(spread)
    for down, across in product(range(2 * EVEN_CELLS + 1), repeat=2):
        near = planes[..., down : down + height, across : across + width]
        distance = (down - EVEN_CELLS) ** 2 + (across - EVEN_CELLS) ** 2
        unlike = (near[:, 3:] - level).square() / (2 * EVEN_L**2)
        alike = torch.exp(-distance / (2 * EVEN_WIDTH**2) - unlike)
        weight = alike / (near[:, 2:3].square() + EVEN_HALF**2)
        total += weight * near[:, :2]
        weights += weight
    share = ((spread - EVEN_FROM) / (EVEN_TO - EVEN_FROM)).clamp(0, 1)
    return torch.lerp(ab, total / weights, share)


def lift(ab: Tensor, amount: float) -> Tensor:
    """A contrast curve of chroma: what is nearly gray (below TURN) becomes grayer, the middle more
    colourful, and what is vivid already (beyond REACH) stays as it is, hints among it.

    The mean of a distribution understates chroma wherever hues disagree. Raising it all alike costs
    more in CIEDE2000 than it gives; raising only the middle gives the same colourfulness for less.
    """
    chroma = ab.norm(dim=1, keepdim=True)
    middle = (-((chroma / REACH) ** 2)).exp()
    return ab * (1 + amount * (chroma / TURN - 1) * middle)


def _interpolate(vividness: float) -> list[float]:
    """The settings at a vividness in [0, 2], linear between the three that are stated."""
    low = min(int(vividness), 1)
    share = vividness - low
    pairs = zip(VIVIDNESS[low], VIVIDNESS[low + 1], strict=True)
    return [first + share * (second - first) for first, second in pairs]
