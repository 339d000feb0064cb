"""The tab "Colorize": one photo in, the same photo in colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.cards import AUTO_VIVIDNESS, NATURAL_SKIN
from colorize_core.errors import Cancelled, ColorizeError
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import endpoints, example_strip, model_choices, slider, widgets
from ui.shared.service import DEFAULT_MODEL, FORMATS, Colorization, Service, Settings, check_format
from ui.shared.widgets import BUSY, QUICK, said, shown

TITLE = "Colorize"
OWN = (AUTO_VIVIDNESS, NATURAL_SKIN)  # controls that only some models have
ENDPOINT = """Colorize one photo and give it back at its full size, with its metadata.

photo: a picture file (JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF); colours of its own are set
aside. model: a model's name. vividness: 0 (timid) to 2 (saturated), 1 is the model's choice.
strength: 0 to 1.5, how much of the colour is put in. gain: 0.5 to 2, brightness of the network's
copy only; below 1 helps blown-out skies. neutralize: take the tint of an old print out first.
format: JPEG, PNG, WebP or "TIFF, 16 bit". options: what the model has of its own, as
"seed=3,temperature=0.9"; /models says which, and what is allowed.

Returns the result file, and one line on what was done (size, model, seconds, device, tint).
A name or value that is not known is refused, with what is. Calling /cancel from the same session
stops it."""

CANCEL = "Stop all that this session runs. Takes nothing and returns nothing."


class Handlers:
    """What the controls do. Whose photo it is comes with every call: nothing is kept here."""

    def __init__(self, service: Service, examples: list[Path]):
        self.service = service
        self.examples = examples

    def colorize(
        self,
        photo: dict[str, Any] | None,
        model: str,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
        format: str,
        options: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> tuple[str, str]:
        """The endpoint: see ENDPOINT."""
        with endpoints.refusing(), self.service.task(client_id(request), progress) as task:
            settings = Settings.read(model, vividness, strength, gain, neutralize)
            settings = settings.with_controls(**endpoints.own_controls(settings.model, options))
            check_format(format)
            work = self.service.develop(self.service.upload(photo), settings, task)
            return str(self.service.export(work, format, task)), work.line

    def take_upload(self, photo: dict[str, Any] | None) -> list[Any]:
        """Show the photo that was dropped while it is worked on."""
        return begin(gr.update(visible=True), str(self.service.upload(photo)))

    def take_example(self, event: gr.EventData) -> list[Any]:
        """Show the example that was picked while it is worked on."""
        path = str(example_strip.picked(self.examples, event))
        return begin(gr.update(value=path, visible=True), path)

    def reset(self) -> list[Any]:
        """Back to the empty drop zone."""
        return begin(gr.update(value=None, visible=True), None)

    def open(
        self,
        turn: float,
        source: str | None,
        model: str,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
        auto_vividness: float,
        natural_skin: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The new photo's first colours: the comparison takes the drop zone's place."""
        if source is None:
            return [gr.skip()] * 7
        settings = read_settings(
            model, vividness, strength, gain, neutralize, auto_vividness, natural_skin
        )
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                work = self.service.develop(Path(source), settings, task)
        except Cancelled:
            return [gr.skip()] * 7  # stop() has cleared the page
        except ColorizeError as error:
            away = gr.update(visible=False)
            empty = gr.update(value=None, visible=True)
            return [said(error), empty, away, away, None, "", None]
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        there = gr.update(visible=True)
        return ["", hidden, there, there, shown(work), work.line, work]

    def adjust(
        self,
        turn: float,
        model: str,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
        auto_vividness: float,
        natural_skin: float,
        kept: Colorization | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """A control has moved: render again, with the network only where it must."""
        settings = read_settings(
            model, vividness, strength, gain, neutralize, auto_vividness, natural_skin
        )
        if kept is None or kept.settings == settings:  # back where the picture already is
            return ["", gr.skip(), gr.skip(), gr.skip()]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                work = self.service.develop(kept.path, settings, task, kept)
        except Cancelled:
            return [gr.skip()] * 4
        except ColorizeError as error:
            return [said(error), gr.skip(), gr.skip(), gr.skip()]
        return ["", shown(work), work.line, work]

    def download(
        self,
        turn: float,
        format: str,
        kept: Colorization | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The result as a file, made when it is asked for."""
        if kept is None:
            return [gr.skip(), None]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return ["", str(self.service.export(kept, format, task))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [said(error), None]

    def fail(self) -> list[Any]:
        """The run did not even begin: the queue is full, or the app is being closed."""
        return [said(BUSY), *self.reset()[1:]]

    def stop(self, turn: float, kept: Colorization | None, request: gr.Request) -> list[Any]:
        """Stop what was asked for before `turn`; the page says so at once."""
        self.service.stop(client_id(request), turn)
        if kept is not None:
            return ["<p>Stopped. The picture shows the settings before.</p>"] + [gr.skip()] * 5
        return ["<p>Stopped.</p>", *self.reset()[1:]]

    def cancel(self, request: gr.Request) -> None:
        """Stop what this session runs, for programs."""
        self.service.stop(client_id(request))


def read_settings(
    model: str,
    vividness: float,
    strength: float,
    gain: float,
    neutralize: bool,
    *own: float,
) -> Settings:
    """What the controls say; of those of OWN, what the model has."""
    settings = Settings(model, vividness, strength, gain, neutralize)
    if not has_own(model):
        return settings
    values = {control.name: control.read(value) for control, value in zip(OWN, own, strict=True)}
    return settings.with_controls(**values)


def has_own(model: str) -> bool:
    """Whether that model has the controls of OWN."""
    return any(
        card.name == model and set(OWN) <= set(card.controls) for card in model_choices.every()
    )


def begin(photo: Any, source: str | None) -> list[Any]:
    """The drop zone without a result: message, photo, frame, result, source, kept."""
    away = gr.update(visible=False)
    return ["", photo, away, away, source, None]


def build(service: Service) -> list[widgets.Picker]:
    """Lay the tab out and wire it; where models are picked."""
    examples = example_strip.find_examples()
    on = Handlers(service, examples)
    kept = gr.State(None, time_to_live=KEEP_SECONDS)
    source = gr.State(None, time_to_live=KEEP_SECONDS)

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (busy, cancel):
        photo = widgets.drop_zone(elem_id="photo")
        with gr.Column(visible=False) as frame:
            compared = slider.build(elem_id="slider")
    with gr.Column(visible=False, elem_id="result", elem_classes="result") as result:
        with gr.Row(elem_classes="actions"):
            line = widgets.status_line(elem_id="line")
            buttons = widgets.downloads()
            again = gr.Button("Another photo", size="sm")
        with gr.Accordion("Adjust", open=False, elem_id="adjust", elem_classes="adjust"):
            controls = build_controls()
    with gr.Column(visible=bool(examples), elem_classes="samples"):
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(examples, service.folder, elem_classes="strip")
    finished = gr.DownloadButton(visible="hidden")

    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page
    run = widgets.runs(busy)
    begun = [message, photo, frame, result, source, kept]
    opened = [message, photo, frame, result, compared, line, kept]
    for picked in (
        photo.upload(on.take_upload, photo, begun, preprocess=False, **QUICK),
        strip.select(on.take_example, None, begun, **QUICK),
    ):
        opening = picked.then(
            on.open, [turn, source, *controls], opened, trigger_mode="multiple", **run
        )
        opening.failure(on.fail, None, begun, **QUICK)
    gr.on(
        [control.input for control in controls],
        on.adjust,
        [turn, *controls, kept],
        [message, compared, line, kept],
        trigger_mode="always_last",
        **run,
    )
    for name, button in buttons.items():
        made = button.click(on.download, [turn, gr.State(name), kept], [message, finished], **run)
        made.success(None, finished, None, js="window.saveFile", **QUICK)
    cancel.click(on.stop, [turn, kept], begun, js="window.stopRuns", **QUICK)
    again.click(on.reset, None, begun, **QUICK)
    build_endpoint(on, photo, controls)
    return [widgets.picker(controls[0], model_choices.every())]


def build_controls() -> list[Any]:
    """Model, vividness, strength, gain, neutralize and those of OWN: as read_settings() takes
    them."""
    cards = model_choices.every()
    summaries = {card.name: card.summary for card in cards}
    with gr.Row():
        vividness, strength, gain = widgets.sliders()
    with gr.Row():
        model = gr.Dropdown(
            model_choices.choices(cards),
            value=DEFAULT_MODEL,
            label="Model",
            info=summaries[DEFAULT_MODEL],
        )
        neutralize = widgets.neutralizing()
    with gr.Row() as row:
        own = [widgets.build_control(control) for control in OWN]
    model.input(
        lambda name: [gr.update(info=summaries[name]), gr.update(visible=has_own(name))],
        model,
        [model, row],
        **QUICK,
    )
    return [model, vividness, strength, gain, neutralize, *own]


def build_endpoint(on: Handlers, photo: gr.Image, controls: list[Any]) -> None:
    """/colorize for programs: the tab's own inputs, a format, and the file at once; /cancel."""
    format = endpoints.format_choice(FORMATS, "JPEG")
    options = gr.Textbox("", label="Options", visible=False)
    endpoints.publish(
        on.colorize,
        [photo, *controls[: -len(OWN)], format, options],  # those of OWN are among the options
        [endpoints.file(), endpoints.words()],
        ENDPOINT,
        **endpoints.QUEUED,
    )
    # Not listed, so no tool for MCP clients either: all of their calls share one session of Gradio.
    endpoints.publish(on.cancel, None, None, CANCEL, queue=False, api_visibility="undocumented")
