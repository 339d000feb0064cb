"""A published model, downloaded where it is chosen: what it is, a button, progress and Cancel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.models.runner import Task
from ui.shared import handlers, model_choices, widgets
from ui.shared.handlers import AWAY, Updates, View, task_handler
from ui.shared.service import Service, tell_owner

STOPPED = "<p>Stopped. What is here stays: the download goes on from there.</p>"


@dataclass(frozen=True)
class Parts:
    """What is on the page of one download."""

    needs: gr.HTML
    get: gr.Button
    busy: gr.HTML
    cancel: gr.Button


def by_hand(model: str) -> str:
    """The command that fetches a model's weights."""
    return f"python -m colorize_core weights fetch {model}"


def fetch(service: Service, card: ModelCard, task: Task) -> None:
    """Download a model's weights, which goes on where it was stopped. Raises WeightsError, also in
    public, and Cancelled."""
    service.check_download(card.title, by_hand(card.name))
    checkpoints.fetch(card.weights, task.report_bytes, task.stopped)


def describe(card: ModelCard, service: Service) -> str:
    """Where its weights come from; in public, who can download them; and whether they can be
    had."""
    origin = " and ".join(dict.fromkeys(file.origin for file in card.weights))
    words = f"Weights from {origin}: {model_choices.extent(card)}, licence {card.licence}."
    if not model_choices.is_here(card):
        if service.public:
            words += f" {tell_owner(card.title, by_hand(card.name))}"
        elif checkpoints.are_out_of_reach(card.weights):
            words += " Not to be had offline."
    return f"<p>{escape(words)}</p>"


def show_button(card: ModelCard, service: Service) -> dict[str, Any]:
    """The button, where there is something to download and the person may."""
    there = not (service.public or model_choices.is_here(card))
    return gr.update(value=f"Download {model_choices.extent(card)}", visible=there)


def build_parts(service: Service, card: ModelCard | None = None) -> Parts:
    """For that model, or for one that is chosen later."""
    with widgets.stage(alone=True) as (busy, cancel):
        words = describe(card, service) if card else ""
        needs = gr.HTML(words, visible=bool(card), elem_classes="needs")
        shown = show_button(card, service) if card else {"value": "Download", "visible": False}
        get = gr.Button(shown["value"], visible=shown["visible"], size="sm", elem_classes="get")
    return Parts(needs, get, busy, cancel)


# --- under a list of models ---------------------------------------------------------------------


class Handlers(handlers.Handlers):
    """Of a list of models in which some are still to be downloaded."""

    remark = "remark"

    def __init__(self, service: Service, cards: Sequence[ModelCard]):
        super().__init__(service)
        self.cards = cards

    def offer(self, model: str) -> Updates:
        """What is said of the chosen model, and the button, where it is not here."""
        card = next((each for each in self.cards if each.name == model), None)
        if card is None or model_choices.is_here(card):
            return {"remark": "", "needs": AWAY, "get": AWAY}
        needs = gr.update(value=describe(card, self.service), visible=True)
        return {"remark": "", "needs": needs, "get": show_button(card, self.service)}

    def list_choices(self) -> dict[str, Any]:
        """What can be chosen now; in public, nothing that is to be downloaded."""
        return gr.update(choices=model_choices.choices(self.cards, not self.service.public))

    def offer_again(self, model: str) -> Updates:
        offered = self.offer(model)
        return {"needs": offered["needs"], "get": offered["get"], "model": self.list_choices()}

    def stay(self, model: str) -> Updates:
        return {**self.offer_again(model), "remark": STOPPED}

    @task_handler("remark", failed=offer_again, stopped=stay)
    def fetch(self, task: Task, model: str) -> Updates:
        """Download the chosen model."""
        card = next(each for each in self.cards if each.name == model)
        fetch(self.service, card, task)
        return {**self.offer(model), "model": self.list_choices()}


def build(service: Service, model: gr.Dropdown, cards: Sequence[ModelCard]) -> Any:
    """Lay out what is under that list of models, and wire it; the event after which the chosen
    model may be here."""
    on, parts = Handlers(service, cards), build_parts(service)
    view = View(model=model, needs=parts.needs, get=parts.get, turn=gr.Number(visible=False))
    view.add(remark=gr.HTML(elem_classes="message"))
    offered = ["remark", "needs", "get"]
    model.input(*view.wire(on.offer, model, offered), **widgets.QUICK)
    fetching = view.wire(on.fetch, [view["turn"], model], [*offered, "model"])
    got = parts.get.click(*fetching, **widgets.runs(parts.busy))
    handlers.wire_run(view, on, [got], [parts.cancel])
    return got
