"""Promised: weights are numbers. A file that would run code when it is read is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from colorize_core.downloads.checkpoints import load_checkpoint
from colorize_core.errors import WeightsError


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("suffix", [".pth", ".bin", ".ckpt"])
@pytest.mark.parametrize("old", [False, True], ids=["zip", "pickle alone"])
def test_no_code_of_a_checkpoint_runs(tmp_path: Path, suffix: str, old: bool) -> None:
    path, made = tmp_path / f"model{suffix}", tmp_path / "made"
    held = {"weight": torch.zeros(2), "more": Payload(made)}
    torch.save(held, path, _use_new_zipfile_serialization=not old)
    with pytest.raises(WeightsError):
        load_checkpoint(path)
    assert not made.exists()
    assert os.mkdir.__name__.encode() in path.read_bytes()
    run, given = held["more"].__reduce__()  # what would have run
    run(*given)
    assert made.is_dir()
