"""Which photos a batch takes and where the results go: find() looks, plan() only computes."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from colorize_core.errors import OptionError
from colorize_core.imaging.formats import FORMATS, READABLE, WRITTEN

SUFFIX_OF = {each.name: each.suffix for each in WRITTEN.values()}


@dataclass(frozen=True)
class Found:
    photos: tuple[Path, ...]
    base: Path  # the folder that the output mirrors: the deepest one that holds all inputs
    problems: tuple[str, ...]  # a sentence for each input that gave nothing


@dataclass(frozen=True)
class Job:
    source: Path
    target: Path


def find(inputs: Iterable[str | Path], out: Path, results: Collection[str] = ()) -> Found:
    """The photos that files, folders (with all below) and glob patterns name, in a fixed order.

    `out` is not searched, and `results` (see Manifest.results) are no inputs, so that a second run
    does not colorize what the first one wrote. OptionError if the inputs share no folder.
    """
    photos: dict[str, Path] = {}
    bases: list[str] = []
    problems: list[str] = []
    for text in map(str, inputs):
        paths, by_pattern = _expand(text)
        for path in paths:
            here = _list_photos(path, out, by_pattern)
            photos |= {name: p for p in here if (name := os.path.abspath(p)) not in results}
            bases += [os.path.abspath(path if path.is_dir() else path.parent)] if here else []
            if not here and not by_pattern and not _same_folder(path, out):
                problems.append(f"{text}: {_empty_folder() if path.is_dir() else 'is no photo'}")
        if not paths:
            problems.append(f"{text}: there is no such file or folder.")
    if not photos and not problems:
        problems.append(f"{out} holds the results, which are no input: choose another with -o.")
    return Found(tuple(photos.values()), _find_common(bases), tuple(problems))


def _expand(text: str) -> tuple[list[Path], bool]:
    """The paths that an input names, and whether it does so by a pattern."""
    path = Path(text).expanduser()
    if path.exists() or not glob.has_magic(text):
        return [path] if path.exists() else [], False
    return [Path(name) for name in sorted(glob.glob(str(path), recursive=True))], True


def _list_photos(path: Path, out: Path, by_pattern: bool) -> list[Path]:
    if path.is_dir():
        return _scan(path, out)
    searched = not by_pattern or (
        _is_photo(path) and not any(_same_folder(folder, out) for folder in path.parents)
    )
    return [path] if searched else []


def _scan(folder: Path, out: Path) -> list[Path]:
    """All photos below a folder but those in `out` and in hidden folders."""
    photos: list[Path] = []
    for here, folders, files in os.walk(folder):
        if _same_folder(here, out):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        photos += [Path(here, name) for name in sorted(files) if _is_photo(Path(name))]
    return photos


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in READABLE and not path.name.startswith(".")


def _same_folder(one: str | Path, other: str | Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _empty_folder() -> str:
    return f"this folder holds no photo ({', '.join(sorted(READABLE))})."


def _find_common(folders: Sequence[str]) -> Path:
    try:
        return Path(os.path.commonpath(folders) if folders else ".")
    except ValueError as error:  # on Windows
        raise OptionError(
            "The photos are on several drives, so there is no folder that the output could "
            "mirror. Run the command once for each drive."
        ) from error


def plan(photos: Sequence[Path], base: Path, out: Path, format: str | None = None) -> list[Job]:
    """Where each photo's result goes: its place below `base`, below `out`. Touches no file.

    The name stays; the suffix changes to that of `format` (a key of SUFFIX_OF), or to .png where
    no format is asked for and the photo's own cannot be written. Photos whose new names would be
    the same add their old suffix: x.bmp and x.gif become x-bmp.png and x-gif.png.
    """
    places = [Path(os.path.relpath(os.path.abspath(p), os.path.abspath(base))) for p in photos]
    plain = [place.with_suffix(_choose_suffix(place, format)) for place in places]
    wanted = Counter(_fold_case(name) for name in plain)
    taken = {_fold_case(name) for name, place in zip(plain, places, strict=True) if name == place}
    jobs = []
    for photo, place, name in zip(photos, places, plain, strict=True):
        if name != place:
            alone = wanted[_fold_case(name)] == 1
            name = _find_free_name(name, place.suffix[1:], taken, alone)
            taken.add(_fold_case(name))
        jobs.append(Job(photo, out / name))
    return jobs


def _choose_suffix(place: Path, format: str | None) -> str:
    suffix = place.suffix.lower()
    if suffix in WRITTEN and format in (None, WRITTEN[suffix].name):
        return place.suffix
    own = READABLE[suffix].name if suffix in READABLE else ""  # it may be one that is only read
    return SUFFIX_OF[format] if format else SUFFIX_OF.get(own, FORMATS["PNG"].suffix)


def _fold_case(path: Path) -> str:
    # Some file systems take a.PNG and a.png for one file.
    return path.as_posix().casefold()


def _find_free_name(name: Path, old_suffix: str, taken: Collection[str], alone: bool) -> Path:
    """`name` if it is alone, else the first free one of x-bmp.png, x-bmp-2.png, x-bmp-3.png ..."""
    if alone and _fold_case(name) not in taken:
        return name
    stem = f"{name.stem}-{old_suffix.lower() or 'photo'}"
    ends = chain([""], (f"-{number}" for number in count(2)))
    names = (name.with_name(f"{stem}{end}{name.suffix}") for end in ends)
    return next(free for free in names if _fold_case(free) not in taken)
