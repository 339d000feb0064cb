"""Generators trained against a discriminator, after Isola et al. (CVPR 2017), with head starts."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.discriminators import PatchDiscriminator
from colorize_core.networks.resnet_unet import ResNetUNet, ResNetUNetConfig
from colorize_core.networks.sagan import SaganConfig, SaganDiscriminator, SaganGenerator
from colorize_core.networks.scaling import scale_ab
from colorize_core.networks.unet import UNet, UNetConfig
from colorize_core.networks.vit import VitConfig, VitDiscriminator, VitGenerator
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.losses import adversarial_loss
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes.ab import AbRecipe, Pretrainable

JUDGES = PatchDiscriminator | SaganDiscriminator | VitDiscriminator


@dataclass(frozen=True)
class AdversarialRecipe(AbRecipe):
    """L1 and an adversarial loss; the generator learns alone first, then the discriminator."""

    lr: float = 2e-3
    judge_lr: float = 5e-4
    beta1: float = 0.5  # of the judge's steps
    l1: float = 500.0  # weight of the L1 loss beside the adversarial one; the originals' 100 lets
    # small generators' L1 rise above gray's within minutes of meeting the judge
    squares: bool = False  # least squares (LSGAN) instead of binary cross-entropy
    chosen_by: ClassVar = {}  # the last look: CIEDE2000 prefers those before the judge begins
    gpu_batch: ClassVar = 128  # as elsewhere: another may upset the balance with the judge
    alone: tuple[float, ...] = (0.6, 0.63)  # progress at which generator's and discriminator's end

    @abstractmethod
    def build_generator(self) -> nn.Module: ...

    def build_discriminator(self) -> nn.Module:
        return PatchDiscriminator(width=32, downs=2)

    def build_parts(self, photos: Photos) -> Parts:
        parts = {"generator": self.build_generator(), "discriminator": self.build_discriminator()}
        for part in parts.values():
            part.apply(_draw_weights)
        return parts

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        decay = self.weight_decay
        if isinstance(part, JUDGES):
            betas = (self.beta1, 0.999)
            return torch.optim.AdamW(part.parameters(), self.judge_lr, betas, weight_decay=decay)
        return MuonAdamW(part, self.lr, decay)

    def choose_learning(self, progress: float) -> tuple[str, ...]:
        generator_ends, discriminator_ends = self.alone
        if progress < generator_ends:
            return ("generator",)
        if progress < discriminator_ends:
            return ("discriminator",)
        return ("discriminator", "generator")

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        lab = rgb_to_lab(batch.photos, 1)
        seen = age(lab[:, :1], self.aged)
        with torch.set_grad_enabled(learning == "generator"):
            ab = parts["generator"](seen)
        # Some generators give ab at half the size.
        lightness, truth = F.interpolate(lab, ab.shape[-2:], mode="area").split((1, 2), 1)
        judge = parts["discriminator"]
        if learning == "discriminator":
            # One after the other: batch norms over both would show each beside the other, as the
            # generator's turn does not.
            real = adversarial_loss(judge(lightness, truth), True, self.squares)
            fake = adversarial_loss(judge(lightness, ab), False, self.squares)
            return {"loss": (real + fake) / 2}
        distance = F.l1_loss(scale_ab(ab), scale_ab(truth))
        if progress < self.alone[1]:
            return {"loss": self.l1 * distance, "l1": distance}
        fooled = adversarial_loss(judge(lightness, ab), True, self.squares)
        return {"loss": self.l1 * distance + fooled, "l1": distance, "fooled": fooled}

    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        ab: Tensor = network(lightness)
        return ab


class UNetGan(AdversarialRecipe):
    """C3: the U-Net of pix2pix against a patch discriminator."""

    def build_generator(self) -> nn.Module:
        return UNet(UNetConfig(width=32, depth=5))


class Sagan(AdversarialRecipe):
    """C4: self-attention and spectral normalisation on both sides."""

    def build_generator(self) -> nn.Module:
        return SaganGenerator(SaganConfig(width=32))

    def build_discriminator(self) -> nn.Module:
        return SaganDiscriminator(width=32, downs=2)


@dataclass(frozen=True)
class ResNetUNetGan(Pretrainable, AdversarialRecipe):
    """D1: a U-Net on a ResNet-18 against a patch discriminator. With the trunk efficientnet-lite0
    what `pretrained` loads is in a package of the extra "train", and no Hub is needed."""

    backbones: ClassVar = {"generator": "resnet18"}
    narrow: ClassVar = 32
    l1: float = 1000.0  # with 500 red patches in dark places please the judge
    trunk: str = "resnet"  # or efficientnet-lite0
    trunk_lr: float = 3e-4  # of a pretrained one

    def build_generator(self) -> nn.Module:
        width = 64 if self.pretrained else self.narrow
        return ResNetUNet(ResNetUNetConfig(width=width, trunk=self.trunk))

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        if isinstance(part, JUDGES) or not self.pretrained:
            return super().build_optimizer(part)
        return MuonAdamW(
            part,
            self.lr,
            self.weight_decay,
            pretrained="trunk.",
            pretrained_lr=self.trunk_lr,
        )


@dataclass(frozen=True)
class EfficientNetUNetGan(ResNetUNetGan):
    """D1 with what C's author wanted next: a generator that begins from ImageNet's weights, of
    an EfficientNet-Lite0 that a package of the extra "train" brings."""

    pretrained: bool = True
    trunk: str = "efficientnet-lite0"


@dataclass(frozen=True)
class VitDiscriminatorGan(ResNetUNetGan):
    """D2: the same U-Net against a vision transformer, with the original's weight of L1."""

    backbones: ClassVar = {
        "generator": "resnet18",
        "discriminator": "vit-b16",
    }
    narrow: ClassVar = 24
    l1: float = 100.0

    def build_discriminator(self) -> nn.Module:
        small = VitConfig(width=192, depth=6, heads=6, side=128)
        return VitDiscriminator(VitConfig() if self.pretrained else small)


@dataclass(frozen=True)
class VitGeneratorGan(Pretrainable, AdversarialRecipe):
    """D3: a vision transformer against a patch discriminator, with the original's weight of L1."""

    backbones: ClassVar = {"generator": "vit-b16"}
    small: ClassVar = VitConfig(width=128, depth=6, heads=4, side=128, decoder=128)
    l1: float = 100.0

    def build_generator(self) -> nn.Module:
        return VitGenerator(VitConfig() if self.pretrained else self.small)


@dataclass(frozen=True)
class VitLsGan(VitGeneratorGan):
    """D4: the same with least squares."""

    l1: float = 250.0
    squares: bool = True


def _draw_weights(layer: nn.Module) -> None:
    """As pix2pix: N(0, 0.02), norms around 1."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
