"""Whether what a command is to write can be written: asked before the work begins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from itertools import combinations
from pathlib import Path

from colorize_core.errors import OptionError, SaveError
from colorize_core.file_names import fold_case

REMEDY = "Choose another output"


def check_files(
    outputs: Mapping[str, Path],
    suffixes: Mapping[str, Collection[str]],
    inputs: Mapping[str, Path],
    overwrite: bool,
) -> None:
    """Refuse outputs (paths by their flags) that are one of the inputs (paths by what they are for
    people), that are the same file, that exist while `overwrite` is not asked for, whose name does
    not end in one of their suffixes, or whose folder cannot be written. OptionError, SaveError."""
    for path in outputs.values():
        for what, given in inputs.items():
            refuse_input(path, given, what)
    for (flag, path), (other, second) in combinations(outputs.items(), 2):
        if _is_same_place(path, second):
            raise OptionError(f"{flag} and {other} both name {path}: choose another for one.")
    for flag, path in outputs.items():
        if os.path.isdir(path):
            raise OptionError(f"{path} is a folder: choose another output.")
        if os.path.lexists(path) and not overwrite:
            raise OptionError(f"{path} exists: choose another output, or add --overwrite.")
        if path.suffix.lower() not in suffixes[flag]:
            ends = ", ".join(suffixes[flag])
            raise OptionError(f"{path}: choose a name that ends in {ends}.")
        check_writable(path)


def refuse_input(path: Path, given: Path, what: str) -> None:
    """OptionError if a file to write is one that is read, by whatever names and links."""
    if _is_same_file(path, given):
        raise OptionError(f"{path} is the {what} itself: choose another output.")


def check_writable(path: Path) -> None:
    """Refuse a file or folder that cannot be made where it is to be. OptionError where a file is in
    the way, SaveError where the name or the place does not allow it. Leaves nothing behind."""
    try:
        os.lstat(path)
        folder = path if os.path.isdir(path) else path.parent
    except (FileNotFoundError, NotADirectoryError):
        folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror}. {REMEDY}.") from error
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except NotADirectoryError as error:
        raise OptionError(f"{folder} is a file, not a folder: choose another output.") from error
    except OSError as error:
        raise SaveError(f"{folder} cannot be written: {error.strerror}. {REMEDY}.") from error


def _is_same_file(one: Path, other: Path) -> bool:
    """Whether both are there and one file, by whatever names and links."""
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


def _is_same_place(one: Path, other: Path) -> bool:
    """Whether both would be one file, on any file system."""
    first, second = (fold_case(Path(os.path.realpath(path))) for path in (one, other))
    return first == second or _is_same_file(one, other)
