"""How the built-in model is trained: calibrated soft classification over ab, with hints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from colorize_core.networks import pretrained
from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.autochrome import CELL, Autochrome, AutochromeConfig
from colorize_core.networks.efficientnet_lite import EfficientNetLite
from colorize_core.training.aging import age, expose
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.hints import recolour_objects, simulate_hints
from colorize_core.training.losses import measure_distance, soft_bin_cross_entropy
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes.ab import AbRecipe

SIDE = 288  # of the square photographs that it is looked at with, as in the app


@dataclass(frozen=True)
class AutochromeRecipe(AbRecipe):
    """The built-in model."""

    chosen_by: ClassVar = {"cross_entropy": "lowest"}  # CIEDE2000 alone favours pale colours

    lr: float = 3e-3
    encoder_lr: float = 3e-4
    weight_decay: float = 0.03
    hinted: float = 0.45  # share of the photographs that get simulated hints
    recoloured: float = 0.75  # of those, the share with one object in a foreign colour
    old: float = 0.3  # share of the photographs whose gray is of an old emulsion
    frozen: int = 3  # the stem and so many stages of the encoder stay as they are
    features: float = 0.0  # weight of how different ImageNet's features find the result in colour
    sides: tuple[int, ...] = (128, 160, 192)

    def build_network(self) -> Autochrome:
        network = Autochrome(AutochromeConfig())
        pretrained.load_efficientnet_lite(network.encoder, pretrained.find_efficientnet_lite())
        network.encoder.freeze(self.frozen)
        return network

    def build_parts(self, photos: Photos) -> Parts:
        """The network, told how frequent each bin is in the photographs."""
        network = self.build_network()
        network.bins.log_prior.copy_(_measure_frequencies(network.bins, photos.pixels).log())
        return {"network": network}

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return MuonAdamW(
            part,
            self.lr,
            self.weight_decay,
            outer=("stem", "head"),
            pretrained="encoder.",
            pretrained_lr=self.encoder_lr,
        )

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        network: Any = parts["network"]
        lab = rgb_to_lab(batch.photos, 1)
        lightness = age(expose(batch.photos, self.old), self.aged)
        hint_ab, hint_mask = torch.zeros_like(lab[:, 1:]), torch.zeros_like(lab[:, :1])
        hinted = (torch.rand(len(lab), device=lab.device) < self.hinted).nonzero()[:, 0]
        if len(hinted):
            lab[hinted], points = recolour_objects(lab[hinted], self.recoloured)
            hint_ab[hinted], hint_mask[hinted] = simulate_hints(lab[hinted, 1:], points)
        logits = network(lightness, hint_ab, hint_mask)
        target = F.avg_pool2d(lab[:, 1:], CELL)
        bare = network.module if hasattr(network, "module") else network  # DDP wraps it
        entropy = soft_bin_cross_entropy(logits, *bare.bins.make_soft_targets(target))
        if not self.features:
            return {"loss": entropy}
        with torch.autocast(lab.device.type, enabled=False):  # a cube needs its digits
            ab = F.interpolate(bare.bins.decode(logits), lab.shape[-2:], mode="bilinear")
            picture = lab_to_rgb(torch.cat([lab[:, :1], ab], 1), 1).clamp(0, 1)
        truth = lab_to_rgb(lab, 1).clamp(0, 1)  # with what was recoloured
        distance = measure_distance(self._features.to(lab.device), picture, truth)
        return {
            "loss": entropy + self.features * distance,
            "entropy": entropy,
            "distance": distance,
        }

    @cached_property
    def _features(self) -> EfficientNetLite:
        network = EfficientNetLite(planes=3)
        pretrained.load_efficientnet_lite(network, pretrained.find_efficientnet_lite())
        return network.eval().requires_grad_(False)

    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        ab: Tensor = network.bins.decode(_decode_automatic(network, lightness), temperature=0.8)
        return ab

    @torch.no_grad()
    def evaluate(self, network: Any, batch: Batch) -> dict[str, float]:
        """Beside the usual scores the cross-entropy, that of old emulsions too."""
        scores = super().evaluate(network, batch)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            for name, share in (("cross_entropy", 0.0), ("cross_entropy_old", 1.0)):
                losses = []
                for photos in batch.photos.split(50):
                    photos = F.interpolate(photos, (SIDE, SIDE), mode="bilinear")
                    logits = _decode_automatic(network, expose(photos, share))
                    target = F.avg_pool2d(rgb_to_lab(photos, 1)[:, 1:], CELL)
                    loss = soft_bin_cross_entropy(logits, *network.bins.make_soft_targets(target))
                    losses.append(loss.item())
                scores[name] = sum(losses) / len(losses)
        return scores

    def colorize(self, network: Any, photos: Tensor) -> Tensor:
        """At the size that the app shows the network."""
        large = F.interpolate(photos, (SIDE, SIDE), mode="bilinear")
        return F.interpolate(super().colorize(network, large), photos.shape[-2:], mode="area")


def _decode_automatic(network: Any, lightness: Tensor) -> Tensor:
    none = torch.zeros_like(lightness)
    logits: Tensor = network(lightness, none.expand(-1, 2, -1, -1), none)
    return logits


def _measure_frequencies(bins: AbBins, pixels: Tensor) -> Tensor:
    """(Q,) shares, from a sample of photos (N, 3, H, W) uint8."""
    sample = pixels[:: max(1, len(pixels) // 2000)].float() / 255
    counts = torch.ones(len(bins))
    for photos in sample.split(200):
        numbers, weights = bins.make_soft_targets(F.avg_pool2d(rgb_to_lab(photos, 1)[:, 1:], 4))
        counts.index_add_(0, numbers.flatten(), weights.flatten())
    return counts / counts.sum()
