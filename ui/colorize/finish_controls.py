"""The controls of what is changed once the colours are there, and the picture without that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from colorize_core.imaging.finish import CONTROLS, NO_FINISH, Finish
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.prepare.preparation import NAMES, NO_PREPARATION, PLACES, Preparation
from ui.colorize.session import ColorizeSession
from ui.shared import slider, widgets
from ui.shared.service import Colorization, Service

INFO = {
    "damage": "Hairs and folds, too. It may take a wire for a scratch: compare.",
    "screen": "Takes the dots out. Without dots nothing is changed.",
}
A_ROW = 3  # sliders: light; hues; what goes for the whole picture


def build() -> tuple[list[Any], Any]:
    """An accordion with a choice for each of NAMES, a slider for each of CONTROLS and a checkbox
    whether to compare with the picture without the finish: these, as add_finish() and compare()
    take them; and the event after which they are back where they began."""
    controls = list(CONTROLS.values())
    choices = [(title, place) for place, title in PLACES.items()]
    sliders: list[Any] = []
    with gr.Accordion("Finish", open=False, elem_id="finish", elem_classes="adjust"):
        with gr.Row():
            old = [
                gr.Dropdown(
                    choices, value=getattr(NO_PREPARATION, name), label=title, info=INFO[name]
                )
                for name, title in NAMES.items()
            ]
        for start in range(0, len(controls), A_ROW):
            with gr.Row():
                sliders += map(widgets.build_control, controls[start : start + A_ROW])
        with gr.Row():
            unfinished = gr.Checkbox(
                False,
                label="Compare with unfinished",
                info="Before is then the picture in colour, but without these changes.",
            )
            button = gr.Button("Reset", size="sm", scale=0, min_width=120)
    put_back = button.click(reset, None, [*old, *sliders], **widgets.QUICK)
    return [*old, *sliders, unfinished], put_back


def reset() -> list[Any]:
    """Where all of it begins, which changes nothing."""
    return fill(NO_PREPARATION, NO_FINISH)


def fill(prepare: Preparation, finish: Finish) -> list[Any]:
    """Where the choices and sliders stand for these."""
    return [
        *(getattr(prepare, name) for name in NAMES),
        *(getattr(finish, name) for name in CONTROLS),
    ]


def add_finish(options: Options, *values: Any) -> Options:
    """The options with what the choices and the sliders say. Raises OptionError."""
    places, numbers = values[: len(NAMES)], values[len(NAMES) :]
    prepare = Preparation.read(dict(zip(NAMES, places, strict=True)))
    finish = Finish.read(dict(zip(CONTROLS, numbers, strict=True)))
    return replace(options, prepare=prepare, finish=finish)


def compare(
    service: Service, session: ColorizeSession, result: Colorization, unfinished: bool, task: Task
) -> dict[str, Any]:
    """A result, as the slider takes it: beside the photo before, or beside the same colours without
    the finish, for which no network runs. Raises what Service.colorize() raises."""
    if not unfinished:
        return widgets.compare(result)
    options = replace(result.options, finish=NO_FINISH)
    known = next(
        (each for each in (result, session.plain) if each and each.options == options), None
    )
    if known is None or not known.after.exists():
        known = service.colorize(session.photo, options, task)
    session.plain = known
    return slider.comparison(
        known.after, result.after, result.photo.size, "Unfinished", "the colours without the finish"
    )
