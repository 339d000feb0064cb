"""The tab "Models": one tab a model, built from its card alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.cards import SEED, ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.models.runner import Task
from ui.models import endpoint
from ui.models.samples import Samples, control, several
from ui.models.session import ModelsSession, gray
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, slider, thumbnails, widgets
from ui.shared.handlers import Running
from ui.shared.service import Colorization, Service, Settings, read, shrink

TITLE = "Models"
MOST_SEEDS = 4
SEEDS = 3
LATER = "<p>Gain and tint count from the next time that you press Colorize.</p>"
AWAY = gr.update(visible=False)
THERE = gr.update(visible=True)


class Handlers(Running):
    """What the controls do. Whose photo it is comes with every call, in its session."""

    def __init__(self, service: Service, examples: Sequence[Path], cards: Sequence[ModelCard]):
        super().__init__(service)
        self.examples = examples
        self.cards = {card.name: card for card in cards}
        self.drawing = [card for card in cards if card.sampled]

    # --- the photo ------------------------------------------------------------------------------

    def open(
        self,
        turn: float,
        photo: dict[str, Any] | None,
        model: str,
        session: ModelsSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[Any]:
        """Take the photo that was dropped."""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                path = self.service.upload(photo)
                return self._opened(path, model, session, task)
        except ColorizeError as error:
            zone = gr.update(value=None, visible="hidden" if session else True)
            return [widgets.said(error), zone] + [gr.skip()] * (5 + 2 * len(self.drawing))

    def open_example(
        self,
        turn: float,
        model: str,
        session: ModelsSession | None,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Take the example that was picked."""
        path = example_strip.picked(self.examples, event)
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return self._opened(path, model, session, task)
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * (6 + 2 * len(self.drawing))

    def _opened(
        self, path: Path, model: str, before: ModelsSession | None, task: Task
    ) -> list[Any]:
        """What `place` in build() becomes with a photo."""
        task.step(0.0, "Reading the photo")
        session = ModelsSession.open(path, self.service)
        session.current = model
        if before is not None:
            before.away = True
        width, height = session.size
        words = f"{escape(path.name)}<br>{width} × {height}"
        small = f'<img src="{thumbnails.as_address(session.small)}" alt="The photo"><p>{words}</p>'
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        clear = [None] * (2 * len(self.drawing))
        return ["", hidden, AWAY, THERE, small, session, THERE, *clear]

    def reset(self, session: ModelsSession | None) -> list[Any]:
        """Back to the empty drop zone."""
        if session is not None:
            session.away = True
        zone = gr.update(value=None, visible=True)
        samples = gr.update(visible=bool(self.examples))
        clear = [None] * (2 * len(self.drawing))
        return ["", zone, samples, AWAY, "", None, AWAY, *clear, *nothing()]

    # --- one model ------------------------------------------------------------------------------

    def pick(self, session: ModelsSession | None, event: gr.SelectData) -> list[Any]:
        """Another model's tab was opened: what is there of it already."""
        card = list(self.cards.values())[int(event.index)]
        known = [card.name, about(card)]
        if session is None:
            return [*known, *nothing()]
        session.current = card.name
        work = session.work(card.name)
        if card.sampled and not work:
            return [*known, *nothing()]
        if work:
            pair = self._pair(session, card)
            return [*known, "", THERE, THERE, widgets.shown(work), pair, line(session, work)]
        waiting = slider.comparison(session.before, session.before, session.size)
        return [*known, "", THERE, AWAY, waiting, AWAY, ""]

    def show(
        self,
        turn: float,
        session: ModelsSession | None,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The open tab's model at full size, with the network only where it must."""
        if session is None:
            return [gr.skip(), *nothing()[1:]]  # what was said of a download stays
        card = self.cards[session.current]
        if not model_choices.is_here(card):
            return [gr.skip(), *nothing()[1:]]  # its tab says how it is downloaded
        settings = Settings(card.name, vividness, strength, gain, neutralize)
        note, kept = "", session.work(card.name)
        if card.sampled:
            if kept is None:
                return [gr.skip(), *nothing()[1:]]  # a word on why there is none stays
            settings = replace(kept.settings, vividness=vividness, strength=strength)
            same = (gain, neutralize) == (settings.gain, settings.neutralize)
            note = "" if same else LATER
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                work = self._develop(session, settings, task)
                if card.beside:
                    self._develop(session, replace(settings, model=card.beside), task)
        except Cancelled:
            return [gr.skip()] * 6
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * 5
        if (
            session.away or session.current != card.name
        ):  # another photo or tab was opened meanwhile
            return [gr.skip()] * 6
        remark = gr.skip() if work is kept and not note else note  # nothing has happened since
        return [
            remark,
            THERE,
            THERE,
            widgets.shown(work),
            self._pair(session, card),
            line(session, work),
        ]

    def _develop(self, session: ModelsSession, settings: Settings, task: Task) -> Colorization:
        """The work of the session with these settings, made anew if it has another."""
        kept = session.work(settings.model)
        if kept and kept.rendered and kept.settings == settings and kept.after.exists():
            return kept
        work = self.service.develop(session.path, settings, task, kept)
        session.keep(work, kept)
        return work

    def _pair(self, session: ModelsSession, card: ModelCard) -> dict[str, Any]:
        """The model that the card is to be seen beside, and the card's own."""
        works = [work for name in (card.beside, card.name) if (work := session.work(name))]
        if not card.beside or len(works) < 2:
            return AWAY
        cells = []
        for work in works:
            title = self.cards[work.settings.model].title
            cells.append(thumbnails.result(work.after, title, f"The photo in colour by {title}"))
        value = thumbnails.groups(thumbnails.group(cells, len(cells), "Side by side"))
        return gr.update(value=value, visible=True)

    def noise(
        self,
        turn: float,
        model: str,
        session: ModelsSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> dict[str, Any]:
        """The way into noise, for a model that has learned the way out of it: of the photo's own
        colours, or of those that the model gave it."""
        schedule = control(self.cards[model], "schedule")
        work = session.work(model) if session else None
        if (
            session is None
            or schedule is None
            or not (session.coloured or (work and work.rendered))
        ):
            return AWAY
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                task.step(0.0, "Adding noise")
                picture = session.small
                if not session.coloured and work:
                    picture = shrink(read(work.after).pixels, *picture.shape[:2])
                return gr.update(
                    value=thumbnails.into_noise(picture, schedule.choices), visible=True
                )
        except Cancelled:
            return gr.skip()
        except ColorizeError:  # it only illustrates
            return AWAY

    # --- a model that draws ---------------------------------------------------------------------

    def draw(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
        *values: Any,
    ) -> Iterator[list[Any]]:
        """Draw from several seeds, to be seen while it is done."""
        turn, model, session, count, vividness, strength, gain, neutralize, *own = values
        if session is None:
            yield ["<p>Add a photo first.</p>", "", gr.skip(), gr.skip()]
            return
        card = self.cards[model]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                names = [each.name for each in card.controls]
                controls = card.settings(dict(zip(names, own, strict=True)))
                settings = Settings(
                    model, vividness, strength, gain, neutralize, tuple(controls.items())
                )
                seeds = several(int(controls[SEED.name]), int(count))
                samples = Samples(card, settings, seeds, gray(session.small))
                yield ["", *samples.values()]
                for drawn in self.service.draw(session.path, settings, seeds, task):
                    if session.away:
                        return
                    if samples.take(drawn):
                        yield [gr.skip(), *samples.values()]
                session.works[model] = samples.finish()
                session.picked[model] = len(samples.stages) - 1
                session.samples[model] = samples
                yield [gr.skip(), *self._drawn(session, model)]
        except Cancelled:
            yield [gr.skip(), *self._drawn(session, model)]
        except ColorizeError as error:
            yield [widgets.said(error), *self._drawn(session, model)]

    def _drawn(self, session: ModelsSession, model: str) -> list[Any]:
        """What was drawn at last, to be picked from."""
        samples = session.samples.get(model)
        return samples.values(session.picked[model]) if samples else ["", None, None]

    def choose(self, session: ModelsSession | None, event: gr.EventData) -> None:
        """Another of the drawn pictures is to be seen at full size."""
        if session is not None and session.current in session.works:
            session.picked[session.current] = int(event.index) % len(session.works[session.current])

    # --- weights --------------------------------------------------------------------------------

    def fetch(
        self,
        turn: float,
        model: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Download a model's weights, which goes on where it was stopped."""
        card = self.cards[model]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                command = f"python -m colorize_core weights fetch {model}"
                self.service.check_download(card.title, command)
                checkpoints.fetch(card.weights, task.loaded, task.stopped)
                return ["", AWAY]
        except Cancelled:
            return ["<p>Stopped. What is here stays: the download goes on from there.</p>", THERE]
        except ColorizeError as error:
            return [widgets.said(error), THERE]

    def gets(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The buttons that download them, which may be here since the app was started."""
        return [gr.update(visible=not model_choices.is_here(self.cards[name])) for name in names]

    # --- every run ------------------------------------------------------------------------------

    def download(
        self,
        turn: float,
        format: str,
        session: ModelsSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The result as a file, made when it is asked for."""
        work = session.work(session.current) if session else None
        if work is None:
            return [gr.skip(), None]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return ["", str(self.service.export(work, format, task))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [widgets.said(error), None]


def nothing() -> list[Any]:
    """What `view` in build() is without a result."""
    return ["", AWAY, AWAY, None, AWAY, ""]


def line(session: ModelsSession, work: Colorization) -> str:
    """What was done."""
    samples = session.samples.get(work.settings.model)
    return (
        f"{work.line} · {samples.about(session.picked[work.settings.model])}"
        if samples
        else work.line
    )


def about(card: ModelCard) -> str:
    """The model card beside the weights, as Markdown; of a model that is downloaded, its facts."""
    path = checkpoints.BUNDLED / card.name / "README.md"
    if not path.is_file():
        return facts(card)
    # Front matter, title and summary come first, and are shown elsewhere.
    return path.read_text(encoding="utf-8").split(card.summary, 1)[-1].strip()


def facts(card: ModelCard) -> str:
    """What is known of a model that has not been scored here, as Markdown."""
    rows = {
        "parameters": f"{card.parameters:,}",
        "colour hints": "yes" if card.takes_hints else "no",
        "paper": card.paper,
        "weights": card.source,
        "licence": card.licence,
        "trained on": card.trained_on,
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items() if value)
    return f"|  |  |\n|---|---|\n{table}\n## Limits\n\n{card.limits}"


def build(service: Service, cards: Sequence[ModelCard] | None = None) -> None:
    """Lay the tab out and wire it; `cards` are those of all models if not given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)
    session = gr.State(None, time_to_live=KEEP_SECONDS)
    current = gr.State(cards[0].name)
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (opening, cancel_opening):
        zone = widgets.drop_zone()
    with gr.Row(visible=False, elem_classes="chosen") as chosen:
        photo = gr.HTML()
        again = gr.Button("Another photo", size="sm")
    with gr.Column(visible=bool(examples), elem_classes="samples") as samples:
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(examples, service.folder, elem_classes="strip")
    with gr.Tabs(elem_classes="models") as tabs:
        built = [build_tab(each) for each in cards]
    drawing = [each for each in built if isinstance(each, Drawing)]
    fetched = [each for each in built if isinstance(each, Fetched)]

    remark = gr.HTML(elem_classes="message")
    pair = thumbnails.build(visible=False)
    with widgets.stage() as (busy, cancel), gr.Column(visible=False) as frame:
        compared = slider.build()
    with gr.Column(elem_classes="result"):
        with gr.Row(visible=False, elem_classes="actions") as bar:
            done = widgets.status_line()
            buttons = widgets.downloads()
        with gr.Accordion("Adjust", open=False, visible=False, elem_classes="adjust") as adjust:
            with gr.Row():
                knobs: list[Any] = widgets.sliders()
            knobs.append(widgets.neutralizing())
    noise = thumbnails.build(visible=False)
    card = gr.Markdown(about(cards[0]), elem_classes="card")
    finished = gr.DownloadButton(visible="hidden")

    drawn = [part for each in drawing for part in (each.grid, each.strip)]
    place = [message, zone, samples, chosen, photo, session, adjust, *drawn]
    view = [remark, frame, bar, compared, pair, done]
    run = widgets.runs(busy)

    def then_show(event: Any, **options: Any) -> Any:
        return event.success(on.show, [turn, session, *knobs], view, **{**run, **options})

    opened = (
        zone.upload(
            on.open,
            [turn, zone, current, session],
            place,
            preprocess=False,
            **widgets.runs(opening),
        ),
        strip.select(on.open_example, [turn, current, session], place, **widgets.runs(opening)),
    )
    picked = tabs.select(on.pick, session, [current, card, *view], **widgets.QUICK)
    for event in opened:
        event.failure(on.fail, None, message, **widgets.QUICK)
    seen = [then_show(event) for event in (*opened, picked)]
    gr.on(
        [knob.input for knob in knobs],
        on.show,
        [turn, session, *knobs],
        view,
        trigger_mode="always_last",
        **run,
    )
    for each in drawing:
        made = each.go.click(
            on.draw,
            [turn, gr.State(each.name), session, each.count, *knobs, *each.controls],
            [remark, each.busy, each.grid, each.strip],
            **widgets.runs(each.busy),
        )
        made.failure(on.fail, None, remark, **widgets.QUICK)
        each.cancel.click(on.stop, turn, remark, js="window.stopRuns", **widgets.QUICK)
        chosen_one = each.grid.select(on.choose, session, None, **widgets.QUICK)
        seen += [then_show(made), then_show(chosen_one)]
    for model in fetched:
        got = model.get.click(
            on.fetch, [turn, gr.State(model.name)], [remark, model.get], **widgets.runs(model.busy)
        )
        got.failure(on.fail, None, remark, **widgets.QUICK)
        model.cancel.click(on.stop, turn, remark, js="window.stopRuns", **widgets.QUICK)
        seen.append(then_show(got))
    if fetched:
        names = [each.name for each in fetched]
        gr.on(None, partial(on.gets, names), None, [each.get for each in fetched], **widgets.QUICK)
    for event in seen:
        event.success(on.noise, [turn, current, session], noise, **run)
    for name, button in buttons.items():
        saved = button.click(
            on.download, [turn, gr.State(name), session], [remark, finished], **run
        )
        saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    for button, words in ((cancel, remark), (cancel_opening, message)):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    again.click(on.reset, session, [*place, *view], **widgets.QUICK)
    endpoint.build(cards)


@dataclass(frozen=True)
class Drawing:
    """The parts of a tab whose model draws its colours."""

    name: str
    controls: list[Any]
    count: gr.Slider
    go: gr.Button
    busy: gr.HTML
    cancel: gr.Button
    strip: gr.HTML
    grid: gr.HTML


@dataclass(frozen=True)
class Fetched:
    """The parts of a tab whose model is downloaded when that is asked for."""

    name: str
    get: gr.Button
    busy: gr.HTML
    cancel: gr.Button


def build_tab(card: ModelCard) -> Drawing | Fetched | None:
    """One model's tab."""
    with gr.Tab(card.title, id=card.name):
        gr.HTML(f"<p>{escape(card.summary)}</p>", elem_classes="summary")
        if card.source:
            return build_fetched(card)
        if not card.sampled:
            return None
        with gr.Row(elem_classes="own"):
            controls = [widgets.build_control(each) for each in card.controls]
            count = gr.Slider(
                1, MOST_SEEDS, SEEDS, step=1, label="How many seeds", info="Each draws a picture."
            )
        go = gr.Button("Colorize", variant="primary", elem_classes="go")
        with widgets.stage() as (busy, cancel):
            strip = thumbnails.build()
            grid = thumbnails.build(pick=True)
    return Drawing(card.name, controls, count, go, busy, cancel, strip, grid)


def build_fetched(card: ModelCard) -> Fetched:
    """Where its weights come from, and the button that downloads them."""
    words = f"Weights from {card.source}: {model_choices.extent(card)}, licence {card.licence}."
    with widgets.stage(alone=True) as (busy, cancel):
        gr.HTML(f"<p>{escape(words)}</p>", elem_classes="needs")
        get = gr.Button(
            f"Download ({model_choices.extent(card)})",
            visible=not model_choices.is_here(card),
            size="sm",
            elem_classes="get",
        )
    return Fetched(card.name, get, busy, cancel)
