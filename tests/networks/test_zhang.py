"""The ports of ECCV16 and SIGGRAPH17 against the originals, github.com/richzhang/colorization at
4f6009e.

There the same weights (port_weights.stand_ins with a gain of the square root of 2) and the same
photo gave the numbers below, in float32 on a CPU. Sums taken in another order are off by some 1e-6
of the largest value.
"""

from __future__ import annotations

import hashlib

import port_weights
import pytest
import torch
import torch.nn.functional as F

from colorize_core.networks.zhang import Eccv16, Siggraph17

TOLERANCE = 1e-4  # of the largest value
# Tensors in a file, and the sha256 of their names and shapes.
FILES = {Eccv16: (82, "83887a0441b2a2b1"), Siggraph17: (107, "55ef5098d49116de")}
PLACES = ((0, 0), (0, 95), (22, 42), (40, 7), (63, 95))  # row, column
ECCV16 = (
    (0.72733, 0.36942),
    (0.66685, 0.36175),
    (0.95631, 0.27096),
    (0.79214, 0.25262),
    (0.73215, 0.30529),
)
SIGGRAPH17 = (
    (-17.96643, 19.2205),
    (-0.78877, 18.79496),
    (20.98273, 43.08641),
    (5.19387, 11.01992),
    (6.84762, 5.29576),
)
GUIDED = (
    (-17.95772, 19.20715),
    (-0.80823, 18.80782),
    (8.85506, 55.97014),
    (5.1337, 11.15692),
    (6.8547, 5.2906),
)


def lightness() -> torch.Tensor:
    """(1, 1, 64, 96), brighter to the right and below."""
    return (100 * torch.linspace(0, 1, 64)[:, None] * torch.linspace(0.2, 1, 96))[None, None]


def hints() -> tuple[torch.Tensor, torch.Tensor]:
    """A purple square about the third of the places, and its mask."""
    ab, mask = torch.zeros(1, 2, 64, 96), torch.zeros(1, 1, 64, 96)
    ab[0, :, 20:24, 40:44] = torch.tensor([60.0, -30.0])[:, None, None]
    mask[0, 0, 20:24, 40:44] = 1
    return ab, mask


def filled(kind: type[torch.nn.Module]) -> torch.nn.Module:
    network = kind().eval()
    network.load_state_dict(port_weights.stand_ins(port_weights.shapes(network), 2**0.5))
    return network


def check(ab: torch.Tensor, expected: tuple[tuple[float, float], ...], largest: float) -> None:
    assert ab.shape == (1, 2, 64, 96)
    assert float(ab.abs().max()) == pytest.approx(largest, rel=TOLERANCE)
    found = [ab[0, :, row, column].tolist() for row, column in PLACES]
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=TOLERANCE * largest)


@pytest.mark.parametrize("kind", FILES)
def test_a_published_file_has_the_originals_names_and_shapes(kind: type[torch.nn.Module]) -> None:
    with torch.device("meta"):
        shapes = port_weights.shapes(kind())
    lines = "\n".join(f"{name} {shapes[name]}" for name in sorted(shapes))
    assert (len(shapes), hashlib.sha256(lines.encode()).hexdigest()[:16]) == FILES[kind]


def test_eccv16_gives_the_originals_colours() -> None:
    with torch.inference_mode():
        ab = filled(Eccv16)(lightness())
    # The original ends with this upsampling, for which the shared path has a better one.
    check(F.interpolate(ab, scale_factor=4, mode="bilinear"), ECCV16, 1.014597)


def test_siggraph17_gives_the_originals_colours_without_hints_and_with() -> None:
    network, (ab, mask) = filled(Siggraph17), hints()
    with torch.inference_mode():
        check(network(lightness(), 0 * ab, 0 * mask), SIGGRAPH17, 81.846596)
        check(network(lightness(), ab, mask), GUIDED, 81.802811)
