"""python -m colorize_core: colorize photographs from the command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from colorize_core import __version__, cards
from colorize_core.batch import runner, store
from colorize_core.cards import Control, Value
from colorize_core.cli import outputs, terminal
from colorize_core.errors import OptionError, PictureError
from colorize_core.imaging import image
from colorize_core.imaging.finish import CONTROLS, Finish
from colorize_core.imaging.formats import CHOICES, READABLE, WRITTEN, join_names
from colorize_core.imaging.mark import TEXT
from colorize_core.options import RANGES, VARIANTS, Options
from colorize_core.prepare.preparation import Preparation
from colorize_core.sizes import format_size
from colorize_core.steering.hints import Hint, read_hints
from colorize_core.steering.provenance import read_options
from colorize_core.steering.reference import Reference

DESCRIPTION = "Colorize black-and-white photographs. Nothing leaves this machine."
EXAMPLES = """\
examples:
  python -m colorize_core grandmother.jpg -o grandmother-colour.jpg
      one photo into one file
  python -m colorize_core album --format png --vividness 1.2
      every photo in the folder album and below it, as PNG, into the folder colorized;
      the same command goes on where it was stopped
  python -m colorize_core batch archive --out archive-colour
      thousands of photos, in several processes; see python -m colorize_core batch --help
  python -m colorize_core watch scans scans-colour
      what is dropped into a folder; see python -m colorize_core watch --help
  python -m colorize_core selective portrait.jpg --keep person
      only a part in colour; see python -m colorize_core selective --help
  python -m colorize_core split page.tif -o photos
      the photos of an album page; see python -m colorize_core split --help
  python -m colorize_core film reel.mp4 -o reel-colour.mp4
      a film; see python -m colorize_core film --help
  python -m colorize_core info grandmother-colour.jpg
      where its colours come from; see python -m colorize_core info --help
  python -m colorize_core weights list
      which weights are here and which can be had; see python -m colorize_core weights --help

exit code: 0 all done, 1 some photos failed, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser(
        "python -m colorize_core",
        DESCRIPTION,
        EXAMPLES,
        usage="%(prog)s PHOTO... [-o OUT] [--model NAME] [options]",
    )
    made.add_argument(
        "photos", nargs="*", metavar="PHOTO", help="a file, a folder or a pattern like 'old/*.jpg'"
    )
    add_look(made.add_argument_group("how it looks"))
    _add_run(made.add_argument_group("where it goes and how it runs"))
    made.add_argument("--list-models", action="store_true", help="list the models and end")
    made.add_argument("--version", action="version", version=f"autochrome-studio {__version__}")
    return made


def add_model(
    group: argparse._ArgumentGroup, default: Options, finish: Mapping[str, Control]
) -> None:
    """The model, what it is asked with, and those controls of the finish."""
    group.add_argument(
        "--model",
        default=default.model,
        choices=[card.name for card in cards(downloads=True)],
        metavar="NAME",
        help=terminal.name_command(
            "see python -m colorize_core --list-models (default: %(default)s)"
        ),
    )
    group.add_argument(
        "--set",
        dest="controls",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of this model's own, for each again; see --list-models",
    )
    for name, meaning in (
        ("vividness", "from timid to saturated colours"),
        ("strength", "how much of the colour is put in"),
        ("gain", "brightness of what the model sees; below 1 helps blown-out skies"),
    ):
        low, high = RANGES[name]
        group.add_argument(
            f"--{name}",
            type=float,
            default=getattr(default, name),
            metavar="X",
            help=f"{meaning}, {low:g} to {high:g} (default: %(default)g)",
        )
    group.add_argument(
        "--finish",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what is changed once the colours are there, for each again: "
        + ", ".join(f"{each.name} ({each.low:g} to {each.high:g})" for each in finish.values()),
    )


