"""Files that are to be written, and their folders."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from colorize_core.errors import SaveError


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
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is in place whole when the block ends without an error, or else as it was before.
    Raises SaveError where it cannot be written."""
    target = Path(os.path.realpath(path))  # a link stays a link
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("wb") as file:
            yield file
        os.replace(part, target)
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
