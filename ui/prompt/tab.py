"""The tab "Prompt": say which colours things have, and keep the photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from colorize_core.downloads.catalogue import Download
from colorize_core.errors import ColorizeError
from colorize_core.models.runner import Task
from colorize_core.prompted import lora, plan, sources
from colorize_core.prompted.metadata import describe_settings, read_settings
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.settings import CONDITIONS, toggle_phrase
from colorize_core.sizes import format_size
from ui.prompt import endpoint, form, requirements
from ui.prompt.endpoint import LANE
from ui.prompt.session import Asked, PromptSession
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, slider, thumbnails, widgets
from ui.shared.handlers import AWAY, THERE, Updates, quick_handler, task_handler, wire_run
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
from ui.shared.service import Service, in_words

if TYPE_CHECKING:
    from ui.prompt.generation import Generation

TITLE = "Prompt"
INVITATION = (
    "# Drop a photo\nto colour it as you describe; or a picture from here, for its settings"
)
STARTS = {"From noise alone": False, "From first colours": True}
STOPPED = "<p>Stopped. What is here stays: the download goes on from there.</p>"


RESULTS = ("drawings", "frame", "compared", "bar", "line")  # what show() answers with
NOTHING: Updates = {"drawings": None, "frame": AWAY, "compared": None, "bar": AWAY, "line": ""}
LISTING = ("asked", "list", "get", "go", "go_ways")  # what requirements.show() answers with


def end(on: Handlers, session: PromptSession | None, *_: Any, **said: str) -> Updates:
    """What a run leaves behind, if its photo is still there."""
    if session is None or session.away:
        return {"remark": gr.skip()}
    return {**said, "busy": "", **show(session, on.service)}


def say_stopped(on: Handlers, session: PromptSession, *_: Any) -> Updates:
    until = " What was drawn until then is here." if session.cells else ""
    return end(on, session, remark=f"<p>Stopped.{until}</p>")


class Handlers(PhotoHandlers):
    """What the controls do."""

    remark = "remark"

    @cached_property
    def generation(self) -> Generation:
        """Imports torch: only when something is drawn."""
        from ui.prompt.generation import Generation

        return Generation(self.service)

    def list_needed(self, wanted: Sequence[Download], warning: str = "") -> Updates:
        """What is needed, and what can be done about what is missing."""
        return requirements.show(wanted, self.service.public is not None, warning)

    # --- the photo ------------------------------------------------------------------------------

    def begin(
        self, photo: OpenPhoto, before: PromptSession | None, task: Task, *context: Any
    ) -> Iterator[Updates]:
        """A photo, or a picture whose settings are wanted for the photo that is there."""
        photo.read(task)
        loaded = read_settings(photo.decoded.metadata.record)
        session = before if before and loaded else PromptSession.open(photo, self.service)
        words: Updates = {}
        if loaded:
            session.keep(loaded.keep)
            taken = "" if session is before else " The picture itself is taken as the photo."
            said = f"<p>The settings of {escape(photo.path.name)} are loaded.{taken}</p>"
            words = {"message": said, **form.show(loaded)}
        width, height = session.photo.size
        title = describe(session.small, session.photo.path.name, f"{width} × {height}")
        there = {"session": session, "thumbnail": title, "workspace": THERE}
        yield {**words, **there, **show(session, self.service)}

    def clear(self) -> Updates:
        """What is to be drawn stays."""
        return {"thumbnail": "", "workspace": AWAY, **NOTHING}

    # --- before it is drawn ---------------------------------------------------------------------

    @quick_handler("remark")
    def look(self, session: PromptSession | None, *values: Any) -> Updates:
        """What the drawing follows, as the controls are now."""
        followed = None if session is None else session.look(form.read(values))
        return {"remark": "", "followed": followed}

    def look_quietly(self, session: PromptSession | None, *values: Any) -> Updates:
        """The same; what was said before stays."""
        updates: Updates = self.look(session, *values)
        return {name: value for name, value in updates.items() if name != "remark"}

    def choose(self, *values: Any) -> Updates:
        """Another condition, model or speed: its controls, and the files that it needs."""
        try:
            settings = form.read(values)
        except ColorizeError:  # look() says it
            return {}
        wanted = sources.list_needed(settings)
        warning = requirements.warn_of_memory(wanted, settings.side)
        return {**self.list_needed(wanted, warning), **form.show_needed(settings)}

    @task_handler(
        "remark",
        failed=lambda on, wanted: on.list_needed(wanted),
        stopped=lambda on, wanted: {"remark": STOPPED, **on.list_needed(wanted)},
    )
    def download(self, task: Task, wanted: tuple[Download, ...]) -> Updates:
        """What is listed and missing."""
        if missing := sources.list_missing(wanted):
            commands = "; ".join(each.by_hand for each in missing)
            self.service.check_download(requirements.list_titles(missing), commands)
        requirements.download(wanted, task)
        return {
            "remark": "<p>Everything is here now.</p>",
            **self.list_needed(wanted),
        }

    @task_handler("lora_found")
    def look_lora_up(self, task: Task, text: str, model: str) -> Updates:
        """What the Hub says of a LoRA; then its file and commit are known."""
        if not text.strip():
            return {"lora_found": "", "lora": ""}
        self.service.check_download(f"the LoRA {text}", f"hf download {lora.parse(text).repo}")
        task.step(0.0, "Asking the Hub")
        pinned, made_for = lora.look_up(text)
        source = lora.find(str(pinned))
        page = f'<a href="{escape(source.source)}" target="_blank">{escape(pinned.repo)}</a>'
        whose = f"Its page says it was made for {made_for}. " if made_for else ""
        said = (
            f"{format_size(source.bytes)}, licence {source.licence}, revision "
            f"{pinned.revision[:8]}. {whose}You draw with {MODELS[model].title}."
        )
        return {"lora_found": f"<p>{page}: {escape(said)}</p>", "lora": str(pinned)}

    @task_handler("remark")
    def describe(self, task: Task, session: PromptSession | None, prompt: str) -> Updates:
        """What is in the photo, to be edited, before the words that are there."""
        if session is None:
            return {"remark": "<p>Add a photo first.</p>"}
        wanted = (sources.CAPTIONER,)
        if sources.list_missing(wanted):
            listing = self.list_needed(wanted)
            return {"remark": say_missing(wanted), **listing}
        return {"remark": "", "prompt": self.generation.describe(session, prompt, task)}

    # --- drawing --------------------------------------------------------------------------------

    @task_handler("remark", failed=end, stopped=say_stopped)
    def draw(self, task: Task, session: PromptSession | None, *values: Any) -> Iterator[Updates]:
        """The variants, to be seen while they are drawn."""
        settings = form.read(values)
        one = [replace(settings, seed=seed, variants=1) for seed in settings.seeds]
        yield from self._draw(session, [(each, f"Seed {each.seed}") for each in one], task)

    @task_handler("remark", failed=end, stopped=say_stopped)
    def compare(
        self,
        task: Task,
        session: PromptSession | None,
        followed: list[str],
        starts: list[str],
        *values: Any,
    ) -> Iterator[Updates]:
        """The first seed with several conditions, from noise and from first colours."""
        ways = plan.list_combinations(
            form.read(values), followed, [STARTS[start] for start in starts]
        )
        asked = [(each, plan.make_label(each)) for each in sorted(ways, key=lambda way: way.start)]
        yield from self._draw(session, asked, task)

    def _draw(
        self, session: PromptSession | None, asked: Sequence[Asked], task: Task
    ) -> Iterator[Updates]:
        if session is None:
            yield {"remark": "<p>Add a photo first.</p>", "busy": ""}
            return
        wanted = plan.list_needed(settings for settings, _ in asked)
        if sources.list_missing(wanted):
            listing = self.list_needed(wanted)
            yield {"remark": say_missing(wanted), **listing, **show(session, self.service)}
            return
        for words, share in self.generation.draw(session, asked, task):
            if session.away:
                return
            # All of it every time: of two updates at once the page shows the later.
            yield {"remark": "", "busy": card(words, share), **show(session, self.service)}
        yield end(self, session, remark="")

    # --- what was drawn -------------------------------------------------------------------------

    def pick(self, session: PromptSession | None, event: gr.EventData) -> Updates:
        """Another of the pictures is to be seen at full size."""
        if session is None or session.running:
            return {}
        session.pick(int(event.index))
        return show(session, self.service)

    def keep(self, session: PromptSession | None, kept: bool) -> Updates:
        """The drawn pictures with the photo kept, or as they are: none is drawn anew."""
        if session is None or session.running:
            return {}
        session.keep(kept)
        return show(session, self.service)

    @task_handler("remark", failed=no_file, stopped=no_file)
    def save(self, task: Task, session: PromptSession | None, format: str) -> Updates:
        """The shown one as a file."""
        if session is None or session.cell is None:
            return {"finished": None}
        path = session.save(session.cell, format, self.service, task)
        record = describe_settings(session.cell.settings)
        said = widgets.note(session.photo.describe_losses(format, record))
        return {"remark": said, "finished": str(path)}


def show(session: PromptSession, service: Service) -> Updates:
    """The pictures; frame and comparison of the picked one, what can be done with it, its line."""
    try:
        with in_words():
            shown, line = session.comparison(service), session.line()
    except ColorizeError as error:
        shown, line = None, escape(str(error))
    there = gr.update(visible=shown is not None)
    return {
        "drawings": session.grid(),
        "frame": there,
        "compared": shown,
        "bar": there,
        "line": line,
    }


def toggle_chip(prompt: str, event: gr.EventData) -> str:
    return toggle_phrase(prompt, event.target.value)


def say_missing(wanted: Sequence[Download]) -> str:
    """What is not on this machine yet, and what to do."""
    try:
        requirements.check(wanted)
    except ColorizeError as error:
        return widgets.alert(error)
    return ""


def card(words: str, share: float) -> str:
    return f"<p>{escape(words)}</p><progress value={share:.3f}></progress>"


def build(service: Service, page: gr.Tab | None = None) -> None:
    """Lay the tab out and wire it. `page`: the tab that is entered."""
    examples = example_strip.find_examples()
    on = Handlers(service, examples)

    view = build_zone(INVITATION)
    build_chosen(view, "prompt", service.tabs)
    build_samples(view, service, examples)
    view.add(session=gr.State(None, time_to_live=KEEP_SECONDS), asked=gr.State(()))
    with gr.Column(visible=False) as workspace:
        with widgets.stage(alone=True) as (loading, cancel_loading):
            listed = gr.HTML(elem_classes="needs")
            get = gr.Button("Download", size="sm", visible=False, elem_classes="get")
        with gr.Row(elem_classes="workbench"):
            with gr.Column(scale=4, min_width=300, elem_classes="wish"):
                prompt, chips = form.build_words()
                with gr.Row(elem_classes="actions"):
                    go = gr.Button("Draw", variant="primary", elem_classes="go")
                    describe_button = gr.Button(
                        "Describe the photo for me", size="sm", elem_classes="get"
                    )
            with gr.Column(scale=5, min_width=300, elem_classes="wish"):
                followed = thumbnails.build()
                condition = form.build_condition()
        controls = {"prompt": prompt, "condition": condition, **form.build_drawing()}
        advanced = form.build_advanced(service.public is not None)
        controls |= advanced.controls
        ways = build_ways()
        remark = gr.HTML(elem_classes="message")
        with widgets.stage() as (busy, cancel):
            drawings = thumbnails.build(pick=True)
            with gr.Column(visible=False) as frame:
                compared = slider.build()
        with gr.Row(visible=False, elem_classes="actions") as bar:
            line = widgets.status_line()
            buttons = widgets.downloads()
    view.add(go=go, go_ways=ways.go)
    view.add(workspace=workspace, followed=followed, list=listed, get=get, remark=remark)
    view.add(busy=busy, drawings=drawings, frame=frame, compared=compared, bar=bar, line=line)
    view.add(lora_found=advanced.found)
    view.add(finished=gr.DownloadButton(visible="hidden"), **controls)

    describe_button.visible = not (service.public and sources.list_missing([sources.CAPTIONER]))

    opened = wire(view, on, ["thumbnail", "workspace", *RESULTS, *form.NAMES], page=page)
    session, turn = view["session"], view["turn"]
    values = [controls[name] for name in form.NAMES]
    latest = {"trigger_mode": "always_last", **widgets.QUICK}
    asked = {**widgets.runs(busy), "concurrency_id": LANE}
    drawn = ["remark", "busy", *RESULTS, *LISTING]

    choosing = view.wire(on.choose, values, [*LISTING, *form.SOMETIMES])
    looking = view.wire(on.look, [session, *values], ["remark", "followed"])
    chosen = opened.success(*choosing, **widgets.QUICK)
    chosen.success(*looking, show_progress_on=[followed], api_visibility="private")
    seen_by = ("condition", "low", "high", "blur", "side", "model")
    gr.on([controls[name].input for name in seen_by], *looking, **latest)
    files_of = ("model", "condition", "fast", "start", "first", "side")
    gr.on([controls[name].input for name in files_of], *choosing, **widgets.QUICK)
    controls["fast"].input(
        *view.wire(form.choose_speed, controls["fast"], ["steps", "guidance"]), **widgets.QUICK
    )
    controls["model"].input(
        *view.wire(
            form.choose_model,
            [controls[name] for name in ("model", "prompt", "fast")],
            ["model", "prompt", "steps", "guidance"],
        ),
        **widgets.QUICK,
    )
    gr.on(
        [chip.click for chip in chips],
        toggle_chip,
        controls["prompt"],
        controls["prompt"],
        trigger_mode="multiple",
        **widgets.QUICK,
    )
    written = describe_button.click(
        *view.wire(
            on.describe, [turn, session, controls["prompt"]], ["remark", "prompt", *LISTING]
        ),
        **widgets.runs(loading),
    )
    looked_up = gr.on(
        [advanced.look_up.click, controls["lora"].submit],
        *view.wire(
            on.look_lora_up, [turn, controls["lora"], controls["model"]], ["lora_found", "lora"]
        ),
        **widgets.runs(loading),
    )
    looked_up.success(*choosing, **widgets.QUICK)
    controls["lora"].input(lambda: "", None, advanced.found, **widgets.QUICK)
    fetched = get.click(
        *view.wire(on.download, [turn, view["asked"]], ["remark", *LISTING]),
        **widgets.runs(loading),
    )
    made = go.click(*view.wire(on.draw, [turn, session, *values], drawn), **asked)
    compared_ways = ways.go.click(
        *view.wire(on.compare, [turn, session, ways.conditions, ways.starts, *values], drawn),
        api_name="compare_ways",  # the bare name is that of another tab's endpoint
        **asked,
    )
    fetched.success(*view.wire(on.look_quietly, [session, *values], ["followed"]), **widgets.QUICK)
    drawings.select(*view.wire(on.pick, session, RESULTS), **widgets.QUICK)
    controls["keep"].input(*view.wire(on.keep, [session, controls["keep"]], RESULTS), **latest)
    wire_downloads(view, buttons, on.save, [turn, session], busy, LANE)
    wire_run(view, on, [made, compared_ways], [cancel])
    wire_run(view, on, [written, fetched, looked_up], [cancel_loading])
    remark.change(None, None, None, js="() => { window.showAlert(); }", **widgets.QUICK)
    endpoint.build(service, lambda: on.generation, view["zone"], controls)


class Ways(NamedTuple):
    """What is compared in one run."""

    conditions: gr.CheckboxGroup
    starts: gr.CheckboxGroup
    go: gr.Button


def build_ways() -> Ways:
    title = "Compare ways of following the photo"
    with gr.Accordion(title, open=False, elem_classes=["adjust", "picks"]):
        names = [(plan.TITLES[name], name) for name in CONDITIONS]
        conditions = gr.CheckboxGroup(names, value=list(CONDITIONS), label="Following")
        starts = gr.CheckboxGroup(list(STARTS), value=list(STARTS)[:1], label="Beginning")
        go = gr.Button("Draw all of them", size="sm", elem_classes="get")
    return Ways(conditions, starts, go)
