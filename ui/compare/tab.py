"""The tab "Compare": one photo through many models, side by side and scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.cards import ModelCard
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.evaluate import comparison
from colorize_core.metrics import METRICS, trunks
from ui.compare import endpoint, exports, permalink, picture_grid
from ui.compare.permalink import MOST_SEEDS, VIVIDNESS
from ui.compare.run import Progress, compare
from ui.compare.session import NO_TRUTH, CompareSession
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, score_table, thumbnails, widgets
from ui.shared.handlers import Running
from ui.shared.service import DEFAULT_MODEL, Service, Task, shrink

TITLE = "Compare"
INVITATION = "# Drop a photo\nin colour to have the models judged by it, or black and white"
FEW = 4  # models that are ticked at first
THUMBNAIL = 128  # pixels, the height of the photo's small copy
AWAY = gr.update(visible=False)
THERE = gr.update(visible=True)


class Handlers(Running):
    """What the controls do. Whose photo it is comes with every call, on its board."""

    def __init__(self, service: Service, examples: Sequence[Path], cards: Sequence[ModelCard]):
        super().__init__(service)
        self.examples = examples
        self.cards = cards

    # --- the photo ------------------------------------------------------------------------------

    def open(
        self,
        turn: float,
        photo: dict[str, Any] | None,
        session: CompareSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[Any]:
        """Take the photo that was dropped."""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return self._opened(self.service.upload(photo), session, task)
        except ColorizeError as error:
            zone = gr.update(value=None, visible="hidden" if session else True)
            return [widgets.said(error), zone] + [gr.skip()] * 8

    def open_example(
        self,
        turn: float,
        session: CompareSession | None,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Take the example that was picked."""
        path = example_strip.picked(self.examples, event)
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return self._opened(path, session, task)
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * 9

    def _opened(self, path: Path, before: CompareSession | None, task: Task) -> list[Any]:
        """What `place` in build() becomes with a photo."""
        task.step(0.0, "Reading the photo")
        session = CompareSession.open(path, self.service)
        if before is not None:
            before.away = True
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        return ["", hidden, AWAY, THERE, thumbnail(session), session, *seen(session)]

    def reset(self, session: CompareSession | None) -> list[Any]:
        """Back to the empty drop zone."""
        if session is not None:
            session.away = True
        zone = gr.update(value=None, visible=True)
        samples = gr.update(visible=bool(self.examples))
        return ["", zone, samples, AWAY, "", None, None, None, AWAY, gr.skip()]

    # --- the settings ---------------------------------------------------------------------------

    def count(self, names: list[str], vividness: list[float], seeds: int) -> list[Any]:
        """How many pictures that makes, and whether it can begin."""
        try:
            planned = comparison.plan(self.cards, names, vividness, int(seeds))
        except ColorizeError as error:
            return [f"<p>{escape(str(error))}</p>", gr.update(interactive=False)]
        some = f"{len(planned)} picture{'s' if len(planned) > 1 else ''}"
        return [f"<p>{some} to colour.</p>", gr.update(interactive=True)]

    def tick_all(self) -> list[str]:
        return [card.name for card in model_choices.here(self.cards)]

    def sizes(self, chosen: list[str]) -> dict[str, Any]:
        """The metrics with what they would download."""
        return gr.update(choices=[(said_size(each), each.name) for each in METRICS], value=chosen)

    # --- a run ----------------------------------------------------------------------------------

    def run(
        self,
        turn: float,
        session: CompareSession | None,
        names: list[str],
        vividness: list[float],
        seeds: int,
        metrics: list[str],
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[list[Any]]:
        """Every picture, to be seen as soon as it is there: message, busy, and seen()."""
        if session is None:
            yield ["<p>Add a photo first.</p>", "", *[gr.skip()] * 4]
            return
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                session.planned = comparison.plan(self.cards, names, vividness, int(seeds))
                session.metrics = tuple(each for each in METRICS if each.name in metrics)
                session.running = True
                for step in compare(self.service, session, task):
                    if session.away:
                        return
                    self._draw_heats(session, task)
                    # All of it every time: a page that is sent two updates at once shows the later.
                    yield ["" if step.new else gr.skip(), card(step), *seen(session)]
                message = ""
        except Cancelled:
            message = "<p>Stopped. What was made until then is here.</p>"
        except ColorizeError as error:
            message = widgets.said(error)
        finally:
            session.running = False
        if not session.away:
            yield [message, "", *seen(session)]

    def _draw_heats(self, session: CompareSession, task: Task) -> None:
        for entry in session.heats():
            task.step(0.0, "Looking for differences")
            session.draw_heat(entry)

    def differences(
        self,
        turn: float,
        session: CompareSession | None,
        shown: bool,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[list[Any]]:
        """Heat maps in place of the pictures, or the pictures again: remark and grid."""
        if session is None:
            return
        session.difference = shown
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                for i, entry in enumerate(session.heats()):
                    if i:
                        yield [gr.skip(), picture_grid.view(session)]
                    task.step(0.0, "Looking for differences")
                    session.draw_heat(entry)
                yield ["", picture_grid.view(session)]
        except Cancelled:
            yield [gr.skip(), picture_grid.view(session)]
        except ColorizeError as error:
            yield [widgets.said(error), gr.skip()]

    def export(
        self,
        turn: float,
        kind: str,
        session: CompareSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """What is there as a file, made when it is asked for."""
        if session is None:
            return [gr.skip(), None]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                task.step(0.0, "Making the file")
                session.check()
                return ["", str(exports.KINDS[kind](session, self.service.folder))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [widgets.said(error), None]

    def restore(self, request: gr.Request) -> list[Any]:
        """The settings that a link carries, and what of it means nothing here."""
        found, ignored = permalink.read(dict(request.query_params), model_choices.here(self.cards))
        values = [found.get(name, gr.skip()) for name in permalink.NAMES]
        said = f"<p>The link asks for what is not here: {escape(', '.join(ignored))}.</p>"
        return [said if ignored else gr.skip(), *values]


def card(step: Progress) -> str:
    """How far a run is; without words where Gradio tells it, of a download."""
    if not step.words:
        return ""
    return f"<p>{escape(step.words)}</p><progress value={step.share:.3f}></progress>"


def seen(session: CompareSession) -> list[Any]:
    """The grid, the table, what can be done with them, and whether differences can be seen."""
    table = score_table.view(session) if session.metrics else None
    judged = gr.update(visible=session.truth is not None, value=session.difference)
    return [picture_grid.view(session), table, gr.update(visible=table is not None), judged]


def thumbnail(session: CompareSession) -> str:
    """The photo as it came, and what is known of it."""
    photo = session.gray if session.truth is None else session.truth
    width, height = session.size
    small = shrink(photo, THUMBNAIL, max(1, round(width * THUMBNAIL / height)))
    known = NO_TRUTH if session.truth is None else "In colour: the models see it without."
    words = f"{escape(session.name)}<br>{known}"
    return f'<img src="{thumbnails.as_address(small)}" alt="The photo"><p>{words}</p>'


def said_size(metric: Any) -> str:
    """A metric's title with what it would download."""
    if not metric.download:
        return str(metric.title)
    if trunks.is_cached(metric.download):
        return f"{metric.title}, downloaded"
    return f"{metric.title}, downloads {trunks.megabytes(metric.download):.3g} MB once"


def few(cards: Sequence[ModelCard]) -> list[str]:
    """The models that are ticked at first: the built-in one and some that are as quick."""
    quick = [
        card.name
        for card in model_choices.here(cards)
        if not card.sampled and card.name != DEFAULT_MODEL
    ]
    return [DEFAULT_MODEL, *quick[: FEW - 1]]


def build(service: Service, cards: Sequence[ModelCard] | None = None) -> list[widgets.Picker]:
    """Lay the tab out and wire it; where models are picked. `cards` are those of all models if not
    given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)
    session = gr.State(None, time_to_live=KEEP_SECONDS)
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (opening, cancel_opening):
        zone = widgets.drop_zone(INVITATION)
    with gr.Row(visible=False, elem_classes="chosen") as chosen:
        photo = gr.HTML()
        again = gr.Button("Another photo", size="sm")
    with gr.Column(visible=bool(examples), elem_classes="samples") as samples:
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(examples, service.folder, elem_classes="strip")
    settings, every, none, more = build_settings(cards)
    models, vividness, seeds, metrics = settings
    with gr.Row(elem_classes="actions"):
        go = gr.Button("Compare", variant="primary", elem_classes="go")
        tally = widgets.status_line()
    remark = gr.HTML(elem_classes="message")
    with widgets.stage(alone=True) as (busy, cancel):
        pass
    with gr.Row(visible=False, elem_classes="actions") as bar:
        difference = gr.Checkbox(
            False, label="Difference", container=False, elem_classes="difference"
        )
        with gr.Row(elem_classes="downloads"):
            gr.HTML("Download", elem_classes="downloads-label")
            buttons = {kind: gr.Button(kind, size="sm") for kind in exports.KINDS}
        copy = gr.Button("Copy link", size="sm")
    shown = picture_grid.build()
    table = score_table.build()
    finished = gr.DownloadButton(visible="hidden")
    query = gr.Textbox(visible="hidden")

    results = [shown, table, bar, difference]
    place = [message, zone, samples, chosen, photo, session, *results]
    run = widgets.runs(busy)
    opened = (
        zone.upload(
            on.open, [turn, zone, session], place, preprocess=False, **widgets.runs(opening)
        ),
        strip.select(on.open_example, [turn, session], place, **widgets.runs(opening)),
    )
    for event in opened:
        event.failure(on.fail, None, message, **widgets.QUICK)
    counted = [models, vividness, seeds]
    gr.on(
        [each.input for each in counted],
        on.count,
        counted,
        [tally, go],
        trigger_mode="always_last",
        **widgets.QUICK,
    )
    for changed in (
        every.click(on.tick_all, None, models, **widgets.QUICK),
        none.click(lambda: [], None, models, **widgets.QUICK),
        gr.on(None, on.restore, None, [message, *settings], **widgets.QUICK),  # when it is opened
    ):
        changed.success(on.count, counted, [tally, go], **widgets.QUICK)
    more.expand(on.sizes, metrics, metrics, **widgets.QUICK)
    made = go.click(on.run, [turn, session, *settings], [remark, busy, *results], **run)
    difference.input(
        on.differences,
        [turn, session, difference],
        [remark, shown],
        trigger_mode="always_last",
        **run,
    )
    for kind, button in buttons.items():
        saved = button.click(on.export, [turn, gr.State(kind), session], [remark, finished], **run)
        saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    linked = copy.click(permalink.write, settings, query, **widgets.QUICK)
    linked.success(None, query, remark, js="window.copyLink", **widgets.QUICK)
    made.failure(on.fail, None, remark, **widgets.QUICK)
    for button, words in ((cancel, remark), (cancel_opening, message)):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    again.click(on.reset, session, place, **widgets.QUICK)
    tally.value = on.count(few(cards), [1.0], 1)[0]
    endpoint.build(service, cards, zone, settings)
    return [widgets.picker(models, cards)]


def build_settings(cards: Sequence[ModelCard]) -> tuple[list[Any], gr.Button, gr.Button, Any]:
    """Models, vividness, seeds and metrics; the buttons "All" and "None"; where metrics are."""
    with gr.Column(elem_classes="picks"):
        models = gr.CheckboxGroup(model_choices.choices(cards), value=few(cards), label="Models")
        with gr.Row(elem_classes="shortcuts"):
            every = gr.Button("All", size="sm")
            none = gr.Button("None", size="sm")
        with gr.Row():
            vividness = gr.CheckboxGroup(
                [(f"{level:g}", level) for level in VIVIDNESS],
                value=[1.0],
                label="Vividness",
                info="From timid to saturated colours; each makes a picture.",
            )
            drawing = [card.title for card in cards if card.sampled]
            seeds = gr.Slider(
                1,
                MOST_SEEDS,
                1,
                step=1,
                label="Seeds",
                info=f"How many pictures of models that draw: {', '.join(drawing)}.",
                visible=bool(drawing),
            )
        with gr.Accordion("More metrics", open=False) as more:
            metrics = gr.CheckboxGroup(
                [(each.title, each.name) for each in METRICS],
                value=[each.name for each in METRICS if not each.download],
                label="Metrics",
                show_label=False,
            )
    return [models, vividness, seeds, metrics], every, none, more
