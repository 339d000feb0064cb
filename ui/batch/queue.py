"""The photos of the tab "Batch": what is to be done with each, and what became of it.

A queue has a folder of its own among the uploads, where everything of it lies: in memory there is
one photo at a time, that which is worked on. Whoever has its key has the queue.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from colorize_core.batch.manifest import Manifest, Row
from colorize_core.batch.plan import Job, plan
from colorize_core.batch.runner import BatchOptions
from colorize_core.errors import OptionError
from colorize_core.file_names import fold_case, make_name, split_suffix
from colorize_core.models.runner import Task
from colorize_core.steering.album import DescribedPhoto
from ui.server.temp_files import Folder

State = Literal["waiting", "working", "done", "failed", "cancelled"]
Order = Literal["added", "unsure"]
MOST_PHOTOS = 500  # of a queue, at home: the page shows all of them
SMALL = "small"  # the folder of thumbnails


@dataclass(frozen=True)
class Look:
    """What a photo is coloured with. The reference is read when it is needed: it may be large."""

    options: BatchOptions = field(default_factory=BatchOptions)
    reference: Path | None = None
    known: tuple[DescribedPhoto, ...] = ()  # photos whose known colours are taken, too


@dataclass(eq=False)
class Entry:
    """One photo."""

    number: int
    source: Path
    state: State = "waiting"
    looked: bool = False  # its thumbnail is there, or it cannot be read
    own: Look | None = None  # in place of that of all others
    target: Path | None = None  # of its result
    made: int = 0  # how many results there were: the small copies of the last have this number
    row: Row | None = None  # of the manifest
    soon: bool = False  # it is coloured next, also while the queue rests
    placed: int = 0  # hints that were known on other photos
    error: str = ""
    version: int = 0  # of the queue when it was changed last

    @property
    def spread(self) -> float | None:
        """How far its likely colours are apart, in Lab units; None where the model tells none."""
        return float(self.row.spread) if self.row and self.row.spread else None

    @property
    def seconds(self) -> float:
        return float(self.row.seconds or 0) if self.row else 0.0


class Queue:
    """The photos of one person. Threads may share it."""

    def __init__(self, folder: Folder, most: int = MOST_PHOTOS):
        self.key = secrets.token_hex(16)  # that nobody can guess
        self.name = secrets.token_hex(4)  # by which the page tells one queue from another
        self.most = most
        self.owner = f"batch {self.name}"  # whose the tasks are
        self.address = ""  # of who has started it
        self.place = folder.new("photos").parent
        self.photos, self.results = self.place / "photos", self.place / "results"
        self.small = self.place / SMALL
        self._parts: tuple[Path, ...] = (self.photos, self.results, self.small)
        for part in self._parts:
            part.mkdir(mode=0o700)
        self.look = Look()
        self.started = False  # whether anybody has chosen that look
        self.running = False
        self.order: Order = "added"
        self.archive: Path | None = None  # the last ZIP
        self.entries: dict[int, Entry] = {}
        self.version = 0  # counts the changes
        self.removed = 0  # the version in which photos were removed last
        self.lock = threading.RLock()
        self._names: dict[str, str] = {}  # as plan() takes them
        self._task: Task | None = None  # what is worked on
        self._current: Entry | None = None
        self._last = 0  # number of an entry

    # --- what there is --------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether its files are still there: they go when nobody has used them for an hour."""
        return all(part.is_dir() for part in self._parts)

    @property
    def busy(self) -> bool:
        """Whether the page can expect news."""
        with self.lock:
            every = self.entries.values()
            waiting = any(each.soon or not each.looked for each in every)
            return self.running or waiting or self._current is not None

    def count(self, *states: State) -> int:
        with self.lock:
            return sum(each.state in states for each in self.entries.values())

    def list_since(self, version: int) -> tuple[bool, list[Entry]]:
        """Those that were changed after that version, as they are now; and whether these are all
        that there are, as something was removed."""
        with self.lock:
            whole = version < self.removed or version > self.version
            after = -1 if whole else version
            found = [replace(each) for each in self.entries.values() if each.version > after]
            return whole, found

    def find(self, number: Any) -> Entry | None:
        with self.lock:
            return self.entries.get(number) if isinstance(number, int) else None

    def list_done(self) -> list[Entry]:
        """In the order that its person has chosen: as they were added, or the least sure first."""
        with self.lock:
            done = [each for each in self.entries.values() if each.state == "done"]
        return sorted(done, key=lambda each: -(each.spread or 0)) if self.order != "added" else done

    @cached_property
    def manifest(self) -> Manifest:
        """What became of each photo, as the command line writes it."""
        return Manifest(self.results)

    def get_path(self, entry: Entry, before: bool, large: bool = False) -> Path:
        """A small copy, or one that fills a screen, of the photo or of its last result."""
        kind = "large" if large else "small"
        return self.small / f"{entry.number}-{0 if before else entry.made}-{kind}.jpg"

    def keep_alive(self) -> None:
        """It is used: its files stay for another hour."""
        for part in (*self._parts, self.place):
            with suppress(FileNotFoundError):
                os.utime(part)

    # --- what its person does -------------------------------------------------------------------

    def add(self, uploads: Sequence[Path]) -> int:
        """Add the photos in these files; how many there was no room for. The uploads stay."""
        with self.lock:
            room = max(0, self.most - len(self.entries))
            taken = [path for path in uploads if path.is_file()][:room]
            used = {fold_case(Path(each.source.name)) for each in self.entries.values()}
            for path in taken:
                place = self.photos / _find_free_name(path.name, used)
                used.add(fold_case(Path(place.name)))
                _link(path, place)
                self._last += 1
                self._change(Entry(self._last, place))
            return len(uploads) - len(taken)

    def add_reference(self, upload: Path) -> Path:
        """A copy of that file which stays as long as the queue."""
        place = self.place / f"reference-{secrets.token_hex(8)}"
        place.mkdir(mode=0o700)
        _link(upload, place / upload.name)
        self._parts = (*self._parts, place)
        return place / upload.name

    def start(self, look: Look, *states: State) -> None:
        """Have everything that is in one of these states, and all that waits, coloured like that;
        what has a look of its own keeps it."""
        with self.lock:
            self.look, self.started = look, True
            for entry in self.entries.values():
                if entry.state in states:
                    self._wait(entry)
            self.running = True

    def redo(self, entry: Entry, own: Look | None) -> None:
        """Have one photo coloured in a look of its own, or else like all others; the others rest if
        they did."""
        with self.lock:
            if entry is self._current:
                raise OptionError("This photo is being coloured: wait until it is done.")
            entry.own, entry.soon = own, True
            self._wait(entry)

    def pause(self) -> None:
        """Begin nothing more; what is being worked on comes to its end."""
        with self.lock:
            self.running = False

    def cancel(self) -> None:
        """Begin nothing more, and stop what is being worked on."""
        with self.lock:
            self.running = False
            for entry in self.entries.values():
                entry.soon = False
                if entry.state == "waiting":
                    self._change(entry, "cancelled")
            if self._task and self._current and self._current.state == "working":
                self._task.stop()

    def remove(self, entry: Entry) -> None:
        """Take a photo out, with its result."""
        with self.lock:
            if self.entries.pop(entry.number, None) is None:
                return
            if entry is self._current and self._task:
                self._task.stop()
            self._names.pop(os.path.abspath(entry.source), None)
            self.version += 1
            self.removed = self.version
        _delete(entry.source, entry.target, *self.small.glob(f"{entry.number}-*"))

    def clear(self) -> None:
        """Take all of them out, and the files with them."""
        with self.lock:
            self.running = False
            if self._task:
                self._task.stop()
            self.entries.clear()
            self.version += 1
            self.removed = self.version
        shutil.rmtree(self.place, ignore_errors=True)
        if self.archive:
            _delete(self.archive)

    # --- what works on it -----------------------------------------------------------------------

    def take(self, task: Task) -> Entry | None:
        """The next photo that is to be looked at or, if it runs, coloured: from then on the task is
        what stops it. None where there is nothing to do."""
        with self.lock:
            every = list(self.entries.values())
            waiting = [each for each in every if each.state == "waiting"]
            entry = next((each for each in every if not each.looked), None)
            entry = entry or next((each for each in waiting if each.soon), None)
            entry = entry or next(iter(waiting if self.running else ()), None)
            if entry is not None and entry.looked:
                entry.soon = False
                self._change(entry, "working")
            elif entry is None and self.running:
                self.running = False  # it is done
                self.version += 1
            self._task, self._current = (task, entry) if entry else (None, None)
            return entry

    def give_back(self, entry: Entry, state: State | None, **changes: Any) -> None:
        """What became of a photo that was taken; None: its state is as it was."""
        with self.lock:
            self._task = self._current = None
            for name, value in changes.items():
                setattr(entry, name, value)
            if entry.number in self.entries:
                self._change(entry, state)
            elif entry.target:
                _delete(entry.target)  # it was removed meanwhile

    def plan(self, entry: Entry, options: BatchOptions) -> Job:
        """Where its result goes, by the rule of the command line; no other photo's is there."""
        with self.lock:
            (job,) = plan([entry.source], self.photos, self.results, options.format, self._names)
            if entry.target not in (None, job.target):
                _delete(entry.target)
            entry.target = job.target
            name = job.target.relative_to(self.results).as_posix()
            self._names[os.path.abspath(entry.source)] = name
            return job

    def _wait(self, entry: Entry) -> None:
        entry.error = ""
        entry.looked = entry.looked and self.get_path(entry, before=True).exists()
        self._change(entry, "waiting")

    def _change(self, entry: Entry, state: State | None = None) -> None:
        self.version += 1
        entry.version = self.version
        entry.state = state or entry.state
        self.entries[entry.number] = entry


