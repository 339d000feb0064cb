"""The one scaling of L and ab between Lab units and what networks see."""

import torch.nn.functional as F
from torch import Tensor

AB_SCALE = 110.0  # Lab ab / AB_SCALE is about [-1, 1]
NO_PHOTO = 50.0  # L, everywhere, of a photo that shows nothing: for guidance


def unit_l(lightness: Tensor) -> Tensor:
    """[0, 100] -> [-1, 1]."""
    return lightness / 50 - 1


def l_alone(lightness: Tensor) -> Tensor:
    """L (N, 1, H, W) in [0, 100] -> (L, 0, 0), for trunks made for three channels."""
    return F.pad(unit_l(lightness), (0, 0, 0, 0, 0, 2))


def l_thrice(lightness: Tensor) -> Tensor:
    """L (N, 1, H, W) in [0, 100] -> (L, L, L), for trunks made for three channels."""
    return unit_l(lightness).expand(-1, 3, -1, -1)


def unit_ab(ab: Tensor) -> Tensor:
    """Lab units -> about [-1, 1]."""
    return ab / AB_SCALE


def ab_from_unit(ab: Tensor) -> Tensor:
    """What unit_ab() undoes."""
    return ab * AB_SCALE
