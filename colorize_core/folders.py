"""Files that are to be written, and their folders."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from colorize_core.errors import SaveError

_owner = ""  # begins the names of what this process has not written whole yet


def make_folder(path: Path) -> None:
    """That of a file that is to be written, with all above it. SaveError if it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SaveError(
            f"{path} cannot be written: there is a file where its folder is to be."
        ) from error
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def own_parts(owner: str) -> Iterator[None]:
    """Names of what is not whole yet begin with `owner` meanwhile, in all of this process:
    remove_parts() finds what is left of it after a kill."""
    global _owner
    before, _owner = _owner, owner
    try:
        yield
    finally:
        _owner = before


def name_part(target: Path) -> Path:
    """Where a file is written before it is whole: beside the one that it becomes."""
    return target.with_name(f".{_owner}{secrets.token_hex(8)}.part")


def remove_parts(folder: Path, owner: str) -> None:
    """What processes of that owner, or of one whose name begins so, left in the folder when they
    were killed."""
    with suppress(OSError):  # no such folder, or another that may not be written any more
        for part in folder.glob(f".{owner}*.part"):
            part.unlink(missing_ok=True)


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is in place whole when the block ends without an error, or else as it was before.
    Raises SaveError where it cannot be written."""
    target = Path(os.path.realpath(path))  # a link stays a link
    part = name_part(target)
    try:
        with part.open("wb") as file:
            yield file
        os.replace(part, target)
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
