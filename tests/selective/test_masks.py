"""Masks: painted, changed, fitted to edges, written and read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from colorize_core.errors import OptionError, PictureError, SaveError
from colorize_core.imaging.resampling import resize
from colorize_core.selective import masks

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
LEVELS = st.floats(0, 1, width=32)
MASKS = hnp.arrays(np.float32, SHAPES, elements=LEVELS)
few = settings(max_examples=40, deadline=None)


def disc(height: int, width: int, radius: float) -> masks.Mask:
    y, x = np.mgrid[:height, :width]
    return (np.hypot(y - height / 2, x - width / 2) <= radius).astype(np.float32)


def in_range(mask: masks.Mask) -> bool:
    return mask.dtype == np.float32 and bool(((mask >= 0) & (mask <= 1)).all())


# --- editing ------------------------------------------------------------------------------------


@few
@given(
    MASKS,
    st.lists(st.tuples(st.floats(-9, 30), st.floats(-9, 30)), min_size=1, max_size=4),
    st.floats(0.5, 8),
    st.floats(0, 1),
)
def test_a_stroke_covers_its_radius_and_nothing_beyond(mask, points, radius, hardness):
    before = mask.copy()
    result = masks.paint(mask, points, radius, hardness=hardness)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    distance = np.min([np.hypot(x - px, y - py) for px, py in samples(points)], axis=0)
    assert in_range(result)
    assert np.array_equal(mask, before)
    assert np.array_equal(result[distance > radius + 0.55], mask[distance > radius + 0.55])
    assert (result[distance < radius * hardness - 0.6] == 1).all()
    assert (result >= mask).all()
    erased = masks.paint(mask, points, radius, hardness=hardness, erase=True)
    opposite = masks.paint(1 - mask, points, radius, hardness=hardness)
    assert np.allclose(erased, 1 - opposite, rtol=0, atol=1e-6)


def samples(points):
    """Places along a stroke, near enough to each other."""
    for (x0, y0), (x1, y1) in pairwise(points * (2 if len(points) == 1 else 1)):
        for part in np.linspace(0, 1, 150):
            yield x0 + part * (x1 - x0), y0 + part * (y1 - y0)


def test_a_soft_brush_fades_and_a_hard_one_does_not():
    empty = np.zeros((41, 41), np.float32)
    for hardness, between in ((1.0, False), (0.5, True), (0.0, True)):
        row = masks.paint(empty, [(20, 20)], 10, hardness=hardness)[20]
        assert row[20] == 1
        assert (np.diff(row[20:]) <= 0).all()
        assert (0.2 < row[27] < 0.8) == between


@pytest.mark.parametrize(
    ("radius", "hardness", "said"),
    [(0, 1, "radius"), (-2, 1, "radius"), (float("nan"), 1, "radius"), (3, 1.1, "hardness")],
)
def test_a_brush_that_cannot_be_is_refused(radius, hardness, said):
    with pytest.raises(OptionError, match=said):
        masks.paint(np.zeros((4, 4), np.float32), [(1, 1)], radius, hardness=hardness)


@few
@given(MASKS, st.floats(-6, 6))
def test_growing_is_shrinking_what_is_outside(mask, pixels):
    result = masks.grow(mask, pixels)
    assert in_range(result)
    assert np.allclose(result, 1 - masks.grow(1 - mask, -pixels), atol=1e-6)
    assert (result >= mask).all() if pixels >= 0 else (result <= mask).all()


@pytest.mark.parametrize("pixels", [-12, -3, 0, 2.5, 7, 30])
def test_a_disc_grows_by_the_pixels_asked_for(pixels):
    area = masks.grow(disc(160, 180, 40), pixels).sum()
    assert np.sqrt(area / np.pi) == pytest.approx(40 + pixels, abs=0.07 * abs(pixels) + 0.6)


@few
@given(MASKS, st.data(), st.floats(0.1, 6))
def test_a_feather_keeps_the_order_of_masks(mask, data, pixels):
    other = np.minimum(mask, data.draw(hnp.arrays(np.float32, mask.shape, elements=LEVELS)))
    above, below = masks.feather(mask, pixels), masks.feather(other, pixels)
    assert in_range(above)
    assert (above >= below - 2 * masks.NEARLY).all()
    assert above.min() >= mask.min() - masks.NEARLY
    assert above.max() <= mask.max() + masks.NEARLY


@few
@given(st.integers(20, 60), st.floats(0.1, 9), st.floats(0.1, 9))
def test_a_feathered_edge_only_falls_and_more_feather_falls_slower(width, first, second):
    step = np.zeros((5, width), np.float32)
    step[:, : width // 2] = 1
    less, more = (masks.feather(step, pixels)[2] for pixels in sorted((first, second)))
    assert (np.diff(less) <= 1e-6).all()
    assert (np.diff(more) <= 1e-6).all()
    outside = slice(width // 2, None)
    assert (more[outside] >= less[outside] - 2 * masks.NEARLY).all()
    assert np.array_equal(masks.feather(step, 0), step)


def test_far_from_its_edge_a_feathered_mask_is_exactly_what_it_was():
    step = np.zeros((80, 80), np.float32)
    step[:, 40:] = 1
    soft = masks.feather(step, 6)
    assert (soft[:, :20] == 0).all()
    assert (soft[:, 60:] == 1).all()
    assert 0.02 < soft[40, 34] < 0.2


@few
@given(MASKS)
def test_filling_closes_what_the_border_cannot_reach(mask):
    result = masks.fill_holes(mask)
    assert in_range(result)
    assert (result >= mask).all()
    assert np.array_equal(masks.fill_holes(result), result)
    assert np.array_equal(result[0], mask[0])
    assert np.array_equal(masks.fill_holes(mask.T), result.T)


def test_a_hole_is_filled_and_a_bay_is_not():
    ring = disc(40, 40, 15) - disc(40, 40, 8)
    assert np.array_equal(masks.fill_holes(ring), disc(40, 40, 15))
    ring[18:22, 20:] = 0
    assert np.array_equal(masks.fill_holes(ring), ring)
    spiral = np.ones((21, 21), np.float32)  # one way in with many turns
    spiral[1::4, :-1], spiral[3::4, 1:], spiral[2::4, 1], spiral[4::4, -2] = 0, 0, 0, 0
    spiral[1, 0] = 0
    assert np.array_equal(masks.fill_holes(spiral), spiral)


@few
@given(MASKS)
def test_inverting_twice_is_nothing(mask):
    assert in_range(masks.invert(mask))
    assert np.allclose(masks.invert(masks.invert(mask)), mask, rtol=0, atol=6e-8)
    hard = np.round(mask * 256) / np.float32(256)
    assert np.array_equal(masks.invert(masks.invert(hard)), hard)


# --- a photo's edges ----------------------------------------------------------------------------


def fur(height: int, width: int, rng: np.random.Generator, size: float = 1.0):
    """How much of each pixel is covered by a dark head with hair, and L with grain before a bright
    wall."""
    scale = 4  # drawn larger, then averaged
    fine = np.zeros((height * scale, width * scale), np.float32)
    middle = np.array([width / 2, height * 0.55]) * scale
    inner = min(height, width) * 0.28 * scale
    for angle in rng.uniform(0, 2 * np.pi, 260):
        way = np.array([np.cos(angle), np.sin(angle)])
        bend = np.array([-way[1], way[0]]) * rng.normal(0, 0.15)
        steps = np.linspace(0, 1, 30)[:, None]
        length = rng.uniform(4, 9) * scale * size
        points = middle + way * (inner - 4) + (way * steps + bend * steps**2) * length
        fine = masks.paint(fine, [tuple(p) for p in points], 0.35 * scale * size)
    fine = np.maximum(fine, masks.paint(fine * 0, [tuple(middle)], inner))
    cover = resize(fine, height, width)
    noise = rng.normal(0, 1.0, (height, width))
    return cover, (82 - 55 * cover + noise).astype(np.float32)


def test_snapping_finds_hair(rng):
    cover, light = fur(160, 180, rng)
    rough = disc(160, 180, 0)
    rough = masks.paint(rough, [(90, 88)], 50)  # as one would draw it: through the hair
    before, after = (np.abs(m - cover).mean() for m in (rough, masks.snap(rough, light)))
    assert after < 0.2 * before
    strands = (cover > 0.6) & (rough == 0)
    assert masks.snap(rough, light)[strands].mean() > 0.8


@few
@given(MASKS, st.floats(0.5, 9), st.integers(0, 9))
def test_snapping_keeps_what_has_no_edge(mask, pixels, seed):
    light = np.random.default_rng(seed).uniform(0, 100, mask.shape).astype(np.float32)
    result = masks.snap(mask, light, pixels)
    assert in_range(result)
    for level in (0, 1):
        whole = np.full_like(mask, level)
        assert np.array_equal(masks.snap(whole, light, pixels), whole)


def test_snapping_moves_an_edge_to_the_photos_edge_and_leaves_the_rest():
    light = np.full((60, 90), 20, np.float32)
    light[:, 45:] = 80
    mask = np.zeros((60, 90), np.float32)
    mask[:, 48:] = 1
    mask[20:30, 5:15] = 1  # nothing of the photo is near it
    result = masks.snap(mask, light)
    assert (result[:, 45:] > 0.95).all()
    assert (result[:10, :45] < 0.05).all()
    assert np.array_equal(result[20:30, 5:15], mask[20:30, 5:15])
    assert np.array_equal(masks.snap(mask, light, 0), mask)


def test_refining_follows_edges_that_the_mask_is_too_small_for(rng):
    cover, light = fur(800, 900, rng, size=4)
    small = resize(cover, 160, 180)
    plain = np.abs(resize(small, 800, 900) - cover).mean()
    result = masks.refine(small, light)
    assert np.abs(result - cover).mean() < 0.6 * plain
    assert in_range(result)


@few
@given(MASKS, st.integers(1, 4), st.integers(0, 9))
def test_refining_keeps_what_is_whole(mask, times, seed):
    height, width = (side * times for side in mask.shape)
    light = np.random.default_rng(seed).uniform(0, 100, (height, width)).astype(np.float32)
    assert in_range(masks.refine(mask, light))
    for level in (0, 1):
        whole = masks.refine(np.full_like(mask, level), light)
        assert np.array_equal(whole, np.full_like(light, level))


def test_strips_leave_no_seams(rng, monkeypatch):
    light = rng.uniform(0, 100, (301, 97)).astype(np.float32)
    mask = rng.uniform(0, 1, (60, 19)).astype(np.float32)
    whole = masks.refine(mask, light)
    monkeypatch.setattr(masks, "STRIP_PIXELS", 97 * 7)
    assert np.array_equal(masks.refine(mask, light), whole)


def test_a_mask_of_another_photo_is_refused(rng):
    light = np.zeros((300, 400), np.float32)
    with pytest.raises(OptionError, match=r"30 × 40 pixels, the photo 400 × 300"):
        masks.refine(np.zeros((40, 30), np.float32), light)
    with pytest.raises(OptionError, match=r"40 × 30 pixels, the picture 400 × 300"):
        masks.snap(np.zeros((30, 40), np.float32), light)


@pytest.mark.parametrize(
    ("photo", "mask"),
    [((853, 1280), (853, 1280)), ((4000, 6000), (853, 1280)), ((1, 9000), (1, 1280))],
)
def test_masks_are_worked_on_at_screen_size(photo, mask):
    assert masks.choose_size(*photo) == mask


def test_what_is_doubtful_about_a_mask_is_said():
    mask = np.zeros((100, 100), np.float32)
    assert masks.describe_doubt(mask, "person") == (
        "person is empty: nothing of the picture is in it."
    )
    mask[:10, :5] = 1
    assert "person covers only less than 1 % of" in masks.describe_doubt(mask, "person")
    mask[:10, :20] = 1
    assert "covers only 2 % of" in masks.describe_doubt(mask)
    mask[:20, :60] = 0.5
    assert "unsure" in masks.describe_doubt(mask)
    mask[:20, :60] = 0.9
    assert masks.describe_doubt(mask) == ""


# --- files --------------------------------------------------------------------------------------


def test_a_mask_survives_its_file(tmp_path: Path, rng):
    mask = rng.uniform(0, 1, (30, 50)).astype(np.float32)
    masks.write_mask(tmp_path / "mask.png", mask)
    with Image.open(tmp_path / "mask.png") as file:
        assert file.mode == "L"
    found = masks.read_mask(tmp_path / "mask.png")
    assert np.abs(found - mask).max() <= 0.5 / 255 + 1e-6
    masks.write_mask(tmp_path / "again.png", found)
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "mask.png").read_bytes()


def test_masks_of_other_kinds_are_read(tmp_path: Path):
    levels = np.array([[0, 128, 255]], np.uint8)
    Image.fromarray(levels.astype(np.uint16) * 257).save(tmp_path / "fine.png")
    Image.fromarray(np.dstack([levels] * 3)).save(tmp_path / "colour.png")
    white = np.dstack([np.full((1, 3, 3), 255, np.uint8), levels])
    Image.fromarray(white).save(tmp_path / "clear.png")
    for name in ("fine.png", "colour.png", "clear.png"):
        found = masks.read_mask(tmp_path / name)
        assert np.allclose(found, levels / 255, atol=1e-6), name


def test_files_that_are_no_masks_are_told(tmp_path: Path):
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(PictureError, match=r"notes\.png"):
        masks.read_mask(tmp_path / "notes.png")
    with pytest.raises(PictureError, match="no such file"):
        masks.read_mask(tmp_path / "missing.png")
    empty = np.zeros((2, 2), np.float32)
    with pytest.raises(SaveError, match=r"ends in \.png"):
        masks.write_mask(tmp_path / "mask.jpg", empty)
    with pytest.raises(SaveError, match="cannot be written"):
        masks.write_mask(tmp_path / "no" / "mask.png", empty)
