"""A grid of colours in the ab plane, and soft classification over it.

The colour of a pixel is a distribution over the grid points ("bins") that sRGB can reach:
soft targets spread each colour over the four nearest points (bilinear), decoding takes the mean
of the distribution. After Zhang et al., "Colorful Image Colorization" (ECCV 2016), with bilinear
instead of Gaussian soft targets.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from colorize_core.imaging.color import rgb_to_lab


class AbBins(nn.Module):
    """`step`: grid spacing in Lab units. Buffers: `points` (Q, 2) in Lab units; `log_prior` (Q,),
    the log frequency of each bin in the training photographs (uniform until it is set)."""

    points: Tensor
    log_prior: Tensor
    lookup: Tensor

    def __init__(self, step: float):
        super().__init__()
        self.step = step
        self.reach = int(np.ceil(112 / step))  # grid indices run from -reach to reach
        self.side = 2 * self.reach + 1
        touched = self._find_srgb_cells()
        points = (np.argwhere(touched) - self.reach) * step
        every = (np.argwhere(np.ones_like(touched)) - self.reach) * step
        nearest = ((every[:, None] - points[None]) ** 2).sum(-1).argmin(1)
        self.register_buffer("points", torch.tensor(points, dtype=torch.float32))
        self.register_buffer("log_prior", torch.full((len(points),), -float(np.log(len(points)))))
        self.register_buffer("lookup", torch.tensor(nearest), persistent=False)

    def _find_srgb_cells(self) -> np.ndarray:
        levels = np.linspace(0, 1, 52)
        cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
        low = np.floor(rgb_to_lab(cube)[:, 1:] / self.step).astype(int) + self.reach
        touched = np.zeros((self.side, self.side), bool)
        for da, db in ((0, 0), (0, 1), (1, 0), (1, 1)):
            touched[low[:, 0] + da, low[:, 1] + db] = True
        return touched

    def __len__(self) -> int:
        return len(self.points)

    def make_soft_targets(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """ab (N, 2, H, W) in Lab units -> bin numbers and weights, both (N, 4, H, W)."""
        position = (ab / self.step + self.reach).clamp(0, self.side - 1.001)
        low = position.floor()
        fa, fb = (position - low).unbind(1)
        ia, ib = low.long().unbind(1)
        cell = ia * self.side + ib
        corners = torch.stack([cell, cell + 1, cell + self.side, cell + self.side + 1], 1)
        weights = torch.stack([(1 - fa) * (1 - fb), (1 - fa) * fb, fa * (1 - fb), fa * fb], 1)
        return self.lookup[corners], weights

    def decode(self, logits: Tensor, temperature: float = 1.0, rebalance: float = 0.0) -> Tensor:
        """Logits (N, Q, H, W) -> ab (N, 2, H, W) in Lab units.

        `temperature` below 1 sharpens the distribution before its mean is taken; `rebalance` in
        [0, 1] divides out the bins' prior frequencies (logit adjustment), which favours rare,
        saturated colours.
        """
        adjusted = logits.float() - rebalance * self.log_prior.view(1, -1, 1, 1)
        weights = torch.softmax(adjusted / temperature, dim=1)
        return torch.einsum("nqhw,qc->nchw", weights, self.points)
