"""The command line: one module a command, and one table of them.

argparse, as Typer would save no lines: flags of training and scoring come from dataclasses and
tables, which Typer wants again as annotated parameters, and its own texts would replace ours.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from colorize_core.threads import wait_briefly

COMMANDS = {  # modules with main(arguments) -> exit code, or None for 0
    "app": "app",
    "batch": "colorize_core.cli.batch",
    "watch": "colorize_core.cli.watch",
    "selective": "colorize_core.cli.selective",
    "split": "colorize_core.cli.split",
    "film": "colorize_core.cli.film",
    "info": "colorize_core.cli.info",
    "weights": "colorize_core.cli.weights",
    "hub": "colorize_core.cli.hub",
    "evaluate": "colorize_core.cli.evaluate",
    "verify": "colorize_core.cli.verify",
    "train": "colorize_core.cli.train",
}
EXTRAS = {
    "app": "app",
    "film": "film",
    "train": "train",
}  # what installs the packages that a command needs


def main(arguments: Sequence[str] | None = None) -> int:
    """`autochrome` and `python -m colorize_core`: the command that is named first, else colorize.
    Returns the exit code; SystemExit for wrong usage, --help and --version."""
    from colorize_core.cli import colorize, terminal

    terminal.print_anything()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] != ["train"]:  # whose threads seldom wait
        wait_briefly()
    if not given or given[0] not in COMMANDS:
        return colorize.main(given)
    try:
        module = importlib.import_module(COMMANDS[given[0]])
    except ModuleNotFoundError as error:
        if given[0] not in EXTRAS:
            raise
        print(
            f"The package {error.name} is missing. "
            f"Install it: pip install 'autochrome-studio[{EXTRAS[given[0]]}]'",
            file=sys.stderr,
        )
        return terminal.FAILED
    return module.main(given[1:]) or terminal.ALL_DONE
