"""The tab "Models": one tab a model, built from its card alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.cards import SEED, ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import PictureError
from colorize_core.models.runner import Task
from colorize_core.options import Options
from ui.models import endpoint
from ui.models.samples import Samples, control, seeds_from
from ui.models.session import ModelsSession, gray
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, model_download, slider, thumbnails, widgets
from ui.shared.handlers import AWAY, THERE, Updates, View, task_handler, wire_run
from ui.shared.photo import OpenPhoto, decode, shrink
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
from ui.shared.service import Colorization, Service

TITLE = "Models"
MOST_SEEDS = 4
SEEDS = 3
LATER = "<p>Gain and tint count from the next time that you press Colorize.</p>"

VIEW = ("remark", "frame", "bar", "compared", "pair", "line", "noise")  # what a result changes
EMPTY: Updates = {
    "remark": "",
    "frame": AWAY,
    "bar": AWAY,
    "compared": None,
    "pair": AWAY,
    "line": "",
    "noise": AWAY,
}
NOTHING = {name: value for name, value in EMPTY.items() if name != "remark"}


def show_samples(_: Handlers, session: ModelsSession | None, model: str, *__: Any) -> Updates:
    """What was drawn at last, to be picked from."""
    if session is None or model not in session.samples:
        return {"busy": "", "grid": None, "strip": None}
    return session.samples[model].show(session.picked[model])


class Handlers(PhotoHandlers):
    """What the controls do."""

    remark = "remark"

    def __init__(self, service: Service, examples: Sequence[Path], cards: Sequence[ModelCard]):
        super().__init__(service, examples)
        self.known = {card.name: card for card in cards}
        self.sampled = [card.name for card in cards if card.sampled]

    # --- the photo ------------------------------------------------------------------------------

    def begin(
        self, photo: OpenPhoto, before: ModelsSession | None, task: Task, *context: Any
    ) -> Iterator[Updates]:
        (model,) = context
        photo.read(task)
        session = ModelsSession.open(photo, self.service)
        session.current = model
        width, height = photo.size
        words = describe(session.small, photo.path.name, f"{width} × {height}")
        yield {"session": session, "thumbnail": words, "adjust": THERE, **self._no_samples()}

    def clear(self) -> Updates:
        return {"thumbnail": "", "adjust": AWAY, **self._no_samples(), **EMPTY}

    def _no_samples(self) -> Updates:
        return {f"{name} {part}": None for name in self.sampled for part in ("grid", "strip")}

    # --- one model ------------------------------------------------------------------------------

    def pick(self, session: ModelsSession | None, event: gr.SelectData) -> Updates:
        """Another model's tab was opened: what is there of it already."""
        card = list(self.known.values())[int(event.index)]
        known = {"current": card.name, "card": read_card(card), **self.offer(card.name), **EMPTY}
        if session is None:
            return known
        session.current = card.name
        result = session.result(card.name)
        if result:
            return {**known, **self._show(session, card, result), "remark": ""}
        if card.sampled:
            return known
        waiting = slider.comparison(session.before, session.before, session.photo.size)
        return {**known, "frame": THERE, "compared": waiting}

    @task_handler("remark")
    def show(
        self,
        task: Task,
        session: ModelsSession | None,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
    ) -> Iterator[Updates]:
        """The open tab's model at full size, with the network only where it must; then the way into
        noise, of a model that has learned the way out of it."""
        if session is None:
            yield NOTHING  # what was said of a download stays
            return
        card = self.known[session.current]
        options = Options(card.name, vividness, strength, gain, neutralize)
        shown = self._render(session, card, options, task)
        # Where another photo or tab was opened meanwhile, nothing of this is shown.
        if session.away or session.current != card.name:
            return
        yield shown
        yield {**shown, "noise": self._add_noise(session, card, task)}

    def _render(
        self, session: ModelsSession, card: ModelCard, options: Options, task: Task
    ) -> Updates:
        if not model_choices.is_here(card):
            return NOTHING  # its tab says how it is downloaded
        note, kept = "", session.result(card.name)
        if card.sampled:
            if kept is None:
                return NOTHING  # a word on why there is none stays
            same = (options.gain, options.neutralize) == (
                kept.options.gain,
                kept.options.neutralize,
            )
            note = "" if same else LATER
            options = replace(kept.options, vividness=options.vividness, strength=options.strength)
        result = self._colorize(session, options, task)
        if card.beside:
            self._colorize(session, replace(options, model=card.beside), task)
        shown = self._show(session, card, result)
        # Where nothing has happened since, what was said stays.
        return shown if result is kept and not note else {**shown, "remark": note}

    def _colorize(self, session: ModelsSession, options: Options, task: Task) -> Colorization:
        """The result with these options, made anew if the session has another."""
        kept = session.result(options.model)
        if kept and kept.rendered and kept.options == options and kept.after.exists():
            return kept
        drawn = kept.drawn if kept else None
        if drawn is not None:  # it is not drawn again
            session.photo.keep(options, drawn)
        result = replace(self.service.colorize(session.photo, options, task), drawn=drawn)
        session.keep(result, kept)
        return result

    def _show(self, session: ModelsSession, card: ModelCard, result: Colorization) -> Updates:
        return {
            "frame": THERE,
            "bar": THERE,
            "compared": widgets.compare(result),
            "pair": self._pair(session, card),
            "line": line(session, result),
        }

    def _pair(self, session: ModelsSession, card: ModelCard) -> dict[str, Any]:
        """The model that the card is to be seen beside, and the card's own."""
        names = (card.beside, card.name)
        results = [each for name in names if (each := session.result(name))]
        if not card.beside or len(results) < 2:
            return AWAY
        cells = []
        for result in results:
            title = self.known[result.options.model].title
            cells.append(thumbnails.result(result.after, title, f"The photo in colour by {title}"))
        value = thumbnails.groups(thumbnails.group(cells, len(cells), "Side by side"))
        return gr.update(value=value, visible=True)

    def _add_noise(self, session: ModelsSession, card: ModelCard, task: Task) -> dict[str, Any]:
        """Of the photo's own colours, or of those that the model gave it."""
        schedule, result = control(card, "schedule"), session.result(card.name)
        picture, coloured = session.small, session.photo.coloured
        if schedule is None or not (coloured or (result and result.rendered)):
            return AWAY
        task.step(0.0, "Adding noise")
        if not coloured and result:
            try:
                picture = shrink(decode(result.after).pixels, *picture.shape[:2])
            except PictureError:
                return AWAY  # deleted after an hour; it only illustrates
        return gr.update(value=thumbnails.into_noise(picture, schedule.choices), visible=True)

    # --- a model that draws ---------------------------------------------------------------------

    @task_handler("remark", failed=show_samples, stopped=show_samples)
    def draw(
        self,
        task: Task,
        session: ModelsSession | None,
        model: str,
        count: int,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
        *own: Any,
    ) -> Iterator[Updates]:
        """Draw from several seeds, to be seen while it is done."""
        if session is None:
            yield {"remark": "<p>Add a photo first.</p>", "busy": ""}
            return
        card = self.known[model]
        names = [each.name for each in card.controls]
        controls = card.settings(dict(zip(names, own, strict=True)))
        options = Options(model, vividness, strength, gain, neutralize, tuple(controls.items()))
        seeds = seeds_from(int(controls[SEED.name]), int(count))
        samples = Samples(card, options, seeds, gray(session.small))
        yield {"remark": "", **samples.show()}
        for draft in self.service.draw(session.photo, options, seeds, task):
            if session.away:
                return
            if samples.take(draft):
                yield samples.show()
        session.results[model] = samples.finish()
        session.picked[model] = len(samples.stages) - 1
        session.samples[model] = samples
        yield samples.show(session.picked[model])

    def choose(self, session: ModelsSession | None, event: gr.EventData) -> None:
        """Another of the drawn pictures is to be seen at full size."""
        if session is not None and session.current in session.results:
            count = len(session.results[session.current])
            session.picked[session.current] = int(event.index) % count

    # --- weights --------------------------------------------------------------------------------

    def offer(self, model: str) -> Updates:
        """Where its weights are from, and the button that downloads them."""
        card = self.known[model]
        if not card.source:
            return {"needs": AWAY, "get": AWAY}
        needs = gr.update(value=model_download.describe(card, self.service), visible=True)
        return {"needs": needs, "get": model_download.show_button([card], self.service)}

    @task_handler("remark", stopped=lambda *_: {"remark": model_download.STOPPED})
    def fetch(self, task: Task, model: str) -> Updates:
        """Download a model's weights, which goes on where it was stopped."""
        model_download.fetch(self.service, self.known[model], task)
        return {"remark": ""}

    # --- every run ------------------------------------------------------------------------------

    @task_handler("remark", failed=no_file, stopped=no_file)
    def download(self, task: Task, session: ModelsSession | None, format: str) -> Updates:
        """The result as a file, made when it is asked for."""
        result = session.result(session.current) if session else None
        if result is None:
            return {"finished": None}
        path = self.service.export(result, format, task)
        said = widgets.note(self.service.describe_losses(result, format))
        return {"remark": said, "finished": str(path)}


