"""How the built-in model is trained: calibrated soft classification over ab, with hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.color import rgb_to_lab
from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.hints import recolour_objects, simulate_hints
from colorize_core.training.losses import soft_bin_cross_entropy
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes.ab import AbRecipe


@dataclass(frozen=True)
class AutochromeRecipe(AbRecipe):
    """The built-in model."""

    lr: float = 3e-3
    weight_decay: float = 0.03
    hinted: float = 0.45  # share of the photographs that get simulated hints
    recoloured: float = 0.65  # of those, the share with one object in a foreign colour

    def network(self) -> Autochrome:
        return Autochrome(AutochromeConfig())

    def parts(self, photos: Photos) -> Parts:
        """The network, told how frequent each bin is in the photographs."""
        network = self.network()
        network.bins.log_prior.copy_(_frequencies(network.bins, photos.pixels).log())
        return {"network": network}

    def optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return MuonAdamW(part, self.lr, self.weight_decay, outer=("stem", "head"))

    def loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        network: Any = parts["network"]
        lab = rgb_to_lab(batch.photos, 1)
        hint_ab, hint_mask = torch.zeros_like(lab[:, 1:]), torch.zeros_like(lab[:, :1])
        hinted = (torch.rand(len(lab), device=lab.device) < self.hinted).nonzero()[:, 0]
        if len(hinted):
            lab[hinted], points = recolour_objects(lab[hinted], self.recoloured)
            hint_ab[hinted], hint_mask[hinted] = simulate_hints(lab[hinted, 1:], points)
        logits = network(age(lab[:, :1], self.aged), hint_ab, hint_mask)
        target = F.avg_pool2d(lab[:, 1:], 4)
        bare = network.module if hasattr(network, "module") else network  # DDP wraps it
        return {"loss": soft_bin_cross_entropy(logits, *bare.bins.soft_targets(target))}

    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        none = torch.zeros_like(lightness)
        logits = network(lightness, none.expand(-1, 2, -1, -1), none)
        ab: Tensor = network.bins.decode(logits, temperature=0.8)
        return ab


def _frequencies(bins: AbBins, pixels: Tensor) -> Tensor:
    """(Q,) shares, from a sample of photos (N, 3, H, W) uint8."""
    sample = pixels[:: max(1, len(pixels) // 2000)].float() / 255
    counts = torch.ones(len(bins))
    for photos in sample.split(200):
        numbers, weights = bins.soft_targets(F.avg_pool2d(rgb_to_lab(photos, 1)[:, 1:], 4))
        counts.index_add_(0, numbers.flatten(), weights.flatten())
    return counts / counts.sum()
