"""The notebook on ControlNet, with the cells that need downloads, on tiny models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tiny_diffusion

from colorize_core.downloads import checkpoints
from colorize_core.prompted import sources
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, Folders

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples" / "notebooks"

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def read_cells(name: str) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((NOTEBOOKS / name).read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_no_notebook_keeps_its_results() -> None:
    names = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    assert names == ["compare-and-score.ipynb", "controlnet-canny.ipynb", "quick-start.ipynb"]
    for name in names:
        assert all(cell["outputs"] == [] for cell in read_cells(name))


def test_all_cells_run_where_the_models_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_diffusion.write_all(tmp_path)
    lora = tmp_path / FAST.repo / FAST.files[0].path
    folders = Folders(tmp_path / BASE.repo, tmp_path / CONTROLNETS["canny"].repo, lora)
    fetched: list[str] = []
    pictures: list[Any] = []
    display = ModuleType("IPython.display")
    display.display = pictures.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(sources, "find_folders", lambda settings: folders)
    monkeypatch.setattr(
        checkpoints, "fetch", lambda files, report: fetched.append(files[0].path) or report(5, 9)
    )
    small = PromptSettings(side=64, steps=2, low=20, high=60, variants=2)
    known: dict[str, Any] = {}
    for cell in read_cells("controlnet-canny.ipynb"):
        exec("".join(cell["source"]), known)
        if "settings" in known and known["settings"].side != small.side:
            known["settings"] = small
            known["edges"] = known["make_condition"](known["photo"], small)
    assert len(fetched) == 3
    drawn = [np.asarray(picture) for picture in pictures[2:]]
    assert [picture.shape for picture in drawn] == [known["photo"].shape] * 4
    assert drawn[0].std() > 1
