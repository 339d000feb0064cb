"""Where the results of a batch go. Touches no file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType

from colorize_core.file_names import fold_case, make_name, split_suffix
from colorize_core.imaging.formats import FORMATS, READABLE, WRITTEN

SUFFIX_OF = {each.name: each.suffix for each in WRITTEN.values()}


@dataclass(frozen=True)
class Job:
    source: Path
    target: Path


def plan(
    photos: Sequence[Path],
    base: Path,
    out: Path,
    format: str | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[Job]:
    """Where each photo's result goes: its place below `base`, below `out`.

    The name stays; the suffix changes to that of `format` (a key of SUFFIX_OF), or to .png where
    no format is asked for and the photo's own cannot be written. Photos whose new names would be
    the same add their old suffix: x.bmp and x.gif become x-bmp.png and x-gif.png. Names that
    differ in case alone count as the same, as on some file systems they are.

    `names`: absolute path of a photo -> its place below `out`, from before. A photo keeps that one
    if only its folder and suffix are still right, and no other gets it.
    """
    places = [Path(os.path.relpath(os.path.abspath(p), os.path.abspath(base))) for p in photos]
    plain = [_rename(place, "", _choose_suffix(place, format)) for place in places]
    wanted = Counter(map(fold_case, plain))
    reserved = {fold_case(Path(name)) for name in names.values()}
    kept: dict[str, Path] = {}  # the first photo of each name that stays
    for name, place in zip(plain, places, strict=True):
        if name == place and fold_case(name) not in reserved:
            kept.setdefault(fold_case(name), place)
    taken = reserved | set(kept)
    jobs = []
    for photo, place, name in zip(photos, places, plain, strict=True):
        own = Path(names.get(os.path.abspath(photo), ""))
        if (own.parent, own.suffix) == (name.parent, name.suffix):
            name = own
        elif kept.get(fold_case(name)) != place:
            if wanted[fold_case(name)] > 1 or fold_case(name) in taken:
                name = _find_free_name(place, name.suffix, taken)
            taken.add(fold_case(name))
        jobs.append(Job(photo, out / name))
    return jobs


def _rename(place: Path, ending: str, suffix: str) -> Path:
    return place.with_name(make_name(place.name, ending, suffix))


def _choose_suffix(place: Path, format: str | None) -> str:
    _, written = split_suffix(place.name)
    suffix = written.lower()
    if suffix in WRITTEN and format in (None, WRITTEN[suffix].name):
        return written
    own = READABLE[suffix].name if suffix else ""  # it may be one that is only read
    return SUFFIX_OF[format] if format else SUFFIX_OF.get(own, FORMATS["PNG"].suffix)


def _find_free_name(place: Path, suffix: str, taken: Collection[str]) -> Path:
    """The first free one of x-bmp.png, x-bmp-2.png, x-bmp-3.png ..."""
    old = split_suffix(place.name)[1].lower()[1:] or "photo"
    ends = chain([""], (f"-{number}" for number in count(2)))
    names = (_rename(place, f"-{old}{end}", suffix) for end in ends)
    return next(free for free in names if fold_case(free) not in taken)
