"""Kernel distance between features of pictures and of photographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.metrics.features import check


def kid(
    features: NDArray[np.floating],
    truth: NDArray[np.floating],
    *,
    subsets: int = 100,
    size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """KID of two clouds of features (N, D), (M, D), both of one extractor (see features.extract),
    which is to be named beside the number: mean and standard deviation over `subsets` random
    subsets of `size` pictures a side. 0 is expected of equal clouds, lower is better; being
    unbiased it may fall below 0.

    Binkowski et al., "Demystifying MMD GANs", ICLR 2018: the squared maximum mean discrepancy with
    the kernel (x y / D + 1)^3. Raises OptionError for fewer than 2,000 pictures on either side, or
    a size that they do not give.
    """
    check(features, truth, "KID")
    most = min(len(features), len(truth))
    if not 2 <= size <= most or subsets < 1:
        raise OptionError(
            f"KID takes subsets of 2 to {most} of these pictures, at least one of them; asked for "
            f"were {subsets} of {size}."
        )
    random = np.random.default_rng(seed)
    first, second = features.astype(np.float64), truth.astype(np.float64)
    found = [
        estimate_discrepancy(
            *(each[random.permutation(len(each))[:size]] for each in (first, second))
        )
        for _ in range(subsets)
    ]
    return float(np.mean(found)), float(np.std(found))


def estimate_discrepancy(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Unbiased squared MMD of (N, D) and (N, D): no picture is compared with itself."""
    count = len(first)
    pairs = count * (count - 1)
    within = sum(
        (_compute_kernel(each, each).sum() - _sum_diagonal(each).sum()) for each in (first, second)
    )
    return float(within / pairs - 2 * _compute_kernel(first, second).mean())


def _compute_kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel: NDArray[np.float64] = (first @ second.T / first.shape[1] + 1) ** 3
    return kernel


def _sum_diagonal(features: NDArray[np.float64]) -> NDArray[np.float64]:
    diagonal: NDArray[np.float64] = ((features**2).mean(1) + 1) ** 3
    return diagonal
