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
from colorize_core.errors import Cancelled, ColorizeError, OptionError
from colorize_core.models.runner import Task
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
    write_csv,
)
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, handlers, model_choices, widgets
from ui.shared.handlers import AWAY, THERE, Updates, View, task_handler, wire_run
from ui.shared.opening import Opening, offer_choices
from ui.shared.photo import OpenPhoto
from ui.shared.service import Service, in_words

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
EXAMPLES = {REAL: "Take the examples in colour", PREFER: "Take the examples"}
KNOWN = (
    "<p>You have seen all of these photos in colour before, so these rounds do not count. Other "
    "photos do.</p>"
)
THUMBS = 12  # of the photos, that many are shown


def empty_zone(*_: Any) -> Updates:
    """What was dropped is not taken."""
    return {"zone": gr.update(value=None)}


class Handlers(handlers.Handlers):
    """What the controls do. Whose photos and results they are comes with every call."""

    remark = "remark"

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

    @task_handler(stopped=empty_zone)
    def take(self, task: Task, files: Any, album: list[Item] | None) -> Updates:
        """Add the photos that were dropped."""
        return self._take([self.service.upload(file) for file in files or ()], album, task)

    @task_handler(stopped=empty_zone)
    def take_examples(self, task: Task, question: str, album: list[Item] | None) -> Updates:
        """Add the photos that ship with the app: those of which that question can be asked."""
        return self._take(self.examples, album, task, coloured=question == REAL)

    def _take(
        self,
        paths: Sequence[Path],
        album: list[Item] | None,
        task: Task,
        coloured: bool = False,
    ) -> Updates:
        """A photo that cannot be taken is left out and named; `coloured`: only those in colour."""
        taken, faults = list(album or ()), []
        for i, path in enumerate(paths):
            task.step(i / len(paths), f"Looking at photo {i + 1} of {len(paths)}")
            try:
                with in_words():
                    photo = self.service.photo(path)
                    photo.read(task)
                    if photo.coloured or not coloured:
                        add(taken, photo)
            except Cancelled:
                raise
            except ColorizeError as error:
                faults.append(widgets.alert(error))
        return {"message": "".join(faults), **show_album(taken)}

    def reset(self) -> Updates:
        """Back to the empty drop zone."""
        return {"message": "", **show_album([])}

    # --- the rounds -----------------------------------------------------------------------------

    @task_handler("remark")
    def start(
        self,
        task: Task,
        question: str,
        models: list[str],
        album: list[Item] | None,
        kept: Any,
    ) -> Updates:
        """The first pair, in the place of the choices."""
        cards = [card for card in self.cards if card.name in models]
        session = BlindSession.begin(question, album or [], cards, self.rng)
        session.show_next(self.service, task)
        seen = {trial.key for trial in Results.read(kept).trials}
        known = question == REAL and all(item.key in seen for item in session.items)
        place = {"setup": AWAY, "bar": THERE, "remark": KNOWN if known else ""}
        return {"message": "", **place, "shown": session.asked, "session": session}

    def back(self) -> Updates:
        """To the choices again; the photos are still there."""
        place = {"setup": THERE, "bar": AWAY}
        return {"message": "", "remark": "", **place, "shown": None, "session": None}

    @task_handler("remark")
    def go_on(self, task: Task, session: BlindSession | None) -> Updates:
        """The next pair, once this one is answered."""
        if session is None or not session.answered:
            return {}
        if session.finished:
            return {"remark": summarize(session.trials, self.titles), "shown": None}
        session.show_next(self.service, task)
        return {"remark": "", "shown": session.asked}

    @task_handler("remark", failed=lambda *_: {"remark": gr.skip()})  # go_on() will say it
    def prepare(self, task: Task, session: BlindSession | None) -> Updates:
        """Make the next pair while this one is looked at."""
        if session is not None:
            session.prepare(self.service, task)
        return {}

    def answer(self, session: BlindSession | None, kept: Any, event: gr.EventData) -> Updates:
        """The person has chosen: what the pictures were, and the round among the results."""
        if session is None or session.shown is None or session.answered:
            return {}
        session.answered = True
        results = Results.read(kept)
        index, seconds = int(event.index), round(max(0.0, float(event.seconds)), 2)
        if session.question == PREFER:
            choice = prefer(session, (*SIDES, NEITHER)[index % 3], seconds)
            results = Results(results.trials, (*results.choices, choice))
            words = self._describe_choice(choice)
        else:
            trial = guess(session, SIDES[index % 2], seconds, results.trials)
            session.trials.append(trial)
            results = Results((*results.trials, trial), results.choices)
            words = self._describe_trial(trial)
        captions = [name_picture(name, self.titles) for name in session.shown.plan.pair]
        shown = pair.reveal(session.asked, captions, index % 3, words, session.finished)
        return {"shown": shown, "kept": results.dump()}

    def _describe_trial(self, trial: Trial) -> str:
        """Who was right, and why a round may not count."""
        other = SIDES[trial.side == SIDES[0]]
        words = (
            f"Right: {trial.side} is the photograph."
            if trial.right
            else f"Fooled: {trial.side} is the photograph."
        )
        if trial.catch:
            return f"{words} {other} had wrong colours on purpose, to see whether you look."
        words += f" {other} is by {self.titles[trial.model]}."
        if trial.seen:
            words += " You had seen this photo in colour before, so this round does not count."
        return words

    def _describe_choice(self, choice: Choice) -> str:
        a, b = self.titles[choice.a], self.titles[choice.b]
        if choice.choice == NEITHER:
            return f"No preference: A is by {a}, B by {b}."
        won, lost = (a, b) if choice.choice == SIDES[0] else (b, a)
        return f"You prefer {won} to {lost}."

    # --- the results ----------------------------------------------------------------------------

    def recall(self, question: str, kept: Any) -> Updates:
        """The results of that question, and what can be done with them."""
        results = Results.read(kept)
        return {
            "intro": WORDS[question],
            "samples": EXAMPLES[question],
            "table": result_tables.build_table(question, results, self.titles),
            "tools": gr.update(visible=bool(results)),
            "confirm": AWAY,
        }

    def ask(self, kept: Any) -> Updates:
        """Whether the results are really to go."""
        count = len(Results.read(kept))
        rounds = "the one round" if count == 1 else f"all {count} rounds"
        words = f"<p>Clear {rounds} of both questions? They are kept nowhere else.</p>"
        return {"tools": AWAY, "confirm": THERE, "sure": words}

    def clear(self) -> Updates:
        """No results any more."""
        return {"kept": Results().dump()}

    def download(self, question: str, kept: Any) -> Updates:
        """All rounds of that question as a CSV file."""
        results = Results.read(kept)
        path = self.service.folder.new(FILES[question])
        text = (
            write_csv(CHOICE_COLUMNS, results.choices)
            if question == PREFER
            else write_csv(TRIAL_COLUMNS, results.trials)
        )
        path.write_text(text, encoding="utf-8", newline="")
        return {"finished": str(path)}


