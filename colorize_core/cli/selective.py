"""python -m colorize_core selective: colour only what matters of a photo, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from colorize_core import cards, options
from colorize_core.cli import outputs, terminal
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError
from colorize_core.file_names import make_name, split_suffix
from colorize_core.folders import make_folder
from colorize_core.imaging import image
from colorize_core.imaging.formats import WRITTEN
from colorize_core.imaging.mark import TEXT, draw_mark
from colorize_core.imaging.tone import Picture
from colorize_core.selective import automatic, blending, masks, segmenters
from colorize_core.selective.blending import Region
from colorize_core.selective.layers import Network
from colorize_core.selective.masks import Mask
from colorize_core.selective.subject import find_subject
from colorize_core.sizes import format_size

AUTO = "auto"  # what --keep says for people, or what stands out
GRAY = "gray"  # what --outside says for no colours

DESCRIPTION = "Colour only what matters of a photo; keep the rest gray, or colour it otherwise."
EXAMPLES = f"""\
examples:
  python -m colorize_core selective portrait.jpg --keep auto
      people if there are any, else what stands out, found without a download
  python -m colorize_core selective portrait.jpg --box 40,10,470,512 --mask-out mask.png
      what is in a box, its mask kept; change it in any painting program
  python -m colorize_core selective portrait.jpg --mask mask.png --outside sagan
      under that mask one model, outside another
  python -m colorize_core selective street.jpg --keep person
      people, found without a download
  python -m colorize_core selective street.jpg --keep person,dog --network resnet101
      classes that DeepLabV3 finds, whose weights are downloaded once

classes: {", ".join(segmenters.CLASSES)}
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser("python -m colorize_core selective", DESCRIPTION, EXAMPLES)
    made.add_argument("photo", type=Path, metavar="PHOTO", help="one picture file")
    what = made.add_argument_group("what is coloured (auto unless one is given)")
    what.add_argument(
        "--keep",
        metavar="NAMES",
        help=f"classes with commas between, see below, or {AUTO}: people, else what stands out",
    )
    what.add_argument(
        "--box",
        type=_parse_box,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="what is in it, in pixels of the photo; needs no download",
    )
    what.add_argument("--mask", type=Path, metavar="FILE", help="a picture: white is coloured")
    what.add_argument(
        "--network",
        choices=list(segmenters.NETWORKS),
        help=f"of --keep: {'; '.join(map(_describe, segmenters.NETWORKS.values()))} (default: the "
        "first that knows what is kept)",
    )
    what.add_argument(
        "--feather",
        type=_parse_pixels,
        default=0.0,
        metavar="PIXELS",
        help="soften the edge, in pixels of the mask, whose longest side has at most "
        f"{masks.SIDE} (default: %(default)g)",
    )
    _add_look(made.add_argument_group("how it looks and where it goes"))
    return made


def _add_look(group: argparse._ArgumentGroup) -> None:
    names = [card.name for card in cards(downloads=True)]
    group.add_argument(
        "--model",
        default=names[0],
        choices=names,
        metavar="NAME",
        help="of what is coloured (default: %(default)s)",
    )
    group.add_argument(
        "--outside",
        default=GRAY,
        choices=[GRAY, *names],
        metavar="NAME",
        help=f"{GRAY}, or the model of all the rest (default: %(default)s)",
    )
    for flag, what in (("--vividness", "inside"), ("--outside-vividness", "outside")):
        low, high = options.RANGES["vividness"]
        group.add_argument(
            flag,
            type=float,
            default=1.0,
            metavar="X",
            help=f"of the colours {what}, {low:g} to {high:g} (default: %(default)g)",
        )
    group.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="(default: PHOTO's name with -selective)"
    )
    group.add_argument("--mask-out", type=Path, metavar="FILE", help="keep the mask as a PNG")
    group.add_argument(
        "--figure",
        type=Path,
        metavar="FILE",
        help="gray, colorized, mask and result in one picture",
    )
    group.add_argument(
        "--mark", action="store_true", help=f'write "{TEXT}" small in a corner of the picture'
    )
    group.add_argument("--overwrite", action="store_true", help="replace files that are in the way")
    group.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)"
    )
    group.add_argument("--quiet", action="store_true", help="report nothing but failures")


def _parse_box(text: str) -> automatic.Box:
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a box: write four numbers with commas between, as in 40,10,470,512"
        ) from None
    return left, top, right, bottom


def _parse_pixels(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= masks.SIDE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {masks.SIDE}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _run, arguments, stopped="")


