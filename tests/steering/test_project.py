"""Project files: what is saved is there again, and hostile ones cost nothing."""

from __future__ import annotations

import hashlib
import json
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colorize_core.errors import ColorizeError, OptionError, PictureError, SaveError
from colorize_core.file_names import clean_name
from colorize_core.imaging.finish import Finish
from colorize_core.options import Options
from colorize_core.selective import masks
from colorize_core.selective.blending import OWN, Region
from colorize_core.steering import project
from colorize_core.steering.hints import Hint

PHOTO = b"\x89PNG the bytes of a photo" * 100
OPTIONS = Options(
    vividness=1.3,
    strength=0.0,  # also what puts in no colours
    controls=(("auto_vividness", 0.5),),
    hints=(Hint(0.2, 0.4, (10.0, -20.0), known=True, note="Brief, 1943 “blau”"),),
    variant=2,
    finish=Finish(warmth=0.5),
)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "Dr. Smith.PNG"
    path.write_bytes(PHOTO)
    return path


@pytest.fixture
def saved(tmp_path: Path, photo: Path) -> Path:
    path = tmp_path / "work.autochrome"
    project.write(path, OPTIONS, photo)
    return path


def tell(**changes: Any) -> bytes:
    """A project.json."""
    digest = hashlib.sha256(PHOTO).hexdigest()
    told = {
        "version": 1,
        "photo": {"name": "a.png", "sha256": digest},
        "colours": project.record_options(Options()).as_dict(),
    }
    return json.dumps(told | changes).encode()


