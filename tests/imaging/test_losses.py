from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from colorize_core.imaging import image, tiff
from colorize_core.imaging.losses import describe_dropped, describe_pages
from tests import image_files as files

DATE = tiff.Entry(tiff.ASCII, 20, b"1938:05:17 12:00:00\0")
EXIF = tiff.write_header("<") + tiff.write_directory("<", {tiff.DATE: DATE})
EVERYTHING = image.Metadata(
    exif=EXIF,
    xmp=files.XMP,
    dpi=(300, 300),
    iptc=b"\x1c\x02\x78\x00\x01a",
    comments=(b"seen",),
    texts=(("Title", "Bridge"), ("Warning", "fragile")),
)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ""),
        (2, "The file holds 2 pictures: this is the first, the other one is left out."),
        (1000, "The file holds 1,000 pictures: this is the first, the other 999 are left out."),
    ],
)
def test_pages(count: int, expected: str) -> None:
    assert describe_pages(count) == expected


def test_dropped() -> None:
    assert describe_dropped([]) == ""
    assert describe_dropped(["IPTC"]) == "Not kept: IPTC."
    assert describe_dropped(["EXIF", "IPTC", "a text"]) == "Not kept: EXIF, IPTC and a text."


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("JPEG", ""),
        ("PNG", ""),
        ("TIFF", "Not kept: 2 texts."),  # one tag holds the title
        ("WEBP", "Not kept: IPTC, the resolution and 3 texts."),
    ],
)
def test_each_format_says_what_it_cannot_hold(format: str, expected: str) -> None:
    photo = image.Photo(files.soft(), None, EVERYTHING, "PNG")
    assert photo.describe_losses(format) == expected
    assert photo.describe_losses() == ""


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("exif", EXIF + bytes(70_000), "EXIF"),
        ("xmp", files.XMP + b" " * 70_000, "XMP"),
        ("iptc", b"\x1c" * 70_000, "IPTC"),
        ("comments", (b"a" * 70_000,), "a long text"),
    ],
)
def test_blocks_that_are_too_large_for_a_jpeg(field: str, value: Any, name: str) -> None:
    photo = image.Photo(files.soft(), None, image.Metadata(**{field: value}), "PNG")
    assert photo.describe_losses("JPEG") == f"Not kept: {name}."
    found = image.decode(image.encode(photo, "JPEG")).metadata
    assert not getattr(found, field)
    assert photo.describe_losses("PNG") == ""


def test_pages_and_losses_go_together_and_follow_the_photo() -> None:
    photo = image.Photo(files.soft(), None, EVERYTHING, "TIFF", pages=3, left_out=("XMP",))
    said = photo.with_pixels(np.zeros((4, 4, 3), np.uint8)).describe_losses("WEBP")
    assert said == (
        "The file holds 3 pictures: this is the first, the other 2 are left out. "
        "Not kept: XMP, IPTC, the resolution and 3 texts."
    )
