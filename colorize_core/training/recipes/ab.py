"""What the recipes of all networks share that predict ab in one pass."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import lab_to_rgb, lab_to_rgb_in_gamut, rgb_to_lab
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.metrics.psnr import psnr
from colorize_core.networks import pretrained
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Parts, Recipe


@dataclass(frozen=True)
class AbRecipe(Recipe):
    """A subclass says which network learns (parts) and what from (loss)."""

    lr: float = 1e-3
    weight_decay: float = 0.01
    aged: float = 0.35  # share of the photographs whose L is faded, blurred or grained
    sides: tuple[int, ...] = (64, 96, 128)  # training sizes, smallest first
    until: tuple[float, ...] = (0.55, 0.8, 1.0)  # progress at which each size ends
    least_scale: float = 0.55

    @abstractmethod
    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100] -> ab (N, 2, h, w) in Lab units, as it is plainest."""

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.AdamW(part.parameters(), self.lr, weight_decay=self.weight_decay)

    def choose_learning(self, progress: float) -> tuple[str, ...]:
        return ("network",)

    @torch.no_grad()
    def colorize(self, network: Any, photos: Tensor) -> Tensor:
        """Photos (N, 3, H, W) in [0, 1] -> the same with the network's ab."""
        lab = rgb_to_lab(photos, 1)
        ab = self.predict(network, lab[:, :1])
        ab = F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)
        return lab_to_rgb_in_gamut(torch.cat([lab[:, :1], ab], 1), 1)

    def evaluate(self, network: Any, batch: Batch) -> dict[str, float]:
        rows = [
            (psnr(picture, truth), ciede2000(picture, truth), colourfulness(picture))
            for part in batch.photos.split(50)
            for picture, truth in zip(
                _to_pictures(self.colorize(network, part)), _to_pictures(part), strict=True
            )
        ]
        names = ("psnr", "ciede2000", "colourfulness")
        return {name: float(value) for name, value in zip(names, np.mean(rows, 0), strict=True)}

    def draw_sheet(self, network: Any, batch: Batch) -> list[list[np.ndarray]]:
        """Rows of gray, result and truth."""
        lab = rgb_to_lab(batch.photos, 1)
        lab[:, 1:] = 0
        gray = lab_to_rgb(lab, 1).clamp(0, 1)
        columns = (gray, self.colorize(network, batch.photos), batch.photos)
        return [list(row) for row in zip(*map(_to_pictures, columns), strict=True)]


@dataclass(frozen=True)
class Pretrainable(Recipe):
    """Comes before the class whose build_parts() it completes. A subclass says which parts have a
    published backbone, and builds them at full width if `pretrained`."""

    backbones: ClassVar[dict[str, str]]  # part -> name in the catalogue of downloads
    pretrained: bool = False  # full width, on backbones from the Hub

    def build_parts(self, photos: Photos) -> Parts:
        parts = super().build_parts(photos)  # type: ignore[safe-super]  # not the protocol's
        if self.pretrained:
            for part, name in self.backbones.items():
                trunk: Any = parts[part].trunk
                pretrained.fill(trunk, name)
        return parts


def _to_pictures(photos: Tensor) -> np.ndarray:
    return (photos.permute(0, 2, 3, 1) * 255).round().byte().cpu().numpy()
