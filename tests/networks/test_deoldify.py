"""The port of DeOldify's artistic generator against the original, github.com/jantic/DeOldify at
5f86c28.

There the same weights (port_weights.stand_ins with a gain of the square root of 2) and the same
photo gave the numbers below, in float32 on a CPU. Sums taken in another order are off by less than
1e-6 of the largest value.
"""

from __future__ import annotations

import hashlib

import port_weights
import pytest
import torch
import torch.nn.functional as F

from colorize_core.networks.deoldify import DeOldify
from colorize_core.networks.shuffle import NormedConv2d

TOLERANCE = 1e-5  # of the largest value: without the scale of its attention it is off by 1e-4
EXPECTED = {  # red, green and blue at (row, column)
    (0, 0): (0.689903, 0.528593, 0.414878),
    (0, 95): (0.702093, 0.528469, 0.550356),
    (22, 42): (0.733291, 0.51862, 0.390459),
    (40, 7): (0.740575, 0.520383, 0.394387),
    (63, 95): (0.589376, 0.485555, 0.198373),
}
LARGEST = 0.782922


def test_a_published_file_has_the_originals_names_and_shapes() -> None:
    with torch.device("meta"):
        shapes = port_weights.shapes(DeOldify())
    lines = "\n".join(f"{name} {shapes[name]}" for name in sorted(shapes))
    assert len(shapes) == 378
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == "8231097ff8d73695"


def test_the_same_weights_give_the_originals_colours() -> None:
    network = DeOldify().eval()
    network.load_state_dict(port_weights.stand_ins(port_weights.shapes(network), 2**0.5))
    gray = (torch.linspace(0, 1, 64)[:, None] * torch.linspace(0.2, 1, 96)).expand(1, 3, -1, -1)
    with torch.inference_mode():
        rgb = network(gray)
    assert rgb.shape == gray.shape
    assert float(rgb.abs().max()) == pytest.approx(LARGEST, rel=TOLERANCE)
    for (row, column), expected in EXPECTED.items():
        found = rgb[0, :, row, column].tolist()
        assert found == pytest.approx(expected, abs=TOLERANCE * LARGEST), (row, column)


def test_lengths_and_directions_are_multiplied_when_they_are_loaded() -> None:
    weight = torch.rand(7, 5, 3, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    lengths = torch.arange(1.0, 8).view(7, 1, 1, 1)
    ours = NormedConv2d(5, 7, 3, bias=False)
    ours.load_state_dict({"weight_g": lengths, "weight_v": weight})
    expected = F.normalize(weight.flatten(1), dim=1).view_as(weight) * lengths
    assert torch.allclose(ours.weight, expected)
