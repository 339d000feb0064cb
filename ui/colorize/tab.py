"""The tab "Colorize": one photo in, the same photo in colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from colorize_core.cards import AUTO_VIVIDNESS, NATURAL_SKIN
from colorize_core.imaging.formats import ACCEPTED, CHOICES
from colorize_core.models.runner import Task
from colorize_core.options import DEFAULT_MODEL, Options
from ui.colorize import finish_controls
from ui.colorize.session import ColorizeSession
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import endpoints, example_strip, model_choices, slider, widgets
from ui.shared.handlers import AWAY, THERE, Updates, View, task_handler
from ui.shared.photo import OpenPhoto
from ui.shared.photo_tab import PhotoHandlers, build_samples, no_file, wire, wire_downloads
from ui.shared.service import Colorization, Service, check_format

TITLE = "Colorize"
STOPPED = "<p>Stopped. The picture shows the settings before.</p>"
OWN = (AUTO_VIVIDNESS, NATURAL_SKIN)  # controls that only some models have
ENDPOINT = f"""Colorize one photo and give it back at its full size, with its metadata.

photo: a picture file ({ACCEPTED});
the first of several pages or frames is taken, and colours of its own are set aside. model: a
model's name. vividness: 0 (timid) to 2 (saturated), 1 is the model's choice. strength: 0 to 1.5,
how much of the colour is put in. gain: 0.5 to 2, brightness of the network's copy only; below 1
helps blown-out skies. neutralize: take the tint of an old print out first.
format: JPEG, PNG, WebP or "TIFF, 16 bit". options: what the model has of its own, as
"seed=3,temperature=0.9"; /models says which, and what is allowed.

