"""python -m colorize_core.training NAME --data DIR-or-zip... : train or resume one model."""

from __future__ import annotations

import argparse
import typing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from accelerate import PartialState

from colorize_core.errors import OptionError, WeightsError
from colorize_core.training import recipes
from colorize_core.training.engine import Settings, train


def add_flags(parser: argparse.ArgumentParser, kind: type) -> None:
    """One flag a dataclass field: --learning-rate for learning_rate, with the field's default."""
    hints = typing.get_type_hints(kind)
    for item in fields(kind):
        required = item.default is MISSING
        arguments: dict[str, Any] = {"required": required, "dest": item.name}
        if not required:
            arguments |= {"default": item.default, "help": f"default: {item.default}"}
        inner = [t for t in typing.get_args(hints[item.name]) if t not in (type(None), Ellipsis)]
        if hints[item.name] is bool:
            arguments["action"] = argparse.BooleanOptionalAction  # --x and --no-x
        else:
            arguments["type"] = inner[0] if inner else hints[item.name]
        if typing.get_origin(hints[item.name]) is tuple:
            arguments["nargs"] = "+"
        parser.add_argument(f"--{item.name.replace('_', '-')}", **arguments)


def pick(kind: type, values: dict[str, Any]) -> Any:
    chosen = {item.name: values[item.name] for item in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items()})


def main(arguments: list[str] | None = None) -> Path:
    parser = argparse.ArgumentParser(prog="python -m colorize_core.training", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name in recipes.RECIPES:
        recipe = recipes.find(name)
        command = commands.add_parser(name, help=recipe.__doc__)
        add_flags(command, Settings)
        add_flags(command, recipe)
    values = vars(parser.parse_args(arguments))
    name = values["name"]
    settings = pick(Settings, values)
    settings.out.mkdir(parents=True, exist_ok=True)
    try:
        path = train(name, pick(recipes.find(name), values), settings)
    except (OptionError, WeightsError) as error:
        raise SystemExit(f"{parser.prog} {name}: {error}") from error
    if PartialState().is_main_process:
        print(f"weights: {path}")
    return path
