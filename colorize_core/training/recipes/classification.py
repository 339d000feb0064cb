"""A trunk that learns to name what photographs show, and from where they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from colorize_core.networks.perceptual import Perceptual, PerceptualConfig
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts, Recipe
from colorize_core.training.optimizer import MuonAdamW


@dataclass(frozen=True)
class PerceptualRecipe(Recipe):
    """The folders of the photographs are their labels; colours are left as they are."""

    lr: float = 2e-3
    weight_decay: float = 0.05
    blurred: float = 0.2  # share of the batches that are blurred
    sides: tuple[int, ...] = (64, 96, 112)
    until: tuple[float, ...] = (0.5, 0.8, 1.0)
    least_scale: float = 0.5

    def build_parts(self, photos: Photos) -> Parts:
        return {"network": Perceptual(PerceptualConfig(kinds=photos.kinds))}

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return MuonAdamW(part, self.lr, self.weight_decay, outer=("classes", "stages.0"))

    def choose_learning(self, progress: float) -> tuple[str, ...]:
        return ("network",)

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        photos = batch.photos
        if torch.rand(()) < self.blurred:
            photos = F.avg_pool2d(photos, 3, 1, padding=1, count_include_pad=False)
        logits = parts["network"](photos).float()
        return {"loss": F.cross_entropy(logits, batch.labels, label_smoothing=0.1)}

    @torch.no_grad()
    def evaluate(self, network: nn.Module, batch: Batch) -> dict[str, float]:
        logits = torch.cat([network(photos) for photos in batch.photos.split(50)])
        return {"accuracy": (logits.argmax(1) == batch.labels).float().mean().item()}

    def draw_sheet(self, network: nn.Module, batch: Batch) -> list[list[np.ndarray]]:
        """The photographs alone."""
        rows = (batch.photos.permute(0, 2, 3, 1) * 255).round().byte().cpu().numpy()
        return [[row] for row in rows]
