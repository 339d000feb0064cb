"""ui.shared.opening: what components get when a page opens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ui.shared import opening
from ui.shared.opening import Opening, offer_choices

REQUEST = SimpleNamespace(query_params={"models": "sagan"})
MODELS, COUNT, TABLE, KEPT = "models", "count", "table", "kept"  # stand for components


class Listener:
    """An event that remembers what is to happen."""

    def __call__(
        self, function: Any, inputs: list[Any], outputs: list[Any], **options: Any
    ) -> None:
        self.function, self.inputs, self.outputs, self.options = function, inputs, outputs, options

    def fire(self, *values: Any) -> dict[Any, Any]:
        return dict(zip(self.outputs, self.function(REQUEST, *values), strict=True))


def read_link(kept: str, request: Any) -> list[Any]:
    return [[request.query_params["models"]], f"{kept} and one"]


OPENINGS = [
    Opening(read_link, [KEPT], [MODELS, COUNT]),
    Opening(lambda: "a table", [], [TABLE]),
    offer_choices(MODELS, lambda: ["autochrome", "sagan"]),
]


@pytest.fixture
def listeners() -> tuple[Listener, Listener]:
    """Of the opening of the page, and of the choice of a tab."""
    load, select = Listener(), Listener()
    opening.wire(SimpleNamespace(load=load), SimpleNamespace(select=select), OPENINGS)  # type: ignore[arg-type]
    return load, select


def test_a_page_opens_with_one_event(listeners: tuple[Listener, Listener]) -> None:
    load, _ = listeners
    assert (load.inputs, load.outputs) == ([KEPT], [MODELS, COUNT, TABLE])
    filled = load.fire("mine")
    assert (filled[COUNT], filled[TABLE]) == ("mine and one", "a table")


def test_of_one_component_different_properties_may_change(
    listeners: tuple[Listener, Listener],
) -> None:
    choices = ["autochrome", "sagan"]
    both = gr.update(value=["sagan"], choices=choices)
    assert listeners[0].fire("")[MODELS] == both
    load = Listener()
    backwards = OPENINGS[::-1]
    opening.wire(SimpleNamespace(load=load), SimpleNamespace(select=Listener()), backwards)  # type: ignore[arg-type]
    assert load.fire("")[MODELS] == both


def test_a_tab_that_is_entered_offers_what_is_there_now(
    listeners: tuple[Listener, Listener],
) -> None:
    _, select = listeners
    assert (select.inputs, select.outputs) == ([], [MODELS])
    assert select.fire() == {MODELS: gr.update(choices=["autochrome", "sagan"])}
