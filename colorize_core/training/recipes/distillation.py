"""A student that imitates its teacher's latent and the true colours (Hinton et al., 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from colorize_core.downloads import checkpoints
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.scaling import scale_ab
from colorize_core.networks.se_unet import SeUNet, SeUNetConfig
from colorize_core.training.aging import age
from colorize_core.training.data import Batch
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.recipes.regression import RegressionRecipe


@dataclass(frozen=True)
class SeUNetStudent(RegressionRecipe):
    """F: the student, without skips and excitation, at half its teacher's size."""

    teacher: Path = checkpoints.BUNDLED / "se-unet" / "model.safetensors"
    alpha: float = 0.5  # weight of the distance to the teacher's latent
    beta: float = 0.5  # weight of the distance to the true ab

    @cached_property
    def _teacher(self) -> Any:
        return checkpoints.load_network(self.teacher, SeUNet, SeUNetConfig).eval()

    def build_network(self) -> nn.Module:
        latent = self._teacher.config.latent
        widths = (40, 64, 96, 128)
        return SeUNet(SeUNetConfig(widths=widths, ratio=0, skips=False, latent=latent))

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        network: Any = parts["network"]
        lightness, truth = rgb_to_lab(batch.photos, 1).split((1, 2), 1)
        seen = age(lightness, self.aged)
        with torch.no_grad():
            wanted, _ = self._teacher.to(seen.device).encode(seen)
        latent, ab = network(seen, with_latent=True)
        imitation = F.mse_loss(latent, wanted)
        distance = F.mse_loss(scale_ab(ab), scale_ab(truth))
        loss = self.alpha * imitation + self.beta * distance
        return {"loss": loss, "imitation": imitation, "distance": distance}
