"""ColTran's three networks, each on the truth of what comes before it (Kumar et al., ICLR 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from colorize_core.networks.coltran import (
    SCALE,
    ColTran,
    SamplingOptions,
    StagesConfig,
    compute_ab,
    to_coarse,
    to_levels,
)
from colorize_core.networks.scaling import NO_PHOTO
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes.ab import AbRecipe

OUTER = ("gray", "colour", "places", "channels", "parallel", "head", "stem.fold")
DRAWING = SamplingOptions(temperature=0.8, guidance=1.5, parallel=0.3)
BUNDLED = StagesConfig(widths=(128, 64, 64), blocks=(2, 2, 1), side=24, stem=3)


@dataclass(frozen=True)
class ColTranRecipe(AbRecipe):
    """B: the colorizer at a quarter of the side, and both upsamplers on a share of each batch. Some
    colours before a place are wrong, as its own will be: it must not carry them on."""

    gpu_batch: ClassVar = 128  # a photograph keeps 45 MiB for the backward pass

    lr: float = 2e-3
    sides: tuple[int, ...] = (64, 96)
    until: tuple[float, ...] = (0.7, 1.0)
    # Weight of the parallel head. With the paper's 0.01 the colours before say what comes next, and
    # the encoder learns little from few photographs.
    parallel: float = 0.5
    wrong: float = 0.15  # share of the colours seen before that are another photo's
    blind: float = 0.15  # share of the batch that is shown no photo, for the guidance
    upsampled: float = 0.0625  # share of the batch that the upsamplers learn from
    looked_at: int = 48  # validation photographs that are painted, pixel after pixel

    def build_parts(self, photos: Photos) -> Parts:
        return {"network": ColTran(BUNDLED)}

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        outer = [f"{name}.{layer}" for name, _ in part.named_children() for layer in OUTER]
        return MuonAdamW(part, self.lr, self.weight_decay, outer=outer)

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        part = slice(max(1, round(len(batch.photos) * self.upsampled)))
        blind = torch.rand(len(batch.photos), 1, 1, 1, device=batch.photos.device) < self.blind
        blind[part] = False
        seen = age(rgb_to_lab(batch.photos, 1)[:, :1], self.aged)
        seen = torch.where(blind, NO_PHOTO, seen)
        small = F.avg_pool2d(batch.photos, SCALE)
        colours = to_coarse(small)
        before = torch.where(
            torch.rand(colours.shape, device=colours.device) < self.wrong,
            to_coarse(_exchange_colours(small)),
            colours,
        )
        each, parallel, fine, final = parts["network"](seen, before, colours[part], small[part])
        losses = {
            "each": _compute_cross_entropy(each, colours),
            "parallel": _compute_cross_entropy(parallel, colours),
            "colour": _compute_cross_entropy(fine, to_levels(small[part])),
            "spatial": _compute_cross_entropy(final, to_levels(batch.photos[part])),
        }
        colorizer = (1 - self.parallel) * losses["each"] + self.parallel * losses["parallel"]
        return {"loss": colorizer + losses["colour"] + losses["spatial"], **losses}

    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        """One sample a photograph, the same one every time, at the largest size it learns at."""
        share = self.sides[-1] / max(lightness.shape[2:])
        lightness = F.interpolate(lightness, scale_factor=share, mode="area")
        size = (len(lightness), *(side // SCALE for side in lightness.shape[2:]))
        chances = torch.rand(size, generator=torch.Generator().manual_seed(0))
        gray = network.colorizer.choose_gray(lightness)
        *_, colours = network.colorizer.sample(gray, chances.to(gray.device), DRAWING)
        return compute_ab(network.paint(lightness, colours).final, lightness)

    def evaluate(self, network: nn.Module, batch: Batch) -> dict[str, float]:
        few = slice(self.looked_at)
        return super().evaluate(network, Batch(batch.photos[few], batch.labels[few]))

    def draw_sheet(self, network: nn.Module, batch: Batch) -> list[list[np.ndarray]]:
        few = slice(min(12, self.looked_at))
        return super().draw_sheet(network, Batch(batch.photos[few], batch.labels[few]))


def _exchange_colours(photos: Tensor) -> Tensor:
    """RGB (N, 3, h, w) in [0, 1] -> each with its own L and the ab of the one before it."""
    lightness, ab = rgb_to_lab(photos, 1).split((1, 2), 1)
    return lab_to_rgb(torch.cat([lightness, ab.roll(1, 0)], 1), 1).clamp(0, 1)


def _compute_cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    return F.cross_entropy(logits.float().flatten(0, -2), classes.flatten())
