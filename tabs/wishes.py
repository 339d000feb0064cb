"""The controls of the tab "Prompt": what colours are wished for, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import gradio as gr

from colorize_core.prompted import settings as known
from colorize_core.prompted.settings import CONTROLS, NEGATIVE, PROMPT, Settings

NAMES = tuple(field.name for field in fields(Settings))
TITLES = {
    "canny": "Canny edges",
    "brightness": "Brightness",
    "softedge": "Soft edges",
}
HELP = {
    "canny": "Lines only: free in its colours and its shades.",
    "brightness": "Every shade of the photo, by a network made to recolour.",
    "softedge": "Contours in shades, by a network that looks for objects.",
}
EDGES = ("low", "high", "blur")  # what only Canny edges have
SOMETIMES = (*EDGES, "strength")  # controls that do not always count
_CONTROLS = {control.name: control for control in CONTROLS}


def read(values: Sequence[Any]) -> Settings:
    """What the controls say, in the order of NAMES. Raises OptionError."""
    return Settings(**dict(zip(NAMES, values, strict=True)))


def show(settings: Settings) -> list[Any]:
    """The controls with these settings."""
    visible = dict(zip(SOMETIMES, seen(settings), strict=True))
    return [{**gr.update(value=getattr(settings, n)), **visible.get(n, {})} for n in NAMES]


def seen(settings: Settings) -> list[Any]:
    """The controls of SOMETIMES, there only where they count."""
    edges, first = settings.condition == "canny", settings.start
    return [gr.update(visible=each) for each in (edges, edges, edges, first)]


def speed(fast: bool) -> list[int | float]:
    """Steps and guidance that go with it."""
    chosen = known.QUICK if fast else known.THOROUGH
    return [chosen["steps"], chosen["guidance"]]


def label(settings: Settings) -> str:
    """What a picture follows, and what it begins with."""
    return TITLES[settings.condition] + (", from first colours" if settings.start else "")


def build_words() -> tuple[dict[str, Any], list[tuple[gr.Button, str]]]:
    """The prompt and what helps to find its words."""
    prompt = gr.Textbox(
        PROMPT, label="Prompt", info="Which colours things have, in your words.", lines=3
    )
    with gr.Row(elem_classes="chips"):
        chips = [(gr.Button(phrase, size="sm"), phrase) for phrase in known.PHRASES]
    negative = gr.Textbox(NEGATIVE, label="Negative prompt", info="What is to be kept out.")
    return {"prompt": prompt, "negative": negative}, chips


def build_condition() -> dict[str, Any]:
    """What the drawing follows."""
    condition = gr.Radio(
        [(TITLES[name], name) for name in known.CONDITIONS],
        value=known.CONDITIONS[0],
        label="The drawing follows",
    )
    return {"condition": condition, **{name: slider(name) for name in EDGES}}


def build_drawing() -> dict[str, Any]:
    """How it is drawn."""
    with gr.Row(elem_classes="own"):
        keep = gr.Checkbox(
            True, label="Keep the photo", info="Only colours are taken: every detail stays."
        )
        start = gr.Checkbox(
            False,
            label="Refine first colours",
            info="Those of the built-in model, not noise alone.",
        )
        fast = gr.Checkbox(True, label="Fast", info="Few steps, by LCM-LoRA.")
        variants = slider("variants")
    with gr.Accordion("More settings", open=False, elem_classes="adjust"):
        model = gr.Radio(list(known.MODELS), value=known.MODELS[0], label="Model")
        with gr.Row(elem_classes="own"):
            seed = gr.Number(0, precision=0, label="Seed", info=_CONTROLS["seed"].info)
            rest = {name: slider(name) for name in ("steps", "guidance", "weight")}
            rest |= {name: slider(name) for name in ("strength", "side")}
    one = {"keep": keep, "start": start, "fast": fast, "variants": variants, "model": model}
    return {**one, "seed": seed, **rest}


def slider(name: str) -> gr.Slider:
    control = _CONTROLS[name]
    return gr.Slider(
        control.low,
        control.high,
        control.default,
        step=control.step,
        label=control.label,
        info=control.info,
        visible=name != "strength",
    )
