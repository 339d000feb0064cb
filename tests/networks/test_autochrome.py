"""Bins and the built-in network, without its trained weights."""

import math

import pytest
import torch

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig

SMALL = AutochromeConfig(widths=(8, 16, 24), depths=(1, 1, 1), heads=2)


@pytest.fixture(scope="module")
def bins():
    return AbBins(14.0)


def colours(count, seed=0):
    """ab of random sRGB colours as (count, 2, 1, 1)."""
    rgb = torch.rand(count, 3, 1, 1, generator=torch.Generator().manual_seed(seed))
    return rgb_to_lab(rgb, axis=1)[:, 1:]


def test_soft_targets_stand_for_their_colour(bins):
    ab = colours(4000)
    numbers, weights = bins.make_soft_targets(ab)
    assert torch.allclose(weights.sum(1), torch.ones(4000, 1, 1), atol=1e-5)
    mean = (bins.points[numbers] * weights[..., None]).sum(1).permute(0, 3, 1, 2)
    assert (mean - ab).abs().max() < 0.01


def test_decoding_inverts_soft_targets(bins):
    ab = colours(100)
    numbers, weights = bins.make_soft_targets(ab)
    chances = torch.zeros(100, len(bins), 1, 1).scatter_add_(1, numbers, weights)
    assert (bins.decode(chances.clamp_min(1e-12).log()) - ab).abs().max() < 0.01


def test_temperature_and_rebalance_move_the_mean(bins):
    logits = torch.zeros(1, len(bins), 1, 1)
    near_gray = int((bins.points.norm(dim=1)).argmin())
    vivid = int((bins.points - torch.tensor([56.0, 42.0])).norm(dim=1).argmin())
    logits[:] = -20
    logits[0, near_gray], logits[0, vivid] = math.log(0.7), math.log(0.3)

    def chroma(**how):
        return bins.decode(logits, **how).norm().item()

    assert chroma(temperature=0.3) < chroma() < chroma(temperature=3.0)
    bins.log_prior[near_gray] += 2  # gray is frequent
    assert chroma(rebalance=1.0) > chroma()
    bins.log_prior[near_gray] -= 2


@pytest.mark.parametrize("size", [(32, 32), (64, 160)])
def test_the_network_gives_logits_at_an_eighth(size):
    network = Autochrome(SMALL).eval()
    none = torch.zeros(2, 1, *size)
    logits = network(none + 50, none.expand(-1, 2, -1, -1), none)
    assert logits.shape == (2, len(network.bins), size[0] // 8, size[1] // 8)


def test_the_bundled_files_stay_within_their_limits():
    count = sum(p.numel() for p in Autochrome().parameters())
    import colorize_core

    assert colorize_core.cards()[0].parameters == count
    for file in colorize_core.cards()[0].weights:
        assert 0 < file.bytes < 16 * 2**20


def test_colour_outside_the_mask_is_no_hint():
    network = Autochrome(SMALL).eval()
    light, none = torch.full((1, 1, 64, 64), 60.0), torch.zeros(1, 1, 64, 64)
    plain = network(light, none.expand(-1, 2, -1, -1), none)
    assert torch.equal(plain, network(light, none.expand(-1, 2, -1, -1) + 30, none))
    assert not torch.equal(plain, network(light, none.expand(-1, 2, -1, -1) + 30, none + 1))


def test_the_encoder_sees_no_hints_and_what_it_tells_counts():
    torch.manual_seed(0)
    network = Autochrome(SMALL).eval()
    light, none = 100 * torch.rand(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    hints = none.expand(-1, 2, -1, -1)
    with torch.no_grad():
        known = network.recognize(light)
        assert [x.shape[-1] for x in known] == [8, 4, 2]
        assert all(float(x.abs().max()) == 0 for x in known), "it begins as if there were none"
        plain = network(light, hints, none)
        for lateral in network.laterals:
            torch.nn.init.normal_(lateral.weight)
        known = network.recognize(light)
        other = network.head(network.see(light, known, hints, none)[0])
    assert torch.equal(other, network(light, hints, none))
    assert not torch.equal(other, plain)
