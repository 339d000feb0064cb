"""Many photos on many machines, by Ray Data: a pool of processes, each with a core (or a share of a
GPU) and the model in memory, on all nodes of a cluster.

A process takes a photo from file to file as those of processes.py do; only the names of files and
what became of them go through the cluster. So photos and results lie where every machine sees them
under the same path. The process that asks writes the list of photos alone.

What is lost with a process or a machine is tried again, at last alone; a photo that takes its
process along each time has failed. One that was done twice has the same bytes twice.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import platform
import secrets
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_core import errors, folders
from colorize_core.batch.convert import Result, make_converter, map_together
from colorize_core.batch.plan import Job
from colorize_core.batch.processes import ONE_CORE, OWNER
from colorize_core.errors import ColorizeError, OptionError
from colorize_core.models.registry import load

if TYPE_CHECKING:
    from colorize_core.batch.runner import BatchOptions

# Photos a process between two starts of the pool: few at first, since each is noted as begun and
# its content read before, and then twice as many each time.
FIRST, WAVE = 50, 500
BLOCK = 8  # photos that a process is told of at once
TRIES = 3  # of a photo whose process ends; the last one alone
BREAKS = 3  # ends of the whole pool in a row, after which the run ends
STORE = 100 << 20  # bytes of shared memory of a cluster on this machine: only names go through it
MISSING = "The engine ray needs the package Ray: pip install 'autochrome-studio[ray]'."

Start = Callable[[Job], Result | None]


def has_ray() -> bool:
    return importlib.util.find_spec("ray") is not None


class RayEngine:
    """An Engine (see runner.py) on the Ray cluster at `address`: "auto" for the one that this
    machine belongs to, "host:port" of its head, or "local" for one that is started here and ends
    with the engine. Where the program is already connected to a cluster, that one is used.

    count: processes at most; None: as many as the cluster has cores, or shares of GPUs.
    gpus: the share of a GPU that each process takes, 0 to 1; with 0 it takes a core alone.
    seconds: a photo that takes longer counts as one that takes its process along.
    `load_model` is called in each process and has to be a function of a module.

    OptionError where Ray is missing or the cluster cannot be reached.
    """

    def __init__(
        self,
        settings: BatchOptions,
        count: int | None = None,
        *,
        address: str = "auto",
        device: str = "auto",
        gpus: float = 0.0,
        load_model: Callable[[str, str], Any] = load,
        seconds: float | None = None,
    ) -> None:
        if not has_ray():
            raise OptionError(MISSING)
        if address.startswith("ray://"):
            raise OptionError(
                f"{address} is for Ray's client, which is not used: give the command on a machine "
                "of the cluster, by 'ray job submit' from elsewhere, with --address auto."
            )
        if not 0.0 <= gpus <= 1.0:
            raise OptionError(f"The share of a GPU is {gpus:g}, allowed are 0 to 1.")
        self.settings, self.count, self.address, self.gpus = settings, count, address, gpus
        self.seconds = seconds
        self._owner = f"{OWNER}{secrets.token_hex(4)}-"
        self._given = {
            "settings": settings,
            "told": settings.describe(),
            "device": device,
            "load_model": load_model,
            "seconds": seconds,
            "owner": self._owner,
            "folder": os.getcwd(),
        }
        self._connected = False  # by this engine

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Connect to the cluster. run() does it, too."""
        import ray

        if ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        own = {"num_cpus": self.count, "object_store_memory": STORE, "include_dashboard": False}
        try:
            ray.init(
                address=self.address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(own if self.address == "local" else {}),
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise OptionError(
                f"There is no Ray cluster at {self.address}: {error} Start one with "
                "'ray start --head', name its address with --address, or have one on this machine "
                "alone with --address local."
            ) from error
        self._connected = True

    def end(self) -> None:
        """Disconnect where start() connected; a cluster that it started ends."""
        import ray

        if self._connected:
            ray.shutdown()
        self._connected = False

    def run(self, jobs: Sequence[Job], start: Start) -> Generator[Result, None, None]:
        """See Engine. Raises what load_model() raises, and ColorizeError where the processes do not
        live long enough to load the model, or the cluster is gone."""
        self.start()
        count = self._count_processes()
        waiting, ready = deque(jobs), deque[Job]()

        def admit() -> Iterator[Result]:
            """The next job is ready, or refused."""
            if refused := start(job := waiting.popleft()):
                yield refused
            else:
                ready.append(job)

        size = min(FIRST, WAVE) * count
        while waiting or ready:
            while waiting and len(ready) < size:
                yield from admit()
            wave = list(ready)
            ready.clear()
            size = min(2 * size, WAVE * count)
            with closing(self._do(wave, count)) as results:
                for result in results:
                    yield result
                    for _ in range(2):  # the list is written while the pool works
                        if waiting and len(ready) < size:
                            yield from admit()

    def _count_processes(self) -> int:
        import ray

        had = ray.cluster_resources()
        room = int(had.get("GPU", 0) / self.gpus) if self.gpus else int(had.get("CPU", 0))
        return self.count or max(1, room)

    def _do(self, jobs: Sequence[Job], count: int) -> Generator[Result, None, None]:
        """Each job once. Those that are lost are tried again, one at a time being told to a
        process, and the last time by one process."""
        left = dict(enumerate(jobs))
        breaks, tried = 0, 0
        lost = False
        block = max(BLOCK, self.settings.batch_size)
        try:
            while left and tried < TRIES:
                most = 1 if tried == TRIES - 1 else count
                before = len(left)
                try:
                    with closing(self._pass(left, most, block if tried == 0 else 1)) as answers:
                        for number, answer in answers:
                            if isinstance(answer, ColorizeError):
                                raise answer
                            if job := left.pop(number, None):  # else it was done twice
                                yield replace(answer, job=job)
                except _PoolError as error:
                    breaks = breaks + 1 if len(left) == before else 0
                    if breaks == BREAKS:
                        raise ColorizeError(
                            "The processes on the cluster ended before they had done a photo: "
                            f"{error} The same command goes on."
                        ) from error
                else:
                    tried += 1
                lost = lost or bool(left)
            for number in list(left):
                yield Result(left.pop(number), "failed", error=self._describe_end())
        finally:
            if left or lost:
                for folder in {job.target.parent for job in jobs}:
                    folders.remove_parts(folder, self._owner)

    def _pass(
        self, jobs: dict[int, Job], most: int, block: int
    ) -> Generator[tuple[int, Any], None, None]:
        """What became of the jobs, by number, as they end. Some may be missing: their process did
        not live."""
        import ray.data
        from ray.exceptions import RayError

        asked = dict(jobs)  # from which the one who asks takes what is done
        items = [
            {"number": number, "source": str(job.source), "target": str(job.target)}
            for number, job in jobs.items()
        ]
        most = min(most, len(items))
        block = max(1, min(block, len(items) // most))
        with _context(self.seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of max_task_retries
            pool = ray.data.ActorPoolStrategy(
                size=most if most == 1 else None,
                **({} if most == 1 else {"min_size": 1, "max_size": most, "initial_size": most}),
                max_tasks_in_flight_per_actor=2 if block > 1 else 1,
            )
            made = ray.data.from_items(
                items, override_num_blocks=-(-len(items) // block)
            ).map_batches(
                _Worker,
                fn_constructor_kwargs=self._given,
                batch_size=block,
                batch_format="numpy",
                compute=pool,
                num_cpus=1,
                num_gpus=self.gpus or None,
                # A block whose process ends is lost, and begun anew here: Ray would give it to
                # process after process without end.
                max_task_retries=0,
                runtime_env={"env_vars": dict.fromkeys(ONE_CORE, "1")},
            )
            rows = made.iter_rows()
        try:
            for row in rows:
                number = int(row["number"])
                yield number, _read_answer(asked[number], json.loads(row["answer"]))
        except RayError as error:
            raise _PoolError(str(error).splitlines()[0]) from error

    def _describe_end(self) -> str:
        slow = f", or took longer than {self.seconds:g} seconds," if self.seconds else ""
        return (
            f"the process that worked on it ended{slow} {TRIES} times, most likely for want of "
            "memory. Make the photo smaller, or colour it on a machine with more memory."
        )


def _tell(answer: Result | ColorizeError) -> dict[str, Any]:
    """For JSON: data alone comes back from other machines, nothing that could be run."""
    if isinstance(answer, ColorizeError):
        return {"error_kind": type(answer).__name__, "error": str(answer)}
    return {each.name: getattr(answer, each.name) for each in fields(answer) if each.name != "job"}


def _read_answer(job: Job, told: dict[str, Any]) -> Result | ColorizeError:
    """What _tell() was given."""
    if kind := told.pop("error_kind", None):
        error: ColorizeError = getattr(errors, kind)(told["error"])
        return error
    return Result(job, **told)


class _PoolError(Exception):
    """The pool as a whole ended, and not for a photo."""


@contextmanager
def _context(seconds: float | None) -> Iterator[None]:
    """How Ray Data is to work on what is made in here; the program's own settings stay."""
    from ray.data import DataContext

    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):  # its files keep what it says
            handler.setLevel(logging.CRITICAL)
    before = DataContext.get_current()
    own = before.copy()
    own.enable_progress_bars = False
    own.max_errored_blocks = -1  # a process that ends costs its photos a try and not the run
    own.target_max_block_size = 1  # byte: each photo is told when it is done
    own.max_consecutive_actor_init_deaths = TRIES
    own.execution_no_progress_timeout_s = -1 if seconds is None else int(2 * seconds + 600)
    with DataContext.current(own):
        yield


class _Worker:
    """A process of the pool: what Ray Data calls with the jobs of a block."""

    def __init__(
        self,
        settings: BatchOptions,
        told: str,
        device: str,
        load_model: Callable[[str, str], Any],
        seconds: float | None,
        owner: str,
        folder: str,
    ) -> None:
        self.seconds, self.owner = seconds, owner
        self.broken: ColorizeError | None = None
        if Path(folder).is_dir():  # names of photos may be relative to it
            os.chdir(folder)
        try:
            if settings.describe() != told:
                raise OptionError(
                    f"{platform.node()} has other weights or another version than the machine "
                    "that asks. Install the same version everywhere."
                )
            self.converter = make_converter(load_model(settings.model, device), settings)
        except ColorizeError as error:  # the one who asks is to be told this, and not Ray's words
            self.broken = error

    def __call__(self, block: dict[str, Any]) -> Iterator[dict[str, list[Any]]]:
        with folders.own_parts(self.owner):
            jobs = [
                Job(Path(source), Path(target))
                for source, target in zip(block["source"], block["target"], strict=True)
            ]
            answers: Iterable[Result | ColorizeError]
            if self.broken:
                answers = [self.broken] * len(jobs)
            else:
                size = self.converter.settings.batch_size
                answers = map_together(self._convert, jobs, size)
            for number, answer in zip(block["number"], answers, strict=True):
                yield {"number": [int(number)], "answer": [json.dumps(_tell(answer))]}

    def _convert(self, job: Job) -> Result:
        if self.seconds is None:
            return self.converter.convert(job)
        end = threading.Timer(self.seconds, os._exit, (1,))
        end.daemon = True
        end.start()
        try:
            return self.converter.convert(job)
        finally:
            end.cancel()
