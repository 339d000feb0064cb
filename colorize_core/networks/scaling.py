"""The one scaling of L and ab between Lab units and what networks see."""

from torch import Tensor

AB_SCALE = 110.0  # Lab ab / AB_SCALE is about [-1, 1]


def unit_l(lightness: Tensor) -> Tensor:
    """[0, 100] -> [-1, 1]."""
    return lightness / 50 - 1


def unit_ab(ab: Tensor) -> Tensor:
    """Lab units -> about [-1, 1]."""
    return ab / AB_SCALE


def ab_from_unit(ab: Tensor) -> Tensor:
    """What unit_ab() undoes."""
    return ab * AB_SCALE
