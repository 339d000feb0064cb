"""Public sets of photographs, made small."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize_core.cli import train
from colorize_core.errors import OptionError
from colorize_core.training.data import load_photos
from colorize_core.training.preparation import SETS, choose_part, prepare


def draw(seed: int, width: int = 150, height: int = 100, gray: bool = False) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), np.uint8)
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    (picture.convert("L") if gray else picture).save(file, "JPEG")
    return file.getvalue()


FILES = {f"dogs/{number}.jpg": draw(number) for number in range(40)} | {
    "dogs/gray.jpg": draw(99, gray=True),
    "dogs/small.jpg": draw(98, 60, 40),
    "dogs/again.jpg": draw(3),
    "dogs/broken.jpg": b"no picture",
    "dogs/words.txt": b"not looked at",
}


def pack(path: Path) -> Path:
    """FILES as a folder, a zip, a tar, or a tar of tars."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in FILES.items():
                archive.writestr(name, data)
    elif path.suffix == ".tar":
        inner = io.BytesIO()
        nested = path.stem == "nested"
        with tarfile.open(fileobj=inner, mode="w") as archive:
            for name, data in FILES.items():
                info = tarfile.TarInfo(name.removeprefix("dogs/") if nested else name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        path.write_bytes(inner.getvalue())
        if nested:
            (path.parent / "dogs.tar").write_bytes(inner.getvalue())
            with tarfile.open(path, "w") as archive:
                archive.add(path.parent / "dogs.tar", "dogs.tar")
    else:
        for name, data in FILES.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["folder", "photos.zip", "photos.tar", "nested.tar"])
def test_a_set_is_made_small_and_split(tmp_path: Path, kind: str) -> None:
    made = prepare("sports", [pack(tmp_path / kind)], tmp_path / "out", side=80)
    assert sum(made.parts.values()) == 40
    assert made.left_out == {"gray": 1, "smaller": 1, "the same as another": 1, "damaged": 1}
    found: dict[str, set[str]] = {}
    for path in (tmp_path / "out").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            found[path.name] = set(archive.namelist())
            first = Image.open(io.BytesIO(archive.read(archive.namelist()[0])))
            assert (first.format, first.size) == ("WEBP", (120, 80))
    names = {name for part in ("train-00", "val", "test") for name in found[f"sports-{part}.zip"]}
    assert names == {f"sports/dogs/{number}.webp" for number in range(40)}
    photos = load_photos([tmp_path / "out" / "sports-train-00.zip"], 64)
    assert photos.kinds == ("sports/dogs",)


def test_a_photograph_is_always_in_the_same_part() -> None:
    parts = [choose_part(f"a/{number}.jpg") for number in range(4000)]
    assert [choose_part(f"a/{number}.jpg") for number in range(4000)] == parts
    shares = {part: parts.count(part) / len(parts) for part in set(parts)}
    assert shares == pytest.approx({"train": 14 / 16, "val": 1 / 16, "test": 1 / 16}, abs=0.02)


def test_a_limit_ends_it(tmp_path: Path) -> None:
    made = prepare("coco", [pack(tmp_path / "photos.zip")], tmp_path / "out", 80, limit=7)
    assert sum(made.parts.values()) == 7


def test_what_cannot_be_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OptionError, match="no such file"):
        prepare("coco", [tmp_path / "nothing.zip"], out)
    with pytest.raises(OptionError, match="side is 9"):
        prepare("coco", [tmp_path], out, side=9)
    (tmp_path / "words.txt").write_text("no archive")
    with pytest.raises(OptionError, match="no folder, no zip and no tar"):
        prepare("coco", [tmp_path / "words.txt"], out)
    with pytest.raises(OptionError, match="No photograph"):
        prepare("coco", [tmp_path], out)
    assert not list(out.glob("*.zip"))


def test_the_command_says_sizes_and_terms_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["data", "imagenet"]) == 0
    said = capsys.readouterr().out
    for words in ("138 GB", "non-commercial", SETS["imagenet"].address):
        assert words in said
    source = str(pack(tmp_path / "photos.zip"))
    out = str(tmp_path / "out")
    assert train.main(["data", "sports", source, "--side", "80", "--out", out]) == 0
    said = capsys.readouterr().out
    assert said.index("CC0") < said.index("for train")
    assert "1 gray" in said
