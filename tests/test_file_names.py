"""Names of files made from those of photos."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from colorize_core.file_names import MOST_BYTES, fold_case, make_name, split_suffix


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.jpg", ("a", ".jpg")),
        ("Dr. Smith.JPeG", ("Dr. Smith", ".JPeG")),
        ("Dr. Smith 1920", ("Dr. Smith 1920", "")),
        ("Omas Hochzeit 12.5.1943", ("Omas Hochzeit 12.5.1943", "")),
        ("scan.tar.tif", ("scan.tar", ".tif")),
        ("raw.cr2", ("raw.cr2", "")),
        ("ends.", ("ends.", "")),
        (".jpg", (".jpg", "")),
        ("", ("", "")),
    ],
)
def test_only_the_suffix_of_a_picture_is_one(name: str, parts: tuple[str, str]) -> None:
    assert split_suffix(name) == parts
    assert "".join(parts) == name


def test_what_a_person_called_a_photo_stays() -> None:
    assert make_name("Omas Hochzeit 12.5.1943", "-mask", ".png") == (
        "Omas Hochzeit 12.5.1943-mask.png"
    )
    assert make_name("Dr. Smith.JPG", "-colour", ".jpg") == "Dr. Smith-colour.jpg"


@pytest.mark.parametrize("letter", ["x", "é", "бабушка", os.fsdecode(b"\xe9")])
def test_a_long_name_is_cut_at_a_letter(letter: str) -> None:
    made = make_name(f"{letter * 254}.jpg", "-selective", ".webp")
    assert MOST_BYTES - 2 <= len(os.fsencode(made)) <= MOST_BYTES
    assert made.startswith(letter)
    assert made.endswith("-selective.webp")
    assert len(make_name("x" * 251 + ".jpg", "", ".jpg")) == MOST_BYTES


def test_paths_that_some_file_system_takes_for_one_are_one_text() -> None:
    assert fold_case(Path("A/ä.JPG")) == fold_case(Path("a/a\u0308.jpg"))
    assert fold_case(Path("a.jpg")) != fold_case(Path("b.jpg"))