def pack(path: Path, *members: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_all_of_it_is_there_again(saved: Path, tmp_path: Path) -> None:
    assert project.recognize(saved)
    found = project.read(saved)
    assert found == project.Project(
        OPTIONS, "Dr. Smith.PNG", hashlib.sha256(PHOTO).hexdigest(), True
    )
    project.extract_photo(saved, found, tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes() == PHOTO
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist() == ["project.json", "photo.png"]


def test_the_photo_may_be_left_out(tmp_path: Path, photo: Path) -> None:
    path = tmp_path / "small.autochrome"
    project.write(path, OPTIONS, photo, with_photo=False)
    found = project.read(path)
    assert (found.has_photo, found.sha256) == (False, hashlib.sha256(PHOTO).hexdigest())
    assert found.options == OPTIONS
    with pytest.raises(OptionError):
        project.extract_photo(path, found, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_it_is_recognized_by_its_contents_or_its_name(saved: Path, tmp_path: Path) -> None:
    other = saved.rename(tmp_path / "work.zip")
    assert project.recognize(other)
    assert project.recognize(tmp_path / "not there.AUTOCHROME")
    assert not project.recognize(pack(tmp_path / "other.zip", ("a.txt", b"")))
    assert not project.recognize(tmp_path / "Dr. Smith.PNG")
    assert not project.recognize(tmp_path)


def test_what_a_later_version_adds_is_passed_over(tmp_path: Path) -> None:
    more = tell(masks=["mask-1.png"], added={"deep": [1, 2]})
    path = pack(tmp_path / "a.autochrome", ("mask-1.png", b"?"), ("project.json", more))
    assert project.read(path).options == Options()
    path = pack(tmp_path / "b.autochrome", ("project.json", tell(version=2)))
    with pytest.raises(OptionError, match="later version"):
        project.read(path)


def test_a_file_is_written_whole_or_not_at_all(
    saved: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(project, "_copy", lambda *a: "" if a[1] is None else fail())
        with pytest.raises(SaveError, match="No space left"):
            project.write(saved, Options(), photo)
    assert saved.read_bytes() == before
    assert sorted(each.name for each in saved.parent.iterdir()) == [photo.name, saved.name]
    photo.unlink()
    with pytest.raises(PictureError, match=r"Dr\. Smith"):
        project.write(saved, Options(), photo)


def test_every_cut_and_every_changed_byte_gives_a_sentence_or_the_same(
    saved: Path, tmp_path: Path
) -> None:
    data = saved.read_bytes()
    path, out = tmp_path / "hurt.autochrome", tmp_path / "out.png"
    cuts = [data[:n] for n in range(0, len(data), 97)]
    hurt = [data[:n] + bytes([data[n] ^ 0x5A]) + data[n + 1 :] for n in range(0, len(data), 11)]
    said = []
    for each in [*cuts, *hurt]:
        path.write_bytes(each)
        try:
            found = project.read(path)
            project.extract_photo(path, found, out)
        except ColorizeError as error:
            said.append(str(error))
        else:
            assert out.read_bytes() == PHOTO
            out.unlink()
        assert not out.exists()
    assert len(said) > len(cuts)
    starts = ("hurt.autochrome ", "The photo in hurt.autochrome ")
    assert all(each.startswith(starts) and each.endswith(".") for each in said)


def write_long_directory(path: Path) -> Path:
    """A directory of 400,000 files that all are the same one."""
    pack(path, ("project.json", tell()))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entries = data[start:end] * 400_000
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(entries), start, 0)
    path.write_bytes(data[:start] + entries + last)
    return path


def write_liar(path: Path) -> Path:
    """A project.json that says to be small and becomes 200 MB."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b" " * (1 << 20)
    packed = b"".join(bomb.compress(block) for _ in range(200)) + bomb.flush()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("project.json", packed)
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.index(mark)
        data[at + place : at + place + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    path.write_bytes(data)
    return path


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "empty": lambda path: (path.write_bytes(b"") and path) or path,
    "no archive": lambda path: (path.write_bytes(b"Dear diary") and path) or path,
    "an archive of something else": lambda path: pack(path, ("word.xml", b"<a/>")),
    "no JSON": lambda path: pack(path, ("project.json", b"{")),
    "a list": lambda path: pack(path, ("project.json", b"[]")),
    "deep": lambda path: pack(path, ("project.json", b"[" * 900_000)),
    "a bomb": lambda path: pack(
        path, ("project.json", b" " * 100_000_000), how=zipfile.ZIP_DEFLATED
    ),
    "a liar": write_liar,
    "packed by another method": lambda path: pack(
        path, ("project.json", tell()), how=zipfile.ZIP_LZMA
    ),
    "many files": lambda path: pack(
        path, ("project.json", tell()), *((f"{n}", b"") for n in range(5000))
    ),
    "a long directory": write_long_directory,
    "no photo": lambda path: pack(path, ("project.json", tell(photo=None))),
    "no version": lambda path: pack(path, ("project.json", tell(version="first"))),
    "settings out of range": lambda path: pack(
        path,
        (
            "project.json",
            tell(colours=project.record_options(Options(vividness=77)).as_dict()),
        ),
    ),
    "hints of nonsense": lambda path: pack(
        path,
        ("project.json", tell(colours=project.record_options(Options()).as_dict() | {"hints": 5})),
    ),
    "a model that is not here": lambda path: pack(
        path, ("project.json", tell(colours=project.record_options(Options("gpt")).as_dict()))
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.filterwarnings("ignore::UserWarning")  # zipfile on two files of one name
def test_hostile_projects_cost_nothing_and_give_a_sentence(kind: str, tmp_path: Path) -> None:
    path = HOSTILE[kind](tmp_path / "bad.autochrome")
    tracemalloc.start()
    try:
        started = time.process_time()
        with pytest.raises(OptionError) as caught:
            project.read(path)
        seconds = time.process_time() - started
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert seconds < 2
    assert most < 25_000_000


@pytest.mark.parametrize(
    ("members", "how", "most", "said"),
    [
        ([("photo.png", b"another")], zipfile.ZIP_STORED, 1000, "not the one"),
        ([("photo.png", b"\0" * 10**8)], zipfile.ZIP_DEFLATED, 10**9, "without packing"),
        ([("photo.png", b"\0" * 2000)], zipfile.ZIP_STORED, 1000, "at most 0 MB"),
        ([], zipfile.ZIP_STORED, 1000, "cannot be opened"),
    ],
)
def test_photos_that_are_not_as_they_should_be(
    members: list[tuple[str, bytes]], how: int, most: int, said: str, tmp_path: Path
) -> None:
    path = pack(tmp_path / "a.autochrome", ("project.json", tell()), *members, how=how)
    target = tmp_path / "out" / "photo.png"
    target.parent.mkdir()
    with pytest.raises(ColorizeError, match=said):
        project.extract_photo(path, project.read(path), target, most)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.png", "a.png"),
        ("a:b?.jpg", "a_b_.jpg"),
        ("..", "photo"),
        ("", "photo"),
        (".png", "png"),
        ("nul\0.png", "nul_.png"),
        ("\ud800.png", "_.png"),
        ("Straße 7.tif", "Straße 7.tif"),
    ],
)
def test_no_name_leaves_its_folder(name: str, clean: str, tmp_path: Path) -> None:
    assert clean_name(name) == clean
    about = {"name": name, "sha256": "0"}
    path = pack(tmp_path / "a.autochrome", ("project.json", tell(photo=about)))
    assert project.read(path).name == clean
    assert len(clean_name("x" * 999 + ".png").encode()) == 255


# --- what is coloured in parts ------------------------------------------------------------------

MASK = np.linspace(0, 1, 60, dtype=np.float32).reshape(6, 10)
REGIONS = (
    Region(MASK, "autochrome", 1.5),
    Region(1 - MASK, None, 0.7, (10, 20, 30)),
    Region(MASK, colouring=OPTIONS),
    Region(MASK, OWN),
)
OUTSIDE = Region(model="diffusion", controls={"seed": 3})


def test_regions_are_there_again_with_their_masks(tmp_path: Path, photo: Path) -> None:
    path = tmp_path / "work.autochrome"
    project.write(path, OPTIONS, photo, regions=REGIONS, outside=OUTSIDE)
    found = project.read(path)
    assert found.regions == tuple(replace(region, mask=None) for region in REGIONS)
    assert found.outside == OUTSIDE
    targets = [tmp_path / f"{number}.png" for number in range(len(REGIONS))]
    project.extract_masks(path, found, targets)
    for region, target in zip(REGIONS, targets, strict=True):
        assert np.abs(masks.read_mask(target) - region.mask).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ({"vividness": 7}, "vividness is 7"),
        ({"model": "nobody"}, "nobody"),
        ({"model": 3}, "no name"),
        ({"model": "autochrome", "controls": {"seed": 1}}, "settings"),
        ({"colour": [1, 2]}, "damaged"),
        ({"colour": [1, 2, 300]}, "0 to 255"),
        ({"colouring": {"version": 9}}, "damaged"),
        ([], "damaged"),
        (None, "damaged"),
    ],
)
def test_regions_that_cannot_be_are_refused(tmp_path: Path, region: Any, said: str) -> None:
    mask = ("mask-1.png", masks.encode_mask(MASK))
    path = pack(tmp_path / "w.autochrome", ("project.json", tell(regions=[region])), mask)
    with pytest.raises(OptionError, match=said):
        project.read(path)


def test_a_region_without_its_mask_is_damaged(tmp_path: Path) -> None:
    path = pack(tmp_path / "w.autochrome", ("project.json", tell(regions=[{}])))
    with pytest.raises(OptionError, match="damaged"):
        project.read(path)


def test_a_mask_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    members = ("project.json", tell(regions=[{}])), ("mask-1.png", bytes(30_000_000))
    path = pack(tmp_path / "w.autochrome", *members, how=zipfile.ZIP_DEFLATED)
    with pytest.raises(OptionError, match="damaged"):
        project.extract_masks(path, project.read(path), [tmp_path / "1.png"])
    assert not (tmp_path / "1.png").exists()