Returns the result file, and one line on what was done (size, model, seconds, device, tint, how many
pictures the file holds if that is not one).
A name or value that is not known is refused, with what is. Calling /cancel from the same session
stops it."""

CANCEL = "Stop all that this session runs. Takes nothing and returns nothing."


class Handlers(PhotoHandlers):
    """What the controls do."""

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
        with endpoints.refuse(), self.service.task(client_id(request), progress) as task:
            asked = Options.read(model, vividness, strength, gain, neutralize)
            asked = asked.with_controls(**endpoints.parse_controls(asked.model, options))
            check_format(format)
            given = self.service.photo(self.service.upload(photo))
            result = self.service.colorize(given, asked, task)
            return str(self.service.export(result, format, task)), result.line

    def begin(
        self, photo: OpenPhoto, before: ColorizeSession | None, task: Task, *controls: Any
    ) -> Iterator[Updates]:
        """The photo while it is worked on, then its first colours in its place."""
        preview = gr.update(value=str(photo.path), visible=True)
        yield {"zone": preview, "place": AWAY, "frame": AWAY}
        *asked, unfinished = controls
        result = self.service.colorize(photo, read_options(*asked), task)
        session = ColorizeSession(photo, result, unfinished)
        compared = finish_controls.compare(self.service, session, result, unfinished, task)
        yield {"frame": THERE, "session": session, **show(result), "compared": compared}

    def restore(self, session: ColorizeSession | None) -> Updates:
        there = THERE if session else AWAY
        return {**super().restore(session), "place": there, "frame": there}

    def clear(self) -> Updates:
        return {"frame": AWAY, "compared": None, "line": ""}

    def stop_opening(
        self, turn: float, session: ColorizeSession | None, request: gr.Request
    ) -> Updates:
        """The same for what is adjusted, which is made in the same place."""
        stopped = super().stop_opening(turn, session, request)
        return {"message": STOPPED} if session else stopped

    @task_handler()
    def adjust(self, task: Task, session: ColorizeSession | None, *controls: Any) -> Updates:
        """A control has moved: render again, with the network only where it must."""
        *asked, unfinished = controls
        wanted = read_options(*asked), unfinished
        if session is None or (session.result.options, session.unfinished) == wanted:
            return {"message": ""}  # back where the picture already is
        result = self.service.colorize(session.photo, wanted[0], task)
        compared = finish_controls.compare(self.service, session, result, unfinished, task)
        session.result, session.unfinished = result, unfinished
        return {"message": "", **show(result), "compared": compared}

    @task_handler(failed=no_file, stopped=no_file)
    def download(self, task: Task, session: ColorizeSession | None, format: str) -> Updates:
        """The result as a file, made when it is asked for."""
        if session is None:
            return {"finished": None}
        path = self.service.export(session.result, format, task)
        said = widgets.note(self.service.describe_losses(session.result, format))
        return {"message": said, "finished": str(path)}

    def cancel(self, request: gr.Request) -> None:
        """Stop what this session runs, for programs."""
        self.service.stop(client_id(request))


def show(result: Colorization) -> Updates:
    return {"compared": widgets.compare(result), "line": result.line}


def read_options(
    model: str,
    vividness: float,
    strength: float,
    gain: float,
    neutralize: bool,
    *more: float,
) -> Options:
    """What the controls say; of those of OWN, what the model has. Raises OptionError."""
    own, finish = more[: len(OWN)], finish_controls.read_finish(*more[len(OWN) :])
    options = Options(model, vividness, strength, gain, neutralize, finish=finish)
    if not has_own(model):
        return options
    values = {control.name: control.read(value) for control, value in zip(OWN, own, strict=True)}
    return options.with_controls(**values)


def has_own(model: str) -> bool:
    """Whether that model has the controls of OWN."""
    return any(
        card.name == model and set(OWN) <= set(card.controls) for card in model_choices.every()
    )


def build(service: Service, page: gr.Tab | None = None) -> list[widgets.Picker]:
    """Lay the tab out and wire it; where models are picked. `page`: the tab that is entered."""
    examples = example_strip.find_examples()
    on = Handlers(service, examples)
    session = gr.State(None, time_to_live=KEEP_SECONDS)

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (busy, cancel):
        zone = widgets.drop_zone(elem_id="photo")
        with gr.Column(visible=False) as frame:
            compared = slider.build(elem_id="slider")
    with gr.Column(visible=False, elem_id="result", elem_classes="result") as place:
        with gr.Row(elem_classes="actions"):
            line = widgets.status_line(elem_id="line")
            buttons = widgets.downloads()
            again = gr.Button("Another photo", size="sm")
        with gr.Accordion("Adjust", open=False, elem_id="adjust", elem_classes="adjust"):
            controls = build_controls()
        finish, put_back = finish_controls.build()
        controls += finish
    view = View(message=message, zone=zone, frame=frame, compared=compared, place=place, line=line)
    view.add(session=session, again=again, opening=busy, cancel_opening=cancel)
    build_samples(view, service, examples)
    view.add(finished=gr.DownloadButton(visible="hidden"))

    wire(view, on, ["frame", "compared", "line"], controls, page)
    turn, asked = view["turn"], widgets.runs(busy)
    adjusting = view.wire(on.adjust, [turn, session, *controls], ["message", "compared", "line"])
    moved = [control.input for control in controls]
    gr.on(moved, *adjusting, trigger_mode="always_last", **asked)
    put_back.success(*adjusting, trigger_mode="always_last", **asked)
    wire_downloads(view, buttons, on.download, [turn, session], busy)
    build_endpoint(on, zone, controls)
    return [widgets.picker(controls[0], model_choices.every())]


def build_controls() -> list[Any]:
    """Model, vividness, strength, gain, neutralize and those of OWN: as read_options() takes
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
        **widgets.QUICK,
    )
    return [model, vividness, strength, gain, neutralize, *own]


def build_endpoint(on: Handlers, photo: gr.Image, controls: list[Any]) -> None:
    """/colorize for programs: the tab's own inputs, a format, and the file at once; /cancel."""
    format = endpoints.format_choice(CHOICES, "JPEG")
    options = gr.Textbox("", label="Options", visible=False)
    endpoints.publish(
        on.colorize,
        [photo, *controls[:5], format, options],  # those of OWN are among the options
        [endpoints.make_file(), endpoints.make_text()],
        ENDPOINT,
        **endpoints.QUEUED,
    )
    # Not listed, so no tool for MCP clients either: all of their calls share one session of Gradio.
    endpoints.publish(on.cancel, None, None, CANCEL, queue=False, api_visibility="undocumented")
