"""Skin: what is learned of it in colour, where it is put, and in what colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Tone
from colorize_core.models.distribution import Distribution
from colorize_core.networks.ab_bins import AbBins
from colorize_core.networks.skin import LEVELS, SIDE, Skin, SkinConfig
from colorize_core.people import skin as people_skin
from colorize_core.people.faces import Face
from colorize_core.people.skin import (
    FaceSkin,
    PlacedDistribution,
    SkinLayer,
    colour_skin,
    find_skin,
    measure_tint,
)
from colorize_core.people.windows import Rectangle, frame_face
from colorize_core.training import skin as training
from colorize_core.training.recipes.skin import move_windows

SMALL = SkinConfig(widths=(8, 16, 24), depths=(1, 1, 1), heads=2)
BINS = AbBins(14.0)
FACE = Face(180, 62, 271, 178, 0.9, ())  # the astronaut's


@pytest.fixture
def network() -> Skin:
    """Knows skin as ab (14, 18) give or take 6, with a little less chroma where it is bright."""
    torch.manual_seed(0)
    network = Skin(SMALL).eval()
    fall = torch.linspace(1, 0.5, LEVELS)[:, None]
    network.ab_mean.copy_(torch.tensor([14.0, 18.0]) * fall)
    network.ab_covariance.copy_(torch.eye(2).repeat(LEVELS, 1, 1) * 36)
    return network


def told(
    *parts: tuple[tuple[float, float], float], size: tuple[int, int] = (40, 40)
) -> PlacedDistribution:
    """The same shares of colours in 10 x 10 cells of 4 x 4 fine pixels at L 50."""
    logits = torch.full((1, len(BINS), 10, 10), -40.0)
    for colour, share in parts:
        number = int((BINS.points - torch.tensor(colour)).norm(dim=1).argmin())
        logits[0, number] = float(np.log(share))
    level = np.full((10, 10), 50, np.float32)
    return PlacedDistribution(
        Distribution(BINS, logits), level, (10.0, 10.0), Rectangle(0, 0, *size)
    )


def middle() -> FaceSkin:
    return FaceSkin(FACE, Rectangle(10, 10, 30, 30), np.ones((20, 20), np.float32))


def test_colours_lie_between_the_levels(network: Skin) -> None:
    mean, covariance = network.interpolate_colours(torch.tensor([0.0, 50.0, 52.5, 100.0, 130.0]))
    assert torch.allclose(mean[0], torch.tensor([14.0, 18.0]))
    assert torch.allclose(mean[3], torch.tensor([7.0, 9.0]))
    assert torch.equal(mean[3], mean[4])
    assert torch.allclose(mean[2], mean[1] * (0.7375 / 0.75))
    assert covariance.shape == (5, 2, 2)


def test_faces_that_look_like_skin_get_its_colours_and_stone_does_not(network: Skin) -> None:
    mean = network.interpolate_colours(torch.tensor([50.0]))[0][0].numpy()
    timid = told(((14, 14), 0.5), ((0, 0), 0.5))
    moved, surely = measure_tint(network, middle(), timid)
    assert np.abs(moved).max() < 6
    assert surely > 0.8
    stone = told(((0, 0), 0.7), ((0, 14), 0.3))
    assert measure_tint(network, middle(), stone)[1] < surely
    red, sure_of_red = measure_tint(network, middle(), told(((42, 28), 1.0)))
    assert sure_of_red > 0.9
    assert (mean + red)[10, 10, 0] > mean[0] + 15, "a face in red light stays red"


def test_only_what_is_skin_decides(network: Skin) -> None:
    around = told(((14, -42), 1.0))  # blue everywhere
    number = int((BINS.points - torch.tensor([14.0, 14.0])).norm(dim=1).argmin())
    logits = around.distribution.logits
    logits[0, :, 2:8, 2:8] = -40
    logits[0, number, 2:8, 2:8] = 0
    moved, surely = measure_tint(network, middle(), around)
    assert np.hypot(*moved[10, 10]) < 8
    assert surely > 0.9


def test_the_colours_are_laid_within_the_mask_and_by_the_amount(network: Skin) -> None:
    fine_l = np.full((40, 40), 50, np.float32)
    layer = colour_skin(network, [middle()], [told(((14, 14), 1.0))], fine_l, 1.0)
    ab = layer.apply_to(np.zeros((40, 40, 2), np.float32), 1.0)
    assert np.hypot(*ab[20, 20]) > 12
    assert np.abs(ab[:10]).max() == 0
    half = colour_skin(network, [middle()], [told(((14, 14), 1.0))], fine_l, 0.5)
    assert half.apply_to(np.zeros((40, 40, 2), np.float32), 1.0) == pytest.approx(ab / 2)
    dull, vivid = (layer.apply_to(np.zeros((40, 40, 2), np.float32), v) for v in (0.0, 2.0))
    assert np.hypot(*dull[20, 20]) < np.hypot(*ab[20, 20]) < np.hypot(*vivid[20, 20])


def test_the_finest_look_at_a_face_decides(network: Skin) -> None:
    whole = told(((0, -42), 1.0))
    close = PlacedDistribution(
        whole.distribution, whole.coarse_l, (10.0, 10.0), Rectangle(8, 8, 32, 32)
    )
    assert people_skin._find_finest(middle(), [whole, close]) is close
    elsewhere = PlacedDistribution(
        whole.distribution, whole.coarse_l, (10.0, 10.0), Rectangle(0, 0, 9, 9)
    )
    assert people_skin._find_finest(middle(), [whole, elsewhere]) is whole


class Bright(torch.nn.Module):
    """Takes for skin what is bright, and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.shown: list[Tensor] = []

    def forward(self, lightness: Tensor) -> Tensor:
        self.shown.append(lightness)
        return lightness - 50


