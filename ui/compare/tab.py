"""The tab "Compare": one photo through many models, side by side and scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import ColorizeError
from colorize_core.evaluate import comparison
from colorize_core.metrics import METRICS, Metric
from colorize_core.models.runner import Task
from colorize_core.options import DEFAULT_MODEL
from colorize_core.sizes import format_size
from ui.compare import endpoint, exports, permalink, picture_grid
from ui.compare.permalink import MOST_SEEDS, VIVIDNESS
from ui.compare.run import Progress, compare
from ui.compare.session import NO_TRUTH, CompareSession, read_options
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, model_download, score_table, widgets
from ui.shared.handlers import AWAY, Updates, task_handler, wire_run
from ui.shared.opening import Opening, offer_choices
from ui.shared.photo import OpenPhoto
from ui.shared.photo_tab import (
    PhotoHandlers,
    build_chosen,
    build_samples,
    build_zone,
    describe,
    no_file,
    wire,
    wire_downloads,
)
from ui.shared.service import Service

TITLE = "Compare"
INVITATION = "# Drop a photo\nin colour to have the models judged by it, or black and white"
# Ticked at first: one of each way of training, as models of one way look much alike.
FIRST = (DEFAULT_MODEL, "unet-gan", "cnn-lpips", "resnet-autoencoder")
STOPPED = "<p>Stopped. What was made until then is here.</p>"


RESULTS = ("shown", "table", "bar", "difference")  # what show() answers with


def end(_: Handlers, session: CompareSession | None, *__: Any, **said: str) -> Updates:
    """What a run leaves behind, if its photo is still there."""
    if session is None or session.away:
        return {"remark": gr.skip()}
    return {**said, "busy": "", **show(session)}


def no_use(_: Handlers, *__: Any) -> Updates:
    """What becomes of a picture that could not be used."""
    return {"finished": None, "opened": ""}


class Handlers(PhotoHandlers):
    """What the controls do."""

    remark = "remark"

    # --- the photo ------------------------------------------------------------------------------

    def begin(
        self, photo: OpenPhoto, before: CompareSession | None, task: Task, *context: Any
    ) -> Iterator[Updates]:
        photo.read(task)
        session = CompareSession.open(photo, self.service)
        yield {"session": session, "thumbnail": describe_photo(session), **show(session)}

    def clear(self) -> Updates:
        return {"thumbnail": "", "shown": None, "table": None, "bar": AWAY}

    # --- the settings ---------------------------------------------------------------------------

    def count(self, models: list[str], vividness: list[float], seeds: int) -> Updates:
        """How many pictures that makes, and whether it can begin."""
        try:
            planned = comparison.plan(self.cards, models, vividness, int(seeds))
        except ColorizeError as error:
            return {"count": f"<p>{escape(str(error))}</p>", "go": gr.update(interactive=False)}
        some = f"{len(planned)} picture{'s' if len(planned) > 1 else ''}"
        return {"count": f"<p>{some} to colour.</p>", "go": gr.update(interactive=True)}

    def tick_all(self) -> list[str]:
        return [card.name for card in model_choices.here(self.cards)]

    def list_sizes(self, chosen: list[str]) -> dict[str, Any]:
        """The metrics with what they would download."""
        offered = list_metrics(self.service)
        return gr.update(choices=[(title_of(each), each.name) for each in offered], value=chosen)

    # --- a run ----------------------------------------------------------------------------------

    @task_handler("remark", failed=end, stopped=lambda *values: end(*values, remark=STOPPED))
    def run(
        self,
        task: Task,
        session: CompareSession | None,
        names: list[str],
        vividness: list[float],
        seeds: int,
        metrics: list[str],
    ) -> Iterator[Updates]:
        """Every picture, to be seen as soon as it is there."""
        if session is None:
            yield {"remark": "<p>Add a photo first.</p>", "busy": ""}
            return
        session.planned = comparison.plan(self.cards, names, vividness, int(seeds))
        session.metrics = tuple(each for each in METRICS if each.name in metrics)
        session.running = True
        yield {"remark": "", "busy": "", **show(session)}
        try:
            for step in compare(self.service, session, task):
                if session.away:
                    return
                self._draw_heats(session, task)
                # All of it every time: a page that is sent two updates at once shows the later.
                said = {"remark": ""} if step.new else {}
                yield {**said, "busy": card(step), **show(session)}
        finally:
            session.running = False
        yield end(self, session, remark="")

    def _draw_heats(self, session: CompareSession, task: Task) -> None:
        for entry in session.heats():
            task.step(0.0, "Looking for differences")
            session.draw_heat(entry)

    @task_handler("remark", stopped=lambda _, session, *__: {"shown": picture_grid.view(session)})
    def differences(
        self, task: Task, session: CompareSession | None, wanted: bool
    ) -> Iterator[Updates]:
        """Heat maps in place of the pictures, or the pictures again."""
        if session is None:
            return
        session.difference = wanted
        for i, entry in enumerate(session.heats()):
            if i:
                yield {"shown": picture_grid.view(session)}
            task.step(0.0, "Looking for differences")
            session.draw_heat(entry)
        yield {"remark": "", "shown": picture_grid.view(session)}

    @task_handler("remark", failed=no_use, stopped=no_use)
    def use(self, task: Task, event: gr.EventData, session: CompareSession | None) -> Updates:
        """One picture at the photo's full size: as a file, or in the tab Colorize."""
        if session is None:
            return no_use(self)
        given: Any = event._data
        options = read_options(session.find(given.get("key")))
        if given.get("use") == "open":
            session.photo.colours = options
            return {"remark": "", "finished": None, "opened": "colorize"}
        made = self.service.colorize(session.photo, options, task)
        return {"remark": "", "finished": str(made.after), "opened": ""}

    @task_handler("remark", failed=no_file, stopped=no_file)
    def export(self, task: Task, session: CompareSession | None, kind: str) -> Updates:
        """What is there as a file, made when it is asked for."""
        if session is None:
            return {"finished": None}
        task.step(0.0, "Making the file")
        session.check()
        return {"remark": "", "finished": str(exports.KINDS[kind](session, self.service.folder))}

    def restore_link(
        self, models: list[str], vividness: list[float], seeds: int, request: gr.Request
    ) -> Updates:
        """The settings that a link carries, beside those that are there, and what of it means
        nothing here."""
        found, ignored = permalink.read(dict(request.query_params), model_choices.here(self.cards))
        words = f"<p>The link asks for what is not here: {escape(', '.join(ignored))}.</p>"
        message = {"message": words} if ignored else {}
        if not found:
            return message
        there = {"models": models, "vividness": vividness, "seeds": seeds}
        counted = self.count(**{name: found.get(name, value) for name, value in there.items()})
        return {**message, **counted, **found}


