"""The tab "Colorize": one photo in, the same photo in colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from colorize_core.cards import AUTO_VIVIDNESS, NATURAL_SKIN
from colorize_core.imaging.finish import CONTROLS as FINISH
from colorize_core.imaging.mark import TEXT as MARK
from colorize_core.models.runner import Task
from colorize_core.options import DEFAULT_MODEL, Options, Second, check_variant
from colorize_core.prepare.preparation import NAMES as PREPARED
from colorize_core.steering import project
from colorize_core.steering.hints import read_hints
from ui.colorize import albums, endpoint, finish_controls, hint_editor
from ui.colorize.session import ColorizeSession, add_steering
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, model_download, slider, widgets
from ui.shared.handlers import AWAY, THERE, Updates, View, task_handler
from ui.shared.kept_work import OFFER, KeptHandlers, build_confirm, build_offer, wire_offer
from ui.shared.opening import Opening, offer_choices
from ui.shared.photo import OpenPhoto
from ui.shared.photo_tab import (
    build_hand_over,
    build_samples,
    no_file,
    restore_photo,
    wire,
    wire_downloads,
    wire_upload,
)
from ui.shared.projects import PROJECT, Found, open_project, read_settings, save
from ui.shared.service import Colorization, Service

TITLE = "Colorize"
COMPARING, STEERING = "Before and after", "Colour it"
STOPPED = "<p>Stopped. The picture shows the settings before.</p>"
OWN = (AUTO_VIVIDNESS, NATURAL_SKIN)  # controls that only some models have
# The controls in the order of build(), and the row of those of OWN.
CONTROLS = (
    *("model", "vividness", "strength", "gain", "neutralize", "second", "share"),
    *(control.name for control in OWN),
    *(f"prepare_{name}" for name in PREPARED),
    *(f"finish_{name}" for name in FINISH),
    "unfinished",
)
FILLED = (*CONTROLS, "own")  # what fill_controls() answers with
SHARE = 0.5  # of a second model, before one is moved
STORAGE_KEY = "autochrome-studio-colorize"


class Handlers(KeptHandlers):
    """What the controls do."""

    kind = ColorizeSession

    def begin(
        self,
        photo: OpenPhoto,
        before: ColorizeSession | None,
        task: Task,
        kept: str,
        *controls: Any,
    ) -> Iterator[Updates]:
        """The photo while it is worked on, then its first colours in its place."""
        found = next((each for each in controls if isinstance(each, Found)), None)
        if found is None and photo.colours is not None:
            found = Found(photo, photo.colours)  # in another tab, or here before
        if found is None and project.recognize(photo.path):
            found = open_project(photo.path, before.photo if before else None, self.service, task)
        if found is not None:
            yield from self._begin_with(found, task, kept)
            return
        yield self._preview(photo)
        *asked, unfinished = controls
        result = self.service.colorize(photo, read_here(asked, model_choices.suggest()), task)
        session = ColorizeSession(photo, result, unfinished, earlier=kept)
        self._look_for_known(session, task.owner)
        yield self._show_first(session, task)

    def _begin_with(self, found: Found, task: Task, kept: str) -> Iterator[Updates]:
        """A photo with options that were saved."""
        yield self._preview(found.photo)
        hints, variant = found.options.hints, found.options.variant
        options = add_steering(found.options, hints, variant)
        make = self.service.steer if options.hints else self.service.colorize
        result = make(found.photo, options, task)
        session = ColorizeSession(
            found.photo, result, earlier=kept, steering=bool(options.hints), hints=hints
        )
        session.variant = variant
        self._look_for_known(session, task.owner)
        said = {"message": widgets.note(found.said)} if found.said else {}
        shown = {**self._show_first(session, task), **fill_controls(options), **self.keep(session)}
        yield {**shown, **said}

    def _preview(self, photo: OpenPhoto) -> Updates:
        preview = gr.update(value=str(photo.path), visible=True)
        return {"zone": preview, "place": AWAY, "frame": AWAY}

    def _show_first(self, session: ColorizeSession, task: Task) -> Updates:
        offered = self.offer(session, session.earlier)
        said = widgets.note(f"{session.photo.describe_losses()} {describe_known(session)}".strip())
        shown = {"frame": THERE, "session": session, "message": said, **offered}
        return {**shown, **self.show(session, task)}

    @task_handler(failed=restore_photo, stopped=restore_photo)
    def load(
        self,
        task: Task,
        upload: dict[str, Any] | None,
        session: ColorizeSession | None,
        kept: str,
        *controls: Any,
    ) -> Iterator[Updates]:
        """Open a project, or take the settings of a picture for the photo that is there."""
        photo = self.service.photo(self.service.upload(upload))
        if not project.recognize(photo.path):
            there = session.photo if session else None
            found = read_settings(photo.path, there, self.service, task)
            if session is not None and not found.options.hints:  # those that are there stay
                found = found._replace(options=replace(found.options, hints=session.hints))
            controls = (found,)
        yield from self._begin(photo, session, task, kept, *controls)

    def _look_for_known(self, session: ColorizeSession, client: str) -> None:
        """Tell the album what is known on this photo, and ask what of it other photos know."""
        albums.put(client, session, self.service)
        session.placed = albums.find(client, session, self.service)

    def restore(self, session: ColorizeSession | None) -> Updates:
        there = THERE if session else AWAY
        return {**super().restore(session), "place": there, "frame": there}

    def has_other_colours(self, session: ColorizeSession) -> bool:
        return session.photo.colours not in (None, session.result.options)

    def clear(self) -> Updates:
        return {"frame": AWAY, "compared": None, "steered": None, "line": ""}

    def take_up(self, work: ColorizeSession, client: str) -> Updates:
        """The tab with that work, as it was left; a network runs only where what it predicted was
        forgotten."""
        self._look_for_known(work, client)
        work.steering = bool(work.result.options.hints)
        work.unfinished = False
        return {"frame": THERE, **fill_controls(work.result.options), **self.show(work, Task())}

    def show(self, session: ColorizeSession, task: Task) -> Updates:
        """The slider, or the hint editor."""
        result = session.result
        visible = takes_hints(result)
        if session.steering:
            session.show(self.service.preview(result, session.small))
            mode = gr.update(value=STEERING, visible=visible)
            steered = hint_editor.restore(session)
            return {"mode": mode, "line": result.line, "compared": AWAY, "steered": steered}
        mode = gr.update(value=COMPARING, visible=visible)
        pictures = finish_controls.compare(self.service, session, result, session.unfinished, task)
        compared = gr.update(value=pictures, visible=True)
        return {"mode": mode, "line": result.line, "compared": compared, "steered": None}

    def stop_opening(
        self, turn: float, session: ColorizeSession | None, request: gr.Request
    ) -> Updates:
        """The same for what is adjusted, which is made in the same place."""
        stopped = super().stop_opening(turn, session, request)
        return {"message": STOPPED} if session else stopped

    @task_handler()
    def adjust(self, task: Task, session: ColorizeSession | None, *controls: Any) -> Updates:
        """A control has moved: render again, with the network only where it must."""
        if session is None:
            return {"message": ""}
        *asked, unfinished = controls
        options = session.add_steering(read_here(asked, session.result.options.model))
        if (session.result.options, session.unfinished) == (options, unfinished):
            return {"message": ""}  # back where the picture already is
        session.steering = session.steering and bool(options.hints or has_own(options.model))
        make = self.service.steer if session.steering else self.service.colorize
        session.take(make(session.photo, options, task))
        session.unfinished = unfinished
        return {"message": "", **self.show(session, task)}

    # --- colours by hand ------------------------------------------------------------------------

    @task_handler()
    def switch(self, task: Task, session: ColorizeSession | None, mode: str) -> Updates:
        """Between the slider and the hint editor."""
        if session is None:
            return {"message": ""}
        session.steering = mode == STEERING
        self._look_for_known(session, task.owner)
        if not (session.steering or session.result.rendered):
            options = session.result.options
            session.take(self.service.colorize(session.photo, options, task))
        return {"message": "", **self.show(session, task)}

    def answer(self, session: ColorizeSession | None) -> Updates:
        """What could not be done is answered with the picture as it is."""
        if session is None or not session.picture:
            return {}
        session.seen = session.asked
        return {"steered": hint_editor.view(session)}

    @task_handler(failed=answer, stopped=answer)
    def steer(self, task: Task, event: gr.EventData, session: ColorizeSession | None) -> Updates:
        """What was done in the hint editor: all of its hints, and what else it asks for."""
        given: Any = event._data
        if session is None or not session.steering or given.get("photo") != session.key:
            return {}
        asked = given.get("serial")
        session.asked = asked if isinstance(asked, int) else session.asked
        hints, variant = read_hints(given.get("hints")), given.get("variant", session.variant)
        check_variant(variant)
        session.hints, session.variant = hints, int(variant)
        session.decided |= set(read_hints(given.get("decided", [])))
        options = session.add_steering(session.result.options)
        if options != session.result.options:
            session.take(self.service.steer(session.photo, options, task))
            session.show(self.service.preview(session.result, session.small))
        albums.put(task.owner, session, self.service)
        more = hint_editor.find_more(self.service, session, given, task)
        session.seen = session.asked
        steered = hint_editor.view(session, **more)
        said = {"message": "", "line": session.result.line}
        return {**said, "steered": steered, **self.keep(session)}

    @task_handler(failed=no_file, stopped=no_file)
    def download(
        self, task: Task, session: ColorizeSession | None, mark: bool, format: str
    ) -> Updates:
        """The result or the whole project as a file, made when it is asked for."""
        if session is None:
            return {"finished": None}
        if format == PROJECT:
            return {"message": "", "finished": str(save(session.photo, self.service, session.work))}
        path = self.service.export(session.result, format, task, bool(mark))
        said = widgets.note(self.service.describe_losses(session.result, format))
        return {"message": said, "finished": str(path)}


def read_options(
    model: str,
    vividness: float,
    strength: float,
    gain: float,
    neutralize: bool,
    second: str,
    share: float,
    *more: Any,
) -> Options:
    """What the controls say; of those of OWN, what the model has. Raises OptionError."""
    own = more[: len(OWN)]
    mixed = Second(second, share) if second not in ("", model) else None
    options = Options(model, vividness, strength, gain, neutralize, second=mixed)
    options = finish_controls.add_finish(options, *more[len(OWN) :])
    if not has_own(model):
        return options
    values = {control.name: control.read(value) for control, value in zip(OWN, own, strict=True)}
    return options.with_controls(**values)


def read_here(controls: Sequence[Any], other: str) -> Options:
    """read_options(), with the other model while the chosen one is still to be downloaded."""
    model, *more = controls
    return read_options(model_choices.pick_here(model, other), *more)


def fill_controls(options: Options) -> Updates:
    """The controls as those options have them, compared with the photo before."""
    own = dict(options.controls)
    second = options.second or Second("", SHARE)
    values = [
        gr.update(value=options.model, info=summarize(options.model)),
        *(options.vividness, options.strength, options.gain, options.neutralize),
        *(second.model, second.share),
        *(own.get(control.name, control.default) for control in OWN),
        *finish_controls.fill(options.prepare, options.finish),
        False,
    ]
    filled = dict(zip(CONTROLS, values, strict=True))
    return {**filled, "own": gr.update(visible=has_own(options.model))}


def summarize(model: str) -> str:
    """What its card says in a sentence."""
    return next((card.summary for card in model_choices.every() if card.name == model), "")


def describe_known(session: ColorizeSession) -> str:
    """Where what other photos know of this one can be seen."""
    count = len(session.suggested)
    if not count or session.steering:
        return ""
    colours = f"{count} colours that you know" if count > 1 else "A colour that you know"
    return f"{colours} from other photos may be on this one: {STEERING} shows where."


def takes_hints(result: Colorization) -> bool:
    return any(
        card.name == result.options.model and card.takes_hints for card in model_choices.every()
    )


def has_own(model: str) -> bool:
    """Whether that model has the controls of OWN."""
    return any(
        card.name == model and set(OWN) <= set(card.controls) for card in model_choices.every()
    )


def build(service: Service, page: gr.Tab | None = None) -> list[Opening]:
    """Lay the tab out and wire it; what is put in as the page opens. `page`: the tab entered."""
    examples = example_strip.find_examples()
    on = Handlers(service, examples)
    session = gr.State(None, time_to_live=KEEP_SECONDS)

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (busy, cancel):
        zone = widgets.drop_zone(elem_id="photo")
        with gr.Column(visible=False) as frame:
            mode = gr.Radio(
                [COMPARING, STEERING], value=COMPARING, show_label=False, elem_classes="modes"
            )
            compared = slider.build(elem_id="slider")
            steered = hint_editor.build(elem_id="steer")
    view = View(message=message, zone=zone, session=session, opening=busy, cancel_opening=cancel)
    with gr.Row(elem_classes="actions"):
        saved = gr.UploadButton(
            "Open a project, or a picture's settings",
            file_types=[project.SUFFIX, "image"],
            size="sm",
        )
    build_offer(view, STORAGE_KEY)
    with gr.Column(visible=False, elem_id="result", elem_classes="result") as place:
        with gr.Row(elem_classes="actions"):
            line = widgets.status_line(elem_id="line")
            buttons = widgets.downloads()
            mark = gr.Checkbox(
                False, label=f"Write “{MARK}” in a corner", container=False, elem_classes="mark"
            )
            buttons[PROJECT] = gr.Button("Save project", size="sm")
            another = gr.Button("Another photo", size="sm")
        build_hand_over("colorize", service.tabs)
        build_confirm(view)
        with gr.Accordion("Adjust", open=False, elem_id="adjust", elem_classes="adjust"):
            controls, own, suggesting = build_controls(service)
            offered = model_choices.lister(model_choices.every(), service.public)
            got = model_download.build(service, controls[0], offered)
        finish, put_back = finish_controls.build()
        controls += finish
    view.add(frame=frame, compared=compared, place=place, line=line, mode=mode, steered=steered)
    view.add(own=own, **dict(zip(CONTROLS, controls, strict=True)))
    build_samples(view, service, examples)
    view.add(finished=gr.DownloadButton(visible="hidden"))

    shown = ["mode", "compared", "steered", "line"]
    changed = ["frame", *shown, "kept", *OFFER, *FILLED]
    context = [view["kept"], *controls]
    wire(view, on, changed, context, page)
    wire_upload(view, on, saved, on.load, changed, context)
    offering = wire_offer(view, on, another, ["frame", *shown, *FILLED])
    turn, asked = view["turn"], widgets.runs(busy)
    adjusting = view.wire(on.adjust, [turn, session, *controls], ["message", *shown])
    moved = [control.input for control in controls]
    gr.on(moved, *adjusting, trigger_mode="always_last", **asked)
    got.success(*adjusting, **asked)
    put_back.success(*adjusting, trigger_mode="always_last", **asked)
    mode.input(*view.wire(on.switch, [turn, session, mode], ["message", *shown]), **asked)
    steered.submit(
        *view.wire(on.steer, [turn, session], ["message", "steered", "line", "kept"]),
        trigger_mode="multiple",
        **{**asked, "show_progress": "hidden", "show_progress_on": None},
    )
    wire_downloads(view, buttons, on.download, [turn, session, mark], busy)
    endpoint.build(service, zone, controls[:5])  # those of OWN are among its options
    picked = [offer_choices(controls[0], offered), offer_choices(view["second"], list_seconds)]
    return [suggesting, offering, *picked]


def list_seconds() -> list[tuple[str, str]]:
    """The models that can be mixed in."""
    return [("None", ""), *model_choices.choices(model_choices.every())]


def build_second() -> tuple[gr.Dropdown, gr.Slider]:
    """Another model and how much of it there is to be."""
    with gr.Row():
        second = gr.Dropdown(
            list_seconds(),
            value="",
            label="Mix in",
            info="The colours of another one beside these.",
        )
        share = gr.Slider(
            0, 1, SHARE, step=0.05, label="How much of it", info="0: nothing, 1: it alone."
        )
    return second, share


def build_controls(service: Service) -> tuple[list[Any], gr.Row, Opening]:
    """The first of CONTROLS, to those of OWN, whose row is given as well, and the model that is
    suggested when the page opens."""
    with gr.Row():
        vividness, strength, gain = widgets.sliders()
    with gr.Row():
        model = gr.Dropdown(
            model_choices.lister(model_choices.every(), service.public)(),
            value=DEFAULT_MODEL,
            label="Model",
            info=summarize(DEFAULT_MODEL),
        )
        neutralize = widgets.neutralizing()
    second = build_second()
    with gr.Row() as row:
        own = [widgets.build_control(control) for control in OWN]

    def describe(name: str) -> list[dict[str, Any]]:
        return [gr.update(info=summarize(name)), gr.update(visible=has_own(name))]

    def suggest() -> list[dict[str, Any]]:
        model, row = describe(name := model_choices.suggest())
        return [{**model, "value": name}, row]

    model.input(describe, model, [model, row], **widgets.QUICK)
    controls = [model, vividness, strength, gain, neutralize, *second, *own]
    return controls, row, Opening(suggest, [], [model, row])
