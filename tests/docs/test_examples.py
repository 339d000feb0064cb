from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from colorize_core.imaging import image
from colorize_core.imaging.formats import READABLE

FOLDER = Path(__file__).resolve().parents[2] / "examples"
PICTURES = sorted(path for path in FOLDER.iterdir() if path.suffix.lower() in READABLE)


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_examples", FOLDER / "make_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_an_example_is_small_and_what_its_name_says(path: Path) -> None:
    photo = image.read(path)
    assert max(photo.pixels.shape[:2]) <= 1024
    spread = int(np.ptp(photo.pixels.astype(int), axis=2).max())
    assert (spread == 0) == path.stem.endswith("-gray")


def test_examples_are_few_and_light() -> None:
    assert 6 <= len(PICTURES) <= 8
    assert sum(path.stat().st_size for path in PICTURES) < 2_000_000


def test_sources_name_every_picture_and_no_other() -> None:
    lines = (FOLDER / "SOURCES.md").read_text().splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert sorted(named) == [path.name for path in PICTURES]


def test_the_script_makes_the_pictures_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = maker()
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    module.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in PICTURES]
    for path in PICTURES:
        with Image.open(path) as kept, Image.open(tmp_path / path.name) as made:
            assert kept.mode == made.mode
            off = np.abs(np.asarray(kept, int) - np.asarray(made))
            assert off.max() <= 8, path.name  # another libjpeg may round otherwise
