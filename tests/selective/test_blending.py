"""Pictures under masks: exact where a mask is 0 or 1, mixed as light between."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from colorize_core.errors import OptionError
from colorize_core.imaging import image
from colorize_core.imaging.color import lightness, rgb_to_lab, srgb_to_linear
from colorize_core.imaging.finish import Finish
from colorize_core.imaging.resampling import resize
from colorize_core.models import registry
from colorize_core.options import Options
from colorize_core.selective import blending, masks
from colorize_core.selective.blending import (
    Region,
    blend,
    compose,
    describe_regions,
    draw_figure,
    tint,
)
from colorize_core.steering.hints import Hint
from tests.image_files import colours

SIDES = st.integers(1, 20)
few = settings(max_examples=40, deadline=None)


@st.composite
def pairs(draw, levels=None):
    """Two pictures of a kind and a mask."""
    height, width, seed = draw(SIDES), draw(SIDES), draw(st.integers(0, 99))
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    top = np.iinfo(dtype).max
    rng = np.random.default_rng(seed)
    inside, outside = rng.integers(0, top + 1, (2, height, width, 3), dtype)
    elements = st.floats(0, 1, width=32) if levels is None else st.sampled_from(levels)
    mask = draw(hnp.arrays(np.float32, (height, width), elements=elements))
    return inside, outside, mask


@few
@given(pairs(levels=[0.0, 1.0]))
def test_a_hard_mask_takes_bytes_from_one_picture_or_the_other(case):
    inside, outside, mask = case
    expected = np.where(mask[..., None] == 1, inside, outside)
    found = blend(inside, outside, mask)
    assert found.dtype == inside.dtype
    assert np.array_equal(found, expected)


@few
@given(pairs())
def test_outside_the_mask_not_a_byte_changes(case):
    inside, outside, mask = case
    before = inside.copy(), outside.copy(), mask.copy()
    found = blend(inside, outside, mask)
    assert np.array_equal(found[mask == 0], outside[mask == 0])
    assert np.array_equal(found[mask == 1], inside[mask == 1])
    for now, then in zip((inside, outside, mask), before, strict=True):
        assert np.array_equal(now, then)


@few
@given(pairs())
def test_a_mixture_is_between_and_as_light_says(case):
    inside, outside, mask = case
    found = blend(inside, outside, mask)
    assert (found >= np.minimum(inside, outside)).all()
    assert (found <= np.maximum(inside, outside)).all()
    top = np.iinfo(inside.dtype).max
    one, other, mixed = (srgb_to_linear(p / top) for p in (inside, outside, found))
    share = mask[..., None]
    # Half a level of sRGB is at most this much light.
    assert np.abs(one * share + other * (1 - share) - mixed).max() < 1.2 / top
    assert np.array_equal(blend(inside, inside, mask), inside)


@few
@given(pairs(), st.floats(0, 1))
def test_more_mask_is_more_of_the_inside(case, part):
    inside, outside, mask = case
    less, more = blend(inside, outside, mask * np.float32(part)), blend(inside, outside, mask)
    up = inside.astype(int) >= outside
    assert (np.where(up, more >= less, more <= less)).all()


def test_a_feathered_edge_changes_monotonically(gray_scene):
    step = np.zeros((20, 60), np.float32)
    step[:, :30] = 1
    white, black = np.full((20, 60, 3), 255, np.uint8), np.zeros((20, 60, 3), np.uint8)
    row = blend(white, black, masks.feather(step, 8))[10, :, 0].astype(int)
    assert (np.diff(row) <= 0).all()
    assert (row[:10] == 255).all()
    assert (row[50:] == 0).all()
    assert row[30] > 150  # half the light is not half the level


@few
@given(st.integers(0, 99))
def test_lightness_stays_however_soft_the_mask(seed):
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (12, 15, 1), np.uint8).repeat(3, 2)
    mask = rng.uniform(0, 1, (12, 15)).astype(np.float32)
    found = blend(tint(photo, (25, -20)), photo, mask)
    before, after = (lightness(p / 255) for p in (photo, found))
    assert np.abs(before - after).max() < 0.7  # what 8 bits can express
    assert np.ptp(found, axis=2).max() > 10


def test_strips_leave_no_seams(rng, monkeypatch):
    inside, outside = colours(40, 23, seed=1), colours(40, 23, seed=2)
    mask = rng.uniform(0, 1, (40, 23)).astype(np.float32)
    whole = blend(inside, outside, mask), tint(inside, (9, 9))
    monkeypatch.setattr(blending, "STRIP_PIXELS", 50)
    assert np.array_equal(blend(inside, outside, mask), whole[0])
    assert np.array_equal(tint(inside, (9, 9)), whole[1])


def test_what_does_not_fit_is_refused():
    picture, mask = colours(6, 8), np.zeros((6, 8), np.float32)
    with pytest.raises(OptionError, match="8 × 6 pixels, the picture 9 × 6"):
        blend(colours(6, 9), picture, mask)
    with pytest.raises(OptionError, match="8 × 6 pixels, the picture 8 × 7"):
        blend(picture, colours(7, 8), mask)
    with pytest.raises(OptionError, match="uint16 and uint8"):
        blend(picture.astype(np.uint16), picture, mask)


# --- many regions -------------------------------------------------------------------------------


@pytest.fixture
def photo(gray_scene):
    return gray_scene(40, 60)


def left(height: int, width: int) -> masks.Mask:
    mask = np.zeros((height, width), np.float32)
    mask[:, : width // 2] = 1
    return mask


def red(photo, region):
    """A model named by the red that it paints."""
    return np.full_like(photo, (int(region.model), 0, 0))


def test_outside_stays_the_photo_byte_for_byte(photo):
    found = compose(photo, [Region(left(40, 60), "7")], None, red)
    assert np.array_equal(found[:, 30:], photo[:, 30:])
    assert (found[:, :30] == (7, 0, 0)).all()
    assert np.array_equal(compose(photo, []), photo)


def test_each_region_has_its_own_and_the_last_is_on_top(photo):
    over = np.zeros((40, 60), np.float32)
    over[:20] = 1
    regions = [Region(left(40, 60), "7"), Region(over, colour=(40, 160, 60))]
    found = compose(photo, regions, Region(model="9"), red)
    assert (found[20:, :30] == (7, 0, 0)).all()
    assert (found[20:, 30:] == (9, 0, 0)).all()
    assert np.array_equal(found[:20], tint(photo, ab_of((40, 160, 60)))[:20])
    assert np.array_equal(photo, compose(photo, [Region(left(40, 60))]))  # neither: gray


def ab_of(colour):
    a, b = rgb_to_lab(np.array(colour) / 255)[1:]
    return float(a), float(b)


def test_a_flat_colour_keeps_the_photos_lightness_and_has_its_hue(photo):
    found = compose(photo, [Region(left(40, 60), colour=(200, 60, 40))])
    assert np.abs(lightness(found / 255) - lightness(photo / 255)).max() < 0.7
    ab = rgb_to_lab(found / 255)[:, :30, 1:]
    middle = (lightness(photo / 255) > 40)[:, :30] & (lightness(photo / 255) < 60)[:, :30]
    assert np.allclose(ab[middle], ab_of((200, 60, 40)), atol=1.5)
    pale = compose(photo, [Region(left(40, 60), colour=(200, 60, 40), vividness=0.5)])
    chroma = [np.hypot(*rgb_to_lab(p / 255)[:, :30, 1:][middle].T).mean() for p in (pale, found)]
    assert chroma[0] == pytest.approx(chroma[1] / 2, rel=0.05)


def test_a_small_mask_is_refined_to_the_photos_edges():
    large = np.full((80, 120, 3), 30, np.uint8)
    large[:, 50:] = 220  # the small mask cannot say this column
    small = resize((large[..., 0] == 30).astype(np.float32), 10, 15)
    found = compose(large, [Region(small, "200")], None, red)
    assert (found[:, :50] == (200, 0, 0)).all()
    off = np.abs(found[:, 50:].astype(int) - large[:, 50:])
    assert off.max() <= 6  # of 255, beside the edge
    assert off[:, 1 + 120 // 15 :].max() == 0


@pytest.fixture
def asked(monkeypatch):
    """What models are loaded and asked for, in their order; they give the photo as it is."""
    seen = []

    def load(name, device):
        seen.append((name, device))
        return SimpleNamespace(
            predict=lambda photo, progress, **options: seen.append(options),
            render=lambda photo, _, progress, **options: seen.append(options) or photo,
        )

    monkeypatch.setattr(registry, "load", load)
    return seen


def test_models_are_loaded_once_and_given_what_the_region_says(photo, asked):
    here = Region(left(40, 60), "autochrome", vividness=1.5, strength=0.5, controls={"seed": 3})
    compose(photo, [here, here], Region(model="diffusion"))
    assert [each for each in asked if isinstance(each, tuple)] == [
        ("diffusion", "auto"),
        ("autochrome", "auto"),
    ]
    seeds = [each["seed"] for each in asked if "seed" in each]
    levels = [each for each in asked if "vividness" in each]
    assert seeds == [3, 3]
    assert [each["vividness"] for each in levels] == [1.0, 1.5, 1.5]
    assert [each["strength"] for each in levels] == [1.0, 0.5, 0.5]


def test_a_region_can_have_a_whole_colouring(photo, asked):
    hint = Hint(0.5, 0.5, (20.0, 5.0), known=True)
    wanted = Options("autochrome", vividness=0.8, hints=(hint,), finish=Finish(tint=0.2))
    region = Region(left(40, 60), colouring=wanted)
    compose(photo, [region])
    assert asked[1]["hints"] == (hint,)
    assert asked[2]["finish"] == wanted.finish
    record = describe_regions([region])
    assert record.hints == (hint,)
    assert record.models[0][0] == record.settings["regions"][0]["model"] == "autochrome"
    assert record.settings["regions"][0]["vividness"] == 0.8
    with pytest.raises(OptionError, match="leave one out"):
        replace(region, model="diffusion")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"vividness": 3}, "vividness is 3, allowed is 0 to 2"),
        ({"strength": -1}, "strength is -1"),
        ({"model": "autochrome", "colour": (1, 2, 3)}, "leave one out"),
        ({"colour": (0, 256, 0)}, "0 to 255"),
    ],
)
def test_regions_that_cannot_be_are_refused(values, said):
    with pytest.raises(OptionError, match=said):
        Region(**values)


def test_a_region_needs_a_mask(photo):
    with pytest.raises(OptionError, match="no mask"):
        compose(photo, [Region(model="7")], None, red)


def test_outside_is_gray_whatever_the_photo_was(photo):
    assert blending.fill_outside_gray(photo) is None
    assert blending.fill_outside_gray(tint(photo, (4, 18))) is None  # a sepia print stays one
    colourful = image.read("examples/coffee-colour.jpg").pixels
    outside = blending.fill_outside_gray(colourful)
    found = compose(colourful, [], outside)
    assert np.ptp(found, axis=2).max() == 0
    assert np.abs(lightness(found / 255) - lightness(colourful / 255)).max() < 0.7


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_is_gray_byte_for_byte(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)[None, :, None].repeat(3, 2)
    assert np.array_equal(tint(levels), levels)


# --- the figure ---------------------------------------------------------------------------------


def test_the_figure_has_four_pictures_in_their_order(photo):
    fine = photo.astype(np.uint16) * 257
    sheet = draw_figure(
        tint(fine, (0, 60)), tint(fine, (50, 0)), left(20, 30), tint(fine, (-50, 0))
    )
    assert sheet.dtype == np.uint8
    panels = np.array_split(sheet, 4, axis=1)
    spread = [np.ptp(panel.astype(int), axis=2).max() for panel in panels]
    assert [value > 40 for value in spread] == [False, True, False, True]
    green, red_ = (panels[i].astype(int)[..., 0] - panels[i][..., 1] for i in (3, 1))
    assert red_.max() > 40
    assert green.min() < -40
    # The mask's left half is white.
    assert (panels[2][20:40] == 255).any()
    assert (panels[2][20:40] == 0).any()
