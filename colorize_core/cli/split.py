"""python -m colorize_core split: the photos of scanned album pages, each as a file of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from colorize_core.batch import runner
from colorize_core.cli import outputs, terminal
from colorize_core.cli.colorize import add_writing
from colorize_core.errors import ColorizeError, OptionError
from colorize_core.file_names import make_name
from colorize_core.folders import make_folder
from colorize_core.imaging import image
from colorize_core.imaging.formats import WRITTEN

DESCRIPTION = (
    "Cut the photographs out of scanned album pages, each straight and in a file of its own. "
    "Nothing leaves this machine."
)
EXAMPLES = """\
examples:
  python -m colorize_core split page.tif -o photos
      photos/page-1.tif, photos/page-2.tif, ... row by row
  python -m colorize_core photos -o photos-colour
      and then in colour

exit code: 0 all split, 1 some pages could not be, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser(
        "python -m colorize_core split",
        DESCRIPTION,
        EXAMPLES,
        usage="%(prog)s PAGE... [-o OUT] [options]",
    )
    made.add_argument(
        "pages", nargs="+", metavar="PAGE", help="a file, a folder or a pattern like 'old/*.tif'"
    )
    made.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("photos"),
        metavar="OUT",
        help="folder (default: %(default)s)",
    )
    otherwise = "tiff for a TIFF, else png: both lose nothing"
    add_writing(made, otherwise, runner.BatchOptions.quality)
    made.add_argument("--overwrite", action="store_true", help="replace files that are in the way")
    made.add_argument("--quiet", action="store_true", help="report nothing but failures")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _run, arguments)


def _run(asked: argparse.Namespace) -> int:
    if os.path.lexists(asked.output) and not os.path.isdir(asked.output):
        raise OptionError(f"{asked.output} is a file, not a folder: choose another output with -o.")
    outputs.check_writable(asked.output)
    found = runner.find(asked.pages, asked.output, ())
    for line in (*found.problems, *(() if asked.quiet else found.left_out)):
        print(line, file=sys.stderr)
    failed = bool(found.problems)
    for path in found.photos:
        try:
            lines = split(path, asked)
        except ColorizeError as error:
            if isinstance(error, OptionError):
                raise
            failed = True
            print(error, file=sys.stderr)
            continue
        if not asked.quiet:
            print("\n".join(lines))
    return terminal.FAILED if failed else terminal.ALL_DONE


def split(path: Path, asked: argparse.Namespace) -> list[str]:
    """Write the photos of one page; what was found, a line each. Raises PictureError, SaveError,
    and OptionError where a file is in the way."""
    from colorize_core.prepare.pages import STRAIGHT, cut_photo, find_photos

    page = image.read(path)
    places = find_photos(page.pixels)
    if not places:
        raise ColorizeError(
            f"{path}: no photo with paper around it was found. Crop it by hand, or colour it whole."
        )
    format = asked.format or ("TIFF" if page.format == "TIFF" else "PNG")
    suffix = runner.SUFFIX_OF[format]
    targets = [
        asked.output / make_name(path.name, f"-{number + 1}", suffix)
        for number in range(len(places))
    ]
    there = [target for target in targets if os.path.lexists(target)]
    if there and not asked.overwrite:
        raise OptionError(f"{there[0]} exists: choose another -o, or add --overwrite.")
    height, width = page.pixels.shape[:2]
    lines = [f"{path}: {len(places)} photo{'s' * (len(places) != 1)} on {width} × {height} pixels"]
    for target, place in zip(targets, places, strict=True):
        outputs.refuse_input(target, path, "page")
        pixels = cut_photo(page.pixels, place)
        alpha = None
        if page.alpha is not None:
            alpha = cut_photo(page.alpha[..., None].repeat(3, axis=2), place)[..., 0]
        make_folder(target)
        image.write(target, replace(page, pixels=pixels, alpha=alpha), asked.quality)
        turned = f", turned by {-place.angle:.1f}°" if abs(place.angle) >= STRAIGHT else ""
        lines.append(f"  {target}: {pixels.shape[1]} × {pixels.shape[0]}{turned}")
    losses = page.describe_losses(WRITTEN[suffix].name)
    return [*lines, f"  {losses}"] if losses else lines