def add_look(group: argparse._ArgumentGroup) -> None:
    """The options that decide how a result looks: those of read_look() and read_steering()."""
    default = runner.BatchOptions()
    group.set_defaults(hints=default.hints, batch_size=default.batch_size)
    add_model(group, default, CONTROLS)
    _add_steering(group)
    group.add_argument(
        "--neutralize",
        action=argparse.BooleanOptionalAction,
        default=default.neutralize,
        help="whether to take the tint of an old print (sepia) out first (default: yes)",
    )
    group.add_argument(
        "--prepare",
        action="append",
        default=[],
        metavar="NAME[=result]",
        help="for old scans, for each again: damage (dust, scratches, hairs and folds are filled) "
        "and screen (the dots of newspaper print are removed), on what the model sees alone or, "
        "as NAME=result, in the result as well",
    )
    group.add_argument(
        "--settings-from",
        type=Path,
        metavar="FILE",
        help="the settings, colour hints and model of a picture that was made here; options that "
        "are given beside it count instead",
    )
    group.add_argument(
        "--mark", action="store_true", help=f'write "{TEXT}" small in a corner of the picture'
    )
    add_writing(group, "the photo's own where it can be written, else png", default.quality)


def add_writing(group: argparse._ActionsContainer, otherwise: str, quality: int) -> None:
    """The format of what is written, which is `otherwise` where none is named, and its quality."""
    group.add_argument(
        "--format",
        type=str.upper,
        choices=list(runner.SUFFIX_OF),
        metavar="FORMAT",
        help=f"{join_names([name.lower() for name in runner.SUFFIX_OF])} (default: {otherwise})",
    )
    group.add_argument(
        "--quality",
        type=int,
        default=quality,
        metavar="N",
        help=f"of {join_names([each.title for each in CHOICES.values() if each.lossy], 'and')}, "
        "1 to 100 (default: %(default)s)",
    )


def _add_steering(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--hint",
        dest="places",
        action="append",
        default=[],
        metavar="X,Y,COLOUR",
        help="a colour wanted at a place, for each again: X and Y from 0 to 1 or, of one photo, as "
        "140px; COLOUR as #8a3324, 138,51,36, a name (brick, army olive, ...) or gray",
    )
    group.add_argument(
        "--hints",
        dest="hint_file",
        type=Path,
        metavar="FILE.json",
        help="more of them: a list of objects with x, y and ab or colour",
    )
    group.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="a photo in colour: where the same things are, its colours are taken",
    )
    group.add_argument(
        "--reference-strength",
        type=float,
        default=1.0,
        metavar="X",
        help="how far they are taken, 0 to 1 (default: %(default)g)",
    )
    group.add_argument(
        "--variant",
        type=int,
        default=0,
        metavar="N",
        help="another coherent colouring, 1 to "
        f"{VARIANTS - 1} as far as the photo leaves a choice (default: 0, the usual one)",
    )


def _add_run(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("colorized"),
        metavar="OUT",
        help="folder, laid out like the input; for one photo also a file (default: %(default)s)",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="do again what is done, and replace files that are in the way",
    )
    group.add_argument(
        "--jobs",
        type=terminal.parse_whole,
        default=runner.DEFAULT_JOBS,
        metavar="N",
        help="photos worked on at once; fewer need less memory (default: %(default)s)",
    )
    group.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)"
    )
    group.add_argument("--quiet", action="store_true", help="report nothing but failures")


def list_models() -> str:
    """The cards as a table for the terminal, and another of what single models can be set to."""
    rows = [("NAME", "PARAMETERS", "WEIGHTS", "LICENCE", "WHAT IT IS")]
    own = [("MODEL", "--set", "ALLOWED", "WHAT IT DOES")]
    for card in cards(downloads=True):
        rows.append(
            (
                card.name,
                f"{card.parameters / 1e6:.1f} M",
                f"{format_size(card.bytes)}{' to download' if card.download else ''}",
                card.licence,
                card.summary,
            )
        )
        own += [(card.name, f"{c.name}={c.default}", c.allowed, c.info) for c in card.controls]
    return terminal.align(rows) + (f"\n\n{terminal.align(own)}" if own[1:] else "")


