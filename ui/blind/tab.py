"""The tab "Which is real?": blind tests of the models, on photos that the person gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.cards import ModelCard
from colorize_core.errors import Cancelled, ColorizeError, OptionError, PictureError
from ui.blind import endpoint, pair, result_tables
from ui.blind.session import BlindSession, Item
from ui.blind.trials import (
    CHOICE_COLUMNS,
    NEITHER,
    ORIGINAL,
    PREFER,
    REAL,
    SIDES,
    TRIAL_COLUMNS,
    Choice,
    Results,
    Trial,
    as_csv,
)
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, widgets
from ui.shared.handlers import Running
from ui.shared.service import Service

TITLE = "Which is real?"
MOST_PHOTOS = 200
# Where the browser keeps the results. They are nobody's secret: the key only has to stay the same,
# so that another start of the app can read them.
STORAGE_KEY, STORAGE_SECRET = "autochrome-studio-blind-tests", "results-are-open"
QUESTIONS = {REAL: "Which is real?", PREFER: "Which do you prefer?"}
FILES = {REAL: "which-is-real.csv", PREFER: "which-do-you-prefer.csv"}
WORDS = {
    REAL: "An original and a colorization of its gray copy, in random order: find the original. "
    "For colour photographs, best those that you do not know.",
    PREFER: "Two models' colours for the same photo, without their names: choose the better ones. "
    "For photographs in colour or in black and white.",
}
THUMBS = 12  # of the photos, that many are shown
AWAY = gr.update(visible=False)
THERE = gr.update(visible=True)


class Handlers(Running):
    """What the controls do. Whose photos and results they are comes with every call."""

    def __init__(
        self,
        service: Service,
        examples: Sequence[Path],
        cards: Sequence[ModelCard],
        rng: random.Random | None = None,
    ):
        super().__init__(service)
        self.examples = examples
        self.cards = cards
        self.titles = {card.name: card.title for card in cards}
        self.rng = rng or random.SystemRandom()

    # --- before the rounds ----------------------------------------------------------------------

    def take(
        self,
        turn: float,
        files: Any,
        album: list[Item] | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[Any]:
        """Add the photos that were dropped."""
        try:
            paths = [self.service.upload(file) for file in files or ()]
        except PictureError as error:
            return [widgets.said(error)] + [gr.skip()] * 6
        return self._take(turn, paths, album or [], request, progress)

    def take_examples(
        self,
        turn: float,
        album: list[Item] | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Add the photos that ship with the app."""
        return self._take(turn, self.examples, album or [], request, progress)

    def _take(
        self, turn: float, paths: Sequence[Path], album: list[Item], request: Any, progress: Any
    ) -> list[Any]:
        """What `place` in build() becomes with these photos; a bad one is left out and named."""
        taken, faults = list(album), []
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                for i, path in enumerate(paths):
                    task.step(i / len(paths), f"Looking at photo {i + 1} of {len(paths)}")
                    try:
                        add(taken, path)
                    except (PictureError, OptionError) as error:
                        faults.append(str(error))
        except Cancelled:
            return [gr.skip(), gr.update(value=None)] + [gr.skip()] * 5
        except ColorizeError as error:
            faults.append(str(error))
        message = "".join(map(widgets.said, faults))
        return [message, *chosen(taken)]

    def reset(self) -> list[Any]:
        """Back to the empty drop zone."""
        return ["", *chosen([])]

    # --- the rounds -----------------------------------------------------------------------------

    def start(
        self,
        turn: float,
        question: str,
        models: list[str],
        album: list[Item] | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The first pair, in the place of the choices."""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                cards = [card for card in self.cards if card.name in models]
                session = BlindSession.begin(question, album or [], cards, self.rng)
                session.next(self.service, task)
        except Cancelled:
            return [gr.skip()] * 6
        except ColorizeError as error:
            return [gr.skip(), widgets.said(error)] + [gr.skip()] * 4
        return ["", "", AWAY, THERE, session.asked, session]

    def back(self) -> list[Any]:
        """To the choices again; the photos are still there."""
        return ["", "", THERE, AWAY, None, None]

    def go_on(
        self,
        turn: float,
        session: BlindSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The next pair, once this one is answered."""
        if session is None or not session.answered:
            return [gr.skip(), gr.skip()]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                session.next(self.service, task)
        except Cancelled:
            return [gr.skip(), gr.skip()]
        except ColorizeError as error:
            return [widgets.said(error), gr.skip()]
        return ["", session.asked]

    def prepare(self, turn: float, session: BlindSession | None, request: gr.Request) -> None:
        """Make the next pair while this one is looked at."""
        if session is None:
            return
        try:
            with self.service.task(client_id(request), None, turn) as task:
                session.prepare(self.service, task)
        except ColorizeError:
            return  # stopped; or go_on() will meet the same fault, and say it

    def answer(self, session: BlindSession | None, kept: Any, event: gr.EventData) -> list[Any]:
        """The person has chosen: what the pictures were, and the round among the results."""
        if session is None or session.shown is None or session.answered:
            return [gr.skip(), gr.skip()]
        session.answered = True
        results = Results.read(kept)
        index, seconds = int(event.index), round(max(0.0, float(event.seconds)), 2)
        if session.question == PREFER:
            choice = prefer(session, (*SIDES, NEITHER)[index % 3], seconds)
            results = Results(results.trials, (*results.choices, choice))
            words = self._preferred(choice)
        else:
            trial = guess(session, SIDES[index % 2], seconds, results.trials)
            results = Results((*results.trials, trial), results.choices)
            words = self._verdict(trial)
        captions = [caption(name, self.titles) for name in session.shown.plan.pair]
        return [pair.answered(session.asked, captions, index % 3, words), results.kept()]

    def _verdict(self, trial: Trial) -> str:
        """Who was right, and why a round may not count."""
        other = SIDES[trial.side == SIDES[0]]
        words = (
            f"Right: {trial.side} is the photograph."
            if trial.right
            else (f"Fooled: {trial.side} is the photograph.")
        )
        if trial.catch:
            return f"{words} {other} had wrong colours on purpose, to see whether you look."
        words += f" {other} is by {self.titles[trial.model]}."
        if trial.seen:
            words += " You had seen this photo in colour before, so this round does not count."
        return words

    def _preferred(self, choice: Choice) -> str:
        a, b = self.titles[choice.a], self.titles[choice.b]
        if choice.choice == NEITHER:
            return f"No preference: A is by {a}, B by {b}."
        won, lost = (a, b) if choice.choice == SIDES[0] else (b, a)
        return f"You prefer {won} to {lost}."

    # --- the results ----------------------------------------------------------------------------

    def recall(self, question: str, kept: Any) -> list[Any]:
        """The results of that question, and what can be done with them."""
        results = Results.read(kept)
        shown = result_tables.table(question, results, self.titles)
        return [WORDS[question], shown, gr.update(visible=bool(results)), AWAY]

    def ask(self, kept: Any) -> list[Any]:
        """Whether the results are really to go."""
        count = len(Results.read(kept))
        rounds = "the one round" if count == 1 else f"all {count} rounds"
        return [
            AWAY,
            THERE,
            f"<p>Clear {rounds} of both questions? They are kept nowhere else.</p>",
        ]

    def clear(self) -> dict[str, Any]:
        """No results any more."""
        return Results().kept()

    def download(self, question: str, kept: Any) -> str:
        """All rounds of that question as a CSV file."""
        results = Results.read(kept)
        path = self.service.folder.new(FILES[question])
        text = (
            as_csv(CHOICE_COLUMNS, results.choices)
            if question == PREFER
            else as_csv(TRIAL_COLUMNS, results.trials)
        )
        path.write_text(text, encoding="utf-8", newline="")
        return str(path)


def add(album: list[Item], path: Path) -> None:
    """Raises PictureError or OptionError. A photo that is there already is not added again."""
    if len(album) >= MOST_PHOTOS:
        raise OptionError(f"{path.name} was left out: {MOST_PHOTOS} photos are the most at a time.")
    item = Item.open(path)
    if item.key not in {each.key for each in album}:
        album.append(item)


def chosen(album: list[Item]) -> list[Any]:
    """Drop zone, samples, row of the photos, what is in it, album and start button."""
    coloured = sum(item.coloured for item in album)
    count = "1 photo" if len(album) == 1 else f"{len(album)} photos"
    words = f"{count}, {coloured or 'none'} in colour" if album else ""
    small = "".join(
        f'<img src="{item.thumb}" alt="{escape(item.path.name)}">' for item in album[:THUMBS]
    )
    zone = gr.update(value=None, visible="hidden" if album else True)
    there = gr.update(visible=bool(album))
    return [
        zone,
        gr.update(visible=not album),
        there,
        f"<div>{small}</div><p>{words}</p>",
        album,
        there,
    ]


def caption(name: str, titles: dict[str, str]) -> str:
    """What a picture is, once that may be known."""
    return "The photograph" if name == ORIGINAL else titles.get(name, "Wrong colours")


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def guess(session: BlindSession, side: str, seconds: float, before: Sequence[Trial]) -> Trial:
    """The round that was just answered."""
    assert session.shown is not None
    plan, item = session.shown.plan, session.shown.item
    real = SIDES[plan.pair.index(ORIGINAL)]
    seen = any(trial.key == item.key for trial in before)
    name = item.path.name
    return Trial(now(), name, item.key, plan.model, real, side, plan.catch, seen, seconds)


def prefer(session: BlindSession, choice: str, seconds: float) -> Choice:
    """The round that was just answered."""
    assert session.shown is not None
    return Choice(now(), session.shown.item.path.name, *session.shown.plan.pair, choice, seconds)


def build(service: Service, cards: Sequence[ModelCard] | None = None) -> list[widgets.Picker]:
    """Lay the tab out and wire it; where models are picked. `cards` are those of all models if not
    given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)
    album = gr.State(None, time_to_live=KEEP_SECONDS)
    session = gr.State(None, time_to_live=KEEP_SECONDS)
    kept = gr.BrowserState(Results().kept(), storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(elem_classes="message")
    with gr.Column(elem_classes="setup") as setup:
        with gr.Row(elem_classes="own"):
            question = gr.Radio(
                [(title, name) for name, title in QUESTIONS.items()], value=REAL, label="Question"
            )
        intro = gr.HTML(WORDS[REAL], html_template="<p>${value}</p>", elem_classes="summary")
        with widgets.stage() as (opening, cancel_opening):
            zone = gr.File(
                file_count="multiple",
                label="Photos",
                show_label=False,
                elem_classes=["drop", "several"],
            )
        samples = gr.Button(
            f"Take the {len(examples)} examples",
            size="sm",
            visible=bool(examples),
            elem_classes="go",
        )
        with gr.Row(visible=False, elem_classes="chosen album") as row:
            photos = gr.HTML()
            again = gr.Button("Other photos", size="sm")
        with gr.Accordion("Models", open=False, elem_classes="adjust"):
            models = build_models(cards)
        go = gr.Button("Start", variant="primary", elem_classes="go", visible=False)
    remark = gr.HTML(elem_classes="message")
    with widgets.stage() as (busy, cancel):
        shown = pair.build()
    with gr.Row(visible=False, elem_classes="actions") as bar:
        leave = gr.Button("Photos and models", size="sm")
    build_results(on, question, intro, kept)
    endpoint.build(service, cards, models)

    place = [message, zone, samples, row, photos, album, go]
    view = [message, remark, setup, bar, shown, session]
    taking, run = widgets.runs(opening), widgets.runs(busy)
    for taken in (
        zone.upload(on.take, [turn, zone, album], place, preprocess=False, **taking),
        samples.click(on.take_examples, [turn, album], place, **taking),
    ):
        taken.failure(on.fail, None, message, **widgets.QUICK)
    again.click(on.reset, None, place, **widgets.QUICK)
    leave.click(on.back, None, view, **widgets.QUICK)
    for asked in (
        go.click(on.start, [turn, question, models, album], view, **run),
        shown.submit(on.go_on, [turn, session], [remark, shown], **run),
    ):
        asked.failure(on.fail, None, remark, **widgets.QUICK)
        asked.success(on.prepare, [turn, session], None, **{**run, "show_progress": "hidden"})
    shown.select(on.answer, [session, kept], [shown, kept], **widgets.QUICK)
    for button, words in ((cancel, remark), (cancel_opening, message)):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    return [widgets.picker(models, cards)]


def build_models(cards: Sequence[ModelCard]) -> gr.CheckboxGroup:
    """Who takes part."""
    slow = " and ".join(card.title for card in cards if card.sampled)
    return gr.CheckboxGroup(
        model_choices.choices(cards),
        value=[card.name for card in model_choices.here(cards)],
        label="Who takes part",
        info=f"{slow} draw step by step: their rounds take longest to prepare." if slow else None,
        show_select_all=True,
    )


def build_results(on: Handlers, question: gr.Radio, intro: gr.HTML, kept: gr.BrowserState) -> None:
    """The results and their buttons, which follow what the browser keeps."""
    table = gr.HTML(elem_classes="card results")
    with gr.Row(visible=False, elem_classes="actions") as tools:
        gr.HTML("Kept in this browser only.", elem_classes="done")
        save = gr.Button("Download CSV", size="sm")
        wipe = gr.Button("Clear results", size="sm")
    with gr.Row(visible=False, elem_classes="actions") as confirm:
        sure = gr.HTML(elem_classes="done")
        yes = gr.Button("Clear", size="sm", variant="stop")
        no = gr.Button("Keep", size="sm")
    finished = gr.DownloadButton(visible="hidden")

    results = [intro, table, tools, confirm]
    gr.on(None, on.recall, [question, kept], results, **widgets.QUICK)  # also when the page opens
    wipe.click(on.ask, kept, [tools, confirm, sure], **widgets.QUICK)
    yes.click(on.clear, None, kept, **widgets.QUICK)
    no.click(on.recall, [question, kept], results, **widgets.QUICK)
    saved = save.click(on.download, [question, kept], finished, **widgets.QUICK)
    saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
