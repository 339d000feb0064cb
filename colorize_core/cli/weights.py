"""python -m colorize_core weights: which weights are here, and to fetch, verify or remove them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from colorize_core.bundled import RESTORE
from colorize_core.cards import WeightFile
from colorize_core.cli import terminal
from colorize_core.downloads import checkpoints, digests
from colorize_core.downloads.catalogue import DOWNLOADS, Download
from colorize_core.errors import OptionError, WeightsError
from colorize_core.models.registry import cards, tools
from colorize_core.sizes import format_size

DESCRIPTION = """\
Weights that ship with the app, and those that are downloaded once: from the Hugging Face Hub into
its cache (HF_HUB_CACHE names another folder), from elsewhere into torch's (TORCH_HOME does).
"""
EXAMPLES = """\
examples:
  python -m colorize_core weights list
      everything there is: whether it is here, size, licence, source
  python -m colorize_core weights fetch sam2 alexnet
      download these; the same command goes on where it was stopped
  python -m colorize_core weights verify
      read whatever is here and name what is damaged
  python -m colorize_core weights remove sam2
      delete it from the cache

exit code: 0 all done, 1 something failed or is damaged, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser("python -m colorize_core weights", DESCRIPTION, EXAMPLES)
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, what, count in (
        ("list", "whether it is here, size, licence, source", "*"),
        ("fetch", "download what is not here", "+"),
        ("verify", "read what is here and name what is damaged", "*"),
        ("remove", "delete from the cache what was downloaded", "+"),
    ):
        action = actions.add_parser(name, help=what, description=what, allow_abbrev=False)
        action.add_argument(
            "names",
            nargs=count,
            metavar="NAME",
            help="a model or another name of the list" + " (default: all)" * (count == "*"),
        )
        if name == "remove":
            action.add_argument("--yes", action="store_true", help="do not ask")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _run, arguments)


def _run(asked: argparse.Namespace) -> int:
    chosen = choose(asked.names)
    if asked.action == "remove":
        return remove(chosen, asked.yes)
    return {"list": show, "fetch": fetch, "verify": verify}[asked.action](chosen)


def list_all() -> tuple[Download, ...]:
    """What ships with the repository and what can be downloaded, the models first; loads no model
    and downloads nothing."""
    bundled = (
        Download(card.name, card.title, card.licence, card.source, card.weights)
        for card in (*cards(), *tools())
    )
    return (*bundled, *DOWNLOADS.values())


def choose(names: Sequence[str]) -> tuple[Download, ...]:
    """Those of these names, in the order of the list; all for no name. Raises OptionError."""
    there = list_all()
    known = [each.name for each in there]
    if unknown := [name for name in names if name not in known]:
        raise OptionError(f"There is no {', '.join(unknown)}. There are: {', '.join(known)}.")
    return tuple(each for each in there if not names or each.name in names)


def show(chosen: Sequence[Download]) -> int:
    rows = [("NAME", "STATE", "SIZE", "LICENCE", "WHAT IT IS", "SOURCE")]
    rows += [
        (
            each.name,
            describe_state(each),
            _measure_size(each),
            each.licence,
            each.title,
            each.source,
        )
        for each in chosen
    ]
    print(terminal.align(rows))
    return terminal.ALL_DONE


def _measure_size(what: Download) -> str:
    """Of its files where all are here, else as it is stated."""
    here = [path for file in what.files if (path := checkpoints.find_local(file))]
    if len(here) == len(what.files):
        return format_size(sum(path.stat().st_size for path in here))
    return format_size(what.bytes) if what.bytes else "unknown"


def describe_state(what: Download) -> str:
    """Where its files are; whether they are whole, verify() says."""
    here = [checkpoints.find_local(file) for file in what.files]
    if what.bundled:
        return "ships with the app" if all(here) else "missing"
    if all(here):
        return "downloaded"
    parts = any(checkpoints.locate(file).list_parts() for file in what.files if not file.bundled)
    return "partly here" if any(here) or parts else "not here"


def fetch(chosen: Sequence[Download]) -> int:
    failed = False
    for each in chosen:
        if not each.bundled and describe_state(each) != "downloaded":
            print(f"{each.name}: {_measure_size(each)}, licence {each.licence}, {each.source}")
        try:
            paths = [checkpoints.find(file) for file in each.files]
        except WeightsError as error:
            failed = True
            print(f"{each.name}: {error}", file=sys.stderr)
        else:
            print(f"{each.name}: {_count_files(len(paths))} in {paths[0].parent}")
    return terminal.FAILED if failed else terminal.ALL_DONE


def _count_files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"


def verify(chosen: Sequence[Download]) -> int:
    failed = False
    for each in chosen:
        whole = {
            path: checkpoints.is_whole(f) for f in each.files if (path := checkpoints.find_local(f))
        }
        faults = [f"{path} is damaged" for path, answer in whole.items() if answer is False]
        if each.bundled and len(whole) < len(each.files):
            faults.append(f"{_count_files(len(each.files) - len(whole))} missing")
        if faults:
            failed = True
            print(f"{each.name}: {', '.join(faults)}. {_suggest_remedy(each)}", file=sys.stderr)
        elif whole:
            print(f"{each.name}: {_describe_answers(list(whole.values()))}")
    return terminal.FAILED if failed else terminal.ALL_DONE


def _suggest_remedy(what: Download) -> str:
    if what.bundled:
        return f"{RESTORE[0].upper()}{RESTORE[1:]}."
    return f"Download it anew with `python -m colorize_core weights fetch {what.name}`."


def _describe_answers(answers: Sequence[bool | None]) -> str:
    counts = ((answers.count(True), "whole"), (answers.count(None), "of unknown hash"))
    return ", ".join(f"{_count_files(count)} {what}" for count, what in counts if count)


def remove(chosen: Sequence[Download], sure: bool) -> int:
    kept = [each.name for each in chosen if each.bundled]
    if kept:
        print(f"{', '.join(kept)}: ships with the app and stays.", file=sys.stderr)
    files = [file for each in chosen if not each.bundled for file in each.files]
    held = _measure_cached(files)
    if not held:
        print("Nothing of it is in the caches.")
        return terminal.FAILED if kept else terminal.ALL_DONE
    if not sure and not terminal.confirm(
        f"Delete {_count_files(len(held))}, {format_size(sum(held.values()))}?"
    ):
        print("Nothing was deleted. To delete without being asked, add --yes.")
        return terminal.FAILED
    for file in files:
        place = checkpoints.locate(file)
        place.drop()
        for part in place.list_parts():
            part.unlink()
    print(f"{format_size(sum(bytes for path, bytes in held.items() if not path.exists()))} freed.")
    return terminal.FAILED if kept else terminal.ALL_DONE


def _measure_cached(files: Sequence[WeightFile]) -> dict[Path, int]:
    """What of them is in the caches, parts of downloads among it, and its bytes."""
    paths = {
        digests.resolve_content(path) for file in files if (path := checkpoints.find_local(file))
    }
    paths |= {part for file in files for part in checkpoints.locate(file).list_parts()}
    return {path: path.lstat().st_size for path in paths}
