"""python -m colorize_core batch: an archive in several processes, on one machine or many."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from colorize_core.batch import runner, store
from colorize_core.batch.claim import claim
from colorize_core.batch.manifest import Manifest, Row
from colorize_core.batch.processes import Processes, count_cores
from colorize_core.batch.ray_data import RayEngine
from colorize_core.cli import colorize, terminal
from colorize_core.errors import OptionError

DESCRIPTION = (
    "Colorize an archive: thousands of photographs in several processes. The same command goes on "
    "where it was stopped. Nothing leaves this machine, or with --engine ray your own cluster."
)
EXAMPLES = """\
examples:
  python -m colorize_core batch archive --out archive-colour
      every photo in the folder archive and below it
  python -m colorize_core batch --report archive-colour
      which photos the model was least sure of, and which failed
  python -m colorize_core batch /share/archive --out /share/colour --engine ray --address auto
      on all machines of the Ray cluster to which this one belongs

exit code: 0 all done, 1 some photos failed, 2 wrong usage, 130 stopped with Ctrl-C
"""
LISTED = 20  # lines of failures, and of photos to look at first
MINUTE = 60.0  # seconds between two lines where there is no terminal to draw a bar in
BAR = "{n_fmt} of {total_fmt} photos |{bar}| {rate_noinv_fmt}, {elapsed} gone, {remaining} left"
LINE = "{n_fmt} of {total_fmt} photos, {rate_noinv_fmt}, {elapsed} gone, {remaining} left"
AGAIN = "The same command tries the failed ones again."


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser(
        "python -m colorize_core batch",
        DESCRIPTION,
        EXAMPLES,
        usage="%(prog)s PHOTO... [--out OUT] [--jobs N] [options]\n       %(prog)s --report OUT",
    )
    made.add_argument(
        "photos",
        nargs="*",
        metavar="PHOTO",
        help="a folder, a file or a pattern like 'old/*.jpg', or one store such as s3://bucket/old",
    )
    colorize.add_look(made.add_argument_group("how it looks"))
    group = made.add_argument_group("where it goes and how it runs")
    add_output(group)
    group.add_argument(
        "--manifest",
        type=Path,
        metavar="DIR",
        help="folder for the list of photos, manifest.csv, where OUT is a store such as "
        "s3://bucket/folder (default: OUT)",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="do again what is done, and replace files that are in the way",
    )
    add_run(group, None)
    group.add_argument(
        "--batch-size",
        type=terminal.parse_whole,
        default=1,
        metavar="N",
        help="photos that each process has in the network at once, as a GPU is fast with; the "
        "memory that they need grows with it (default: %(default)s)",
    )
    add_cluster(made.add_argument_group("many machines"))
    made.add_argument(
        "--report",
        type=Path,
        metavar="OUT",
        help="say what became of the photos in that output folder, and end",
    )
    made.add_argument(
        "--most",
        type=terminal.parse_whole,
        default=LISTED,
        metavar="N",
        help="photos that a list names at most (default: %(default)s)",
    )
    return made


def add_output(group: argparse._ArgumentGroup) -> None:
    """--out, which all commands with processes have."""
    group.add_argument(
        "-o",
        "--out",
        "--output",
        dest="output",
        type=store.to_path,
        default=Path("colorized"),
        metavar="OUT",
        help="folder, laid out like the input (default: %(default)s)",
    )


def add_cluster(group: argparse._ArgumentGroup) -> None:
    """The options of Ray."""
    group.add_argument(
        "--engine",
        choices=("processes", "ray"),
        default="processes",
        help="what does the work: processes of this machine, or the machines of a Ray cluster, "
        "which all see the photos and OUT under the same path (default: %(default)s)",
    )
    group.add_argument(
        "--address",
        metavar="WHERE",
        help="of the Ray cluster: auto for the one that this machine belongs to, HOST:PORT of its "
        "head, or local for one on this machine that ends with the command (default: auto)",
    )
    group.add_argument(
        "--gpus",
        type=float,
        metavar="SHARE",
        help="of a GPU that each process on the cluster takes, from 0 to 1 (default: 0)",
    )


def add_run(group: argparse._ArgumentGroup, jobs: int | None) -> None:
    """--jobs with that default (None: as many as there are cores), and the other options of
    processes."""
    default = "as many as there are cores" if jobs is None else "%(default)s"
    group.add_argument(
        "--jobs",
        type=terminal.parse_whole,
        default=jobs,
        metavar="N",
        help=f"processes, each with a core and the model in memory (default: {default})",
    )
    group.add_argument(
        "--seconds",
        type=terminal.parse_whole,
        default=1800,
        metavar="N",
        help="after which a photo is given up (default: %(default)s)",
    )
    group.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)"
    )
    group.add_argument("--quiet", action="store_true", help="report nothing but failures")


def refuse_file(out: Path) -> None:
    """OptionError if the output is not to be a folder."""
    if colorize.names_file(out):
        raise OptionError(f"{out} names a file: give a folder with --out.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    made = make_parser()

    def work(options: argparse.Namespace) -> int:
        if options.report is not None:
            return report(options.report, options.most)
        if not options.photos:
            made.error("no photo was named. Name folders, files or patterns; see --help.")
        return run(colorize.parse(made, arguments))

    return terminal.run(made, work, arguments)


def run(options: argparse.Namespace) -> int:
    """Colorize what the options ask for; returns the exit code."""
    begun = time.monotonic()
    settings = colorize.read_look(options)
    refuse_file(options.output)
    check_cluster(options)
    jobs, manifest, found = plan(options, settings.format)
    settings = colorize.read_steering(options, settings, found.photos)
    for line in (*found.problems, *(() if options.quiet else found.left_out)):
        print(line, file=sys.stderr)
    tally = Counter({"failed": len(found.problems), "left out": found.left_out_count})
    failures: list[str] = []
    with (
        claim(manifest.path.parent if store.is_remote(options.output) else options.output),
        make_engine(options, settings) as engine,
        _Progress(len(jobs), options.quiet) as progress,
    ):
        results = runner.run(jobs, settings, manifest, overwrite=options.overwrite, engine=engine)
        try:
            with closing(results):
                for result in results:
                    tally[result.status] += 1
                    tally["noted"] += bool(result.note)
                    if result.status == "failed" and len(failures) < options.most:
                        failures.append(colorize.format_failure(result))
                    progress.count(result)
        finally:
            if manifest.rows:
                manifest.tidy()
    if not options.quiet:
        print(colorize.format_summary(tally, options.output, time.monotonic() - begun))
        if tally["noted"]:
            print(f"Of {tally['noted']} something was left out: column note of {manifest.path}.")
    if failures:
        _print_failures(failures, tally["failed"] - len(found.problems), options.output)
    return terminal.FAILED if tally["failed"] else terminal.ALL_DONE


def plan(
    options: argparse.Namespace, format: str | None
) -> tuple[list[runner.Job], Manifest, runner.Found]:
    """The jobs, the list of photos, and what was found, in folders or in stores. OptionError."""
    out = options.output
    urls = [text for text in options.photos if store.is_remote(store.to_path(text))]
    if not urls and not store.is_remote(out) and options.manifest is None:
        jobs, manifest, found = colorize.plan(options.photos, out, format)
        assert manifest is not None
        return jobs, manifest, found
    if urls and len(options.photos) > 1:
        raise OptionError(f"{urls[0]} is a store: name one, and nothing beside it.")
    if store.is_remote(out):
        if options.manifest is None:
            raise OptionError(
                f"{store.to_text(out)} is a store: name a folder of this machine for the list of "
                "photos with --manifest."
            )
        store.list_all(out)
    manifest = Manifest(options.manifest or out, out)
    results = manifest.results()
    found = store.find(urls[0], results, out) if urls else runner.find(options.photos, out, results)
    return runner.plan(found.photos, found.base, out, format), manifest, found


def check_cluster(options: argparse.Namespace) -> None:
    """OptionError for options of a cluster without one."""
    for name in ("address", "gpus"):
        if options.engine != "ray" and getattr(options, name) is not None:
            raise OptionError(f"--{name} is for a cluster: add --engine ray, or leave it out.")


def make_engine(
    options: argparse.Namespace, settings: runner.BatchOptions
) -> Processes | RayEngine:
    """What the options name. OptionError where Ray is missing."""
    if options.engine == "ray":
        return RayEngine(
            settings,
            options.jobs,
            address=options.address or "auto",
            device=options.device,
            gpus=options.gpus or 0.0,
            seconds=options.seconds,
        )
    count = options.jobs or count_cores()
    return Processes(settings, count, device=options.device, seconds=options.seconds)


def _print_failures(failures: Sequence[str], count: int, out: Path) -> None:
    print(*failures, sep="\n", file=sys.stderr)
    if count > len(failures):
        more = terminal.name_command(f"python -m colorize_core batch --report {out} --most {count}")
        print(f"{count - len(failures)} more failed: {more}", file=sys.stderr)
    print(AGAIN, file=sys.stderr)


class _Progress:
    """A bar in a terminal, a line a minute elsewhere. What earlier runs did says nothing of the
    time that is left."""

    def __init__(self, total: int, quiet: bool) -> None:
        self.lines = not quiet and not sys.stderr.isatty()
        hidden = quiet or self.lines
        self.bar = tqdm(total=total, unit=" photos", bar_format=BAR, disable=hidden, smoothing=0.02)
        self.total, self.done, self.skipped = total, 0, 0
        self.told = time.monotonic()
        self.begun = time.time()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def count(self, result: runner.Result) -> None:
        self.done += 1
        if result.status == "skipped":
            self.skipped += 1
            self.bar.initial = self.bar.n = self.bar.last_print_n = self.skipped
            self.begun = self.bar.start_t = self.bar.last_print_t = time.time()
            return
        self.bar.update()
        if self.lines and time.monotonic() - self.told >= MINUTE:
            self.told = time.monotonic()
            print(self._format(time.time() - self.begun), file=sys.stderr)

    def _format(self, elapsed: float) -> str:
        return tqdm.format_meter(
            self.done,
            self.total,
            elapsed,
            unit=" photos",
            initial=self.skipped,
            bar_format=LINE,
        )


def report(out: Path, most: int) -> int:
    """Print what became of the photos of an output folder; returns the exit code."""
    manifest = Manifest(out)
    if not manifest.path.is_file():
        raise OptionError(f"{out} holds no {manifest.path.name}: name the output folder of a run.")
    rows = manifest.rows.values()
    count = Counter(row.status for row in rows)
    told = [f"{count['done']:,} done", f"{count['failed']:,} failed"]
    told += [f"{count['started']:,} begun and not finished"] if count["started"] else []
    print(f"{len(manifest.rows):,} photos: {', '.join(told)}.")
    unsure = sorted((row for row in rows if _read_spread(row)), key=_read_spread, reverse=True)
    if unsure:
        print("Look at these first, the model was least sure of them (spread in Lab units):")
        print(*(f"{_read_spread(row):6.1f}  {out / row.output}" for row in unsure[:most]), sep="\n")
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        print("Failed:")
        print(*(_format_failed(row) for row in failed[:most]), sep="\n")
        more = len(failed) - most
        print(*([f"{more} more: --most {len(failed)} lists them."] if more > 0 else []), AGAIN)
    if count["started"]:
        print("The same command goes on with those that were begun.")
    return terminal.ALL_DONE


def _read_spread(row: Row) -> float:
    """0 where it is not told."""
    return float(row.spread or 0) if row.status == "done" else 0.0


def _format_failed(row: Row) -> str:
    text = " ".join(row.error.split())
    return f"  {text}" if row.input in text else f"  {row.input}: {text}"
