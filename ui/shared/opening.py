"""What components get when a page opens: all of them by one event. In the browser an event costs
time with every component that it changes, each is looked for among all of them (update_state() in
the script of Gradio's page)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr

from ui.shared import widgets


class Opening(NamedTuple):
    """What `function` makes of `inputs`, and of the request if its last parameter is named so, is
    put into `outputs`, as in an event of Gradio's."""

    function: Callable[..., Any]
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    often: bool = False  # also when a tab is entered


def offer_choices(component: Any, list_choices: Callable[[], Any]) -> Opening:
    """A component offers what is listed; a model may have been downloaded meanwhile."""
    return Opening(lambda: gr.update(choices=list_choices()), [], [component], often=True)


def wire(blocks: gr.Blocks, tabs: gr.Tabs, openings: Sequence[Opening]) -> None:
    """All of them when the page opens, and those that are to be `often` when a tab is entered."""
    often = [each for each in openings if each.often]
    for listen, some in ((blocks.load, openings), (tabs.select, often)):
        inputs = [component for each in some for component in each.inputs]
        outputs = list(dict.fromkeys(component for each in some for component in each.outputs))
        listen(_make_handler(some, outputs), inputs, outputs, **widgets.QUICK)


def _make_handler(openings: Sequence[Opening], outputs: Sequence[Any]) -> Callable[..., Any]:
    asking = ["request" in inspect.signature(each.function).parameters for each in openings]

    def fill(request: gr.Request, *values: Any) -> list[Any]:
        found: dict[Any, Any] = dict.fromkeys(outputs, gr.skip())
        rest = list(values)
        for each, asks in zip(openings, asking, strict=True):
            given, rest = rest[: len(each.inputs)], rest[len(each.inputs) :]
            if asks:
                given.append(request)
            made = each.function(*given)
            several = made if len(each.outputs) > 1 else [made]
            for component, value in zip(each.outputs, several, strict=True):
                found[component] = _join(found[component], value)
        return [found[component] for component in outputs]

    return fill


def _join(before: Any, value: Any) -> Any:
    """Two openings may change different properties of one component."""
    if before == gr.skip():
        return value
    return _make_update(before) | _make_update(value)


def _make_update(value: Any) -> dict[str, Any]:
    is_update = isinstance(value, dict) and value.get("__type__") == "update"
    update: dict[str, Any] = value if is_update else gr.update(value=value)
    return update