def parse_controls(model: str, pairs: Sequence[str]) -> dict[str, Value]:
    """What --set asks for, checked against the model's card; of one name the last counts."""
    known = {
        c.name: c for card in cards(downloads=True) if card.name == model for c in card.controls
    }
    chosen = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if name not in known:
            there = "; ".join(f"{c.name} ({c.allowed})" for c in known.values())
            raise OptionError(f"--set {pair}: of its own the model {model} has {there or 'none'}.")
        if not equals:
            raise OptionError(f"--set {pair}: write {name}=VALUE, with {known[name].allowed}.")
        chosen[name] = known[name].parse(text)
    return chosen


def read_hint_file(file: Path | None) -> Any:
    """What --hints gives; an empty list where there is none. Raises OptionError."""
    if file is None:
        return []
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"{file} cannot be read as JSON: {error}") from error


def read_all_hints(
    file: Path | None, places: Sequence[str], photos: Sequence[Path]
) -> tuple[Hint, ...]:
    """Those of --hints and of --hint. Raises OptionError, and PictureError where pixels of a photo
    are asked for that cannot be read."""
    given = read_hint_file(file)
    size = None
    if len(photos) == 1 and any("px" in each for each in places):
        height, width = image.read(photos[0]).pixels.shape[:2]
        size = (width, height)
    hints = (*read_hints(given), *(Hint.parse(each, size) for each in places))
    return read_hints([hint.as_dict() for hint in hints])  # how many there may be counts for all


def read_reference(file: Path | None) -> Reference | None:
    """Raises OptionError for what is no picture."""
    if file is None:
        return None
    try:
        return Reference(image.read(file).pixels)
    except PictureError as error:
        raise OptionError(f"--reference: {error}") from error


def read_settings(path: Path) -> dict[str, Any]:
    """What the options would be of a picture that was made here, as they are parsed. Raises
    PictureError, OptionError."""
    record = image.read_record(path)
    if record is None:
        raise OptionError(f"--settings-from: {path} has no record of settings.")
    options = read_options(record)
    if options.second:
        raise OptionError(f"--settings-from: {path} mixes two models, which the app alone does.")
    names = ("model", "vividness", "strength", "gain", "neutralize", "hints", "variant")
    told = {name: getattr(options, name) for name in names}
    pairs = {
        "controls": options.controls,
        "finish": options.finish.as_dict().items(),
        "prepare": options.prepare.as_dict().items(),
    }
    return told | {key: [f"{name}={v}" for name, v in own] for key, own in pairs.items()}


