"""python -m colorize_core.evaluate: score models on photographs."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from tqdm import tqdm

from colorize_core import cards, metrics
from colorize_core.cards import SEED
from colorize_core.cli import outputs, terminal
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import DeviceError, OptionError, SaveError
from colorize_core.metrics.baselines import BASELINES
from colorize_core.metrics.features import LEAST
from colorize_core.metrics.sets import SET_METRICS
from colorize_core.sizes import format_size

if TYPE_CHECKING:
    from colorize_core.evaluate.run import Evaluation
    from colorize_core.evaluate.scoring import Judge
    from colorize_core.training.data import Photograph

DEFAULT_JOBS = 1
ALL = "all"

DESCRIPTION = """\
Score models on colour photographs by the protocol recombine-256: short side to 256, centre crop,
and every picture's ab on the true L. The table of means and 95 % bootstrap intervals at the end is
of what FILE has: one row a model and photo, one column a metric, the seconds, and why a cell is
empty. "gray" (no colour at all) and "mean" (one colour everywhere) are always scored too.
"""
EPILOG = """\
examples:
  python -m colorize_core.evaluate --models all --photos album --out results.csv
      every model on every photo in the folder album and below it
  python -m colorize_core.evaluate --models autochrome,coltran --photos val.zip --limit 100 \\
      --metrics psnr,ciede2000,lpips-squeeze --out results.csv
      two models and three metrics on a fair sample of 100 photos
  python -m colorize_core.evaluate --models diffusion --photos album --set-metrics fid,kid \\
      --out sets.csv
      all pictures of a model together, which is fair to models that draw their colours

The same command goes on where it was stopped; models, photos and metrics' trunks that failed are
tried again. A file of other metrics, another protocol or another seed is left alone. Photos without
colours of their own have no ground truth: only metrics that need none score them. A PSNR above 100
dB, of equal pictures, counts as 100. Scores do not depend on --jobs; seconds do: compare those of
one job.

exit code: 0 all done, 1 some pictures failed, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser(
        "python -m colorize_core.evaluate",
        DESCRIPTION,
        f"{_describe_metrics()}\n{EPILOG}",
        usage="%(prog)s --photos DIR-OR-ZIP... --out FILE [options]",
    )
    made.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR-OR-ZIP",
        help="folders or zips of colour photographs",
    )
    made.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file of scores")
    made.add_argument(
        "--models",
        type=_make_names_type([card.name for card in cards()], BASELINES, _list_downloads()),
        default=ALL,
        metavar="NAME,NAME",
        help="models to score, or all, which downloads none (default: %(default)s); those that are "
        f"downloaded: {', '.join(_list_downloads())}",
    )
    made.add_argument(
        "--metrics",
        type=_make_names_type([metric.name for metric in metrics.METRICS]),
        default=",".join(m.name for m in metrics.METRICS if "vgg" not in m.name),
        metavar="NAME,NAME",
        help="metrics, or all (default: all but those on VGG-16, which is the largest download)",
    )
    made.add_argument(
        "--set-metrics",
        type=_make_names_type([metric.name for metric in SET_METRICS]),
        metavar="NAME,NAME",
        help=f"in place of --metrics: of all pictures together, on {LEAST:,} photographs or more; "
        "FILE has a row a model and metric then",
    )
    made.add_argument(
        "--limit",
        type=terminal.parse_whole,
        metavar="N",
        help="a fair sample of N photos, always the same ones",
    )
    made.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)"
    )
    made.add_argument(
        "--jobs",
        type=terminal.parse_whole,
        default=DEFAULT_JOBS,
        metavar="N",
        help="photos worked on at once (default: %(default)s)",
    )
    made.add_argument(
        "--seed",
        type=_parse_seed,
        default=SEED.default,
        metavar="S",
        help=f"of models that draw their colours, {SEED.allowed} (default: %(default)s)",
    )
    return made


def _describe_metrics() -> str:
    width = max(len(metric.name) for metric in metrics.METRICS)
    lines = [
        f"  {metric.name:<{width}}  {metric.better or '-':<8}  {metric.meaning}"
        for metric in metrics.METRICS
    ]
    width = max(len(metric.name) for metric in SET_METRICS)
    many = [f"  {metric.name:<{width}}  {metric.meaning}" for metric in SET_METRICS]
    heads = ("metrics, and what is better:", "set metrics, of which less is better:")
    return "\n".join([heads[0], *lines, "", heads[1], *many, ""])


def _list_downloads() -> tuple[str, ...]:
    return tuple(card.name for card in cards(downloads=True) if card not in cards())


def _make_names_type(
    known: Sequence[str], always: Sequence[str] = (), apart: Sequence[str] = ()
) -> Callable[[str], tuple[str, ...]]:
    """A type for argparse: names of the list, in its order, after those that always count and
    before those `apart`, which "all" does not stand for."""

    def read(text: str) -> tuple[str, ...]:
        asked = known if text == ALL else [name.strip() for name in text.split(",")]
        for name in asked:
            if name not in (*always, *known, *apart):
                there = ", ".join((*always, *known, *apart))
                raise argparse.ArgumentTypeError(f"there is no {name!r}; choose from {there}")
        return (*always, *(name for name in (*known, *apart) if name in asked))

    return read


