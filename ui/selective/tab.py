"""The tab "Selective": colour only what matters, under masks that are painted on the photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core import selective
from colorize_core.cards import ModelCard
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.imaging.formats import CHOICES
from colorize_core.models.runner import Task
from colorize_core.selective import masks, segmenters
from colorize_core.selective.layers import Network
from colorize_core.selective.people import PEOPLE
from colorize_core.selective.sam2 import SAM2
from colorize_core.sizes import format_size
from colorize_core.steering import project
from ui.selective import endpoint, mask_editor, mask_edits, mask_files
from ui.selective.fill_controls import (
    FLAT,
    build_inside,
    build_outside,
    has_vividness,
    list_inside,
    list_outside,
    name_choice,
    read_fill,
)
from ui.selective.session import Fill, SelectiveSession, choose_first
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, model_download, widgets
from ui.shared.handlers import Updates, quick_handler, task_handler, wire_run
from ui.shared.kept_work import OFFER, KeptHandlers, build_confirm, build_offer, wire_offer
from ui.shared.opening import Opening, offer_choices
from ui.shared.photo import OpenPhoto
from ui.shared.photo_tab import (
    build_hand_over,
    build_samples,
    build_zone,
    no_file,
    wire,
    wire_downloads,
)
from ui.shared.projects import PROJECT, open_project, save
from ui.shared.service import Service, in_words, tell_owner

TITLE = "Selective"
INVITATION = "# Drop a photo\nto colour only a part of it"
SAM = (
    "<p>Looks again where your box and your strokes point; "
    f"downloads {format_size(SAM2.bytes)} once.</p>"
)
CONTROLS = ("shown", "inside", "vividness", "colour", "layers", "kept")  # what show() answers with
STORAGE_KEY = "autochrome-studio-selective"


def describe_network(network: Network) -> str:
    """What a network is good for, and what it would download."""
    if not network.download:
        return f"{network.title}: comes with the app"
    return f"{network.title}: downloads {format_size(DOWNLOADS[network.download].bytes)} once"


class Handlers(KeptHandlers):
    """What the controls do. Whose photo it is comes with every call, in its session."""

    remark = "remark"
    kind = SelectiveSession

    # --- the photo ------------------------------------------------------------------------------

    def begin(
        self, photo: OpenPhoto, before: SelectiveSession | None, task: Task, kept: str = ""
    ) -> Iterator[Updates]:
        """The photo is seen at once, then its first mask."""
        if project.recognize(photo.path):
            there = before.photo if before else None
            photo, before = open_project(photo.path, there, self.service, task).photo, None
        photo.read(task)
        if before is not None and before.photo is photo:  # its colours are others now
            with before.lock:
                before.areas = before.put(fill=choose_first(photo))
            yield {"session": before, **self.show(before)}
            return
        session = SelectiveSession.open(photo, self.service)
        session.make(Fill(), self.service, task)
        session.earlier = kept
        yield {"session": session, **self.offer(session, kept), **self.show(session)}
        said: Updates = {}
        try:
            with in_words():
                task.step(0.0, "Looking for what the photo is about")
                with self.service.runner.turn(task):
                    session.find_subject(task.part(0.0, "Looking for what the photo is about"))
                with session.lock:
                    mask_edits.begin(session)
        except Cancelled:
            said = {"message": gr.skip()}  # stop() has said so
        except ColorizeError as error:  # the mask can be painted all the same
            said = {"message": widgets.alert(error)}
        yield {"session": session, **said, **self.show(session)}

    def has_other_colours(self, session: SelectiveSession) -> bool:
        return session.area.fill != choose_first(session.photo)

    def clear(self) -> Updates:
        return {"shown": None}

    def take_up(self, work: SelectiveSession, client: str) -> Updates:
        """The tab with that work, as it was left."""
        return {"outside": name_choice(work.outside), **self.show(work)}

    def show(self, session: SelectiveSession) -> Updates:
        """The picture, and the controls as the region that is worked on has them."""
        fill = session.area.fill
        names = [layer.name for layer in session.found]
        colour = {"value": "#{:02x}{:02x}{:02x}".format(*fill.colour)} if fill.colour else {}
        return {
            **self.show_picture(session),
            "inside": {**self.list_inside(session), "value": name_choice(fill)},
            "vividness": gr.update(value=fill.vividness, visible=has_vividness(fill)),
            "colour": gr.update(visible=fill.colour is not None, **colour),
            "layers": gr.update(
                choices=[
                    (f"{each.name} · {write_percent(each.share)}", each.name)
                    for each in session.found
                ],
                value=[name for name in session.area.layers if name in names],
                visible=bool(names),
            ),
        }

    def list_inside(self, session: SelectiveSession | None) -> dict[str, Any]:
        """What its list offers now."""
        return gr.update(choices=list_inside(self.cards, session, not self.service.public))

    def show_picture(self, session: SelectiveSession) -> Updates:
        if session.by_hand:
            session.select()
        return {"shown": mask_editor.view(session, self.service), **self.keep(session)}

    # --- masks ----------------------------------------------------------------------------------

    def edit(self, session: SelectiveSession | None, event: gr.EventData) -> Updates:
        """What was done on the picture."""
        if session is None or event.photo != session.key:
            return {}
        with session.lock:
            before = session.active, len(session.areas), session.area.layers
            message = ""
            try:
                with in_words():
                    mask_edits.apply(session, event.edits)
            except ColorizeError as error:
                message = widgets.alert(error)
                session.seen = max(session.seen, int(event.edits[-1]["serial"]))
            same = before == (session.active, len(session.areas), session.area.layers)
            # The controls are not disturbed by strokes.
            shown = self.show_picture(session) if same else self.show(session)
            return {"remark": message, **shown}

    def toggle(self, session: SelectiveSession | None, names: list[str]) -> Updates:
        """Have just these classes in the region."""
        if session is None:
            return {}
        with session.lock:
            mask_edits.toggle(session, names)
            return {"remark": "", **self.show_picture(session)}

    @task_handler("remark")
    def find(self, task: Task, session: SelectiveSession | None, network: str) -> Updates:
        """Look for the classes that the network knows, to be put in and taken out."""
        if session is None:
            return {}
        self._fetch(network, task)
        looking = task.part(0.0, "Looking")
        with self.service.runner.turn(task):
            found = selective.find_classes(session.small, network=network, progress=looking)
        with session.lock:
            if session.away:
                return {}
            session.found = found
            if len(found) == 1:  # there is no choice to leave to the person
                mask_edits.toggle(session, [found[0].name])
            words = warn(*(masks.describe_doubt(each.mask, each.name) for each in found))
            if not found:
                words = "<p>Nothing that the network knows was found.</p>"
            return {"remark": words, **self.show(session)}

    @task_handler("remark")
    def point(self, task: Task, session: SelectiveSession | None) -> Updates:
        """Select what the box and the strokes point at by a network."""
        if session is None:
            return {}
        prompts = mask_edits.read_prompts(session)
        self._fetch("sam2", task)
        task.step(0.0, "Selecting the object")
        with self.service.runner.turn(task):
            mask = selective.find_pointed(session.small, **prompts)
        with session.lock:
            if session.away:
                return {}
            session.change(mask, layers=())
            return {"remark": warn(masks.describe_doubt(mask)), **self.show(session)}

    def _fetch(self, network: str, task: Task) -> None:
        """Download it where it is not here, while others go on. Raises WeightsError, also where it
        must not be downloaded, or Cancelled."""
        if selective.count_missing_bytes(network):
            self.service.check_download(*segmenters.describe_download(network))
            segmenters.fetch(network, task.report_bytes, task.stopped)

    @quick_handler("remark")
    def load_mask(self, session: SelectiveSession | None, path: str | None) -> Updates:
        """Another mask for the region, from a picture file."""
        if session is None or not path:
            return {}
        mask = mask_files.read_mask(Path(path), session, self.service)
        with session.lock:
            session.change(mask, layers=())
            return {"remark": warn(masks.describe_doubt(mask)), **self.show_picture(session)}

    # --- colours --------------------------------------------------------------------------------

    def choose(
        self, session: SelectiveSession | None, choice: str, vividness: float, colour: str | None
    ) -> Updates:
        """The region is to be filled otherwise; its mask stays. A model that is still to be
        downloaded has to be here first."""
        if model_choices.pick_here(choice, "") != choice:
            return {}
        fill = read_fill(choice, vividness, colour, session)
        if session is not None:
            with session.lock:
                session.areas = session.put(fill=fill)
        return {
            "vividness": gr.update(visible=has_vividness(fill)),
            "colour": gr.update(visible=choice == FLAT),
        }

    def choose_fetched(self, session: SelectiveSession | None, *chosen: Any) -> Updates:
        """The chosen model may have been downloaded."""
        return {**self.choose(session, *chosen), "inside": self.list_inside(session)}

    def choose_outside(
        self, session: SelectiveSession | None, choice: str, vividness: float
    ) -> Updates:
        """What lies around the regions is to be filled otherwise, once its model is here."""
        if model_choices.pick_here(choice, "") != choice:
            return {}
        fill = read_fill(choice, vividness, None, session)
        if session is not None:
            session.outside = fill
        return {"outside_vividness": gr.update(visible=has_vividness(fill))}

    def settle(self, session: SelectiveSession | None) -> Updates:
        """Show what could be made; what could not is not wanted any more."""
        if session is None:
            return {"remark": gr.skip()}
        with session.lock:
            if session.away:
                return {"remark": gr.skip()}
            chosen, wanted = session.area.fill, session.outside
            session.settle()
            # Controls stay as they are where they can: a person may just be turning one.
            same = chosen == session.area.fill
            shown = self.show_picture(session) if same else self.show(session)
            if wanted != session.outside:
                shown["outside"] = name_choice(session.outside)
            return shown

    @task_handler("remark", failed=settle, stopped=settle)
    def colour(self, task: Task, session: SelectiveSession | None) -> Updates:
        """Make what is wanted and not there yet, also what is chosen meanwhile."""
        while session is not None:
            with session.lock:
                missing = session.list_missing()
                if session.away or not missing:
                    return {"remark": "", **self.settle(session)}
            session.make(missing[0], self.service, task)
        return {"remark": ""}

    # --- what is taken away ---------------------------------------------------------------------

    @task_handler("remark", failed=no_file, stopped=no_file)
    def download(self, task: Task, session: SelectiveSession | None, kind: str) -> Updates:
        """A file, made when it is asked for."""
        if session is None:
            return {"finished": None}
        if kind == PROJECT:
            with session.lock:
                session.select()
            return {"remark": "", "finished": str(save(session.photo, self.service))}
        path = mask_files.write(session, kind, self.service, task)
        record = mask_files.describe_colours(session)
        said = session.photo.describe_losses(kind, record) if kind in CHOICES else ""
        return {"remark": widgets.note(said), "finished": str(path)}


def warn(*doubts: str) -> str:
    """What is to be looked at in masks, with what can be done about it."""
    said = [f"{doubt} Brush and eraser put it right." for doubt in doubts if doubt]
    return f"<p>{escape(' '.join(said))}</p>" if said else ""


def write_percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def build(
    service: Service, page: gr.Tab | None = None, cards: Sequence[ModelCard] | None = None
) -> list[Opening]:
    """Lay the tab out and wire it; what is put in as the page opens. `page`: the tab entered.
    `cards` are those of all models if not given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)

    view = build_zone(INVITATION)
    build_offer(view, STORAGE_KEY)
    build_samples(view, service, examples)
    with gr.Column(visible=False) as workspace:
        with gr.Row(elem_classes="workbench"):
            with gr.Column(scale=5, min_width=320), widgets.stage() as (busy, cancel):
                shown = mask_editor.build()
            with gr.Column(scale=2, min_width=250, elem_classes="side"):
                downloads = not service.public
                inside, vividness, colour = build_inside(cards, downloads)
                got = model_download.build(
                    service, inside, lambda: list_inside(cards, None, downloads)
                )
                outside, outside_vividness = build_outside(cards, downloads)
                got_outside = model_download.build(
                    service, outside, lambda: list_outside(cards, downloads)
                )
                find, network, layers = build_finding(service)
                pointing = may_use(service, SAM2.name)
                point = gr.Button("Select object by SAM 2.1", size="sm", visible=pointing)
                gr.HTML(SAM if pointing else describe_missing(service), elem_classes="note")
                mask_file = gr.UploadButton(
                    "Load a mask", file_types=["image"], size="sm", type="filepath"
                )
        remark = gr.HTML(elem_classes="message")
        with gr.Row(elem_classes="actions"):
            with gr.Row(elem_classes="downloads"):
                gr.HTML("Download", elem_classes="downloads-label")
                buttons = {kind: gr.Button(kind, size="sm") for kind in mask_files.KINDS}
            buttons[PROJECT] = gr.Button("Save project", size="sm")
            another = gr.Button("Another photo", size="sm")
        build_hand_over("selective", service.tabs)
        build_confirm(view)
    view.add(place=workspace, shown=shown, layers=layers, remark=remark)
    view.add(inside=inside, vividness=vividness, colour=colour)
    view.add(outside=outside, outside_vividness=outside_vividness)
    view.add(session=gr.State(None, time_to_live=KEEP_SECONDS))
    view.add(finished=gr.DownloadButton(visible="hidden"))

    opened = wire(view, on, [*CONTROLS, *OFFER], [view["kept"]], page)
    session, turn, run = view["session"], view["turn"], widgets.runs(busy)
    latest = {"trigger_mode": "always_last", **widgets.QUICK}
    changed = ["remark", *CONTROLS]
    shown.submit(*view.wire(on.edit, session, changed), trigger_mode="multiple", **widgets.QUICK)
    fill, shown_too = [session, inside, vividness, colour], ["vividness", "colour"]
    choosing = view.wire(on.choose, fill, shown_too)
    chosen = gr.on([inside.input, vividness.input, colour.input], *choosing, **latest)
    choosing = view.wire(on.choose_fetched, fill, [*shown_too, "inside"])
    fetched = got.success(*choosing, **widgets.QUICK)
    choosing = view.wire(
        on.choose_outside, [session, outside, outside_vividness], ["outside_vividness"]
    )
    around = gr.on([outside.input, outside_vividness.input], *choosing, **latest)
    fetched_outside = got_outside.success(*choosing, **widgets.QUICK)
    colouring = view.wire(on.colour, [turn, session], [*changed, "outside"])
    runs = [
        event.then(*colouring, trigger_mode="always_last", **run)
        for event in (opened, chosen, fetched, around, fetched_outside)
    ]
    layers.input(*view.wire(on.toggle, [session, layers], ["remark", "shown", "kept"]), **latest)
    runs.append(find.click(*view.wire(on.find, [turn, session, network], changed), **run))
    runs.append(point.click(*view.wire(on.point, [turn, session], changed), **run))
    offering = wire_offer(view, on, another, [*CONTROLS, "outside"])
    mask_file.upload(
        *view.wire(on.load_mask, [session, mask_file], ["remark", "shown", "kept"]), **widgets.QUICK
    )
    wire_downloads(view, buttons, on.download, [turn, session], busy)
    wire_run(view, on, runs, [cancel])
    remark.change(None, None, None, js="() => { window.showAlert(); }", **widgets.QUICK)
    endpoint.build(service, cards, view["zone"], [inside, outside, vividness, colour])
    return [offering, offer_choices(outside, lambda: list_outside(cards, downloads))]


def may_use(service: Service, network: str) -> bool:
    """Whether it is here, or may be downloaded."""
    return service.public is None or not selective.count_missing_bytes(network)


def describe_missing(service: Service) -> str:
    """In public: what could be here, and who can fetch it."""
    names = [name for name in (*segmenters.NETWORKS, SAM2.name) if not may_use(service, name)]
    told = dict.fromkeys(tell_owner(*segmenters.describe_download(name)) for name in names)
    return "".join(f"<p>{escape(each)}</p>" for each in told)


def build_finding(service: Service) -> tuple[gr.Button, gr.Radio, gr.CheckboxGroup]:
    """Classes that a network finds, by their names."""
    with gr.Column(elem_classes="own"):
        find = gr.Button("Find people, animals, things", size="sm")
        network = gr.Radio(
            [
                (describe_network(each), name)
                for name, each in segmenters.NETWORKS.items()
                if may_use(service, name)
            ],
            value=PEOPLE.name,
            label="Network",
            show_label=False,
        )
        layers = gr.CheckboxGroup([], label="In this region", visible=False)
    return find, network, layers
