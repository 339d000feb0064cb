"""Files that are to be written, and their folders."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

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


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place whole, or not at all; a link stays a link. SaveError."""
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(data)
        os.replace(part, target)
    except OSError as error:
        raise SaveError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
