"""What the commands have alike: how they are called, how they end, and what they print."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from colorize_core.errors import ColorizeError, DeviceError, OptionError

ALL_DONE, FAILED, STOPPED = 0, 1, 130  # exit codes; 2 is argparse's for wrong usage
AGAIN = "The same command goes on from here."  # what can be done about Ctrl-C


def print_anything() -> None:
    """Have signs that a terminal, or a file that output goes to, cannot show replaced by "?": work
    that is done must not end in an error because of a name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def name_command(text: str) -> str:
    """A text that names `python -m colorize_core`, as the command is called here."""
    if Path(sys.argv[0]).stem != "autochrome":
        return text
    for module, command in ((".evaluate", " evaluate"), (".training", " train"), ("", "")):
        text = text.replace(f"python -m colorize_core{module}", f"autochrome{command}")
    return text


def make_parser(
    name: str, description: str, examples: str = "", usage: str | None = None
) -> argparse.ArgumentParser:
    """For the command of that name. Its texts are shown as they are; flags cannot be shortened."""
    return argparse.ArgumentParser(
        name_command(name),
        usage=usage,
        description=description,
        epilog=name_command(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def run(
    made: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    arguments: Sequence[str] | None,
    *,
    stopped: str = AGAIN,
    usage: tuple[type[ColorizeError], ...] = (OptionError, DeviceError),
) -> int:
    """Do the work that the arguments ask for; returns the exit code. SystemExit for wrong usage,
    which errors of `usage` are too, and for --help."""
    refuse_empty(made, arguments)
    options = made.parse_args(arguments)
    try:
        return work(options)
    except usage as error:
        made.error(str(error))
    except ColorizeError as error:
        print(error, file=sys.stderr)
        return FAILED
    except OSError as error:  # a disk that is full, a folder that is closed: no fault of ours
        print(describe_os_error(error), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"Stopped. {stopped}".strip(), file=sys.stderr)
        return STOPPED


def refuse_empty(made: argparse.ArgumentParser, arguments: Sequence[str] | None) -> None:
    """SystemExit for an argument without a letter, as "$UNSET" leaves it: an empty path would be
    the current folder."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for before, text in pairwise(["", *given]):
        flag, equals, value = text.partition("=")
        if not text or (flag.startswith("--") and equals and not value):
            where = f" after {flag or before}" if flag or before else ""
            made.error(f"an argument is empty{where}: write what is meant, or leave it out.")


def describe_os_error(error: OSError) -> str:
    """What the system says, as a sentence that names the file."""
    why = error.strerror or error
    return f"{error.filename} cannot be used: {why}." if error.filename else f"{why}."


def parse_whole(text: str) -> int:
    """A whole number from 1 up. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def confirm(question: str) -> bool:
    """Whether the person says yes; nobody there is no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def align(rows: Sequence[tuple[str, ...]]) -> str:
    """A table whose columns are as wide as they need to be; the first row is its heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
