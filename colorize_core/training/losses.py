"""Losses on tensors; each gives one number to minimise."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_bin_cross_entropy(logits: Tensor, bins: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy against soft targets given as a few bins a pixel.

    logits (N, Q, H, W); bins (N, K, H, W) bin numbers; weights (N, K, H, W), summing to 1 over K.
    """
    logits = logits.float()
    chosen = logits.gather(1, bins)
    return (torch.logsumexp(logits, 1) - (chosen * weights).sum(1)).mean()
