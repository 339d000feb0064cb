"""The one place on disk that holds uploads and results, for an hour."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

KEEP_SECONDS = 3600
SWEEP_SECONDS = 60
PREFIX = "autochrome-studio-"
LOCK = Path("lasting", "lock")


class Folder:
    """A temporary folder that only its owner can read.

    Gradio deletes the files that it knows of; the sweep takes the rest. A running app locks its
    folder, and touches it at every sweep. One that is not locked was left by a crash, and so was,
    where there are no locks, one that stays untouched for an hour: the next start or sweep of any
    app takes it.
    """

    def __init__(self, parent: str | Path | None = None):
        self.root = Path(parent or tempfile.gettempdir())
        self.root.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(self.root)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self.root)).resolve()
        self.lasting = self.path / "lasting"  # what the page itself is made of: not swept
        self.lasting.mkdir()
        self._unlock = weakref.finalize(self, os.close, _lock(self.path / LOCK))
        self._closed = threading.Event()

    def new(self, name: str) -> Path:
        """A path of that name in a folder whose name nobody can guess."""
        place = self.path / secrets.token_hex(16)
        place.mkdir(mode=0o700)
        return place / name

    def sweep(self, age: float = KEEP_SECONDS) -> None:
        """Delete what is older than `age` seconds, and folders that are empty by then."""
        oldest = time.time() - age
        for place in self.path.iterdir():
            if place == self.lasting:
                continue
            if not place.is_dir():  # an upload that was cut off
                _remove_old(place, oldest)
                continue
            for file in place.iterdir():
                _remove_old(file, oldest)
            if place.stat().st_mtime < oldest:
                with contextlib.suppress(OSError):  # not empty: it has younger files
                    place.rmdir()
        os.utime(self.path)
        _remove_left_behind(self.root)

    def start_sweeping(self, after: Callable[[], None] = lambda: None) -> None:
        """Sweep every minute in the background until close(), and then do what comes after."""
        threading.Thread(target=self._sweep_loop, args=[after], name="sweep", daemon=True).start()

    def _sweep_loop(self, after: Callable[[], None]) -> None:
        while not self._closed.wait(SWEEP_SECONDS):
            self.sweep()
            after()

    def close(self) -> None:
        """Delete everything."""
        self._closed.set()
        self._unlock()  # before: Windows deletes no open file
        shutil.rmtree(self.path, ignore_errors=True)


def _lock(path: Path) -> int:
    """A descriptor that holds it until it is closed or the program ends, however it ends. The file
    gets its name when it is locked: nobody finds it free before."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_CREAT | os.O_WRONLY, 0o600)
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.replace(new, path)
    return descriptor


def _is_left_behind(folder: Path, oldest: float) -> bool:
    if fcntl is not None:
        with contextlib.suppress(FileNotFoundError), (folder / LOCK).open("rb") as found:
            try:
                fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True
    return folder.stat().st_mtime < oldest


def _remove_old(file: Path, oldest: float) -> None:
    with contextlib.suppress(FileNotFoundError):  # Gradio deletes at the same time
        if file.stat().st_mtime < oldest:
            if file.is_dir():  # the parts of a film
                shutil.rmtree(file, ignore_errors=True)
            else:
                file.unlink()


def _remove_left_behind(root: Path) -> None:
    oldest = time.time() - KEEP_SECONDS
    for place in root.glob(PREFIX + "*"):
        with contextlib.suppress(OSError):  # another person's, or gone meanwhile
            mine = not hasattr(os, "getuid") or place.lstat().st_uid == os.getuid()
            if mine and not place.is_symlink() and _is_left_behind(place, oldest):
                shutil.rmtree(place, ignore_errors=True)
