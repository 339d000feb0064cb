"""Many photos through one model: find(), plan(), run(), the work behind the command line.

>>> from pathlib import Path
>>> from colorize_core.batch import runner as batch
>>> out, settings = Path("colorized"), batch.BatchOptions(vividness=1.2)
>>> found = batch.find(["album"], out)
>>> jobs = batch.plan(found.photos, found.base, out, settings.format)
>>> for result in batch.run(jobs, settings, batch.Manifest(out)):
...     print(result.job.target, result.status, result.error)
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from colorize_core import options
from colorize_core.batch import identity, store
from colorize_core.batch.convert import Result, make_converter
from colorize_core.batch.manifest import Manifest, Row
from colorize_core.batch.plan import SUFFIX_OF, Job, plan
from colorize_core.batch.search import Found, find
from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.models.registry import cards, load
from colorize_core.options import Options
from colorize_core.steering.reference import Reference
from colorize_core.threads import share_cores

__all__ = ["SUFFIX_OF", "BatchOptions", "Found", "Job", "Manifest", "Result", "find", "plan", "run"]

LIMITS = {
    **options.RANGES,
    "quality": (1.0, 100.0),
    "reference_strength": (0.0, 1.0),
    "batch_size": (1.0, 256.0),
}
DEFAULT_JOBS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class BatchOptions(Options):
    """What decides how a result looks. OptionError for a value that is not allowed, TypeError for
    a control that the model does not have."""

    format: str | None = None  # a key of SUFFIX_OF; None: the photo's own where it is writable
    quality: int = 95  # of JPEG and WebP
    reference: Reference | None = None  # whose colours are taken where the same things are
    reference_strength: float = 1.0  # how far they are taken, in [0, 1]
    mark: bool = False  # whether the picture says in a corner that its colours are invented
    batch_size: int = 1  # photos that a process has in the network at once

    def __post_init__(self) -> None:
        for name, limits in LIMITS.items():
            options.check(name, getattr(self, name), limits)
        options.check_variant(self.variant)
        if self.format is not None and self.format not in SUFFIX_OF:
            raise OptionError(f"format is {self.format!r}, allowed are {', '.join(SUFFIX_OF)}.")
        if card := self._card():
            # Those left out stand at their defaults: the same settings then are the same text.
            object.__setattr__(self, "controls", tuple(card.settings(dict(self.controls)).items()))
            if self.steering():
                card.check_hints()

    def _card(self) -> ModelCard | None:
        return next((card for card in cards(downloads=True) if card.name == self.model), None)

    def steering(self) -> dict[str, Any]:
        if self.reference is None:
            return super().steering()
        own: dict[str, Any] = {"reference": self.reference.pixels}
        if self.reference_strength != 1.0:
            own["reference_strength"] = self.reference_strength
        return super().steering() | own

    def describe(self) -> str:
        """For the manifest: two results of one photo are the same when this text is."""
        card = self._card()
        own = "".join(f"{name}={value} " for name, value in self.controls)
        own += f"variant={self.variant} " if self.variant else ""
        if self.reference:
            own += f"reference={self.reference.digest} "
            share = self.reference_strength  # left out where it is all, as from before there was it
            own += f"reference_strength={share:g} " if share != 1.0 else ""
        weights = card.digest if card else ""
        if self.hints:  # left out where there are none, as in manifests from before there were any
            told = json.dumps([hint.as_dict() for hint in self.hints])
            own += f"hints={hashlib.sha256(told.encode()).hexdigest()[:16]} "
        own += "mark=yes " if self.mark else ""
        finish = ",".join(f"{name}:{value!r}" for name, value in self.finish.as_dict().items())
        own += f"finish={finish} " if finish else ""
        prepared = ",".join(f"{name}:{place}" for name, place in self.prepare.as_dict().items())
        own += f"prepare={prepared} " if prepared else ""
        # Sums of other batches are rounded otherwise.
        own += f"batch_size={self.batch_size} " if self.batch_size > 1 else ""
        return (
            f"vividness={self.vividness:g} strength={self.strength:g} gain={self.gain:g} "
            f"neutralize={'yes' if self.neutralize else 'no'} format={self.format or 'same'} "
            f"quality={self.quality} {own}weights={weights or 'none'}"
        )


def run(
    jobs: Sequence[Job],
    settings: BatchOptions,
    manifest: Manifest | None = None,
    *,
    device: str = "auto",
    workers: int = DEFAULT_JOBS,
    overwrite: bool = False,
    load_model: Callable[[str, str], Any] = load,
    engine: Engine | None = None,
) -> Generator[Result, None, None]:
    """Colorize the jobs, yielding each result as it is there; one photo's failure stops no other.

    `workers` threads read, colorize and write, at most that many photos being in memory. On the
    CPU each runs the network on its share of the cores; elsewhere one photo at a time has the
    network. What `manifest` has as done from the same photo with the same settings is skipped; a
    file that this program did not write is left alone. `overwrite` does and replaces these.
    `engine`: what does the work instead, such as processes.Processes.
    Closing the generator stops the work, nothing being half written.
    Raises what load() raises, once there is something to do; SaveError where the manifest cannot be
    written.
    """
    book = _Book(manifest, settings)
    targets = _Targets(jobs, manifest)
    pending = []
    for job in jobs:
        known = targets.refuse(job) or (None if overwrite else book.judge(job))
        if known:
            yield known
        else:
            pending.append(job)
    if not pending:
        return
    if engine is None:
        engine = Threads(load_model(settings.model, device), settings, workers)
    with closing(engine.run(pending, book.start)) as results:
        for result in results:
            book.finish(result)
            yield result


class Engine(Protocol):
    """What carries the jobs out."""

    def run(
        self, jobs: Sequence[Job], start: Callable[[Job], Result | None]
    ) -> Generator[Result, None, None]:
        """Each job once, in any order, after `start` of it, which may say that it is refused.
        Closing the generator stops the work, nothing being half written."""


class _Targets:
    """Which files the results must not replace: photos of the same run, another one's result, the
    manifest. Links are followed."""

    def __init__(self, jobs: Sequence[Job], manifest: Manifest | None) -> None:
        self.sources = {key for job in jobs if (key := _read_file_key(job.source))}
        self.taken = {os.path.realpath(manifest.path): manifest.path} if manifest else {}

    def refuse(self, job: Job) -> Result | None:
        place = os.path.realpath(job.target)
        if _read_file_key(job.target) in self.sources:
            why = f"the result would replace the photo {job.target}: choose another output with -o."
        elif place in self.taken:
            why = f"{job.target} is the same file as {self.taken[place]}: choose another -o."
        else:
            self.taken[place] = job.target
            return None
        return Result(job, "failed", error=why)


class _Book:
    """What is known of each job from earlier runs, and what is noted for later ones."""

    def __init__(self, manifest: Manifest | None, settings: BatchOptions) -> None:
        self.manifest = manifest
        self.model = settings.model
        self.options = settings.describe()
        self.before = dict(manifest.rows) if manifest else {}
        self.started: dict[Job, Row] = {}

    def judge(self, job: Job) -> Result | None:
        """None if the job is to be done, else why it is not."""
        row = self.manifest.get(job.target) if self.manifest else None
        begun = row is not None and row.status == "started"  # perhaps by a run that still goes on
        if not begun and not store.exists(job.target):  # Path.exists() raises on long names
            return None
        if self.manifest and row is None and self.manifest.has_cut_off(job.source, job.target):
            return self.start(job)  # noted at once: writing the manifest drops what was cut off
        if self.manifest is None or row is None:
            why = f"{job.target} exists and is not from an earlier run"
            return Result(job, "failed", error=f"{why}: choose another -o, or add --overwrite.")
        own = row.input == os.path.abspath(job.source)
        same_work = (row.status, row.model, row.options) == ("done", self.model, self.options)
        if own and not same_work:
            return None
        seen = identity.compare(row, job.source)
        if seen is None and not own:
            why = f"{job.target} is the result of {row.input}"
            return Result(job, "failed", error=f"{why}: choose another -o, or add --overwrite.")
        if seen is None or not same_work:
            return None
        if seen != row:
            self.manifest.add(seen)
        return Result(job, "skipped")

    def start(self, job: Job) -> Result | None:
        """Note whose the output is before it is there: a killed run then knows its own files. A
        failure if another run took the output meanwhile."""
        if self.manifest is None:
            return None
        key = self.manifest.key(job.target)
        row = Row("", key, "started", model=self.model, options=self.options)
        row = identity.note(row, job.source)

        def is_free(known: Row | None) -> bool:
            if known is None or known == self.before.get(key):
                return True
            return known.input == row.input or known.status == "failed"

        if not self.manifest.add(row, is_free):
            why = f"{job.target} is the result of {self.manifest.rows[key].input} in another run"
            return Result(job, "failed", error=f"{why}: choose another -o.")
        self.started[job] = row
        return None

    def finish(self, result: Result) -> None:
        if self.manifest and (row := self.started.pop(result.job, None)):
            self.manifest.add(
                replace(
                    row,
                    status=result.status,
                    width=str(result.width or ""),
                    height=str(result.height or ""),
                    seconds=f"{result.seconds:.3f}",
                    tint=result.tint,
                    error=result.error,
                    note=result.note,
                    spread="" if result.spread is None else f"{result.spread:.3f}",
                )
            )


class Threads:
    """Reading, colorizing and writing, overlapped between threads around one network."""

    def __init__(self, colorizer: Any, settings: BatchOptions, workers: int) -> None:
        self.colorizer, self.settings, self.workers = colorizer, settings, workers

    def run(
        self, jobs: Sequence[Job], start: Callable[[Job], Result | None]
    ) -> Generator[Result, None, None]:
        workers = min(max(self.workers, self.settings.batch_size), len(jobs))
        converter = make_converter(self.colorizer, self.settings)
        with (
            share_cores(workers),
            ThreadPoolExecutor(workers, thread_name_prefix="colorize") as pool,
        ):
            running: set[Future[Result]] = set()
            try:
                for job in jobs:
                    if refused := start(job):
                        yield refused
                        continue
                    running.add(pool.submit(converter.convert, job))
                    if len(running) > workers:  # one waits, so that no thread does
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                yield from (future.result() for future in as_completed(running))
            finally:
                converter.task.stop()
                pool.shutdown(wait=True, cancel_futures=True)


def _read_file_key(path: Path) -> tuple[int, int] | str | None:
    """What tells one file from another, whatever its names; None if there is no such file."""
    if store.is_remote(path):
        return str(path)
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
