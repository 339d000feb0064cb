"""What a region or its surroundings are filled with, as the tab "Selective" asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import gradio as gr

from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.options import DEFAULT_MODEL, RANGES
from colorize_core.selective.blending import OWN
from ui.selective.session import Fill, SelectiveSession, choose_first
from ui.shared import model_choices

FLAT, GRAY = "colour", "gray"  # beside the names of models, in the two lists
COLOURING = "colouring"  # that of the tab Colorize
FIRST_COLOUR = "#b8442e"


def read_fill(
    choice: str, vividness: float, colour: str | None, session: SelectiveSession | None = None
) -> Fill:
    """What the controls say. Where nothing was done in the tab Colorize, its first colours."""
    if choice == COLOURING:
        return choose_first(session.photo) if session else Fill(model_choices.suggest())
    if choice == FLAT:
        return Fill(None, float(vividness), read_colour(colour or FIRST_COLOUR))
    return Fill() if choice == GRAY else Fill(choice, 1.0 if choice == OWN else float(vividness))


def has_vividness(fill: Fill) -> bool:
    return (fill.model or fill.colour) is not None and fill.model != OWN


def name_choice(fill: Fill) -> str:
    return fill.model or (GRAY if fill.plain else FLAT if fill.colour else COLOURING)


def read_colour(colour: str) -> tuple[int, int, int]:
    """#rrggbb, or read_colour(r, g, b) with or without an alpha, as colour pickers write it."""
    if found := re.fullmatch(r"#([0-9a-fA-F]{6})", colour.strip()):
        red, green, blue = bytes.fromhex(found[1])
    else:
        numbers = [round(float(each)) for each in re.findall(r"[\d.]+", colour)[:3]]
        if len(numbers) < 3 or max(numbers) > 255:
            raise OptionError(f"{colour!r} is no colour. Give one as #rrggbb.")
        red, green, blue = numbers
    return red, green, blue


def list_inside(
    cards: Sequence[ModelCard], session: SelectiveSession | None, downloads: bool = False
) -> list[tuple[str, str]]:
    """What a region can be filled with; with `downloads` also models that are not here yet."""
    own = [("The photo's own colours", OWN)] if session and session.photo.coloured else []
    gray, *models = list_outside(cards, downloads)
    return [*own, *models, ("One flat colour", FLAT), gray]


def list_outside(cards: Sequence[ModelCard], downloads: bool = False) -> list[tuple[str, str]]:
    """What there can be around the regions."""
    always = [("Black and white", GRAY), ("As in Colorize", COLOURING)]
    return [*always, *model_choices.choices(cards, downloads)]


def build_inside(
    cards: Sequence[ModelCard], downloads: bool
) -> tuple[gr.Dropdown, gr.Slider, gr.ColorPicker]:
    """What the region is filled with."""
    with gr.Column(elem_classes="own"):
        inside = gr.Dropdown(
            list_inside(cards, None, downloads), value=DEFAULT_MODEL, label="Inside this region"
        )
        vividness = gr.Slider(*RANGES["vividness"], 1, step=0.05, label="Vividness")
        colour = gr.ColorPicker(FIRST_COLOUR, label="Colour", visible=False)
    return inside, vividness, colour


def build_outside(cards: Sequence[ModelCard], downloads: bool) -> tuple[gr.Dropdown, gr.Slider]:
    """What lies around the regions."""
    with gr.Column(elem_classes="own"):
        outside = gr.Dropdown(
            list_outside(cards, downloads), value=GRAY, label="Outside of all regions"
        )
        vividness = gr.Slider(
            *RANGES["vividness"], 1, step=0.05, label="Vividness outside", visible=False
        )
    return outside, vividness
