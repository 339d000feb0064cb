"""What is known of a model before anything of it is loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """`path`: below weights/ in the repository. `sha256`: lower-case hexadecimal of the file."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class ModelCard:
    """One model: names and facts for lists, tabs, the README table and the generated card."""

    name: str  # as in load(name) and --model
    title: str  # for people
    summary: str  # one sentence
    paper: str  # citation or address; empty for none
    licence: str
    parameters: int
    weights: tuple[WeightFile, ...]
    trained_on: str
    limits: str  # what it is known to do badly
    takes_hints: bool = False
    network_side: int = 0  # the photo is fitted to side x side pixels of area; 0: its own size