def add(album: list[Item], photo: OpenPhoto) -> None:
    """Raises PictureError or OptionError. A photo that is there already is not added again."""
    if len(album) >= MOST_PHOTOS:
        name = photo.path.name
        raise OptionError(f"{name} was left out: {MOST_PHOTOS} photos are the most at a time.")
    item = Item.open(photo)
    if item.key not in {each.key for each in album}:
        album.append(item)


def show_album(album: list[Item]) -> Updates:
    """The photos that were taken, and the button that starts, where there are any."""
    coloured = sum(item.coloured for item in album)
    count = "1 photo" if len(album) == 1 else f"{len(album)} photos"
    words = f"{count}, {coloured or 'none'} in colour" if album else ""
    small = "".join(
        f'<img src="{item.thumb}" alt="{escape(item.photo.path.name)}">' for item in album[:THUMBS]
    )
    there = gr.update(visible=bool(album))
    return {
        "zone": gr.update(value=None, visible="hidden" if album else True),
        "samples": gr.update(visible=not album),
        "row": there,
        "photos": f"<div>{small}</div><p>{words}</p>",
        "album": album,
        "go": there,
    }


def summarize(trials: Sequence[Trial], titles: dict[str, str]) -> str:
    """What is said when every photo was shown."""
    counted = [trial for trial in trials if not trial.catch]
    right = sum(trial.right for trial in counted)
    words = [f"That was every photo. You found the original in {right} of {len(counted)} rounds."]
    if fooled := dict.fromkeys(titles[each.model] for each in counted if not each.right):
        words.append(f"You were fooled by {', '.join(fooled)}.")
    if caught := [trial.right for trial in trials if trial.catch]:
        words.append(f"Wrong colours on purpose you saw in {sum(caught)} of {len(caught)}.")
    if any(trial.seen for trial in counted):
        words.append("Photos that you had seen in colour before do not count in the table.")
    words.append("For more rounds add other colour photographs, best those that you do not know.")
    return f"<p>{escape(' '.join(words))}</p>"


def name_picture(name: str, titles: dict[str, str]) -> str:
    """What a picture is, once that may be known."""
    return "The photograph" if name == ORIGINAL else titles.get(name, "Wrong colours")