def card(step: Progress) -> str:
    """How far a run is; without words where Gradio tells it, of a download."""
    if not step.words:
        return ""
    return f"<p>{escape(step.words)}</p><progress value={step.share:.3f}></progress>"


def show(session: CompareSession) -> Updates:
    """The grid, the table, what can be done with them, and whether differences can be seen."""
    table = score_table.view(session) if session.metrics else None
    return {
        "shown": picture_grid.view(session),
        "table": table,
        "bar": gr.update(visible=table is not None),
        "difference": gr.update(visible=session.truth is not None, value=session.difference),
    }


def describe_photo(session: CompareSession) -> str:
    """The photo as it came, and what is known of it."""
    photo = session.gray if session.truth is None else session.truth
    known = NO_TRUTH if session.truth is None else "In colour: the models see it without."
    return describe(photo, session.name, known)


def list_metrics(service: Service) -> list[Metric]:
    """Those that can be had: strangers download nothing."""
    return [each for each in METRICS if not (service.public and is_missing(each))]


def is_missing(metric: Metric) -> bool:
    """Whether it needs a download."""
    files = DOWNLOADS[metric.download].files if metric.download else ()
    return bool(checkpoints.list_missing(files))


def title_of(metric: Metric) -> str:
    """A metric's title with what it would download."""
    if not metric.download:
        return str(metric.title)
    if not is_missing(metric):
        return f"{metric.title}, downloaded"
    return f"{metric.title}, downloads {format_size(DOWNLOADS[metric.download].bytes)} once"


