"""A network that finds skin around faces in gray photographs, from faces found in colour ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks import skin as networks
from colorize_core.training.aging import age, expose
from colorize_core.training.data import Batch, Photos, hold
from colorize_core.training.engine import Losses, Parts, Recipe
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.skin import Skin, find_skin, measure_colours

HELD_BACK = 10  # every so manieth window is not trained on


@dataclass
class SkinRecipe(Recipe):
    """Finds skin around faces: from photographs in colour, whose faces tell what is skin."""

    windows: Path | None = None  # a file for the windows with faces, which are found once
    lr: float = 2e-3
    weight_decay: float = 0.03
    old: float = 0.5  # share of the windows whose gray is of an old emulsion
    aged: float = 0.5
    sides: tuple[int, ...] = (64,)  # of the photographs beside the windows, which nobody looks at
    until: tuple[float, ...] = (1.0,)
    least_scale: float = 1.0

    def build_parts(self, photos: Photos) -> Parts:
        found = self._find(photos)
        held = torch.arange(len(found.mask)) % HELD_BACK == 0
        self._training = Skin(*(each[~held] for each in found))
        self._held = Skin(*(each[held] for each in found))
        network = networks.Skin()
        mean, covariance = measure_colours(self._training, networks.LEVELS)
        network.ab_mean.copy_(mean)
        network.ab_covariance.copy_(covariance)
        return {"network": network}

    def _find(self, photos: Photos) -> Skin:
        if self.windows and self.windows.exists():
            return Skin(**load_file(self.windows))
        found = find_skin(photos.pixels)
        if self.windows:
            save_file({k: v.contiguous() for k, v in found._asdict().items()}, self.windows)
        return found

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return MuonAdamW(part, self.lr, self.weight_decay, outer=("stem", "head"))

    def choose_learning(self, progress: float) -> tuple[str, ...]:
        return ("network",)

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        device = batch.photos.device
        self._training = Skin(*hold(self._training, device))
        chosen = torch.randint(len(self._training.mask), (len(batch.photos),))
        planes = [each[chosen].to(device).float() / 255 for each in self._training]
        pixels, mask, known = move_windows(torch.cat(planes, 1)).split((3, 1, 1), 1)
        lightness = age(expose(pixels.clamp(0, 1), self.old), self.aged)
        logits = parts["network"](lightness).float()
        losses = F.binary_cross_entropy_with_logits(logits, mask.clamp(0, 1), reduction="none")
        inside = (known > 0.99).float()
        return {"loss": (losses * inside).sum() / inside.sum()}

    @torch.no_grad()
    def evaluate(self, network: Any, batch: Batch) -> dict[str, float]:
        """Intersection over union with what colour says, on windows held back."""
        overlaps = []
        for pixels, mask, known in zip(*self._held, strict=True):
            lightness = rgb_to_lab(pixels[None].float() / 255, 1)[:, :1]
            found = network(lightness.to(next(network.parameters()).device)).cpu()[0] > 0
            inside, truth = known > 127, mask > 127
            both = (found & truth & inside).sum()
            overlaps.append(float(both / ((found | truth) & inside).sum().clamp_min(1)))
        return {"overlap": float(np.mean(overlaps))}

    @torch.no_grad()
    def draw_sheet(self, network: Any, batch: Batch) -> list[list[np.ndarray]]:
        """Rows of a window held back in colour, in gray, and with what is found lit."""
        rows = []
        for pixels in self._held.pixels[:24]:
            lightness = rgb_to_lab(pixels[None].float() / 255, 1)[:, :1]
            found = network(lightness.to(next(network.parameters()).device)).cpu().sigmoid()
            gray = (lightness[0] * 2.55).clamp(0, 255).expand(3, -1, -1)
            lit = gray * (0.3 + 0.7 * found[0])
            shown = (pixels, gray, lit)
            rows.append([each.permute(1, 2, 0).byte().numpy() for each in shown])
        return rows


def move_windows(planes: Tensor) -> Tensor:
    """(N, C, h, w): mirrored, moved by up to 8 % and scaled by 0.8 to 1.25, each by chance; what
    comes in from outside is the edge's, but 0 in the last plane."""
    n, device = len(planes), planes.device
    scale = torch.exp((torch.rand(n, device=device) - 0.5) * 0.45)
    mirror = 1 - 2 * (torch.rand(n, device=device) < 0.5).float()
    shift = (torch.rand(2, n, device=device) - 0.5) * 0.32
    zero = torch.zeros_like(scale)
    across = torch.stack([scale * mirror, zero, shift[0]], 1)
    down = torch.stack([zero, scale, shift[1]], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), list(planes.shape), align_corners=False)
    moved = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    inside = (grid.abs() <= 1).all(-1)[:, None]
    return torch.cat([moved[:, :-1], moved[:, -1:] * inside], 1)