def parse(made: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; where they name a file with settings, these in place of the defaults."""
    given = made.parse_args(arguments)
    if given.settings_from is None:
        return given
    told = read_settings(given.settings_from)
    given = made.parse_args(arguments, argparse.Namespace(**told))
    if given.model != told["model"]:  # whose own settings another model has not
        given.controls = given.controls[len(told["controls"]) :]
        given.variant = given.variant if given.variant != told["variant"] else 0
        if not any(c.takes_hints for c in cards(downloads=True) if c.name == given.model):
            given.hints = ()
    return given


def plan(
    inputs: Sequence[str], out: Path, format: str | None
) -> tuple[list[runner.Job], runner.Manifest | None, runner.Found]:
    """The jobs, the manifest of an output folder, and what was found."""
    one_file = names_file(out)
    outputs.check_writable(out)
    manifest = None if one_file else runner.Manifest(out)
    found = runner.find(inputs, out, manifest.results() if manifest else ())
    if manifest:
        return runner.plan(found.photos, found.base, out, format), manifest, found
    if len(found.photos) > 1:
        raise OptionError(
            f"{out} is one file, and there are {len(found.photos)} photos: give a folder with -o."
        )
    if format not in (None, WRITTEN[out.suffix.lower()].name):
        raise OptionError(f"{out} and --format {format.lower()} disagree: leave one out.")
    return [runner.Job(photo, out) for photo in found.photos], None, found


def names_file(out: Path) -> bool:
    """Whether the output is one picture and no folder. Raises OptionError for what is neither."""
    if os.path.isdir(out):  # Path.is_dir() fails on a name that is too long
        return False
    suffix = out.suffix.lower()
    if suffix in READABLE and suffix not in WRITTEN:
        known = ", ".join(WRITTEN)
        raise OptionError(f"{suffix} files cannot be written ({out}). Choose one of {known}.")
    if os.path.exists(out) and suffix not in WRITTEN:
        raise OptionError(f"{out} is a file, not a folder: choose another output with -o.")
    return suffix in WRITTEN


def read_look(options: argparse.Namespace) -> runner.BatchOptions:
    """The settings but hints and reference. Raises OptionError."""
    steered = ("hints", "reference", "second")  # read once the photos are known; no flag
    named = [item.name for item in fields(runner.BatchOptions) if item.name not in steered]
    values = {name: getattr(options, name) for name in named}
    controls = tuple(parse_controls(options.model, options.controls).items())
    finish = Finish.parse(options.finish)
    prepare = Preparation.parse(options.prepare)
    own = {"controls": controls, "finish": finish, "prepare": prepare}
    return runner.BatchOptions(**values | own)


def read_steering(
    options: argparse.Namespace, settings: runner.BatchOptions, photos: Sequence[Path]
) -> runner.BatchOptions:
    """The settings with hints and reference. Raises OptionError, PictureError."""
    return replace(
        settings,
        # Hints belong together: those that are given stand in place of those of another picture.
        hints=read_all_hints(options.hint_file, options.places, photos) or options.hints,
        reference=read_reference(options.reference),
    )


def colorize(options: argparse.Namespace) -> int:
    """Run the batch that the options ask for; returns the exit code."""
    begun = time.perf_counter()
    settings = read_look(options)
    jobs, manifest, found = plan(options.photos, options.output, settings.format)
    settings = read_steering(options, settings, found.photos)
    for line in (*found.problems, *(() if options.quiet else found.left_out)):
        print(line, file=sys.stderr)
    tally = Counter({"failed": len(found.problems), "left out": found.left_out_count})
    results = runner.run(
        jobs,
        settings,
        manifest,
        device=options.device,
        workers=options.jobs,
        overwrite=options.overwrite,
    )
    hidden = options.quiet or not sys.stderr.isatty()
    try:
        with closing(results), tqdm(total=len(jobs), unit="photo", disable=hidden) as bar:
            for result in results:
                tally[result.status] += 1
                if result.status == "failed":
                    bar.write(format_failure(result), file=sys.stderr)
                elif result.note:
                    bar.write(f"{result.job.source}: {result.note}", file=sys.stderr)
                bar.update()
    finally:
        if manifest and manifest.rows:
            manifest.tidy()
    if not options.quiet:
        print(format_summary(tally, options.output, time.perf_counter() - begun))
    return terminal.FAILED if tally["failed"] else terminal.ALL_DONE


def format_failure(result: runner.Result) -> str:
    """A line that names the photo and says what went wrong."""
    text = " ".join(result.error.split())
    photo = store.to_text(result.job.source)
    return text if photo in text else f"{photo}: {text}"


def format_summary(tally: Counter[str], out: Path, seconds: float) -> str:
    """A line of how many photos are done, already done, failed and left out."""
    done, place = tally["done"], store.to_text(out)
    parts = [f"{done} photo{'s' * (done != 1)} colorized in {seconds:.1f} s into {place}"]
    parts += [f"{tally['skipped']} already done"] if tally["skipped"] else []
    parts += [f"{tally[what]} {what}" for what in ("failed", "left out") if tally[what]]
    return ", ".join(parts) + "."


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage, --help and --version."""
    made = make_parser()

    def work(options: argparse.Namespace) -> int:
        if options.list_models:
            print(list_models())
            return terminal.ALL_DONE
        if not options.photos:
            made.error("no photo was named. Name files, folders or patterns; see --help.")
        return colorize(parse(made, arguments))

    return terminal.run(made, work, arguments)
