"""Losses on tensors; each gives one number to minimise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_bin_cross_entropy(logits: Tensor, bins: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy against soft targets given as a few bins a pixel.

    logits (N, Q, H, W); bins (N, K, H, W) bin numbers; weights (N, K, H, W), summing to 1 over K.
    """
    logits = logits.float()
    chosen = logits.gather(1, bins)
    return (torch.logsumexp(logits, 1) - (chosen * weights).sum(1)).mean()


def adversarial_loss(logits: Tensor, real: bool, squares: bool) -> Tensor:
    """How far a discriminator's logits are from saying what they should: binary cross-entropy, or
    least squares around 1 and 0 (Mao et al., ICCV 2017)."""
    logits = logits.float()
    wanted = torch.full_like(logits, float(real))
    if squares:
        return F.mse_loss(logits, wanted)
    return F.binary_cross_entropy_with_logits(logits, wanted)


def measure_distance(
    network: Callable[[Tensor], Sequence[Tensor]], first: Tensor, second: Tensor
) -> Tensor:
    """How different two batches of pictures, RGB (N, 3, H, W) in [0, 1], are to a network.

    It takes [-1, 1] and gives features (N, C, h, w) of several sizes: squared distances of the
    features, scaled to length 1 at each place, their mean over places and pictures, their sum over
    sizes. Nothing is learned from the second."""
    with torch.no_grad():
        wanted = network(second * 2 - 1)
    pairs = zip(network(first * 2 - 1), wanted, strict=True)
    gaps = [F.normalize(a, dim=1) - F.normalize(b, dim=1) for a, b in pairs]
    return torch.stack([gap.square().sum(1).mean() for gap in gaps]).sum()
