"""python -m colorize_core verify: acceptance on a machine with a network."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from colorize_core.acceptance.subjects import (
    DEFAULT,
    GROUPS,
    TRUNKS,
    Subject,
    choose,
    list_subjects,
)
from colorize_core.cli import outputs, terminal
from colorize_core.cli.evaluate import find
from colorize_core.downloads import checkpoints
from colorize_core.errors import DeviceError, OptionError, SaveError
from colorize_core.sizes import format_size

DESCRIPTION = """\
Try what ships with the app and what can be downloaded, as it will be used: download it, compare
its hashes, compare the networks with their originals, colour the examples, draw a picture, score
photographs. FOLDER gets report.csv and report.html: what was found in each step, with versions,
hashes and seconds, and what to do where one failed; beside them the pictures and the scores.
"""
EXAMPLES = """\
examples:
  python -m colorize_core verify
      everything but FLUX.2; says what is downloaded, and asks
  python -m colorize_core verify ddcolor-tiny alexnet --yes
      one published model and one trunk
  python -m colorize_core verify bundled trunks --photos val.zip --yes
      what the tables of scores lack: LPIPS of the models that ship with the app
  python -m colorize_core verify --merge acceptance
      put the scores of a report into benchmarks/results, in a clone of the repository

The same command goes on where it was stopped: what has passed with the same weights is not done
again, what failed is. Where a machine has too little memory for something, that is left out, and
the report says what it needs.

exit code: 0 nothing failed, 1 something failed, 2 wrong usage, 130 stopped with Ctrl-C
"""
FEW = 500  # photographs that the committed scores are of


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser("python -m colorize_core verify", DESCRIPTION, EXAMPLES)
    names = ", ".join(subject.name for subject in list_subjects())
    made.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(GROUPS)}, or one of them: {names} (default: {' '.join(DEFAULT)})",
    )
    made.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        metavar="DIR-OR-ZIP",
        help="also score the models that are named, and did not fail, on colour photographs: by "
        "LPIPS on the trunks that are named and by what needs none; with inception-v3 by FID and "
        "KID, too",
    )
    made.add_argument(
        "--limit",
        type=terminal.parse_whole,
        default=FEW,
        metavar="N",
        help="score each picture of a fair sample of N photographs, always the same ones (default: "
        "%(default)s); FID and KID take all that there are",
    )
    made.add_argument(
        "--out",
        type=Path,
        default=Path("acceptance"),
        metavar="FOLDER",
        help="of the report (default: %(default)s)",
    )
    made.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)"
    )
    made.add_argument("--yes", action="store_true", help="download without being asked")
    made.add_argument(
        "--merge",
        type=Path,
        metavar="FOLDER",
        help="verify nothing: put the scores of that report into benchmarks/results; refused where "
        "its weights or photographs are others",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    usage = (OptionError, DeviceError, SaveError)
    return terminal.run(make_parser(), _run, arguments, usage=usage)


def _run(asked: argparse.Namespace) -> int:
    if asked.merge:
        return _merge(asked.merge)
    from colorize_core import devices

    devices.pick(asked.device)
    subjects = choose(asked.names)
    outputs.check_writable(asked.out / "report.csv")
    photos = find(asked.photos, None) if asked.photos else []
    if not _agree(subjects, asked.yes):
        print("Nothing was downloaded. To download without being asked, add --yes.")
        return terminal.FAILED

    from colorize_core.acceptance.report import Report
    from colorize_core.acceptance.run import Acceptance

    work = Acceptance(Report(asked.out), asked.device, lambda line: print(line, flush=True))
    scores = ""
    try:
        done = [subject for subject in subjects if work.verify(subject)]
        if photos:
            models = [subject.name for subject in done if subject.is_model]
            trunks = {subject.name for subject in subjects if subject.group == TRUNKS}
            scores = work.score(photos, asked.limit, models, trunks)
            print(scores)
    finally:  # also of what was stopped
        print(f"The report: {work.report.write_page(scores)}")
    return terminal.FAILED if work.failed else terminal.ALL_DONE


def _agree(subjects: Sequence[Subject], sure: bool) -> bool:
    """Say what is to be downloaded, and ask; whether it may be."""
    wanted = {each.name: each for subject in subjects for each in subject.list_missing()}
    files = {file for each in wanted.values() for file in checkpoints.list_missing(each.files)}
    if not files:
        return True
    rows = [("TO DOWNLOAD", "SIZE", "LICENCE", "SOURCE")]
    rows += [
        (each.name, format_size(each.bytes), each.licence, each.source) for each in wanted.values()
    ]
    total = sum(file.bytes for file in files)
    print(terminal.align(rows))
    print(f"Together {format_size(total)}.")
    return sure or terminal.confirm("Download it?")


def _merge(folder: Path) -> int:
    from colorize_core.bundled import ROOT

    if not (ROOT / "benchmarks" / "acceptance.py").is_file():
        raise OptionError("--merge writes into benchmarks/results: call it in a clone.")
    sys.path.insert(0, str(ROOT))  # an installed command does not look there
    for line in importlib.import_module("benchmarks.acceptance").merge(folder):
        print(line)
    print("Now write the pages: python -m docs.pages && python -m docs.model_cards")
    return terminal.ALL_DONE
