"""Pictures at another size: areas are averaged, whether or not they are halved on the way."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from colorize_core.imaging.resampling import resize


@pytest.mark.parametrize("size", [(640, 800), (641, 800), (640, 801), (636, 796)])
@pytest.mark.parametrize("planes", [(), (3,)])
@pytest.mark.parametrize(
    ("kind", "most", "rounding"), [(np.uint8, 255, 1), (np.uint16, 65535, 1), (np.float32, 1, 1e-6)]
)
def test_halving_on_the_way_is_nearly_an_average_over_areas(
    rng: np.random.Generator,
    size: tuple[int, int],
    planes: tuple[int, ...],
    kind: type,
    most: float,
    rounding: float,
) -> None:
    """Exactly where areas are of whole pixels, else but for what pixels at their rims share."""
    noise = rng.random((size[0] // 4, size[1] // 4, *planes)).astype(np.float32)
    large = np.clip(cv2.resize(noise, size[::-1], interpolation=cv2.INTER_LINEAR) * most, 0, most)
    large = large.astype(kind)
    for factor in (4, 8, 8.53):
        height, width = round(size[0] / factor), round(size[1] / factor)
        exact = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
        found = resize(large, height, width)
        assert found.shape == exact.shape
        assert found.dtype == exact.dtype
        off = np.abs(found.astype(np.float64) - exact.astype(np.float64))
        whole = size[0] % factor == size[1] % factor == 0
        assert off.mean() <= (rounding if whole else 0.02 * most)


def test_whole_halvings_are_the_mean_of_each_area(rng: np.random.Generator) -> None:
    large = rng.integers(0, 256, (64, 96), dtype=np.uint8)
    means = large.reshape(8, 8, 12, 8).mean((1, 3))
    assert np.abs(resize(large, 8, 12) - means).max() <= 1


def test_a_larger_one_is_interpolated_and_its_own_size_is_itself() -> None:
    small = np.array([[0.0, 1.0]], np.float32)
    assert resize(small, 1, 2) is small
    assert resize(small, 1, 4)[0].tolist() == [0.0, 0.25, 0.75, 1.0]
