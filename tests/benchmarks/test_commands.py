"""Benchmarks begin where they are typed as their own texts say."""

from __future__ import annotations

import os
import subprocess
import sys

from scenes import ROOT


def test_helpers_of_the_tests_are_found() -> None:
    paths = sorted((ROOT / "benchmarks").glob("*.py"))
    names = [path.stem for path in paths if "\nfrom tests" in path.read_text(encoding="utf-8")]
    assert names
    code = "; ".join(f"import benchmarks.{name}" for name in names)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
