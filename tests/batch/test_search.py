"""Which photos are found, what is left out, and what cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from colorize_core.batch.search import find
from colorize_core.errors import OptionError


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make a folder one that may not be read, also for root."""
    scandir, closed = os.scandir, set()

    def scan(path: Any = ".") -> Any:
        if os.path.abspath(path) in closed:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    return lambda folder: closed.add(str(folder))


@pytest.mark.parametrize("pattern", ["", "*", "*/*", "**", "**/*.jpg", "pri[v]ate/*.jpg"])
def test_a_folder_that_cannot_be_read_is_a_problem_once(
    tmp_path: Path, close: Callable[[Path], None], pattern: str
) -> None:
    photo = touch(tmp_path / "open/a.jpg")
    touch(tmp_path / "private/b.jpg")
    close(tmp_path / "private")
    found = find([tmp_path / pattern, photo], tmp_path / "out")
    assert found.photos == (photo,)
    assert found.problems == (f"{tmp_path / 'private'} cannot be read: Permission denied.",)


def test_the_folder_itself_may_be_one_that_cannot_be_read(
    tmp_path: Path, close: Callable[[Path], None]
) -> None:
    close(tmp_path)
    assert find([tmp_path], tmp_path / "out").problems == (
        f"{tmp_path} cannot be read: Permission denied.",
    )


def test_links_to_folders_are_said_and_not_followed(tmp_path: Path) -> None:
    photo = touch(tmp_path / "album/a.jpg")
    other = touch(tmp_path / "other/b.jpg")
    (tmp_path / "album/link").symlink_to(tmp_path / "other")
    (tmp_path / "album/round").symlink_to(tmp_path / "album")
    (tmp_path / "album/.hidden").symlink_to(tmp_path / "other")
    found = find([tmp_path / "album"], tmp_path / "out")
    assert found.photos == (photo,)
    assert found.problems == ()
    assert [line.split()[0] for line in found.left_out] == [
        str(tmp_path / "album/link"),
        str(tmp_path / "album/round"),
    ]
    assert found.left_out_count == 2
    named = find([tmp_path / "album/link"], tmp_path / "out")
    assert [path.resolve() for path in named.photos] == [other]
    assert named.left_out == ()


def test_files_of_other_suffixes_are_counted(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    for name in ("1.cr2", "b/2.CR2", "notes.txt", "README", "Dr. Smith", ".hidden.txt"):
        touch(tmp_path / name)
    for inputs in ([tmp_path], [tmp_path, tmp_path / "b"], [tmp_path / "**"], [tmp_path / "*"]):
        found = find(inputs, tmp_path / "out")
        assert found.left_out == (
            "5 files have no suffix of a photo and are left out: .cr2 (2), .txt (1), none (2).",
        )
        assert found.left_out_count == 5
    one = find([tmp_path / "b"], tmp_path / "out")
    assert one.left_out == ("1 file has no suffix of a photo and is left out: .cr2 (1).",)


@pytest.mark.parametrize("pattern", ["*.txt", "none-*.jpg"])
def test_a_pattern_without_photos_is_a_problem(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path / "notes.txt")
    (problem,) = find([tmp_path / pattern], tmp_path / "out").problems
    assert problem == f"{tmp_path / pattern}: no photo matches."


def test_the_output_folder_may_hold_the_inputs(tmp_path: Path) -> None:
    photo = touch(tmp_path / "album/a.jpg")
    for text in ("album", "album/*", "album/**"):
        assert find([tmp_path / text], tmp_path).photos == (photo,), text


@pytest.mark.parametrize("name", ["x" * 300, f"{'x' * 300}/*.jpg", "a.jpg/b.jpg", "a.jpg/*"])
def test_names_that_cannot_be_are_problems(tmp_path: Path, name: str) -> None:
    photo = touch(tmp_path / "a.jpg")
    found = find([tmp_path / name, photo], tmp_path / "out")
    assert found.photos == (photo,)
    assert len(found.problems) == 1
    assert name in found.problems[0]


def test_the_home_of_nobody_is_a_problem(tmp_path: Path) -> None:
    assert find(["~nobody-of-that-name/a.jpg"], tmp_path).problems == (
        "~nobody-of-that-name/a.jpg: there is no such file or folder.",
    )


def test_an_empty_name_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = touch(tmp_path / "a.jpg")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="empty"):
        find([photo, ""], tmp_path / "out")
