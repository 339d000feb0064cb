"""python -m colorize_core film: colour a film from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from colorize_core.cli import outputs, terminal
from colorize_core.cli.colorize import add_model, parse_controls, read_hint_file
from colorize_core.film import FilmOptions, FilmResult, Keyframe, colorize_film, preview_scene
from colorize_core.film.encoding import get_container
from colorize_core.film.keyframes import join_keyframes, read_keyframes
from colorize_core.film.options import SPACING
from colorize_core.film.source import Film
from colorize_core.imaging.finish import CONTROLS, Finish
from colorize_core.models.runner import Task

DESCRIPTION = (
    "Colour a black-and-white film, with colours that hold still. Sound, subtitles, times and the "
    "film's own luma are kept. Nothing leaves this machine."
)
EXAMPLES = """\
examples:
  python -m colorize_core film reel.mp4 -o reel-colour.mp4
      the same command goes on where it was stopped
  python -m colorize_core film reel.mp4 -o look.mp4 --preview 95
      the scene from 1 min 35 s on, to see how it comes out
  python -m colorize_core film reel.mov -o reel-colour.mkv --codec ffv1
      without any loss
  python -m colorize_core film reel.mp4 -o reel-colour.mp4 --hint 12.4:0.3,0.8,brick
      what is at that place after 12.4 s is brick, and stays so through its scene

exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser("python -m colorize_core film", DESCRIPTION, EXAMPLES)
    made.add_argument("film", type=Path, metavar="FILM", help="any file that FFmpeg reads")
    made.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="whose suffix says the container: .mp4, .mov, .mkv, .webm, .avi, .ts, ...",
    )
    made.add_argument(
        "--preview",
        type=float,
        metavar="SECONDS",
        help="only the scene from there on, without sound",
    )
    _add_look(made.add_argument_group("how it looks"))
    group = made.add_argument_group("how it is written and how it runs")
    group.add_argument(
        "--codec",
        metavar="NAME",
        help="an encoder of FFmpeg (default: libx264; libx265 for more than 8 bits; libvpx-vp9 and "
        "libsvtav1 in .webm)",
    )
    group.add_argument(
        "--quality",
        type=int,
        metavar="N",
        help="the encoder's CRF, less is better and larger (default: 17 of libx264)",
    )
    group.add_argument("--overwrite", action="store_true", help="replace a file that is in the way")
    group.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)"
    )
    group.add_argument("--quiet", action="store_true", help="report nothing but failures")
    return made


def _add_look(group: argparse._ArgumentGroup) -> None:
    kept = ("black", "white", "gamma")  # a film keeps its brightness
    finish = {name: control for name, control in CONTROLS.items() if name not in kept}
    add_model(group, FilmOptions(), finish)
    group.add_argument(
        "--spacing",
        type=terminal.parse_whole,
        default=SPACING,
        metavar="N",
        help="frames from one that the model looks at to the next, at most (default: %(default)s)",
    )
    _add_hints(group)


def _add_hints(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--hint",
        dest="places",
        action="append",
        default=[],
        metavar="SECONDS:X,Y,COLOUR",
        help="a colour wanted at a place at that time, which goes with it through its scene; for "
        "each again: X and Y from 0 to 1 or as 140px, COLOUR as #8a3324, 138,51,36, a name (brick, "
        "army olive, ...) or gray",
    )
    group.add_argument(
        "--hints",
        dest="hint_file",
        type=Path,
        metavar="FILE.json",
        help="more of them: a list of objects with at (seconds), x, y and ab or colour",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _run, arguments)


def _run(asked: argparse.Namespace) -> int:
    suffix = asked.output.suffix.lower()
    get_container(asked.output)
    outputs.check_files(
        {"-o": asked.output}, {"-o": [suffix]}, {"film": asked.film}, asked.overwrite
    )
    options = FilmOptions(
        model=asked.model,
        vividness=asked.vividness,
        strength=asked.strength,
        gain=asked.gain,
        controls=tuple(parse_controls(asked.model, asked.controls).items()),
        finish=Finish.parse(asked.finish),
        codec=asked.codec,
        quality=asked.quality,
        spacing=asked.spacing,
        keyframes=_read_keyframes(asked),
    )
    hidden = asked.quiet or not sys.stderr.isatty()
    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left"
    with tqdm(total=1.0, disable=hidden, bar_format=form, desc="Opening") as bar:

        def report(share: float, words: str) -> None:
            if not bar.n:  # what an earlier run did says nothing of the time left
                bar.n = bar.initial = bar.last_print_n = share
            bar.set_description(words, refresh=False)
            bar.update(max(share - bar.n, 0.0))

        result = _colour(asked, options, Task(report), bar)
    if not asked.quiet:
        print(_format_summary(result, asked.output))
    return terminal.ALL_DONE


def _read_keyframes(asked: argparse.Namespace) -> tuple[Keyframe, ...]:
    """Those of --hints and of --hint. Raises OptionError, and FilmError where pixels are asked for
    of a film that cannot be read."""
    size = None
    if any("px" in each for each in asked.places):
        with Film(asked.film) as film:
            size = film.look.shown
    parsed = [Keyframe.parse(each, size) for each in asked.places]
    return join_keyframes([*read_keyframes(read_hint_file(asked.hint_file)), *parsed])


def _colour(asked: argparse.Namespace, options: FilmOptions, task: Task, bar: tqdm) -> FilmResult:
    def tell(note: str) -> None:
        bar.write(f"{asked.film}: {note}", file=sys.stderr)

    if asked.preview is None:
        return colorize_film(
            asked.film, asked.output, options, task=task, device=asked.device, tell=tell
        )
    result = preview_scene(
        asked.film, asked.output, options, at=asked.preview, task=task, device=asked.device
    )
    if not asked.quiet:
        for note in result.notes:
            tell(note)
    return result


def _format_summary(result: FilmResult, out: Path) -> str:
    told = f"{_count(result.frames, 'frame')} of {_count(result.scenes, 'scene')}"
    told += f" coloured in {result.seconds:.1f} s into {out}"
    if result.resumed:
        told += f", {result.resumed} already done"
    return f"{told}; the model looked at {result.looks}."


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