def _run(asked: argparse.Namespace) -> int:
    names = parse_classes(asked.keep)
    out = asked.output or asked.photo.with_name(
        make_name(asked.photo.name, "-selective", _choose_suffix(asked.photo))
    )
    _check_outputs(asked, out)
    photo = image.read(asked.photo)
    inside = Region(model=asked.model, vividness=asked.vividness)
    outside = blending.fill_outside_gray(photo.pixels)
    if asked.outside != GRAY:
        outside = Region(model=asked.outside, vividness=asked.outside_vividness)
    mask = make_mask(photo.pixels, names, asked)
    colorize = blending.make_colorize(asked.device)
    colorized = colorize(photo.pixels, inside)
    region = Region(mask, inside.model, inside.vividness)
    result = blending.compose(
        photo.pixels,
        [region],
        outside,
        lambda pixels, of: colorized if of is region else colorize(pixels, of),
    )
    for path in filter(None, (out, asked.mask_out, asked.figure)):
        make_folder(path)
    record = blending.describe_regions([region], outside)
    shown = draw_mark(result) if record and asked.mark else result
    made = photo.with_pixels(shown).with_record(record)
    image.write(out, made)
    if asked.mask_out:
        masks.write_mask(asked.mask_out, mask)
    if asked.figure:
        sheet = blending.draw_figure(photo.pixels, colorized, mask, result)
        image.write(asked.figure, image.Photo(sheet, None, image.Metadata(record=record), "PNG"))
    if note := made.describe_losses(WRITTEN[out.suffix.lower()].name):
        print(f"{asked.photo}: {note}", file=sys.stderr)
    if not asked.quiet:
        print(f"{mask.mean():.0%} of {asked.photo} coloured into {out}.")
    if doubt := masks.describe_doubt(mask):
        print(doubt, file=sys.stderr)
    return terminal.ALL_DONE


def parse_classes(text: str | None) -> tuple[str, ...]:
    """The classes that --keep names; none for auto. OptionError for one that is unknown."""
    if (text or AUTO).strip() == AUTO:
        return ()
    try:
        return segmenters.read_classes(text or "")
    except OptionError as error:
        raise OptionError(
            f"--keep: {error} There are {AUTO}, or any of {', '.join(segmenters.CLASSES)}."
        ) from error


def make_mask(photo: Picture, names: Sequence[str], asked: argparse.Namespace) -> Mask:
    """What the options ask for: a file, classes, what is in a box, or what the photo is about."""
    given = [flag for flag in ("mask", "box", "keep") if getattr(asked, flag) is not None]
    if len(given) > 1:
        raise OptionError(f"--{' and --'.join(given)} each say what is coloured: leave one.")
    if asked.mask:
        mask = masks.read_mask(asked.mask)
        _check_fits(mask, photo)
    elif names:
        mask = _find_mask(photo, names, asked)
    elif asked.box:
        mask = automatic.grabcut(photo, box=asked.box)
    else:
        mask = find_subject(photo, device=asked.device)
    return masks.feather(mask, asked.feather)


def _describe(network: Network) -> str:
    row = network.download
    needs = f"downloads {format_size(DOWNLOADS[row].bytes)} once" if row else "comes along"
    return f"{network.name}, {network.title.lower()}, {needs}"


def choose_network(names: Sequence[str], chosen: str | None) -> str:
    """The one that is to find these classes. OptionError where the chosen one knows them not."""
    able = segmenters.list_networks(names)
    if chosen and chosen not in able:
        others = [name for name in names if name not in segmenters.NETWORKS[chosen].classes]
        raise OptionError(f"--network: {chosen} finds no {', '.join(others)}; {able[0]} does.")
    return chosen or able[0]


def _find_mask(photo: Picture, names: Sequence[str], asked: argparse.Namespace) -> Mask:
    network = choose_network(names, asked.network)
    missing = segmenters.count_missing_bytes(network)
    if missing and not asked.quiet:
        print(f"DeepLabV3 ({network}) is downloaded once: {format_size(missing)}.", file=sys.stderr)
    layers = segmenters.find_classes(photo, network=network, device=asked.device)
    wanted = [layer.mask for layer in layers if layer.name in names]
    if not wanted:
        seen = ", ".join(f"{layer.name} ({layer.share:.0%})" for layer in layers) or "nothing"
        raise OptionError(
            f"--keep: of {', '.join(names)} there is nothing in the photo; {network} found {seen}. "
            f"Draw a --box, or paint a --mask."
        )
    return np.maximum.reduce(wanted)


def _check_fits(mask: Mask, photo: Picture) -> None:
    """A mask of screen size or the photo's own."""
    height, width = photo.shape[:2]
    if mask.shape not in ((height, width), masks.choose_size(height, width)):
        size = masks.choose_size(height, width)
        raise OptionError(
            f"--mask has {mask.shape[1]} × {mask.shape[0]} pixels; for this photo it needs "
            f"{width} × {height}, or {size[1]} × {size[0]} as --mask-out writes it."
        )


def _choose_suffix(photo: Path) -> str:
    """The photo's own where it can be written, else .png."""
    _, suffix = split_suffix(photo.name)
    return suffix if suffix.lower() in WRITTEN else ".png"


def _check_outputs(asked: argparse.Namespace, out: Path) -> None:
    """Before the work: nothing is replaced that was not asked for, and never what is read."""
    files = {"-o": out, "--mask-out": asked.mask_out, "--figure": asked.figure}
    inputs = {"photo": asked.photo, "mask": asked.mask}
    outputs.check_files(
        {flag: path for flag, path in files.items() if path},
        {"-o": WRITTEN, "--mask-out": [".png"], "--figure": WRITTEN},
        {what: path for what, path in inputs.items() if path},
        asked.overwrite,
    )
