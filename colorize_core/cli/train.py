"""python -m colorize_core.training NAME --data DIR-or-zip... : train or resume one model."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from accelerate import PartialState
from tqdm import tqdm

from colorize_core.cli import terminal
from colorize_core.training import preparation, recipes
from colorize_core.training.engine import Recipe, TrainingSettings, train
from colorize_core.training.presets import PRESETS

PROGRAM = "python -m colorize_core.training"
DATA = "data"  # beside the names of models


def add_flags(parser: argparse.ArgumentParser, kind: type) -> None:
    """One flag a dataclass field: --learning-rate for learning_rate, which tells the field's
    default. What is parsed has only those that are given, so that they can override a preset."""
    hints = typing.get_type_hints(kind)
    for item in fields(kind):
        required = item.default is MISSING
        arguments: dict[str, Any] = {"required": required, "dest": item.name}
        if not required:
            arguments["help"] = f"default: {item.default}"
        inner = [t for t in typing.get_args(hints[item.name]) if t not in (type(None), Ellipsis)]
        if hints[item.name] is bool:
            arguments["action"] = argparse.BooleanOptionalAction  # --x and --no-x
        else:
            arguments["type"] = inner[0] if inner else hints[item.name]
        if typing.get_origin(hints[item.name]) is tuple:
            arguments["nargs"] = "+"
        parser.add_argument(
            f"--{item.name.replace('_', '-')}", default=argparse.SUPPRESS, **arguments
        )


def add_presets(parser: argparse.ArgumentParser, recipe: type[Recipe]) -> None:
    """The flag --preset, which tells what each sets for this recipe."""
    told = []
    for name, preset in PRESETS.items():
        values = preset.settings(recipe)
        flags = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in values.items())
        told.append(f"{name}, for {preset.purpose}: {flags}")
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help=f"several flags at once; those given beside it override it. {'; '.join(told)}",
    )


def pick(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass with those of the values that are its fields; the others have their defaults."""
    chosen = {item.name: values[item.name] for item in fields(kind) if item.name in values}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items()})


def add_data(commands: Any) -> None:
    """The command that makes sets of photographs small."""
    command = commands.add_parser(
        DATA, help="make a public set of photographs small, for --data and --val"
    )
    command.add_argument("set", choices=preparation.SETS, help="which one; alone, it is described")
    command.add_argument(
        "sources", nargs="*", type=Path, metavar="DIR-or-ARCHIVE", help="what was downloaded of it"
    )
    command.add_argument("--out", type=Path, default=Path("data"), help="default: data")
    command.add_argument(
        "--side", type=int, default=160, help="pixels of the shorter side (default: 160)"
    )
    command.add_argument("--limit", type=int, help="how many photographs at most")


def make_parser() -> argparse.ArgumentParser:
    parser = terminal.make_parser(PROGRAM, "Train or resume one model, or prepare photographs.")
    commands = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    add_data(commands)
    for name in recipes.RECIPES:
        recipe = recipes.find(name)
        command = commands.add_parser(name, help=recipe.__doc__)
        add_presets(command, recipe)
        add_flags(command, TrainingSettings)
        add_flags(command, recipe)
    return parser


def configure(given: argparse.Namespace) -> tuple[str, Recipe, TrainingSettings]:
    """A parsed command line -> name, recipe and settings."""
    values = vars(given)
    kind = recipes.find(given.name)
    preset = PRESETS[given.preset].settings(kind) if given.preset else {}
    return given.name, pick(kind, values), pick(TrainingSettings, preset | values)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _train, arguments, usage=())


def _prepare(given: argparse.Namespace) -> int:
    about = preparation.SETS[given.set]
    print(f"{about.title}: {about.photos} photographs, {about.size} to download.")
    print(f"Terms: {about.terms}.")
    if not given.sources:
        print(f"Download it from {about.address},")
        print(f"then: {PROGRAM} {DATA} {given.set} WHAT-YOU-HAVE --out {given.out}")
        return terminal.ALL_DONE
    with tqdm(unit=" photos", disable=None) as bar:
        made = preparation.prepare(
            given.set,
            given.sources,
            given.out,
            given.side,
            given.limit,
            lambda number: bar.update(number - bar.n) and None,
        )
    parts = ", ".join(f"{count:,} for {part}" for part, count in made.parts.items())
    print(f"{parts}, in {given.out}.")
    if made.left_out:
        reasons = ", ".join(f"{count:,} {why}" for why, count in made.left_out.items())
        print(f"Left out: {reasons}.")
    return terminal.ALL_DONE


def _train(given: argparse.Namespace) -> int:
    if given.name == DATA:
        return _prepare(given)
    name, recipe, settings = configure(given)
    settings.out.mkdir(parents=True, exist_ok=True)
    path = train(name, recipe, settings)
    if PartialState().is_main_process:
        print(f"weights: {path}")
    return terminal.ALL_DONE
