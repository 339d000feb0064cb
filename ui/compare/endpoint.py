"""/compare: one photo through several models, with the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from colorize_core.cards import Control, ModelCard
from colorize_core.evaluate import comparison
from colorize_core.metrics import METRICS
from colorize_core.models.runner import Task
from ui.compare import exports
from ui.compare.permalink import MOST_SEEDS, VIVIDNESS
from ui.compare.run import compare
from ui.compare.session import CompareSession
from ui.server.sessions import client_id
from ui.shared import endpoints
from ui.shared.service import Service

ENDPOINT = f"""Colour one photo with several models and judge them, side by side.

photo: a picture file. One in colour is shown to the models without it, and what they make is scored
against it; of one in black and white there are only the scores that need no truth. models: names of
models (see /models). vividness: a list of {", ".join(f'"{v:g}"' for v in VIVIDNESS)}; each makes a
picture of each model. seeds: 1 to {MOST_SEEDS}, how many pictures of models that draw their
colours. metrics: names of metrics: {", ".join(each.name for each in METRICS)}. Those whose network
is not on the machine download it once: {", ".join(m.name for m in METRICS if m.download)}. At most
{comparison.MOST} pictures are made at a time; a photo of more than a megapixel is shrunk first.

Returns the grid, a PNG with captions, and the table as CSV: a row for each picture, the gray photo
and the mean colour among them, and `remark` says why a figure is missing or a model has failed.
An unknown name is refused with the known ones. Calling /cancel from the same session stops it."""

SEEDS = Control("seeds", "Seeds", "", 1, 1, MOST_SEEDS)
LEVELS = {f"{level:g}": level for level in VIVIDNESS}


class Endpoint:
    """Whose photo it is comes with every call."""

    def __init__(self, service: Service, cards: Sequence[ModelCard]):
        self.service = service
        self.cards = cards

    def compare(
        self,
        request: gr.Request,
        photo: dict[str, Any] | None,
        models: list[str],
        vividness: list[str],
        seeds: int,
        metrics: list[str],
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> tuple[str, str]:
        """See ENDPOINT."""
        with endpoints.refuse(), self.service.task(client_id(request), progress) as task:
            names = endpoints.pick("models", models, {card.name: card.name for card in self.cards})
            levels = endpoints.pick("vividness", vividness, LEVELS)
            wanted = endpoints.pick("metrics", metrics, {each.name: each for each in METRICS})
            planned = comparison.plan(self.cards, names, levels, int(SEEDS.read(seeds)))
            task.step(0.0, "Reading the photo")
            given = self.service.photo(self.service.upload(photo))
            given.read(task)
            session = CompareSession.open(given, self.service)
            session.planned = planned
            session.metrics = tuple(each for each in METRICS if each in wanted)
            self._fill(session, task)
            return str(exports.grid_png(session, self.service.folder)), exports.table(session)

    def _fill(self, session: CompareSession, task: Task) -> None:
        session.running = True
        for step in compare(self.service, session, task):
            task.step(step.share, step.words or "Scoring")
        session.running = False


def build(
    service: Service, cards: Sequence[ModelCard], photo: gr.Image, settings: Sequence[Any]
) -> None:
    """`settings`: models, vividness, seeds and metrics of the tab."""
    models, _, seeds, metrics = settings
    # The tab's own has numbers, which Gradio says are texts: callers that check could send neither.
    vividness = gr.CheckboxGroup(list(LEVELS), value=["1"], label="Vividness", visible=False)
    endpoints.publish(
        Endpoint(service, cards).compare,
        [photo, models, vividness, seeds, metrics],
        [endpoints.make_file(), endpoints.make_text("Table, CSV")],
        ENDPOINT,
        **endpoints.QUEUED,
    )
