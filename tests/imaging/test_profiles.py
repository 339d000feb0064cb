from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ImageCms

from colorize_core.imaging import profiles
from colorize_core.imaging.icc import convert_to_srgb, make_srgb_transform
from tests import image_files as files

P3 = profiles.PRIMARIES[12]


def test_srgb_in_numbers_is_srgb() -> None:
    icc = profiles.make_rgb_profile(profiles.SRGB, profiles.SRGB_CURVE)
    assert icc is not None
    assert make_srgb_transform(icc, "RGB") is None  # nothing to convert
    made = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
    assert made.xcolor_space.strip() == "RGB"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).profile
    for name in ("red_colorant", "green_colorant", "blue_colorant"):
        found, expected = (getattr(each, name)[0] for each in (made, srgb))
        assert np.allclose(found, expected, atol=5e-4)


@pytest.mark.parametrize("deep", [False, True])
def test_primaries_in_numbers_are_those_of_the_profile(deep: bool) -> None:
    samples = files.deep() if deep else files.colours()
    known = files.rgb_profile(files.DISPLAY_P3, files.srgb_curve())
    made = profiles.make_rgb_profile(P3, profiles.SRGB_CURVE)
    found, expected = (convert_to_srgb(samples.copy(), icc).astype(int) for icc in (made, known))
    assert np.percentile(np.abs(found - expected), 99) <= (257 if deep else 1)


def test_curves_of_gray() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    half = convert_to_srgb(ramp, profiles.make_gray_profile(1.0))[0, 55, 0]
    assert abs(int(half) - 128) <= 1  # 55 / 255 of the light is 128 in sRGB
    plain = convert_to_srgb(ramp, profiles.make_gray_profile(profiles.SRGB_CURVE))
    np.testing.assert_array_equal(plain[..., 0], ramp)


@pytest.mark.parametrize(
    "points", [(0.3,) * 8, (0.3127, 0.0, *P3[2:]), (*P3[:2], 0.9, 0.1, 0.1, 0.9, 0.5, 0.5)]
)
def test_points_that_span_no_triangle_around_white(points: profiles.Chromaticities) -> None:
    assert profiles.make_rgb_profile(points, 2.2) is None