def _parse_seed(text: str) -> int:
    try:
        return int(SEED.parse(text))
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def find(sources: Sequence[Path], limit: int | None) -> list[Photograph]:
    """The photographs, whose names are their own. Raises OptionError if there are none."""
    from colorize_core.training.data import find_photos

    try:
        photos = find_photos(sources, limit)
    except OSError as error:
        raise OptionError(f"--photos: {terminal.describe_os_error(error)}") from error
    except (ValueError, BadZipFile) as error:
        raise OptionError(f"--photos: {error}.") from error
    name, times = Counter(photo.name for photo in photos).most_common(1)[0]
    if times > 1:
        raise OptionError(
            f"{times} photos are called {name}, and their rows would be mixed up: rename one of "
            "the folders or zips."
        )
    return photos


def judge(names: Sequence[str], device: str) -> Judge:
    """The metrics, ready; says on stderr what is downloaded, and what cannot be had."""
    from colorize_core.evaluate.scoring import Judge

    _announce(dict.fromkeys(metrics.find(name).download for name in names))
    made = Judge(names, device)
    for reason in dict.fromkeys(made.missing.values()):
        empty = ", ".join(name for name, why in made.missing.items() if why == reason)
        print(f"{reason} Its column stays empty: {empty}.", file=sys.stderr)
    return made


def _announce(downloads: Iterable[str]) -> None:
    """Say on stderr what of these rows of the catalogue is still to be downloaded."""
    for weights in filter(None, downloads):
        if missing := checkpoints.list_missing(DOWNLOADS[weights].files):
            needed = format_size(sum(file.bytes for file in missing))
            print(f"{DOWNLOADS[weights].title} is downloaded once: {needed}.", file=sys.stderr)


def evaluate(options: argparse.Namespace) -> int:
    """Score what the options ask for and print the table; returns the exit code."""
    from colorize_core import devices
    from colorize_core.evaluate.run import Evaluation
    from colorize_core.evaluate.score_file import ScoreFile
    from colorize_core.evaluate.summary import make_table

    devices.pick(options.device)  # one that is not there is wrong usage, not a model's failure
    if options.set_metrics:
        return evaluate_sets(options)
    photos = _prepare(options)
    file = ScoreFile(options.out, options.metrics, options.seed)
    keys = [(model, photo.name) for model in options.models for photo in photos]
    work = Evaluation(
        photos,
        options.models,
        judge(options.metrics, options.device),
        file,
        seed=options.seed,
        jobs=options.jobs,
    )
    _show(work, len(keys))
    file.tidy(keys)
    rows = [file.rows[key] for key in keys]
    width = shutil.get_terminal_size((160, 24)).columns
    print(make_table(rows, options.models, options.metrics, width))
    return terminal.ALL_DONE if all(row["seconds"] for row in rows) else terminal.FAILED


def _prepare(options: argparse.Namespace) -> list[Photograph]:
    """The photographs, once it is known that the file can be written. OptionError, SaveError."""
    for source in options.photos:
        outputs.refuse_input(options.out, source, "photographs' file")
    outputs.check_writable(options.out)
    return find(options.photos, options.limit)


def evaluate_sets(options: argparse.Namespace) -> int:
    """Score all pictures of a model together and print the rows; returns the exit code."""
    from colorize_core.evaluate.picture_sets import SetEvaluation, SetFile, make_set_table
    from colorize_core.metrics import sets

    photos = _prepare(options)
    sets.refuse_few(len(photos))
    file = SetFile(options.out)
    _announce(dict.fromkeys(sets.find(name).download for name in options.set_metrics))
    with tqdm(total=(len(options.models) + 1) * len(photos), unit="picture", disable=None) as bar:

        def report(model: str, done: int) -> None:
            bar.set_description(model, refresh=False)
            bar.n = ["truth", *options.models].index(model) * len(photos) + done
            bar.refresh()

        work = SetEvaluation(
            photos,
            options.models,
            options.set_metrics,
            file,
            device=options.device,
            seed=options.seed,
            report=report,
        )
        for _ in work.run():
            pass
    keys = [(model, name) for model in options.models for name in options.set_metrics]
    print(make_set_table([file.rows[key] for key in keys]))
    return terminal.ALL_DONE


def _show(work: Evaluation, total: int) -> None:
    """Run it under a progress bar; each failure of a model is told once."""
    told = set()
    left = sum(map(len, work.pending.values()))
    # disable=None: no bar where stderr is no terminal
    with (
        closing(work.run()) as rows,
        tqdm(total=total, initial=total - left, unit="picture", disable=None) as bar,
    ):
        for row in rows:
            bar.set_description(row["model"], refresh=False)
            bar.update()
            failure = row["model"], row["why"]
            if not row["seconds"] and failure not in told:
                told.add(failure)
                bar.write(f"{row['model']}, {row['photo']}: {row['why']}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    usage = (OptionError, DeviceError, SaveError)
    return terminal.run(make_parser(), evaluate, arguments, usage=usage)
