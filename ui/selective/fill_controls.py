"""What a region or its surroundings are filled with, as the tab "Selective" asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import gradio as gr

from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.options import RANGES
from ui.selective.session import OWN, Fill, SelectiveSession
from ui.shared import model_choices
from ui.shared.service import DEFAULT_MODEL

FLAT, GRAY = "colour", "gray"  # beside the names of models, in the two lists
FIRST_COLOUR = "#b8442e"


def fill_of(choice: str, vividness: float, colour: str | None) -> Fill:
    """What the controls say."""
    if choice == FLAT:
        return Fill(None, float(vividness), rgb(colour or FIRST_COLOUR))
    return Fill() if choice == GRAY else Fill(choice, 1.0 if choice == OWN else float(vividness))


def has_vividness(fill: Fill) -> bool:
    return not fill.plain and fill.model != OWN


def choice_of(fill: Fill) -> str:
    return fill.model or (GRAY if fill.plain else FLAT)


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb, or rgb(r, g, b) with or without an alpha, as colour pickers write it."""
    if found := re.fullmatch(r"#([0-9a-fA-F]{6})", colour.strip()):
        red, green, blue = bytes.fromhex(found[1])
    else:
        numbers = [round(float(each)) for each in re.findall(r"[\d.]+", colour)[:3]]
        if len(numbers) < 3 or max(numbers) > 255:
            raise OptionError(f"{colour!r} is no colour. Give one as #rrggbb.")
        red, green, blue = numbers
    return red, green, blue


def inside_choices(
    cards: Sequence[ModelCard], session: SelectiveSession | None
) -> list[tuple[str, str]]:
    """What a region can be filled with."""
    own = [("The photo's own colours", OWN)] if session and session.coloured else []
    return [*own, *outside_choices(cards)[1:], ("One flat colour", FLAT), outside_choices(cards)[0]]


def outside_choices(cards: Sequence[ModelCard]) -> list[tuple[str, str]]:
    return [("Black and white", GRAY), *model_choices.choices(cards)]


def build_inside(cards: Sequence[ModelCard]) -> tuple[gr.Dropdown, gr.Slider, gr.ColorPicker]:
    """What the region is filled with."""
    with gr.Column(elem_classes="own"):
        inside = gr.Dropdown(
            inside_choices(cards, None), value=DEFAULT_MODEL, label="Inside this region"
        )
        vividness = gr.Slider(*RANGES["vividness"], 1, step=0.05, label="Vividness")
        colour = gr.ColorPicker(FIRST_COLOUR, label="Colour", visible=False)
    return inside, vividness, colour


def build_outside(cards: Sequence[ModelCard]) -> tuple[gr.Dropdown, gr.Slider]:
    """What lies around the regions."""
    with gr.Column(elem_classes="own"):
        outside = gr.Dropdown(outside_choices(cards), value=GRAY, label="Outside of all regions")
        vividness = gr.Slider(
            *RANGES["vividness"], 1, step=0.05, label="Vividness outside", visible=False
        )
    return outside, vividness
