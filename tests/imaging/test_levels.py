from __future__ import annotations

import numpy as np
import pytest

from colorize_core.errors import BrokenPictureError
from colorize_core.imaging.levels import stretch


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, [0, 255]), (3, [0, 85, 170, 255]), (255, [0, 1, 254, 255]), (1023, [0, 64, 65471, 65535])],
)
def test_the_ends_and_what_lies_between(most: int, expected: list[int]) -> None:
    samples = {1: [0, 1], 3: [0, 1, 2, 3]}.get(most, [0, 1, most - 1, most])
    found = stretch(np.array(samples, np.uint16), most)
    assert found.tolist() == expected
    assert found.dtype == (np.uint16 if most > 255 else np.uint8)


def test_samples_above_the_most() -> None:
    with pytest.raises(BrokenPictureError, match="larger"):
        stretch(np.array([16], np.uint8), 15)
