"""Whether the content of a file is what it should be."""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

GIT = "git:"  # before the hash by which git, and so the Hub, knows a small file


def parse_tag(tag: str) -> str:
    """What a file of the Hub with this ETag must hash to; "" where the tag does not tell. A large
    file's is its sha256, and a small one's what git calls it. In the Hub's cache contents have
    it as their name."""
    if re.fullmatch("[0-9a-f]{64}", tag):
        return tag
    return GIT + tag if re.fullmatch("[0-9a-f]{40}", tag) else ""


def parse_path(path: Path) -> str:
    """What a file in the Hub's cache must hash to, as far as it tells."""
    return parse_tag(resolve_content(path).name)


def resolve_content(path: Path) -> Path:
    """What a name in the Hub's cache points to. That may be a link too, to content that several
    repositories share: it is not followed, as its name there is another hash."""
    return Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else path


def matches(path: Path, digest: str) -> bool:
    """Whether the file has that sha256, or one that begins like that, or after "git:" that name in
    git. Everything matches ""."""
    if not digest:
        return True
    in_git = digest.startswith(GIT)
    found = hashlib.sha1(b"blob %d\0" % path.stat().st_size) if in_git else hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            found.update(block)
    return f"{GIT * in_git}{found.hexdigest()}".startswith(digest)


def matches_cached(path: Path, digest: str) -> bool:
    """matches(), but as long as nothing changes its size or time the file is read once."""
    seen = path.stat()
    return _matches(path, digest, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=256)
def _matches(path: Path, digest: str, _size: int, _time: int) -> bool:
    return matches(path, digest)
