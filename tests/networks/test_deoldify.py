"""The ports of DeOldify's generators against the originals, github.com/jantic/DeOldify at
5f86c28.

There the same weights and the same photo gave the numbers of references.py.
"""

from __future__ import annotations

import hashlib

import port_weights
import pytest
import torch
import torch.nn.functional as F

from colorize_core.acceptance.references import DEOLDIFY, DEOLDIFY_STABLE, Reference
from colorize_core.networks.deoldify import ARTISTIC, STABLE, DeOldify, DeOldifyConfig
from colorize_core.networks.shuffle import NormedConv2d


@pytest.mark.parametrize(
    ("config", "count", "digest"),
    [(ARTISTIC, 378, "8231097ff8d73695"), (STABLE, 754, "2fd720b9a5985f3f")],
)
def test_a_published_file_has_the_originals_names_and_shapes(
    config: DeOldifyConfig, count: int, digest: str
) -> None:
    with torch.device("meta"):
        shapes = port_weights.shapes(DeOldify(config))
    lines = "\n".join(f"{name} {shapes[name]}" for name in sorted(shapes))
    assert len(shapes) == count
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize("reference", [DEOLDIFY, DEOLDIFY_STABLE], ids=["artistic", "stable"])
def test_the_same_weights_give_the_originals_colours(reference: Reference) -> None:
    assert reference.measure_deviation() < reference.tolerance


def test_lengths_and_directions_are_multiplied_when_they_are_loaded() -> None:
    weight = torch.rand(7, 5, 3, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    lengths = torch.arange(1.0, 8).view(7, 1, 1, 1)
    ours = NormedConv2d(5, 7, 3, bias=False)
    ours.load_state_dict({"weight_g": lengths, "weight_v": weight})
    expected = F.normalize(weight.flatten(1), dim=1).view_as(weight) * lengths
    assert torch.allclose(ours.weight, expected)
