"""The folders of files that are to be written."""

from __future__ import annotations

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
