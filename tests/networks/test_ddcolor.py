"""The port of DDColor against the original, github.com/piddnad/DDColor at 2adb63f.

There the same weights and the same photo gave the numbers of references.py.
"""

from __future__ import annotations

import hashlib

import port_weights
import pytest
import torch

from colorize_core.acceptance.references import DDCOLOR
from colorize_core.networks.ddcolor import LARGE, TINY, DDColor
from colorize_core.networks.shuffle import SpectralConv2d

# Parameters, tensors in a file, and the sha256 of their names and shapes.
FILES = {
    "tiny": (TINY, 55_006_640, 440, "7fc152a01a30a00b"),
    "large": (LARGE, 227_869_328, 602, "10b7b512e19d5da9"),
}


def photo() -> torch.Tensor:
    """(1, 3, 64, 96), brighter to the right and below."""
    gray = torch.linspace(0, 1, 64)[:, None] * torch.linspace(0.2, 1, 96)
    return gray.expand(1, 3, -1, -1)


@pytest.mark.parametrize("size", FILES)
def test_a_published_file_has_the_originals_names_and_shapes(size):
    config, parameters, tensors, digest = FILES[size]
    with torch.device("meta"):
        network = DDColor(config)
    shapes = port_weights.shapes(network)
    lines = "\n".join(f"{name} {shapes[name]}" for name in sorted(shapes))
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert len(shapes) == tensors
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == digest


def test_the_same_weights_give_the_originals_colours():
    assert DDCOLOR.measure_deviation() < DDCOLOR.tolerance


def test_photos_of_a_batch_do_not_touch_each_other():
    network = DDColor(port_weights.SMALL_DDCOLOR).eval()
    network.load_state_dict(port_weights.stand_ins(port_weights.shapes(network)))
    first, second = photo(), photo().flip(-1)
    with torch.inference_mode():
        both, alone = network(torch.cat([first, second])), network(second)
    assert torch.allclose(both[1:], alone, atol=1e-6)


def test_a_spectral_norm_is_divided_out_when_it_is_loaded():
    torch.manual_seed(0)
    conv = torch.nn.utils.spectral_norm(torch.nn.Conv2d(5, 7, 3, padding=1)).eval()
    ours = SpectralConv2d(5, 7, 3, padding=1)
    ours.load_state_dict(conv.state_dict())
    x = torch.rand(1, 5, 8, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), conv(x), rtol=1e-4, atol=1e-6)
    ours.load_state_dict(ours.state_dict())  # and its own file is as it is
    torch.testing.assert_close(ours(x), conv(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("change", ["missing", "too much"])
def test_a_file_of_other_names_does_not_load(change):
    network = DDColor(port_weights.SMALL_DDCOLOR)
    tensors = port_weights.stand_ins(port_weights.shapes(network))
    if change == "missing":
        del tensors["decoder.layers.1.conv.0.weight_v"]
    else:
        tensors["decoder.layers.1.conv.0.weight_g"] = torch.zeros(1)
    with pytest.raises(RuntimeError, match="weight_"):
        network.load_state_dict(tensors)
