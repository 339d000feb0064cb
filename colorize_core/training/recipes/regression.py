"""Networks trained on the distance between their ab and the true one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.cnn import Cnn, CnnConfig
from colorize_core.networks.resnet_autoencoder import ResNetAutoencoder, ResNetAutoencoderConfig
from colorize_core.networks.resnet_fcn import ResNetFcn, ResNetFcnConfig
from colorize_core.networks.scaling import scale_ab
from colorize_core.networks.se_unet import SeUNet, SeUNetConfig
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Photos
from colorize_core.training.engine import Losses, Parts
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes.ab import AbRecipe, Pretrainable


@dataclass(frozen=True)
class RegressionRecipe(AbRecipe):
    """The mean squared error of ab."""

    lr: float = 2e-3

    @abstractmethod
    def build_network(self) -> nn.Module: ...

    def build_parts(self, photos: Photos) -> Parts:
        return {"network": self.build_network()}

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return MuonAdamW(part, self.lr, self.weight_decay)

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        lightness, truth = rgb_to_lab(batch.photos, 1).split((1, 2), 1)
        ab = parts["network"](age(lightness, self.aged))
        return {"loss": F.mse_loss(scale_ab(ab), scale_ab(truth))}

    def predict(self, network: Any, lightness: Tensor) -> Tensor:
        ab: Tensor = network(lightness)
        return ab


@dataclass(frozen=True)
class CnnMse(Pretrainable, RegressionRecipe):
    """A: the small CNN, on squared error."""

    backbones: ClassVar = {"network": "resnet18"}

    def build_network(self) -> nn.Module:
        return Cnn(CnnConfig())


@dataclass(frozen=True)
class AutoencoderMse(Pretrainable, RegressionRecipe):
    """C1: the first stage of a ResNet-50, on squared error."""

    backbones: ClassVar = {"network": "resnet50"}

    def build_network(self) -> nn.Module:
        return ResNetAutoencoder(ResNetAutoencoderConfig())


@dataclass(frozen=True)
class FcnMse(Pretrainable, RegressionRecipe):
    """C2: every stage of a narrow ResNet-101, on squared error."""

    backbones: ClassVar = {"network": "resnet101"}

    def build_network(self) -> nn.Module:
        return ResNetFcn(ResNetFcnConfig(width=64 if self.pretrained else 16))


class SeUNetMse(RegressionRecipe):
    """F: the teacher, on squared error."""

    def build_network(self) -> nn.Module:
        return SeUNet(SeUNetConfig(widths=(48, 96, 160, 224), latent=224))
