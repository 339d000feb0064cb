"""python -m colorize_core info: where the colours of a picture come from."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from colorize_core.cli import terminal
from colorize_core.errors import PictureError
from colorize_core.imaging import image
from colorize_core.steering.hints import Hint
from colorize_core.steering.provenance import Record

DESCRIPTION = "Where the colours of pictures come from, as their files say."
EXAMPLES = """\
examples:
  python -m colorize_core info grandmother-colour.jpg
      software, model, weights, settings, and which colours are known
  python -m colorize_core info grandmother-colour.jpg --json
      the record itself
  python -m colorize_core aunt.jpg --settings-from grandmother-colour.jpg
      another photo with the same settings

exit code: 0 all have a record, 1 one has none or is no picture, 2 wrong usage
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser("python -m colorize_core info", DESCRIPTION, EXAMPLES)
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture")
    made.add_argument("--json", action="store_true", help="print each record as a line of JSON")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _run, arguments, stopped="")


def _run(asked: argparse.Namespace) -> int:
    failed = False
    for path in asked.files:
        try:
            record = image.read_record(path)
        except PictureError as error:
            failed = True
            print(error, file=sys.stderr)
            continue
        if record is None:
            failed = True
            print(f"{path} does not say where its colours come from.", file=sys.stderr)
        elif asked.json:
            print(json.dumps({"file": str(path), **record.as_dict()}, ensure_ascii=False))
        else:
            print(f"{path}\n{describe(record)}")
    return terminal.FAILED if failed else terminal.ALL_DONE


def describe(record: Record) -> str:
    """The record for people, a line a fact. What a file says is printed without control signs."""
    rows = [("statement", record.statement), ("source type", record.source_type)]
    rows += [("software", record.software)]
    for name, weights in record.models:
        rows += [("model", name), *(("weights", digest) for digest in weights.split("+") if digest)]
    rows += [("setting", f"{name} {value}") for name, value in _flatten(record.settings)]
    known = [hint for hint in record.hints if hint.known]
    guesses = [hint for hint in record.hints if not hint.known]
    for title, hints in (("known", known), ("guess", guesses)):
        rows += [(title, _describe_hint(hint)) for hint in hints]
    if record.left_out:
        rows.append(("left out", f"{record.left_out} colour hints that the file had no room for"))
    return "\n".join(f"  {title:<12} {_clean(text)}" for title, text in rows)


def _flatten(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{before}{name}.")
        else:
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield before + name, told


def _describe_hint(hint: Hint) -> str:
    a, b = hint.ab
    note = f": {hint.note}" if hint.note else ""
    return f"at {hint.x:.1%}, {hint.y:.1%} within {hint.radius:.1%} a {a:.1f} b {b:.1f}{note}"


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
