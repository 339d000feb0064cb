"""/pair: two pictures for a blind test of one's own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import gradio as gr

from colorize_core.cards import SEED, Control, ModelCard
from ui.blind import pair
from ui.blind.session import BlindSession, Item
from ui.blind.trials import ORIGINAL, PREFER, REAL, SIDES
from ui.server.sessions import client_id
from ui.shared import endpoints
from ui.shared.service import Service
from ui.shared.widgets import check_value

ANOTHER = -1
SEEDED = Control("seed", "Seed", "", ANOTHER, ANOTHER, SEED.high)
ENDPOINT = f"""Make the two pictures of a round of "Which is real?", for a blind test of one's own.

photo: a picture file; for "{REAL}" one in colour. question: "{REAL}" (the original beside a
colorization of its gray copy) or "{PREFER}" (two models' colours). models: names of models (see
/models), of which those that take part are drawn: at least one, for "{PREFER}" two. seed:
{SEEDED.low:g} to {SEEDED.high:g}; the same one gives the same pair in the same order, {ANOTHER}
another one each time.

Returns A and B, two JPEGs that nothing tells apart but their colours: the same lightness, size,
encoder and number of bytes, about {pair.SIDE} x {pair.SIDE} pixels. Then, as JSON, what they are,
which is not to be shown before the answer: A and B, each a model's name or "original", and seed, of
models that draw their colours. Calling /cancel from the same session stops it."""


class Endpoint:
    """Whose photo it is comes with every call."""

    def __init__(self, service: Service, cards: Sequence[ModelCard]):
        self.service = service
        self.cards = {card.name: card for card in cards}
        self.questions = {question: question for question in (REAL, PREFER)}

    def pair(
        self,
        request: gr.Request,
        photo: dict[str, Any] | None,
        question: str,
        models: list[str],
        seed: int,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> tuple[str, str, dict[str, Any]]:
        """See ENDPOINT."""
        with endpoints.refuse(), self.service.task(client_id(request), progress) as task:
            (asked,) = endpoints.pick("question", [question], self.questions)
            cards = endpoints.pick("models", models, self.cards)
            number = int(SEEDED.read(seed))
            rng = random.SystemRandom() if number == ANOTHER else random.Random(number)
            task.step(0.0, "Reading the photo")
            given = self.service.photo(self.service.upload(photo))
            given.read(task)
            item = Item.open(given)
            session = BlindSession.begin(asked, [item], cards, rng)
            session.show_next(self.service, task)
            assert session.shown is not None
            plan, files = session.shown.plan, []
            for side, data in zip(SIDES, pair.encode_jpegs(session.shown.pictures), strict=True):
                path = self.service.folder.new(f"{side}.jpg")
                path.write_bytes(data)
                files.append(str(path))
            names = ("original" if name == ORIGINAL else name for name in plan.pair)
            return files[0], files[1], {**dict(zip(SIDES, names, strict=True)), "seed": plan.seed}


def build(service: Service, cards: Sequence[ModelCard], models: gr.CheckboxGroup) -> None:
    """`models`: who takes part, of the tab."""
    photo = check_value(gr.Image(label="Photo", type="filepath", visible=False))
    question = gr.Radio([REAL, PREFER], value=REAL, label="Question", visible=False)
    seed = gr.Number(ANOTHER, precision=0, label="Seed", visible=False)
    endpoints.publish(
        Endpoint(service, cards).pair,
        [photo, question, models, seed],
        [endpoints.make_file(), endpoints.make_file(), endpoints.make_table("What they are")],
        ENDPOINT,
        **endpoints.QUEUED,
    )