def tick_first(cards: Sequence[ModelCard]) -> list[str]:
    """Those of FIRST that are here."""
    return [card.name for card in model_choices.here(cards) if card.name in FIRST]


def build(
    service: Service, page: gr.Tab | None = None, cards: Sequence[ModelCard] | None = None
) -> list[Opening]:
    """Lay the tab out and wire it; what is put in as the page opens. `page`: the tab entered.
    `cards` are those of all models if not given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)

    view = build_zone(INVITATION)
    build_chosen(view, "compare", service.tabs)
    build_samples(view, service, examples)
    settings, every, none, more = build_settings(cards, service)
    models, vividness, seeds, metrics = settings
    view.add(session=gr.State(None, time_to_live=KEEP_SECONDS))
    view.add(**dict(zip(permalink.NAMES, settings, strict=True)))
    with gr.Row(elem_classes="actions"):
        go = gr.Button("Compare", variant="primary", elem_classes="go")
        count = widgets.status_line()
    view.add(go=go, count=count, remark=gr.HTML(elem_classes="message"))
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
    view.add(busy=busy, bar=bar, difference=difference)
    view.add(shown=picture_grid.build(), table=score_table.build())
    view.add(finished=gr.DownloadButton(visible="hidden"))
    query = gr.Textbox(visible="hidden")

    wire(view, on, ["thumbnail", *RESULTS], page=page)
    session, turn, asked = view["session"], view["turn"], widgets.runs(busy)
    counted = [models, vividness, seeds]
    counting = view.wire(on.count, counted, ["count", "go"])
    gr.on([each.input for each in counted], *counting, trigger_mode="always_last", **widgets.QUICK)
    linked = view.wire(on.restore_link, counted, ["message", "count", "go", *permalink.NAMES])
    for changed in (
        every.click(on.tick_all, None, models, **widgets.QUICK),
        none.click(lambda: [], None, models, **widgets.QUICK),
    ):
        changed.success(*counting, **widgets.QUICK)
    more.expand(on.list_sizes, metrics, metrics, **widgets.QUICK)
    made = go.click(
        *view.wire(on.run, [turn, session, *settings], ["remark", "busy", *RESULTS]), **asked
    )
    difference.input(
        *view.wire(on.differences, [turn, session, difference], ["remark", "shown"]),
        trigger_mode="always_last",
        **asked,
    )
    view.add(opened=gr.Textbox(visible="hidden"))  # the tab that a picture is used in
    using = view.wire(on.use, [turn, session], ["remark", "finished", "opened"])
    used = view["shown"].submit(*using, trigger_mode="multiple", **asked)
    given = [view["finished"], view["opened"]]
    used.success(None, given, None, js="window.saveOrOpen", **widgets.QUICK)
    wire_downloads(view, buttons, on.export, [turn, session], busy)
    copied = copy.click(permalink.write, settings, query, **widgets.QUICK)
    copied.success(None, query, view["remark"], js="window.copyLink", **widgets.QUICK)
    wire_run(view, on, [made, used], [cancel])
    count.value = on.count(tick_first(cards), [1.0], 1)["count"]
    endpoint.build(service, cards, view["zone"], settings)
    return [Opening(*linked), offer_choices(models, model_choices.lister(cards, service.public))]


def build_settings(
    cards: Sequence[ModelCard], service: Service
) -> tuple[list[Any], gr.Button, gr.Button, Any]:
    """Models, vividness, seeds and metrics; the buttons "All" and "None"; where metrics are."""
    with gr.Column(elem_classes="picks"):
        offered = model_choices.lister(cards, service.public)
        models = gr.CheckboxGroup(offered(), value=tick_first(cards), label="Models")
        model_download.build(service, models, offered)
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
                [(each.title, each.name) for each in list_metrics(service)],
                value=[each.name for each in METRICS if not each.download],
                label="Metrics",
                show_label=False,
            )
    return [models, vividness, seeds, metrics], every, none, more
