"""What programs call: the tabs' main actions under names of their own.

They do what the page does, with its code, and refuse in its words. Their names are also those of
the tools of the MCP server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import gradio as gr
from gradio.data_classes import JsonData

from colorize_core.cards import Value
from colorize_core.errors import ColorizeError, OptionError
from colorize_core.sizes import format_number
from ui.server.limits import AT_ONCE
from ui.shared import model_choices
from ui.shared.widgets import LANE

T = TypeVar("T")
QUEUED: dict[str, Any] = {
    "preprocess": False,  # files are checked by Studio.upload(), values by our own code
    "concurrency_limit": AT_ONCE,
    "concurrency_id": LANE,
}


@contextmanager
def refuse() -> Iterator[None]:
    """What is refused on the page is refused here in the same words. No page shows them: they are
    plain text."""
    try:
        yield
    except ColorizeError as error:
        raise gr.Error(str(error), print_exception=False) from error


def publish(
    function: Callable[..., Any],
    inputs: Sequence[Any] | None,
    outputs: Sequence[Any] | None,
    description: str,
    **options: Any,
) -> None:
    """An endpoint with the function's name and parameters. Nothing on the page triggers it.

    No other event of the app may have that name, or Gradio adds a number to it.
    """
    name, about = function.__name__, join_lines(description)
    gr.on([], function, inputs, outputs, api_name=name, api_description=about, **options)


def join_lines(text: str) -> str:
    """A line a paragraph, whatever the lengths of the names and numbers in it."""
    return "\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def make_file() -> gr.File:
    """A result."""
    return gr.File(label="Result", visible=False)


def make_text(label: str = "What was done") -> gr.Textbox:
    return gr.Textbox(label=label, visible=False)


class Rows(JsonData):  # type: ignore[misc]  # Gradio is not checked
    """MCP clients are sent str() of a value: of this it is JSON."""

    def __str__(self) -> str:
        return str(self.model_dump_json())


def make_table(label: str) -> gr.JSON:
    """A list of objects."""
    made = gr.JSON(label=label, visible=False)
    made.postprocess = Rows  # of a component's subclass, Gradio writes stubs beside the source
    return made


def format_choice(formats: Iterable[str], first: str) -> gr.Radio:
    return gr.Radio(list(formats), value=first, label="Format", visible=False)


def pick(name: str, given: Any, known: Mapping[str, T]) -> list[T]:
    """The values of the known names that are given. Raises OptionError for another one."""
    some = given if isinstance(given, list | tuple) else [given]
    asked = [format_number(each) if isinstance(each, int | float) else str(each) for each in some]
    if strange := [each for each in asked if each not in known]:
        raise OptionError(f"{name} has {', '.join(strange)}; known are: {', '.join(known)}.")
    return [known[each] for each in asked]


def parse_controls(model: str, text: Any) -> dict[str, Value]:
    """What "seed=3,temperature=0.9" asks of the model's own controls; of one name the last counts.

    Raises OptionError for a name that it does not have, or a value that is not allowed.
    """
    card = next((card for card in model_choices.every() if card.name == model), None)
    if card is None:
        return {}  # load() says which models there are
    known = {control.name: control for control in card.controls}
    chosen = {}
    for pair in filter(None, map(str.strip, str(text or "").split(","))):
        name, equals, value = map(str.strip, pair.partition("="))
        if name not in known or not equals:
            there = "; ".join(f"{each.name} ({each.allowed})" for each in known.values())
            raise OptionError(
                f"options has {pair!r}; as NAME=VALUE the model {model} has of its own: "
                f"{there or 'none'}."
            )
        chosen[name] = known[name].parse(value)
    return chosen
