"""python -m colorize_core watch: what is dropped into a folder is coloured."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from colorize_core.batch import runner
from colorize_core.batch.claim import claim
from colorize_core.batch.manifest import Manifest
from colorize_core.batch.processes import Processes
from colorize_core.batch.watch import SETTLED, Arrivals, watch
from colorize_core.cli import colorize, outputs, terminal
from colorize_core.cli.batch import add_run, refuse_file
from colorize_core.errors import OptionError

DESCRIPTION = (
    "Colorize each photograph that is dropped into a folder, or below it, once it is complete. "
    "Ctrl-C ends it; the same command goes on. Nothing leaves this machine."
)
EXAMPLES = """\
examples:
  python -m colorize_core watch scans scans-colour
      what a scanner writes into the folder scans
  python -m colorize_core batch --report scans-colour
      which photos the model was least sure of, and which failed

exit code: 1 if it cannot go on, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser(
        "python -m colorize_core watch", DESCRIPTION, EXAMPLES, usage="%(prog)s IN OUT [options]"
    )
    made.add_argument("folder", type=Path, metavar="IN", help="the folder that is watched")
    made.add_argument("output", type=Path, metavar="OUT", help="the folder for results")
    colorize.add_look(made.add_argument_group("how it looks"))
    group = made.add_argument_group("how it runs")
    group.add_argument(
        "--settled",
        type=terminal.parse_whole,
        default=round(SETTLED),
        metavar="N",
        help="seconds for which a complete file has not changed (default: %(default)s)",
    )
    add_run(group, 1)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    made = make_parser()
    return terminal.run(made, lambda _: run(colorize.parse(made, arguments)), arguments)


def run(options: argparse.Namespace) -> int:
    """Watch until Ctrl-C, which is raised as KeyboardInterrupt."""
    _check_folders(options.folder, options.output)
    settings = colorize.read_steering(options, colorize.read_look(options), ())
    manifest = Manifest(options.output)
    arrivals = Arrivals(options.folder, options.output, options.settled)
    states: dict[Path, str] = {}  # the latest of each photo
    with (
        _end_like_ctrl_c(),
        claim(options.output),
        Processes(settings, options.jobs, device=options.device, seconds=options.seconds) as engine,
    ):
        engine.start()
        if not options.quiet:
            print(f"Watching {options.folder}. Ctrl-C ends it.", flush=True)
        try:
            with closing(watch(arrivals, settings, manifest, engine, tell=_complain)) as results:
                for result in results:
                    gone = result.status == "failed" and not os.path.lexists(result.job.source)
                    states[result.job.source] = "went away" if gone else result.status
                    _tell(result, gone, options.quiet)
        finally:
            if manifest.rows:
                manifest.tidy()
            if not options.quiet:
                _print_end(Counter(states.values()), arrivals)
    return terminal.ALL_DONE


def _check_folders(folder: Path, out: Path) -> None:
    if not os.path.isdir(folder):
        raise OptionError(f"{folder} is no folder: name the one that photos are dropped into.")
    refuse_file(out)
    if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(out)):
        raise OptionError(f"Results in {out} would be photos in {folder}: choose another folder.")
    outputs.check_writable(out)


@contextmanager
def _end_like_ctrl_c() -> Iterator[None]:
    """SIGTERM, by which a service is stopped, is Ctrl-C meanwhile."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tell(result: runner.Result, gone: bool, quiet: bool) -> None:
    job = result.job
    if gone:
        _complain(f"{job.source} went away before it was coloured.")
    elif result.status == "failed":
        _complain(f"{colorize.format_failure(result)} It is tried again once the file changes.")
    elif result.status == "done" and not quiet:
        note = f" {result.note}" if result.note else ""
        print(f"{job.source} -> {job.target}, {result.seconds:.1f} s.{note}", flush=True)


def _print_end(tally: Counter[str], arrivals: Arrivals) -> None:
    done = tally["done"]
    told = [f"{done} photo{'s' * (done != 1)} coloured into {arrivals.out}"]
    told += [f"{tally['skipped']} done before"] if tally["skipped"] else []
    told += [f"{tally[what]} {what}" for what in ("failed", "went away") if tally[what]]
    print(f"{', '.join(told)}.")
    for photo in arrivals.list_incomplete():
        print(f"{photo} was not complete yet.")
