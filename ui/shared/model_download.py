"""A published model, downloaded where it is chosen: what it is, a button, progress and Cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def show_button(cards: Sequence[ModelCard], service: Service) -> dict[str, Any]:
    """The button, where there is something to download and the person may."""
    there = not (service.public or all(map(model_choices.is_here, cards)))
    return gr.update(value=f"Download {model_choices.extent(*cards)}", visible=there)


def build_parts() -> Parts:
    """For a model that is chosen later."""
    with widgets.stage(alone=True) as (busy, cancel):
        needs = gr.HTML(visible=False, elem_classes="needs")
        get = gr.Button("Download", visible=False, size="sm", elem_classes="get")
    return Parts(needs, get, busy, cancel)


# --- under a list of models ---------------------------------------------------------------------


class Handlers(handlers.Handlers):
    """Of a list of models in which some are still to be downloaded. What is chosen is a name or,
    where several can be, a list of names."""

    remark = "remark"

    def __init__(self, service: Service, list_choices: Callable[[], Any]):
        super().__init__(service)
        self.list_choices = list_choices

    def offer(self, chosen: str | list[str]) -> Updates:
        """What is said of the chosen models that are not here, and the button."""
        missing = list_missing(chosen)
        if not missing:
            return {"remark": "", "needs": AWAY, "get": AWAY}
        words = "".join(describe(card, self.service) for card in missing)
        needs = gr.update(value=words, visible=True)
        return {"remark": "", "needs": needs, "get": show_button(missing, self.service)}

    def offer_again(self, chosen: str | list[str]) -> Updates:
        offered = self.offer(chosen)
        offered["model"] = gr.update(choices=self.list_choices())
        del offered["remark"]
        return offered

    def stay(self, chosen: str | list[str]) -> Updates:
        return {**self.offer_again(chosen), "remark": STOPPED}

    @task_handler("remark", failed=offer_again, stopped=stay)
    def fetch(self, task: Task, chosen: str | list[str]) -> Updates:
        """Download what is chosen."""
        for card in list_missing(chosen):
            fetch(self.service, card, task)
        return {**self.offer_again(chosen), "remark": ""}


def list_missing(chosen: str | list[str]) -> list[ModelCard]:
    """The chosen models that are not here."""
    names = [chosen] if isinstance(chosen, str) else chosen
    known = [card for card in model_choices.every() if card.name in names]
    return [card for card in known if not model_choices.is_here(card)]


def build(service: Service, model: Any, list_choices: Callable[[], Any]) -> Any:
    """Lay out what is under a list of models, a gr.Dropdown or a gr.CheckboxGroup, and wire it; the
    event after which what is chosen may be here. `list_choices` is what the list offers."""
    on, parts = Handlers(service, list_choices), build_parts()
    view = View(model=model, needs=parts.needs, get=parts.get, turn=gr.Number(visible=False))
    view.add(remark=gr.HTML(elem_classes="message"))
    offered = ["remark", "needs", "get"]
    model.input(*view.wire(on.offer, model, offered), **widgets.QUICK)
    fetching = view.wire(on.fetch, [view["turn"], model], [*offered, "model"])
    got = parts.get.click(*fetching, **widgets.runs(parts.busy))
    handlers.wire_run(view, on, [got], [parts.cancel])
    return got
