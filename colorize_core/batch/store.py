"""Photos and results in a store that fsspec knows, such as s3://bucket/folder, instead of a folder.

A URL is a path here, /s3:/bucket/folder/photo.jpg for s3://bucket/folder/photo.jpg, so that plans,
lists and results are the same for both. What a store holds is listed once a run: asking it for each
of a million photos would take hours.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from colorize_core.batch.search import Found
from colorize_core.errors import OptionError, PictureError, SaveError
from colorize_core.file_names import split_suffix

WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")  # an object there is new or as it was
MARKS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "created")  # the best one first

_listed: dict[str, dict[str, dict[str, Any]]] = {}  # root -> path -> what the store says of it


def is_url(text: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]+://", text) is not None


def is_remote(path: Path) -> bool:
    """Whether the path stands for a URL."""
    return re.match(r"/[a-z][a-z0-9+.-]+:/", str(path)) is not None


def to_path(text: str) -> Path:
    """That of a URL, or of a file; file:// is a file of this machine."""
    if not is_url(text):
        return Path(text)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    return Path("/" + text.replace("://", ":/", 1))


def to_text(path: Path) -> str:
    """The URL that a path stands for, or the path."""
    return str(path)[1:].replace(":/", "://", 1) if is_remote(path) else str(path)


def list_all(root: Path) -> None:
    """Ask the store for all below a path, for what follows. OptionError if it does not answer."""
    url = to_text(root)
    files = _open(url.split("://")[0])
    try:
        files.invalidate_cache()
        found = files.find(url, detail=True)
    except Exception as error:  # each store has errors of its own
        raise OptionError(f"{url} cannot be read: {type(error).__name__}: {error}") from error
    scheme = url.split("://")[0]
    _listed[str(root)] = {
        str(to_path(f"{scheme}://{name.lstrip('/')}")): each for name, each in found.items()
    }


def find(url: str, results: Collection[str] = (), out: Path | None = None) -> Found:
    """The photos below a URL as search.find() gives those of a folder; none of `results` or below
    `out`."""
    root = to_path(url)
    list_all(root)
    paths = [Path(name) for name in sorted(_listed[str(root)])]
    inputs = [
        path
        for path in paths
        if str(path) not in results and (out is None or out == root or out not in path.parents)
    ]
    photos = [path for path in inputs if split_suffix(path.name)[1] and path.name[0] != "."]
    count = len(inputs) - len(photos)
    left_out = (f"{count} without a suffix of a photo are left out.",) if count else ()
    problems = () if photos else (f"{url}: there is no photo.",)
    base = root.parent if photos == [root] else root
    return Found(tuple(photos), base, problems, left_out, count)


def describe(path: Path) -> tuple[str, str] | None:
    """Bytes, and what changes with the content or with each writing; None where it is not there."""
    each = None
    for root, found in _listed.items():
        if path.is_relative_to(root):
            each = found.get(str(path))
            break
    else:
        url = to_text(path)
        with suppress(FileNotFoundError):
            each = _open(url.split("://")[0]).info(url)
    if not each:
        return None
    marks = [str(each[name]).strip('"') for name in MARKS if name in each]
    return str(each["size"]), next(iter(marks), "")


def exists(path: Path) -> bool:
    return describe(path) is not None if is_remote(path) else os.path.exists(path)


def read(path: Path) -> bytes:
    """PictureError where it cannot be read."""
    url = to_text(path)
    try:
        data: bytes = _open(url.split("://")[0]).cat_file(url)
    except Exception as error:  # each store has errors of its own
        raise PictureError(f"{url} cannot be read: {type(error).__name__}: {error}") from error
    return data


def write(path: Path, data: bytes) -> None:
    """All of it, or nothing. SaveError where it cannot be written."""
    url = to_text(path)
    scheme = url.split("://")[0]
    files = _open(scheme)
    try:
        if scheme in WHOLE:
            files.pipe_file(url, data)
            return
        files.makedirs(url.rsplit("/", 1)[0], exist_ok=True)
        part = f"{url}.{secrets.token_hex(8)}.part"
        files.pipe_file(part, data)
        files.mv(part, url)
    except Exception as error:  # each store has errors of its own
        raise SaveError(f"{url} cannot be written: {type(error).__name__}: {error}") from error


@lru_cache
def _open(scheme: str) -> Any:
    """The file system. What it needs to know, such as keys, it takes from its own variables and
    files; fsspec's FSSPEC_... count."""
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise OptionError(f"{scheme}:// cannot be used: {error}") from error
