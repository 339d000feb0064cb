"""Where the files are that come along with the code: weights, examples, scores and pages.

In a clone they lie beside the package, and in the package once it is installed from a wheel.
"""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).resolve().parent / "_data"  # as setup.py lays it out
ROOT = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1]
WEIGHTS = ROOT / "weights"
EXAMPLES = ROOT / "examples"
QUALITY = ROOT / "benchmarks" / "results" / "quality.csv"
DOCS = ROOT / "docs"

# What to do where a weight file is missing or damaged.
RESTORE = (
    "install it again with `pip install --force-reinstall --no-deps autochrome-studio`"
    if ROOT == _INSTALLED
    else "restore it with `git checkout -- weights`"
)