def line(session: ModelsSession, result: Colorization) -> str:
    """What was done."""
    samples = session.samples.get(result.options.model)
    if samples is None:
        return result.line
    return f"{result.line} · {samples.describe(session.picked[result.options.model])}"


def read_card(card: ModelCard) -> str:
    """The model card beside the weights, as Markdown; of a model that is downloaded, its facts."""
    path = checkpoints.BUNDLED / card.name / "README.md"
    if not path.is_file():
        return list_facts(card)
    # Front matter, title and summary come first, and are shown elsewhere.
    return path.read_text(encoding="utf-8").split(card.summary, 1)[-1].strip()


def list_facts(card: ModelCard) -> str:
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


def build(
    service: Service, page: gr.Tab | None = None, cards: Sequence[ModelCard] | None = None
) -> None:
    """Lay the tab out and wire it. `page`: the tab that is entered. `cards` are those of all models
    if not given; in public, of all that are on this machine."""
    every = model_choices.every()
    cards = cards or (model_choices.here(every) if service.public else every)
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)

    view = build_zone()
    build_chosen(view, "models", service.tabs)
    build_samples(view, service, examples)
    view.add(session=gr.State(None, time_to_live=KEEP_SECONDS), current=gr.State(cards[0].name))
    with gr.Tabs(elem_classes="models") as tabs:
        built = [build_tab(each) for each in cards]
    got = model_download.build_parts()
    view.add(needs=got.needs, get=got.get)
    sampled = [each for each in built if each]
    for each in sampled:
        view.add(**{f"{each.name} grid": each.grid, f"{each.name} strip": each.strip})

    view.add(remark=gr.HTML(elem_classes="message"), pair=thumbnails.build(visible=False))
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
    view.add(frame=frame, compared=compared, bar=bar, line=done, adjust=adjust)
    view.add(noise=thumbnails.build(visible=False))
    view.add(card=gr.Markdown(read_card(cards[0]), elem_classes="card"))
    view.add(finished=gr.DownloadButton(visible="hidden"))

    parts = [f"{each.name} {part}" for each in sampled for part in ("grid", "strip")]
    opened = wire(view, on, ["thumbnail", "adjust", *parts, *VIEW], [view["current"]], page)
    session, turn, asked = view["session"], view["turn"], widgets.runs(busy)
    changed = ["current", "card", "needs", "get", *VIEW]
    picked = tabs.select(*view.wire(on.pick, session, changed), **widgets.QUICK)
    ready, runs = [opened, picked], []
    for each in sampled:
        own = View(remark=view["remark"], busy=each.busy, grid=each.grid, strip=each.strip)
        inputs = [turn, session, gr.State(each.name), each.count, *knobs, *each.controls]
        made = each.go.click(
            *own.wire(on.draw, inputs, ["remark", "busy", "grid", "strip"]),
            **widgets.runs(each.busy),
        )
        runs.append(made)
        ready += [made, each.grid.select(on.choose, session, None, **widgets.QUICK)]
    fetching = view.wire(on.fetch, [turn, view["current"]], ["remark"])
    fetched = got.get.click(*fetching, trigger_mode="multiple", **widgets.runs(got.busy))
    runs.append(fetched)
    # Another model's tab may be open by then.
    fetched.then(*view.wire(on.offer, view["current"], ["needs", "get"]), **widgets.QUICK)
    ready.append(fetched)
    showing = view.wire(on.show, [turn, session, *knobs], VIEW)
    for event in ready:
        event.success(*showing, **asked)
    gr.on([knob.input for knob in knobs], *showing, trigger_mode="always_last", **asked)
    wire_downloads(view, buttons, on.download, [turn, session], busy)
    stopping = [cancel, got.cancel, *(each.cancel for each in sampled)]
    wire_run(view, on, runs, stopping)
    endpoint.build(cards)


@dataclass(frozen=True)
class SampledTab:
    """The parts of a tab whose model draws its colours."""

    name: str
    controls: list[Any]
    count: gr.Slider
    go: gr.Button
    busy: gr.HTML
    cancel: gr.Button
    strip: gr.HTML
    grid: gr.HTML


def build_tab(card: ModelCard) -> SampledTab | None:
    """One model's tab; its parts if it draws its colours."""
    with gr.Tab(card.title, id=card.name):
        gr.HTML(f"<p>{escape(card.summary)}</p>", elem_classes="summary")
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
    return SampledTab(card.name, controls, count, go, busy, cancel, strip, grid)
