"""The ports of ECCV16 and SIGGRAPH17 against the originals, github.com/richzhang/colorization at
4f6009e.

There the same weights and the same photo gave the numbers of references.py.
"""

from __future__ import annotations

import hashlib

import port_weights
import pytest
import torch

from colorize_core.acceptance.references import ECCV16, GUIDED, SIGGRAPH17, Reference
from colorize_core.networks.zhang import Eccv16, Siggraph17

# Tensors in a file, and the sha256 of their names and shapes.
FILES = {Eccv16: (82, "83887a0441b2a2b1"), Siggraph17: (107, "55ef5098d49116de")}


@pytest.mark.parametrize("kind", FILES)
def test_a_published_file_has_the_originals_names_and_shapes(kind: type[torch.nn.Module]) -> None:
    with torch.device("meta"):
        shapes = port_weights.shapes(kind())
    lines = "\n".join(f"{name} {shapes[name]}" for name in sorted(shapes))
    assert (len(shapes), hashlib.sha256(lines.encode()).hexdigest()[:16]) == FILES[kind]


@pytest.mark.parametrize("reference", [ECCV16, SIGGRAPH17, GUIDED], ids=lambda each: each.original)
def test_the_same_weights_give_the_originals_colours(reference: Reference) -> None:
    assert reference.measure_deviation() < reference.tolerance
