"""Many photos through several processes of one core and one model each.

A photo that takes its process along (the kernel ends what needs too much memory, a library crashes)
is tried once more when all others are done, alone; the others only wait for a new process. Results
do not depend on how many processes there are.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, Any

from colorize_core import folders
from colorize_core.batch.convert import Result, make_converter, map_together
from colorize_core.batch.plan import Job
from colorize_core.errors import ColorizeError, TooLittleMemoryError
from colorize_core.models.registry import load

if TYPE_CHECKING:
    from colorize_core.batch.runner import BatchOptions

OWNER = "batch-"  # begins the names of what no process has written whole yet
AHEAD = 2  # batches that a process has been told of: it begins the next one without asking
PATIENCE = 10.0  # seconds for an idle process to end by itself
ONE_CORE = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)

Start = Callable[[Job], Result | None]


def count_cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Processes:
    """An Engine (see runner.py) whose processes stay, with their models, from one run() to the
    next, until end() or the end of the `with`.

    `load_model` is called in each process and has to be a function of a module. A photo that takes
    longer than `seconds` counts as one that takes its process along.
    """

    def __init__(
        self,
        settings: BatchOptions,
        count: int,
        *,
        device: str = "auto",
        load_model: Callable[[str, str], Any] = load,
        seconds: float | None = None,
    ) -> None:
        self.count, self.seconds = count, seconds
        self._size = settings.batch_size
        self._given = (settings, device, load_model)
        self._workers: list[_Worker] = []
        self._broken = 0  # processes that ended while they loaded the model

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Have all processes ready, which run() does one after the other while the first ones work.
        Raises what run() raises."""
        while sum(worker.ready for worker in self._workers) < self.count - self._broken:
            self._find_free(self.count)
            for worker in self._wait():
                try:
                    worker.receive()
                except (EOFError, OSError):
                    self._bury(worker)

    def end(self) -> None:
        """End all processes. What they had not written whole is gone."""
        self._end(self._workers)

    def list_pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    def run(self, jobs: Sequence[Job], start: Start) -> Generator[Result, None, None]:
        """See Engine. Raises what load_model() raises, and TooLittleMemoryError where no process
        lives long enough to load the model."""
        ended: list[Job] = []
        try:
            yield from self._pass(jobs, start, min(self.count, len(jobs)), ended.extend)
            if ended:
                self._end(self._workers[1:])  # all the memory is for these now
                yield from self._pass(ended, start, 1, None)
        finally:
            self._end([worker for worker in self._workers if worker.jobs])

    def _pass(
        self, jobs: Iterable[Job], start: Start, most: int, keep: Callable[[list[Job]], None] | None
    ) -> Iterator[Result]:
        """Each job once, by at most so many processes. Jobs whose process has ended go to `keep`,
        or else have failed."""
        waiting, more = iter(jobs), True
        room = AHEAD * self._size if keep else 1  # the last time each is alone
        while True:
            while more and (worker := self._find_free(most, room)):
                job = next(waiting, None)
                more = job is not None
                if job is not None and (refused := start(job)):
                    yield refused
                elif job is not None:
                    worker.give(job)
            if not more and not any(worker.jobs for worker in self._workers):
                return
            for worker in self._wait():
                try:
                    answer = worker.receive()
                except (EOFError, OSError):
                    lost, left = self._bury(worker)
                    waiting, more = chain(left, waiting), more or bool(left)
                    if keep:
                        keep(lost)
                    else:
                        for job in lost:
                            yield Result(job, "failed", error=worker.describe_end())
                else:
                    if answer:
                        yield answer

    def _find_free(self, most: int, room: int = 1) -> _Worker | None:
        """The least busy process that has been told of fewer than `room` photos. A new one is
        started once the ones before have their models: what goes wrong in loading then goes wrong
        once."""
        ready = [worker for worker in self._workers if worker.ready]
        if len(self._workers) < max(1, most - self._broken) and len(ready) == len(self._workers):
            with _one_core():
                self._workers.append(_Worker(*self._given))
        free = [worker for worker in ready[:most] if len(worker.jobs) < room]
        return min(free, key=lambda worker: len(worker.jobs), default=None)

    def _wait(self) -> list[_Worker]:
        """Those that have something to say, or have ended."""
        begun = [worker.since for worker in self._workers if worker.jobs]
        left = None
        if self.seconds is not None and begun:
            left = max(0.0, min(begun) + self.seconds - time.monotonic())
        heard = connection.wait([worker.pipe for worker in self._workers], left)
        if not heard and self.seconds is not None:
            for worker in self._workers:
                if worker.jobs and time.monotonic() - worker.since >= self.seconds:
                    worker.slow = self.seconds
                    worker.process.kill()  # its pipe tells it
        return [worker for worker in self._workers if worker.pipe in heard]

    def _bury(self, worker: _Worker) -> tuple[list[Job], list[Job]]:
        """The jobs that an ended process was at, and those that it had not begun."""
        jobs = list(worker.jobs)
        self._end([worker])
        if not worker.ready:
            self._broken += 1
            if not any(other.ready for other in self._workers):
                why = f"The process that was to load the model ended ({worker.describe_code()})"
                if (worker.process.exitcode or 0) >= 0:
                    raise ColorizeError(f"{why}. What it said above tells the reason.")
                raise TooLittleMemoryError(
                    f"{why}, most likely for want of memory. Close other programs, choose a "
                    "smaller model, or use a machine with more memory."
                )
        return jobs[: self._size], jobs[self._size :]

    def _end(self, workers: Sequence[_Worker]) -> None:
        ending = list(workers)
        self._workers = [worker for worker in self._workers if worker not in ending]
        for worker in ending:
            worker.begin_end()
        for worker in ending:
            worker.end()


