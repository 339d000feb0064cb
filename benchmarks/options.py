"""The options that benchmarks share."""

from __future__ import annotations

import argparse
from pathlib import Path


def make_parser(
    text: str | None,
    *,
    photos: bool = False,
    model: bool = False,
    choosing: bool = False,
    limit: int | None = None,
    runs: int | None = None,
    device: str | None = None,
) -> argparse.ArgumentParser:
    """A parser described by `text`, with those of the options, and their defaults, that are
    given."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if photos:
        parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="ZIP-or-DIR")
    if model:
        parser.add_argument("--model", default="autochrome")
    if choosing:
        text = "print only, on those for choosing"
        parser.add_argument("--choosing", action="store_true", help=text)
    if limit is not None:
        parser.add_argument("--limit", type=int, default=limit, help="photographs at most")
    if runs is not None:
        parser.add_argument("--runs", type=int, default=runs, help="of which the median is told")
    if device is not None:
        parser.add_argument("--device", default=device)
    return parser
