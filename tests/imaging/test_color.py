"""colour conversion against published values and an independent implementation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2rgb, rgb2lab

from colorize_core.imaging.color import (
    lab_to_rgb,
    lab_to_rgb_in_gamut,
    lightness,
    linear_to_srgb,
    rgb_to_lab,
    srgb_to_linear,
)

# Lab (D65, 2 degrees) of the sRGB corners, Bruce Lindbloom's calculator, four decimals.
CORNERS = {
    (1, 0, 0): (53.2408, 80.0925, 67.2032),
    (0, 1, 0): (87.7347, -86.1827, 83.1793),
    (0, 0, 1): (32.2970, 79.1875, -107.8602),
    (1, 1, 0): (97.1393, -21.5537, 94.4780),
    (0, 1, 1): (91.1132, -48.0875, -14.1312),
    (1, 0, 1): (60.3242, 98.2343, -60.8249),
    (1, 1, 1): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("rgb", CORNERS)
def test_corners_of_srgb(rgb):
    # 0.05: the published values use matrices and white points of four digits.
    assert rgb_to_lab(np.array(rgb, float)) == pytest.approx(CORNERS[rgb], abs=0.05)


def test_agrees_with_scikit_image(rng):
    rgb = rng.random((64, 64, 3))
    assert np.abs(rgb_to_lab(rgb) - rgb2lab(rgb)).max() < 0.02
    lab = rgb2lab(rgb)
    # Its matrices have six digits; near black the transfer curve multiplies what they miss.
    assert np.abs(lab_to_rgb(lab) - lab2rgb(lab)).max() < 3e-3


def test_gray_has_no_chroma_and_round_trips():
    gray = np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1)
    lab = rgb_to_lab(gray)
    assert np.abs(lab[:, 1:]).max() < 1e-10
    assert np.abs(lab_to_rgb(lab) - gray).max() < 1e-10
    assert np.abs(lightness(gray) - lab[:, 0]).max() < 1e-7


def test_transfer_curve_is_its_own_inverse(rng):
    values = rng.random(1000)
    assert np.abs(linear_to_srgb(srgb_to_linear(values)) - values).max() < 1e-12
    assert srgb_to_linear(np.array([0.5]))[0] == pytest.approx(0.21404114, abs=1e-8)


def test_tensors_give_what_arrays_give(rng):
    rgb = rng.random((2, 5, 7, 3))
    batch = torch.from_numpy(rgb).permute(0, 3, 1, 2)
    lab = rgb_to_lab(batch, axis=1)
    assert torch.allclose(lab.permute(0, 2, 3, 1), torch.from_numpy(rgb_to_lab(rgb)), atol=1e-9)
    wild = lab * torch.tensor([1.0, 3.0, 3.0]).view(1, 3, 1, 1)
    array = lab_to_rgb_in_gamut(wild.permute(0, 2, 3, 1).numpy())
    tensor = lab_to_rgb_in_gamut(wild, axis=1).permute(0, 2, 3, 1)
    assert np.abs(array - tensor.numpy()).max() < 1e-9


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 100), st.floats(-150, 150), st.floats(-150, 150))
def test_the_gamut_clamp_keeps_lightness(level, a, b):
    rgb = lab_to_rgb_in_gamut(np.array([level, a, b]))
    assert ((rgb >= 0) & (rgb <= 1)).all()
    assert lightness(rgb) == pytest.approx(level, abs=0.01)


def test_the_gamut_clamp_leaves_what_fits(rng):
    rgb = rng.random((500, 3))
    assert np.abs(lab_to_rgb_in_gamut(rgb_to_lab(rgb)) - rgb).max() < 1e-9


def test_wrong_channel_axis_is_refused():
    with pytest.raises(ValueError, match="expected 3 channels"):
        rgb_to_lab(np.zeros((4, 4)))
