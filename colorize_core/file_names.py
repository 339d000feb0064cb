"""Names of files made from those of photos.

A person may call a photo "Dr. Smith 12.5.1943": what follows a dot is a suffix only where it is one
of a picture.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import PurePath

from colorize_core.imaging.formats import READABLE

MOST_BYTES = 255  # of a name, on the usual file systems


def split_suffix(name: str) -> tuple[str, str]:
    """The name without its suffix, and the suffix as it is written: one of READABLE in any case, or
    nothing. "Dr. Smith.JPG" -> ("Dr. Smith", ".JPG"), "12.5.1943" -> ("12.5.1943", "")."""
    suffix = PurePath(name).suffix
    if suffix.lower() not in READABLE:
        return name, ""
    return name[: -len(suffix)], suffix


def make_name(photo: str, ending: str, suffix: str) -> str:
    """What a file made from a photo of that name is called: ("a.jpg", "-mask", ".png") ->
    "a-mask.png". Letters go from the end of the photo's own name where the whole would be longer
    than MOST_BYTES."""
    stem, _ = split_suffix(photo)
    room = MOST_BYTES - len(os.fsencode(ending + suffix))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return f"{stem}{ending}{suffix}"


def clean_name(name: str) -> str:
    """A name from somewhere else as one that a file can have on every system: without folders, and
    without letters that mean something there; "photo" where nothing is left."""
    last = re.split(r"[/\\]", name.encode("utf-8", "replace").decode())[-1]
    clean = re.sub(r'[<>:"|?*\x00-\x1f\x7f]', "_", last).strip(" .")
    stem, suffix = split_suffix(clean)
    return make_name(stem, "", suffix) if stem else f"photo{suffix}"


def fold_case(path: PurePath) -> str:
    """The same text for paths that some file system takes for one: those that differ in case, or
    in how an accent is encoded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path.as_posix()).casefold())
