"""The command for album pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scenes import ROOT

from benchmarks.drawn_damage import lay_page
from colorize_core.cli import main
from colorize_core.imaging import image


@pytest.fixture(scope="module")
def page() -> image.Photo:
    """With two photos, of 16 bits."""
    photo = image.read(ROOT / "examples/portrait-gray.jpg")
    laid = lay_page([photo.pixels] * 2, np.random.default_rng(7), side=700)
    return photo.with_pixels(laid.pixels.astype(np.uint16) * 257)


def test_each_photo_has_a_file_of_its_own(
    page: image.Photo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "page.tif", tmp_path / "new" / "out"
    image.write(source, page)
    assert main(["split", str(source), "-o", str(out)]) == 0
    assert sorted(each.name for each in out.iterdir()) == ["page-1.tif", "page-2.tif"]
    first = image.read(out / "page-1.tif")
    assert first.pixels.dtype == np.uint16
    said = capsys.readouterr().out.splitlines()
    height, width = page.pixels.shape[:2]
    assert said[0] == f"{source}: 2 photos on {width} × {height} pixels"
    size = f"{first.pixels.shape[1]} × {first.pixels.shape[0]}"
    assert said[1].startswith(f"  {out / 'page-1.tif'}: {size}")
    with pytest.raises(SystemExit) as stop:
        main(["split", str(source), "-o", str(out)])
    assert stop.value.code == 2
    assert "page-1.tif exists" in capsys.readouterr().err
    assert main(["split", str(source), "-o", str(out), "--overwrite", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_page_without_photos_is_told_and_the_others_are_split(
    page: image.Photo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image.write(tmp_path / "empty.png", page.with_pixels(np.full((300, 200, 3), 230, np.uint8)))
    image.write(tmp_path / "full.png", page)
    out = tmp_path / "out"
    assert main(["split", str(tmp_path), "-o", str(out), "--format", "jpeg"]) == 1
    assert sorted(each.name for each in out.iterdir()) == ["full-1.jpg", "full-2.jpg"]
    assert "empty.png: no photo with paper around it" in capsys.readouterr().err


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SystemExit):
        main(["split", "page.png", "-o", str(tmp_path / "out")])
    assert "is a file, not a folder" in capsys.readouterr().err
