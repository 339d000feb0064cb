"""Importing networks is quick: whoever colours one photo waits for it."""

from __future__ import annotations

import subprocess
import sys

from scenes import ROOT

# torchvision's operators bring torch's compiler with them, which takes as long as torch itself.
SCRIPT = """
import importlib
import pkgutil
import sys

from colorize_core import models, networks

for package in (networks, models):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
assert "torch" in sys.modules
print(*{"torchvision", "torch._dynamo", "diffusers", "transformers"} & sys.modules.keys())
"""


def test_no_network_brings_a_compiler_or_a_pipeline() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
