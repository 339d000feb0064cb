"""ColTran's masks and its cached sampler."""

from dataclasses import replace

import pytest
import torch

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.networks.coltran import (
    Colorizer,
    ColourUpsampler,
    ColTranConfig,
    SamplingOptions,
    SpatialUpsampler,
    compute_ab,
    to_coarse,
    to_middle,
)

SMALL = ColTranConfig(width=16, heads=2, blocks=2, side=8)


PLACES = (2, 6, 8)


@pytest.fixture(params=[0, 2], ids=["as published", "with a stem"])
def colorizer(request):
    torch.manual_seed(0)
    return Colorizer(replace(SMALL, stem=request.param)).eval()


@pytest.fixture
def gray(colorizer):
    lightness = torch.rand(2, 1, 24, 32, generator=torch.Generator().manual_seed(0)) * 100
    return colorizer.choose_gray(lightness)


def test_coarse_colours_are_three_bits_a_channel():
    rgb = torch.tensor([[0.0, 0.5, 1.0], [1.0, 0.124, 0.126]]).view(2, 3, 1, 1)
    assert to_coarse(rgb).flatten().tolist() == [0 * 64 + 4 * 8 + 7, 7 * 64 + 0 * 8 + 1]
    every = torch.arange(512).view(1, 8, 64)
    assert torch.equal(to_coarse(to_middle(every)), every)


def test_what_is_drawn_too_bright_has_less_chroma_at_the_photos_lightness():
    rgb = torch.tensor([0.4, 0.2, 0.2]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    lab = rgb_to_lab(rgb, 1)
    same, brighter, half = (compute_ab(rgb, lab[:, :1] * scale) for scale in (1, 2, 0.5))
    assert torch.allclose(same, lab[:, 1:])
    assert torch.allclose(brighter, same)
    assert torch.allclose(half, same / 2)
    assert not compute_ab(rgb, torch.zeros(1, 1, 8, 8)).any()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 5), (3, 0), (3, 4), (5, 7)])
def test_no_colour_depends_on_itself_or_a_later_one(colorizer, gray, row, column):
    generator = torch.Generator().manual_seed(1)
    colours = torch.randint(512, PLACES, generator=generator)
    logits, parallel = colorizer(gray, colours)
    changed = colours.clone()
    changed[:, row, column] = (changed[:, row, column] + 100) % 512
    after, parallel_after = colorizer(gray, changed)
    moved = (after - logits).abs().amax((0, 3)).flatten()
    place = row * PLACES[2] + column
    assert moved[: place + 1].max() == 0
    assert (moved[place + 1 :] > 0).all()  # and all later ones do
    assert torch.equal(parallel, parallel_after)


def test_every_colour_depends_on_all_of_the_gray(colorizer, gray):
    colours = torch.zeros(PLACES, dtype=torch.long)
    changed = gray.clone()
    changed[:, -1, -1] = (changed[:, -1, -1] + 100) % 256
    moved = (colorizer(changed, colours)[0] - colorizer(gray, colours)[0]).abs().amax((0, 3))
    assert (moved > 0).all()


@pytest.mark.parametrize("drawing", [SamplingOptions(0.9), SamplingOptions(0.9, 1.5, 0.3)])
def test_the_cached_sampler_draws_what_the_uncached_one_draws(colorizer, gray, drawing):
    chances = torch.rand(PLACES, generator=torch.Generator().manual_seed(2))
    rows = [colours.clone() for colours in colorizer.sample(gray, chances, drawing)]
    cached = rows[-1]
    assert torch.equal(cached, colorizer.sample_slowly(gray, chances, drawing))
    for row, colours in enumerate(rows):  # each yield has one row more
        assert torch.equal(colours[:, : row + 1], cached[:, : row + 1])
        assert not colours[:, row + 1 :].any()
    assert len(rows) == 6
    assert len(cached.unique()) > 20
    *_, other = colorizer.sample(gray, 1 - chances, drawing)
    assert not torch.equal(cached, other)


def test_drawing_follows_the_distribution():
    logits = torch.tensor([0.1, 0.6, 0.3]).log().expand(3000, -1)
    drawn = SamplingOptions().draw(logits, logits, torch.linspace(0, 0.9999, 3000))
    shares = drawn.bincount(minlength=3) / 3000
    assert torch.allclose(shares, torch.tensor([0.1, 0.6, 0.3]), atol=0.002)
    cold = SamplingOptions(temperature=0.01).draw(
        logits, logits, torch.linspace(1e-4, 0.9999, 3000)
    )
    assert (cold == 1).all()


def test_guidance_and_the_parallel_head_change_what_is_drawn():
    photo, nothing, alone = (
        torch.tensor(shares).log().expand(3000, -1)
        for shares in ([0.2, 0.4, 0.4], [0.4, 0.4, 0.2], [0.8, 0.1, 0.1])
    )
    chances = torch.linspace(0, 0.9999, 3000)

    def shares(drawing, logits):
        return drawing.draw(logits, alone, chances).bincount(minlength=3) / 3000

    both = torch.cat([photo, nothing])
    guided = torch.tensor([0.1, 0.4, 0.8]) / 1.3  # what the photo adds, twice
    assert torch.allclose(shares(SamplingOptions(guidance=2), both), guided, atol=0.002)
    mixed = torch.tensor([0.16, 0.04, 0.04]).sqrt()
    expected = mixed / mixed.sum()
    assert torch.allclose(shares(SamplingOptions(parallel=0.5), photo), expected, atol=0.002)
    assert torch.allclose(
        shares(SamplingOptions(parallel=1), photo), torch.tensor([0.8, 0.1, 0.1]), atol=0.002
    )


def test_without_guidance_nothing_else_is_computed(colorizer, gray):
    assert len(colorizer.encode_photos(gray, SamplingOptions())) == len(gray)
    assert len(colorizer.encode_photos(gray, SamplingOptions(guidance=2))) == 2 * len(gray)


def test_upsamplers_give_every_channel_its_levels():
    gray, colours = torch.randint(256, PLACES), torch.randint(512, PLACES)
    assert ColourUpsampler(SMALL)(gray, colours).shape == (2, 3, 6, 8, 256)
    small = torch.randint(256, (2, 3, 2, 2))
    spatial = SpatialUpsampler(SMALL)
    logits = spatial(torch.randint(256, (2, 8, 8)), small)
    assert logits.shape == (2, 3, 8, 8, 256)
