"""What more than one tab is made of: the drop zone, the card of a run, the line under a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, ClassVar

import gradio as gr
from gradio.data_classes import ImageData

from colorize_core.cards import SEED, Control
from colorize_core.errors import ColorizeError
from colorize_core.imaging.formats import CHOICES
from colorize_core.options import RANGES
from ui.server.limits import AT_ONCE
from ui.shared import slider
from ui.shared.service import Colorization

LANE = "studio"  # every colorization runs in this lane of the queue
INVITATION = "# Drop a black-and-white photo\nor choose a file, or paste one"
BUSY = "The app has not taken the photo: too many are waiting. Try again in a minute."
NO_FILE = "A picture is given as a file: upload it, and name the path that was answered."
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def runs(card: gr.HTML) -> dict[str, Any]:
    """How an event begins whose first input is its turn, with its progress on that card."""
    return {
        "js": "window.beginRun",
        "show_progress_on": card,
        "concurrency_limit": AT_ONCE,
        "concurrency_id": LANE,
        "api_visibility": "private",
    }


def drop_zone(invitation: str = INVITATION, **options: Any) -> gr.Image:
    """Where a photo is dropped; its value is not decoded by Gradio but by our own code."""
    zone = gr.Image(
        label="Photo",
        show_label=False,
        sources=["upload"],
        type="filepath",
        placeholder=invitation,
        alt_text="The photo being colorized",
        buttons=[],
        elem_classes="drop",
        **options,
    )
    return check_value(zone)


class PhotoValue(ImageData):  # type: ignore[misc]  # Gradio is not checked
    """What a program sends as a picture. Gradio refuses what is none without a word of why."""

    model_config: ClassVar[dict[str, str]] = {"title": ImageData.__name__}  # shown to programs

    @classmethod
    def model_validate(cls, value: Any, **options: Any) -> Any:
        """Raises gr.Error."""
        try:
            return super().model_validate(value, **options)
        except ValueError as error:
            raise gr.Error(NO_FILE, print_exception=False) from error


def check_value(picture: gr.Image) -> gr.Image:
    """The same component, which says what is wrong with a value that is no file."""
    picture.data_model = PhotoValue
    return picture


@contextmanager
def stage(alone: bool = False) -> Iterator[tuple[gr.HTML, gr.Button]]:
    """A place for pictures, over which a run shows its progress: the card, and its Cancel. `alone`:
    without pictures, it takes room only while something runs."""
    with gr.Column(elem_classes=["stage", "alone"] if alone else "stage"):
        card = gr.HTML(elem_classes="busy", render=False)
        cancel = gr.Button("Cancel", elem_classes="cancel", size="sm", render=False)
        yield card, cancel
        card.render()
        cancel.render()


def sliders() -> list[gr.Slider]:
    """Vividness, strength and gain."""
    words = {
        "vividness": "From timid to saturated colours.",
        "strength": "How much colour is put in.",
        "gain": "What the model sees: below 1 for white skies.",
    }
    return [
        gr.Slider(*RANGES[name], 1, step=0.05, label=name.capitalize(), info=info)
        for name, info in words.items()
    ]


def neutralizing() -> gr.Checkbox:
    return gr.Checkbox(True, label="Neutralise tint", info="Take sepia and other tints out first.")


def build_control(control: Control) -> Any:
    """One of a card's controls."""
    words = {"label": control.label, "info": control.info}
    if control.choices:
        return gr.Radio(list(control.choices), value=control.default, **words)
    if control == SEED:
        return gr.Number(control.default, precision=0, **words)
    return gr.Slider(control.low, control.high, control.default, step=control.step, **words)


def status_line(**options: Any) -> gr.HTML:
    """One quiet line on what was done, which is read out when it changes."""
    return gr.HTML(
        "", html_template='<p role="status">${value}</p>', elem_classes="done", **options
    )


def downloads(**options: Any) -> dict[str, gr.Button]:
    """A button for each format."""
    with gr.Row(elem_classes="downloads", **options):
        gr.HTML("Download", elem_classes="downloads-label")
        return {name: gr.Button(name, size="sm") for name in CHOICES}


def compare(result: Colorization) -> dict[str, Any]:
    """A result, as the slider takes it."""
    return slider.comparison(result.before, result.after, result.photo.size)


def note(text: str) -> str:
    """What is worth knowing; nothing where there is nothing."""
    return f"<p>{escape(text)}</p>" if text else ""


def alert(error: ColorizeError | str) -> str:
    """What went wrong, read out at once."""
    return f'<p role="alert">{escape(str(error))}</p>'