@pytest.mark.parametrize("place", [(256.0, 256.0), (8.0, 500.0)])
def test_masks_lie_where_the_network_says(place: tuple[float, float]) -> None:
    """Also where the window around a face reaches over the edge."""
    x, y = place
    photo = np.full((512, 512, 3), 30, np.uint8)
    photo[max(0, int(y) - 30) : int(y) + 30, max(0, int(x) - 20) : int(x) + 20] = 220
    face = Face(x - 20, y - 30, x + 20, y + 30, 0.9, ())
    network: Any = Bright()
    (found,) = find_skin(network, photo, Tone(), [face], (256, 256))
    assert network.shown[0].shape == (2, 1, SIDE, SIDE)
    mask = np.zeros((256, 256), np.float32)
    mask[found.place.top : found.place.bottom, found.place.left : found.place.right] = found.mask
    truth = resize(photo, 256, 256)[..., 0] > 128
    assert ((mask > 0.5) == truth).mean() > 0.995
    assert mask[truth].mean() > 0.9


def test_no_faces_no_skin() -> None:
    network: Any = Bright()
    assert find_skin(network, np.zeros((20, 20, 3), np.uint8), Tone(), [], (20, 20)) == []
    assert not network.shown


# --- what it learns from ----------------------------------------------------------------------


def test_the_colour_of_a_face_tells_what_is_skin() -> None:
    lab = rgb_to_lab(astronaut().astype(np.float32) / 255).astype(np.float32)
    likely = training.label_skin(lab, FACE)
    assert likely is not None
    assert likely[110:150, 205:245].mean() > 0.7, "cheeks and nose"
    assert likely[20:45, 180:280].mean() < 0.2, "hair"
    assert likely[300:400, 60:160].mean() < 0.05, "the suit"


@pytest.mark.parametrize("ab", [(0.0, 0.0), (10.0, -40.0), (60.0, 40.0)])
def test_faces_without_a_colour_of_skin_teach_nothing(ab: tuple[float, float]) -> None:
    lab = rgb_to_lab(astronaut().astype(np.float32) / 255).astype(np.float32)
    lab[..., 1:] = ab
    assert training.label_skin(lab, FACE) is None


def test_windows_are_found_and_their_colours_measured() -> None:
    photo = astronaut()[:400, 60:460]
    photos = torch.from_numpy(np.stack([photo, np.full_like(photo, 90)])).permute(0, 3, 1, 2)
    skin = training.find_skin(photos)
    assert skin.pixels.shape == (1, 3, SIDE, SIDE)
    assert skin.mask.shape == skin.known.shape == (1, 1, SIDE, SIDE)
    window = frame_face(Face(120, 62, 211, 178, 0.9, ()))
    assert (skin.known[0, 0, :10] == 0).all() == (window.top < -10)
    mean, covariance = training.measure_colours(skin, LEVELS)
    hue = torch.atan2(mean[:, 1], mean[:, 0]).rad2deg()[10:16]
    assert ((hue > 20) & (hue < 75)).all()
    assert (torch.linalg.eigvalsh(covariance) > -1e-4).all()
    with pytest.raises(ValueError, match="no faces"):
        training.find_skin(photos[1:])


def test_measured_colours_are_those_of_the_pixels() -> None:
    lab = np.zeros((SIDE, SIDE, 3), np.float32)
    lab[..., 0], lab[..., 1:] = 60, (16, 20)
    rgb = torch.from_numpy((lab_to_rgb(lab) * 255).round().astype(np.uint8)).permute(2, 0, 1)
    full = torch.full((1, 1, SIDE, SIDE), 255, dtype=torch.uint8)
    mean, _ = training.measure_colours(training.Skin(rgb[None], full, full), LEVELS)
    assert torch.allclose(mean[12], torch.tensor([16.0, 20.0]), atol=0.6)


def test_moved_windows_keep_their_planes_together() -> None:
    torch.manual_seed(0)
    plane = torch.rand(6, 1, 32, 32)
    moved = move_windows(torch.cat([plane, plane, torch.ones_like(plane)], 1))
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert not torch.equal(moved[:, :1], plane)
    assert 0 < (moved[:, 2] < 0.5).float().mean() < 0.5, "what comes in from outside"


def test_layers_do_not_change_what_they_are_put_on() -> None:
    layer = SkinLayer(np.ones((4, 4), np.float32), np.full((4, 4, 2), 20, np.float32))
    under = np.zeros((4, 4, 2), np.float32)
    assert layer.apply_to(under, 1.0).min() == 20
    assert under.max() == 0
