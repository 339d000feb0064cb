"""The one scaling of L and ab between Lab units and what networks see."""

import torch.nn.functional as F
from torch import Tensor

AB_SCALE = 110.0  # Lab ab / AB_SCALE is about [-1, 1]
NO_PHOTO = 50.0  # L, everywhere, of a photo that shows nothing: for guidance


def scale_l(lightness: Tensor) -> Tensor:
    """[0, 100] -> [-1, 1]."""
    return lightness / 50 - 1


def pad_l(lightness: Tensor) -> Tensor:
    """L (N, 1, H, W) in [0, 100] -> (L, 0, 0), for trunks made for three channels."""
    return F.pad(scale_l(lightness), (0, 0, 0, 0, 0, 2))


def repeat_l(lightness: Tensor) -> Tensor:
    """L (N, 1, H, W) in [0, 100] -> (L, L, L), for trunks made for three channels."""
    return scale_l(lightness).expand(-1, 3, -1, -1)


def scale_ab(ab: Tensor) -> Tensor:
    """Lab units -> about [-1, 1]."""
    return ab / AB_SCALE


def unscale_ab(ab: Tensor) -> Tensor:
    """What scale_ab() undoes."""
    return ab * AB_SCALE