def read_clock() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def guess(session: BlindSession, side: str, seconds: float, before: Sequence[Trial]) -> Trial:
    """The round that was just answered."""
    assert session.shown is not None
    plan, item = session.shown.plan, session.shown.item
    real = SIDES[plan.pair.index(ORIGINAL)]
    seen = any(trial.key == item.key for trial in before)
    name = item.photo.path.name
    return Trial(read_clock(), name, item.key, plan.model, real, side, plan.catch, seen, seconds)


def prefer(session: BlindSession, choice: str, seconds: float) -> Choice:
    """The round that was just answered."""
    assert session.shown is not None
    return Choice(
        read_clock(), session.shown.item.photo.path.name, *session.shown.plan.pair, choice, seconds
    )


def build(
    service: Service, page: gr.Tab | None = None, cards: Sequence[ModelCard] | None = None
) -> list[Opening]:
    """Lay the tab out and wire it; what is put in as the page opens. `cards`: all models if not
    given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)
    kept = gr.BrowserState(Results().dump(), storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    view = View(kept=kept, turn=gr.Number(visible=False))
    for name in ("album", "session"):
        view.add(**{name: gr.State(None, time_to_live=KEEP_SECONDS)})

    view.add(message=gr.HTML(elem_classes="message"))
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
            EXAMPLES[REAL],
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
    view.add(setup=setup, intro=intro, zone=zone, samples=samples, row=row, photos=photos, go=go)
    view.add(remark=gr.HTML(elem_classes="message"))
    with widgets.stage() as (busy, cancel):
        shown = pair.build()
    with gr.Row(visible=False, elem_classes="actions") as bar:
        leave = gr.Button("Photos and models", size="sm")
    view.add(shown=shown, bar=bar)
    recalling = build_results(on, view, question)
    endpoint.build(service, cards, models)

    turn, session, album = view["turn"], view["session"], view["album"]
    choices = ["message", "zone", "samples", "row", "photos", "album", "go"]
    rounds = ["message", "remark", "setup", "bar", "shown", "session"]
    taking, run = widgets.runs(opening), widgets.runs(busy)
    taken = [
        zone.upload(*view.wire(on.take, [turn, zone, album], choices), preprocess=False, **taking),
        samples.click(*view.wire(on.take_examples, [turn, question, album], choices), **taking),
    ]
    wire_run(view, on, taken, [cancel_opening], "message")
    again.click(*view.wire(on.reset, None, choices), **widgets.QUICK)
    leave.click(*view.wire(on.back, None, rounds), **widgets.QUICK)
    asked = [
        go.click(*view.wire(on.start, [turn, question, models, album, kept], rounds), **run),
        shown.submit(*view.wire(on.go_on, [turn, session], ["remark", "shown"]), **run),
    ]
    wire_run(view, on, asked, [cancel])
    preparing = view.wire(on.prepare, [turn, session], ["remark"])
    for event in asked:
        event.success(*preparing, **{**run, "show_progress": "hidden"})
    answering = view.wire(on.answer, [session, kept], ["shown", "kept"])
    shown.select(*answering, **widgets.QUICK)
    return [recalling, offer_choices(models, lambda: model_choices.choices(cards))]


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


def build_results(on: Handlers, view: View, question: gr.Radio) -> Opening:
    """The results and their buttons, which follow what the browser keeps; it is read when the page
    opens."""
    view.add(table=gr.HTML(elem_classes="card results"))
    with gr.Row(visible=False, elem_classes="actions") as tools:
        gr.HTML("Kept in this browser only.", elem_classes="done")
        save = gr.Button("Download CSV", size="sm")
        wipe = gr.Button("Clear results", size="sm")
    with gr.Row(visible=False, elem_classes="actions") as confirm:
        sure = gr.HTML(elem_classes="done")
        yes = gr.Button("Clear", size="sm", variant="stop")
        no = gr.Button("Keep", size="sm")
    finished = gr.DownloadButton(visible="hidden")
    view.add(tools=tools, confirm=confirm, sure=sure, finished=finished)

    kept = view["kept"]
    recalling = view.wire(
        on.recall, [question, kept], ["intro", "samples", "table", "tools", "confirm"]
    )
    gr.on([question.change, kept.change], *recalling, **widgets.QUICK)
    wipe.click(*view.wire(on.ask, kept, ["tools", "confirm", "sure"]), **widgets.QUICK)
    yes.click(*view.wire(on.clear, None, ["kept"]), **widgets.QUICK)
    no.click(*recalling, **widgets.QUICK)
    saved = save.click(*view.wire(on.download, [question, kept], ["finished"]), **widgets.QUICK)
    saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    return Opening(*recalling)
