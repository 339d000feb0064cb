"""What a distribution over colours says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from colorize_core.models.distribution import Distribution, even_out
from colorize_core.networks.ab_bins import AbBins

BINS = AbBins(14.0)


def bin_at(a: float, b: float) -> int:
    return int((BINS.points - torch.tensor([a, b])).norm(dim=1).argmin())


def shares(*parts: tuple[tuple[float, float], float]) -> Distribution:
    """One cell, in which these colours have these probabilities."""
    logits = torch.full((1, len(BINS), 1, 1), -50.0)
    for colour, share in parts:
        logits[0, bin_at(*colour)] = torch.tensor(share).log()
    return Distribution(BINS, logits)


def test_the_spread_is_the_distance_from_the_mean() -> None:
    assert float(shares(((28, 0), 1.0)).measure_spread()) == pytest.approx(0, abs=1e-3)
    assert float(shares(((28, 0), 0.5), ((-28, 0), 0.5)).measure_spread()) == pytest.approx(
        28, abs=1e-3
    )
    assert float(shares(((28, 0), 0.9), ((-28, 0), 0.1)).measure_spread()) == pytest.approx(
        16.8, abs=0.01
    )


def test_more_vividness_means_more_chroma() -> None:
    mixed = shares(((28, 14), 0.5), ((0, 0), 0.5))
    chroma = [float(mixed(vividness).norm()) for vividness in (0.0, 0.5, 1.0, 1.5, 2.0)]
    assert chroma == sorted(chroma)
    assert chroma[0] < chroma[-1]


def test_leaning_goes_from_one_to_the_other() -> None:
    first, second = shares(((28, 0), 0.8), ((-28, 0), 0.2)), shares(((28, 0), 0.2), ((-28, 0), 0.8))
    at = bin_at(28, 0)

    def share(between: Distribution) -> float:
        return float(between.compute_probabilities()[0, at])

    assert share(first.mix(second, 0.0)) == pytest.approx(0.8)
    assert share(first.mix(second, 1.0)) == pytest.approx(0.2)
    assert share(first.mix(second, 0.5)) == pytest.approx(0.5)


def test_a_part_is_read_between_the_cells() -> None:
    logits = torch.full((1, len(BINS), 4, 8), -50.0)
    red, blue = bin_at(42, 28), bin_at(14, -42)
    logits[0, red, :, :4], logits[0, blue, :, 4:] = 0, 0
    whole = Distribution(BINS, logits)

    def reds(part: Distribution) -> Tensor:
        return part.compute_probabilities()[0, red]

    left = whole.part((0, 0, 4, 4), (6, 6))
    assert left.logits.shape == (1, len(BINS), 6, 6)
    assert (reds(left)[:, :5] > 0.99).all()
    assert torch.allclose(reds(whole.part((0, 0, 8, 4), (4, 8))), reds(whole), atol=1e-4)
    over = reds(whole.part((6, 2, 10, 6), (3, 3)))  # reaches over the edge
    assert (over < 0.01).all()


def test_blotches_go_where_lightness_is_even_and_edges_stay() -> None:
    ab = torch.zeros(1, 2, 12, 12)
    ab[:, :, 4:6, 4:6] = 20  # a blotch in what is even
    level = torch.full((12, 12), 40.0)
    unsure = torch.full((1, 1, 12, 12), 12.0)
    unsure[..., 4:6, 4:6] = 25
    assert float(even_out(ab, unsure, level)[..., 4:6, 4:6].max()) < 4
    level[4:6, 4:6] = 80  # now it is a thing
    assert float(even_out(ab, unsure, level)[..., 4:6, 4:6].min()) > 18
    sure = torch.full((1, 1, 12, 12), 4.0)
    assert torch.equal(even_out(ab, sure, level), ab)
