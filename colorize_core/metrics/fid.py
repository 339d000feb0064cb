"""Frechet distance between features of pictures and of photographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from colorize_core.metrics.features import check


def fid(features: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """FID of two clouds of features (N, D), (M, D), both of one extractor (see features.extract),
    which is to be named beside the number; 0 is equal, lower is better.

    Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium", NeurIPS 2017: the distance of two Gaussians of the clouds' means and covariances.
    Raises OptionError for fewer than 2,000 pictures on either side.
    """
    check(features, truth, "FID")
    return measure_frechet(features, truth)


def measure_frechet(features: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """The squared Frechet distance of the Gaussians of two clouds (N, D), (M, D), whatever they are
    features of and however few they are."""
    (mean1, cov1), (mean2, cov2) = (_fit_gaussian(each) for each in (features, truth))
    # The trace of the root of cov1 cov2, whose eigenvalues are those of a symmetric matrix.
    half = _compute_root(cov1)
    shared = np.sqrt(np.linalg.eigvalsh(half @ cov2 @ half).clip(min=0)).sum()
    apart = ((mean1 - mean2) ** 2).sum()
    return float(max(0.0, apart + np.trace(cov1) + np.trace(cov2) - 2 * shared))


def _fit_gaussian(
    features: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    numbers = features.astype(np.float64)
    return numbers.mean(0), np.atleast_2d(np.cov(numbers, rowvar=False))


def _compute_root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric square root; rounding may leave an eigenvalue a little below 0."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root