class Queues:
    """Those of everybody, by their keys."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}
        self._lock = threading.Lock()

    def add(self, queue: Queue) -> None:
        with self._lock:
            self._queues[queue.key] = queue

    def find(self, key: Any) -> Queue | None:
        """None where there is none of that key, or its files were deleted."""
        self._purge()
        with self._lock:
            return self._queues.get(key) if isinstance(key, str) else None

    def list(self) -> tuple[Queue, ...]:
        self._purge()
        with self._lock:
            return tuple(self._queues.values())

    def _purge(self) -> None:
        with self._lock:
            for key in [key for key, queue in self._queues.items() if not queue.exists]:
                self._queues.pop(key).pause()


def measure_left(queue: Queue) -> float | None:
    """Seconds that a queue will still take, by those that are done; None before one is."""
    done = [each.seconds for each in queue.list_done() if each.seconds]
    left = queue.count("waiting", "working")
    return left * sum(done) / len(done) if done and left else None


def _find_free_name(name: str, used: set[str]) -> str:
    """The name, or name-2.jpg, name-3.jpg ..."""
    free, count = name, 1
    while fold_case(Path(free)) in used:
        count += 1
        free = make_name(name, f"-{count}", split_suffix(name)[1])
    return free


def _link(path: Path, place: Path) -> None:
    """The same file under another name: who has opened the upload in another tab keeps it."""
    try:
        os.link(path, place)
    except OSError:  # a file system without links
        shutil.copyfile(path, place)


def _delete(*paths: Path | None) -> None:
    for path in paths:
        if path is not None:
            path.unlink(missing_ok=True)


def format_duration(seconds: float) -> str:
    """ "40 s", "12 min" and "1 h 5 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
