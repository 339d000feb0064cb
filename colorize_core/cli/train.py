"""python -m colorize_core.training NAME --data DIR-or-zip... : train or resume one model."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from accelerate import PartialState

from colorize_core.cli import terminal
from colorize_core.training import recipes
from colorize_core.training.engine import Recipe, TrainingSettings, train
from colorize_core.training.presets import PRESETS

PROGRAM = "python -m colorize_core.training"


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


def make_parser() -> argparse.ArgumentParser:
    parser = terminal.make_parser(PROGRAM, "Train or resume one model.")
    commands = parser.add_subparsers(dest="name", required=True, metavar="NAME")
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


def _train(given: argparse.Namespace) -> int:
    name, recipe, settings = configure(given)
    settings.out.mkdir(parents=True, exist_ok=True)
    path = train(name, recipe, settings)
    if PartialState().is_main_process:
        print(f"weights: {path}")
    return terminal.ALL_DONE
