"""How the built-in model is trained: calibrated soft classification over ab, with hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.color import lab_to_rgb, lab_to_rgb_in_gamut, rgb_to_lab
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.metrics.psnr import psnr
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.training.aging import age
from colorize_core.training.engine import Recipe
from colorize_core.training.hints import recolour_objects, simulate_hints
from colorize_core.training.losses import soft_bin_cross_entropy


@dataclass(frozen=True)
class AutochromeRecipe(Recipe):
    hinted: float = 0.45  # share of the photographs that get simulated hints
    recoloured: float = 0.65  # of those, the share with one region in a foreign colour
    aged: float = 0.35  # share whose L is faded, blurred or grained
    sides: tuple[int, ...] = (64, 96, 128)  # training sizes, smallest first
    until: tuple[float, ...] = (0.55, 0.8, 1.0)  # progress at which each size ends
    least_scale: float = 0.55  # smallest random crop, edge over edge
    outer = ("stem", "head")

    def network(self) -> nn.Module:
        return Autochrome(AutochromeConfig())

    def prepare(self, network: Any, photos: Tensor) -> None:
        """Measure how frequent each bin is in the training photographs."""
        sample = photos[:: max(1, len(photos) // 2000)].float() / 255
        counts = torch.zeros(len(network.bins))
        for batch in sample.split(200):
            bins, weights = network.bins.soft_targets(F.avg_pool2d(rgb_to_lab(batch, 1)[:, 1:], 4))
            counts.index_add_(0, bins.flatten(), weights.flatten())
        smoothed = (counts + 1) / (counts + 1).sum()
        network.bins.log_prior.copy_(smoothed.log())

    def side(self, progress: float) -> int:
        return next(s for s, end in zip(self.sides, self.until, strict=True) if progress <= end)

    def loss(self, network: Any, photos: Tensor) -> dict[str, Tensor]:
        lab = rgb_to_lab(photos, 1)
        hint_ab, hint_mask = torch.zeros_like(lab[:, 1:]), torch.zeros_like(lab[:, :1])
        hinted = (torch.rand(len(lab), device=lab.device) < self.hinted).nonzero()[:, 0]
        if len(hinted):
            lab[hinted], points = recolour_objects(lab[hinted], self.recoloured)
            hint_ab[hinted], hint_mask[hinted] = simulate_hints(lab[hinted, 1:], points)
        logits = network(age(lab[:, :1], self.aged), hint_ab, hint_mask)
        target = F.avg_pool2d(lab[:, 1:], 4)
        bare = network.module if hasattr(network, "module") else network  # DDP wraps it
        return {"loss": soft_bin_cross_entropy(logits, *bare.bins.soft_targets(target))}

    @torch.no_grad()
    def colorize(self, network: Any, photos: Tensor) -> Tensor:
        """The plainest decoding, for reading progress: photos (N, 3, H, W) in [0, 1] -> same."""
        lab = rgb_to_lab(photos, 1)
        none = torch.zeros_like(lab[:, :1])
        logits = network(lab[:, :1], none.expand(-1, 2, -1, -1), none)
        ab = network.bins.decode(logits, temperature=0.8)
        ab = F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)
        return lab_to_rgb_in_gamut(torch.cat([lab[:, :1], ab], 1), 1)

    def evaluate(self, network: Any, photos: Tensor) -> dict[str, float]:
        rows = [
            (psnr(picture, truth), ciede2000(picture, truth), colourfulness(picture))
            for batch in photos.split(50)
            for picture, truth in zip(
                _pictures(self.colorize(network, batch)), _pictures(batch), strict=True
            )
        ]
        names = ("psnr", "ciede2000", "colourfulness")
        return {name: float(value) for name, value in zip(names, np.mean(rows, 0), strict=True)}

    def sheet(self, network: Any, photos: Tensor) -> list[list[np.ndarray]]:
        """Rows of gray, result and truth."""
        lab = rgb_to_lab(photos, 1)
        lab[:, 1:] = 0
        columns = (lab_to_rgb(lab, 1).clamp(0, 1), self.colorize(network, photos), photos)
        return [list(row) for row in zip(*map(_pictures, columns), strict=True)]


def _pictures(batch: Tensor) -> np.ndarray:
    return (batch.permute(0, 2, 3, 1) * 255).round().byte().cpu().numpy()


RECIPE = AutochromeRecipe