class _Worker:
    """A process as the one that started it sees it."""

    def __init__(self, settings: BatchOptions, device: str, load_model: Callable[..., Any]) -> None:
        self.owner = f"{OWNER}{secrets.token_hex(4)}-"
        self.ready = False  # whether its model is loaded
        self.jobs: deque[Job] = deque()  # what it was told of; it is at the first ones
        self.since = 0.0  # when it began these, or told of one of them
        self.slow = 0.0  # seconds after which it was ended
        self.pipe, theirs = get_context("spawn").Pipe()
        self.process = get_context("spawn").Process(
            target=_work, args=(theirs, self.owner, settings, device, load_model), daemon=True
        )
        self.process.start()
        theirs.close()  # it ends with the process then

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def give(self, job: Job) -> None:
        if not self.jobs:
            self.since = time.monotonic()
        self.jobs.append(job)
        with suppress(OSError):  # it has ended, which receive() tells
            self.pipe.send(job)

    def receive(self) -> Result | None:
        """What became of the first job; None when the model is loaded. Raises EOFError or OSError
        where the process has ended, and what loading the model raised."""
        answer = self.pipe.recv()
        if isinstance(answer, ColorizeError):
            raise answer
        if answer is None:
            self.ready = True
            return None
        self.jobs.popleft()
        self.since = time.monotonic()
        return answer

    def begin_end(self) -> None:
        """Have it end: at once where it has work, which is begun anew another time."""
        if self.jobs or not self.ready:
            self.process.kill()
        self.pipe.close()

    def end(self) -> None:
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        for folder in {job.target.parent for job in self.jobs}:
            folders.remove_parts(folder, self.owner)

    def describe_code(self) -> str:
        code = self.process.exitcode or 0
        if code >= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            return f"by {signal.Signals(-code).name}"
        return f"by signal {-code}"

    def describe_end(self) -> str:
        if self.slow:
            return (
                f"it took longer than {self.slow:g} seconds, twice. Give it more with --seconds, "
                "or make the photo smaller."
            )
        return (
            f"the process that worked on it ended, twice ({self.describe_code()}), most likely for "
            "want of memory. Make the photo smaller, or colour it on a machine with more memory."
        )


@contextmanager
def _one_core() -> Iterator[None]:
    """Processes that start in here compute on one core each, and their libraries know before they
    are loaded."""
    before = {name: os.environ.get(name) for name in ONE_CORE}
    os.environ.update(dict.fromkeys(ONE_CORE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _work(
    pipe: connection.Connection,
    owner: str,
    settings: BatchOptions,
    device: str,
    load_model: Callable[[str, str], Any],
) -> None:
    """What a process does: one job after another, until nobody has any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        converter = make_converter(load_model(settings.model, device), settings)
    except ColorizeError as error:
        pipe.send(error)
        return
    pipe.send(None)
    with folders.own_parts(owner), suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            jobs = [pipe.recv()]
            while len(jobs) < settings.batch_size and pipe.poll():
                jobs.append(pipe.recv())
            for result in map_together(converter.convert, jobs, settings.batch_size):
                pipe.send(result)


def _end_with_parent() -> None:
    """A photo that nobody waits for any more is not written: by then another run may be at it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
