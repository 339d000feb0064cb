"""A folder that photos are dropped into, and which of them are complete.

It is looked at again and again: no system reports what other machines write on a network share, and
whether a file still grows has to be looked at anyway.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from colorize_core.batch import runner
from colorize_core.batch.manifest import Manifest
from colorize_core.batch.search import find

SETTLED = 2.0  # seconds for which a complete file has not changed
INTERVAL = 1.0  # seconds between two looks
REST = 20.0  # times as long as a look took: large folders and slow shares take a twentieth of it

Version = tuple[int, ...]


@dataclass
class _File:
    version: Version
    since: float  # when it was first seen like this
    given: bool = False  # whether it was told of


class Arrivals:
    """The photos below `folder` but those in `out`, where results go."""

    def __init__(self, folder: Path, out: Path, settled: float = SETTLED) -> None:
        self.folder, self.out, self.settled = folder, out, settled
        self.problems: tuple[str, ...] = ()  # a sentence for what cannot be read just now
        self._files: dict[Path, _File] = {}

    def look(self, now: float) -> list[Path]:
        """Those that are complete since the last look: not empty, and the same for `settled`
        seconds. A new version of a photo is told of again. `now`: seconds of any clock."""
        found = find([self.folder], self.out)
        self.problems = tuple(told for told in found.problems if " cannot be read: " in told)
        if not os.path.isdir(self.folder):
            self.problems = (f"{self.folder} is not there: it is waited for.",)
            return []
        before, self._files = self._files, {}
        for photo in found.photos:
            version = _read_version(photo)
            if version is None:  # it went away
                continue
            file = before.get(photo)
            if file is None or file.version != version:
                file = _File(version, now)
            self._files[photo] = file
        ready = [
            photo
            for photo, file in self._files.items()
            if not file.given and file.version[0] and now - file.since >= self.settled
        ]
        for photo in ready:
            self._files[photo].given = True
        return ready

    def list_incomplete(self) -> list[Path]:
        """Those that are there and were not told of."""
        return [photo for photo, file in self._files.items() if not file.given]


def watch(
    arrivals: Arrivals,
    settings: runner.BatchOptions,
    manifest: Manifest,
    engine: runner.Engine,
    *,
    tell: Callable[[str], None],
    interval: float = INTERVAL,
    wait: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[runner.Result, None, None]:
    """Colorize what arrives until the generator is closed or `wait`, which gets seconds, raises.

    A file that cannot be read as a picture has failed until it changes: perhaps it is still being
    written. `tell` gets a sentence when something of the folder cannot be read. Raises what
    runner.run() raises.
    """
    told: tuple[str, ...] = ()
    while True:
        begun = time.perf_counter()
        ready = arrivals.look(clock())
        took = time.perf_counter() - begun
        for problem in arrivals.problems:
            if problem not in told:
                tell(problem)
        told = arrivals.problems
        if ready:
            jobs = runner.plan(
                ready, arrivals.folder, arrivals.out, settings.format, manifest.names()
            )
            yield from runner.run(jobs, settings, manifest, engine=engine)
        wait(max(interval, REST * took))


def _read_version(photo: Path) -> Version | None:
    """What changes with a file's content, its size first; None if it is not there."""
    try:
        found = photo.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
