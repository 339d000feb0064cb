"""Losses on tensors; each gives one number to minimise."""

from __future__ import annotations

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
