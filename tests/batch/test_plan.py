"""Where the results go: names that a person gave, and names that would be one file."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path

import pytest

from colorize_core.batch.plan import plan
from colorize_core.file_names import MOST_BYTES, fold_case

BASE, OUT = Path("/in"), Path("/out")


def name(photos: list[str], format: str | None = None) -> list[str]:
    jobs = plan([BASE / photo for photo in photos], BASE, OUT, format)
    return [job.target.relative_to(OUT).as_posix() for job in jobs]


@pytest.mark.parametrize("format", [None, "PNG"])
def test_what_follows_a_dot_in_a_name_is_no_suffix(format: str | None) -> None:
    assert name(["Omas Hochzeit 12.5.1943", "b/Dr. Smith 1920", "raw.cr2"], format) == [
        "Omas Hochzeit 12.5.1943.png",
        "b/Dr. Smith 1920.png",
        "raw.cr2.png",
    ]
    assert name(["Dr. Smith 1920", "Dr. Brown 1920"], "JPEG") == [
        "Dr. Smith 1920.jpg",
        "Dr. Brown 1920.jpg",
    ]


@pytest.mark.parametrize(
    "photos",
    [
        ["a.jpg", "a.JPG"],
        ["a.jpg", "A.jpg", "A.JPG"],
        ["b/x.png", "B/x.png"],
        ["ä.png", "a\u0308.png"],
        ["a.bmp", "a.BMP", "a.png"],
        ["x.bmp", "x.gif", "x-bmp.png", "X-GIF.bmp"],
        ["x" * 251 + ".bmp", "x" * 251 + ".gif", "x" * 251 + ".jpg"],
        ["x" * 255, "x" * 254 + "y"],
    ],
)
@pytest.mark.parametrize("format", [None, "PNG", "WEBP"])
def test_names_that_some_file_system_takes_for_one_are_apart(
    photos: list[str], format: str | None
) -> None:
    for order in permutations(photos):
        targets = name(list(order), format)
        assert len({fold_case(Path(target)) for target in targets}) == len(photos)
        assert all(len(os.fsencode(Path(each).name)) <= MOST_BYTES for each in targets)


def test_a_photo_keeps_its_name_beside_one_that_differs_in_case() -> None:
    assert name(["a.JPG", "a.jpg", "b.jpg"]) == ["a.JPG", "a-jpg.jpg", "b.jpg"]


def test_a_name_that_is_full_has_room_for_a_longer_suffix() -> None:
    assert name(["x" * 251 + ".jpg"]) == ["x" * 251 + ".jpg"]
    assert name(["x" * 251 + ".jpg"], "WEBP") == ["x" * 250 + ".webp"]
