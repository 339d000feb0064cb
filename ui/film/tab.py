"""The tab "Film": a black-and-white film in colours that hold still."""

from __future__ import annotations

import importlib.util
import math
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorize_core.models.runner import Task
from colorize_core.options import DEFAULT_MODEL, RANGES, Options
from colorize_core.steering.hints import Hint, read_hints
from ui.colorize import hint_editor
from ui.colorize.session import ColorizeSession
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import model_choices, widgets
from ui.shared.handlers import AWAY, THERE, Handlers, Updates, View, task_handler, wire_run
from ui.shared.opening import Opening, offer_choices
from ui.shared.service import Service
from ui.shared.thumbnails import refer

TITLE = "Film"
MISSING = (
    "Films need a package that is not installed here. In the folder of the app type "
    "pip install -e '.[film]' and start it again."
)
STOPPED = "<p>Stopped. What is done is kept for an hour: the same button goes on from there.</p>"
PREVIEW_SECONDS = 5.0
SUFFIX = ".mp4"  # which browsers play
KINDS = ["video", ".mkv", ".avi", ".ts", ".mxf", ".vob", ".wmv", ".flv"]

# What the list of times with hints sends is a time to be opened, or one to be removed.
TIMES = """${(value ?? []).map((each) => `<li>
  <button type="button" data-at="${each.at}"
    ${each.open ? 'aria-current="true"' : ""}>${each.words}</button>
  <button type="button" data-remove="${each.at}"
    aria-label="Remove the hints at ${each.at} s" title="Remove">×</button></li>`).join("")}"""
TIMES_SCRIPT = """
const list = element.querySelector("ul");
list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("submit", { ...button.dataset });
});
"""

# The address is Gradio's, which knows below which path the app is served.
PLAYER = """${value
  ? `<video controls preload="auto" aria-label="Film" src="${value.file.url}"></video>` : ""}"""

NO_HINTS: Updates = {"steered": None, "hinting": AWAY, "times": []}


@dataclass(eq=False)
class FilmSession:
    """One person's film."""

    path: Path
    target: Path  # of the whole film; its parts lie beside it
    seconds: float
    away: bool = False  # there is another film now
    hints: dict[float, tuple[Hint, ...]] = field(default_factory=dict)  # by their time in seconds
    frame: ColorizeSession | None = None  # the frame that hints are put on
    at: float = 0.0  # its time


class FilmHandlers(Handlers):
    """What the controls do."""

    busy = "The app has not taken the film: too many are waiting. Try again in a minute."

    @task_handler(failed=lambda on, *_: {"place": AWAY, "session": None, **NO_HINTS})
    def open(self, task: Task, session: FilmSession | None, upload: str | None) -> Updates:
        """Look at the film that was chosen, or put the one before away."""
        from colorize_core.film.source import Film

        if session is not None:
            session.away = True
        if upload is None:
            return {"message": "", "place": AWAY, "session": None, "shown": None, **NO_HINTS}
        path = self.service.upload({"path": upload})
        task.step(0.0, "Looking at the film")
        with Film(path) as film:
            seconds, look = film.seconds, film.look
        target = self.service.folder.new(f"{path.stem}-colour{SUFFIX}")
        line = f"{look.width} × {look.height} · {format_time(seconds)} · "
        line += f"{float(look.rate):.4g} frames a second"
        return {
            "message": widgets.note(" ".join(look.notes)),
            "place": THERE,
            "session": FilmSession(path, target, seconds),
            "shown": None,
            **NO_HINTS,
            "line": line,
            "at": gr.update(value=0.0, maximum=max(0.1, math.floor(10 * seconds) / 10)),
        }

    @task_handler()
    def preview(self, task: Task, session: FilmSession | None, at: float, *look: Any) -> Updates:
        """One scene, to see how it comes out."""
        from colorize_core.film import preview_scene

        if session is None:
            return {"message": ""}
        options = read_options(session, *look)
        path = self.service.folder.new(f"{session.path.stem}-scene{SUFFIX}")
        made = preview_scene(
            session.path,
            path,
            options,
            at=float(at),
            most=PREVIEW_SECONDS,
            runner=self.service.runner,
            task=keep_alive(task, session),
        )
        rate = made.frames / max(made.seconds, 1e-3)
        line = f"The scene at {format_time(float(at))}: {made.frames} frames, "
        line += f"{rate:.3g} a second, {self._name_device(options.model)}"
        return {"message": widgets.note(" ".join(made.notes)), "shown": show(path), "line": line}

    @task_handler(stopped=lambda *_: {"message": STOPPED})
    def colorize(self, task: Task, session: FilmSession | None, *look: Any) -> Updates:
        """All of it. What an earlier run with the same settings has done is not done again."""
        from colorize_core.film import colorize_film

        if session is None:
            return {"message": ""}
        options = read_options(session, *look)
        told: list[str] = []
        made = colorize_film(
            session.path,
            session.target,
            options,
            runner=self.service.runner,
            task=keep_alive(task, session),
            tell=told.append,
        )
        line = f"{made.frames} frames, {made.scenes} scenes, "
        line += f"{format_time(made.seconds)} {self._name_device(options.model)}"
        said = widgets.note(" ".join(dict.fromkeys([*told, *made.notes])))
        return {"message": said, "shown": show(session.target), "line": line}

    # --- hints ----------------------------------------------------------------------------------

    @task_handler()
    def edit(self, task: Task, session: FilmSession | None, at: float, *look: Any) -> Updates:
        """The frame at that time, to put hints on."""
        return self._edit(task, session, float(at), look) if session else {"message": ""}

    def _edit(self, task: Task, session: FilmSession, at: float, look: tuple[Any, ...]) -> Updates:
        from colorize_core.film import show_frame

        model = str(look[0])
        next(card for card in model_choices.every() if card.name == model).check_hints()
        task.step(0.0, "Looking for the frame")
        path = self.service.folder.new(f"{session.path.stem}-frame.png")
        Image.fromarray(show_frame(session.path, at)).save(path)
        hints = session.hints.get(at, ())
        photo = self.service.photo(path)
        result = self.service.steer(photo, read_frame_options(hints, *look), task)
        session.frame = ColorizeSession(photo, result, steering=True, hints=hints)
        session.at = at
        session.frame.show(self.service.preview(result, session.frame.small))
        return {
            "message": "",
            "steered": hint_editor.restore(session.frame),
            "hinting": THERE,
            "times": list_times(session),
            "at": at,
        }

    def answer(self, session: FilmSession | None, *_: Any) -> Updates:
        """What could not be done is answered with the frame as it is."""
        if session is None or session.frame is None:
            return {}
        session.frame.seen = session.frame.asked
        return {"steered": hint_editor.view(session.frame)}

    @task_handler(failed=answer, stopped=answer)
    def steer(
        self, task: Task, event: gr.EventData, session: FilmSession | None, *look: Any
    ) -> Updates:
        """What was done in the hint editor: all of the frame's hints, and what else it asks for."""
        given: Any = event._data
        frame = session.frame if session else None
        if session is None or frame is None or given.get("photo") != frame.key:
            return {}
        asked = given.get("serial")
        frame.asked = asked if isinstance(asked, int) else frame.asked
        frame.hints = read_hints(given.get("hints"))
        options = read_frame_options(frame.hints, *look)
        if options != frame.result.options:
            frame.take(self.service.steer(frame.photo, options, task))
            frame.show(self.service.preview(frame.result, frame.small))
        session.hints.pop(session.at, None)
        if frame.hints:
            session.hints[session.at] = frame.hints
        more = hint_editor.find_more(self.service, frame, {**given, "looks": None}, task)
        frame.seen = frame.asked
        steered = hint_editor.view(frame, **more)
        return {"message": "", "steered": steered, "times": list_times(session)}

    @task_handler()
    def go_to(
        self, task: Task, event: gr.EventData, session: FilmSession | None, *look: Any
    ) -> Updates:
        """Another time with hints, or one whose hints are to go."""
        given: Any = event._data
        if session is None:
            return {"message": ""}
        if given.get("at") is not None:
            at = read_time(given["at"], session)
            return {} if at is None else self._edit(task, session, at, look)
        at = read_time(given.get("remove"), session)
        if at is not None:
            del session.hints[at]
        if at != session.at or session.frame is None:
            return {"message": "", "times": list_times(session)}
        return {"message": "", **self.put_away(session)}

    def put_away(self, session: FilmSession | None) -> Updates:
        """The frame; its hints stay."""
        if session is not None:
            session.frame = None
        times = list_times(session) if session else []
        return {"steered": None, "hinting": AWAY, "times": times}

    def save(self, session: FilmSession | None) -> Updates:
        """The film as a file, where it is done."""
        done = session is not None and session.target.exists()
        if not done:
            return {"message": widgets.alert("Colour the film first."), "finished": None}
        return {"message": "", "finished": str(session.target) if session else None}

    def _name_device(self, model: str) -> str:
        device = self.service.runner.model(model).device
        return "on the CPU" if device == "cpu" else f"on the GPU ({device})"


def read_options(session: FilmSession, model: str, vividness: float, strength: float) -> Any:
    """A FilmOptions with the session's hints. Raises OptionError."""
    from colorize_core.film import FilmOptions, Keyframe

    keyframes = tuple(Keyframe(at, hints) for at, hints in session.hints.items())
    return FilmOptions(model, float(vividness), float(strength), keyframes=keyframes)


def read_frame_options(
    hints: tuple[Hint, ...], model: str, vividness: float, strength: float
) -> Options:
    """For the frame that hints are put on, as a film's frames are coloured."""
    return Options(model, float(vividness), float(strength), neutralize=False, hints=hints)


def list_times(session: FilmSession) -> list[dict[str, Any]]:
    """The times with hints, for their list."""
    found = []
    for at, hints in sorted(session.hints.items()):
        many = "s" * (len(hints) != 1)
        opened = session.frame is not None and at == session.at
        words = f"{format_time(at)} · {len(hints)} hint{many}"
        found.append({"at": at, "words": words, "open": opened})
    return found


def read_time(given: Any, session: FilmSession) -> float | None:
    """The time of hints that the page names; None where there are none any more."""
    try:
        at = float(given)
    except (TypeError, ValueError):
        return None
    return next((each for each in session.hints if math.isclose(each, at)), None)


def keep_alive(task: Task, session: FilmSession) -> Task:
    """The task, which keeps the film from being deleted as something that nobody has used for an
    hour while it is worked on."""

    def touch(_share: float, _words: str) -> None:
        with suppress(FileNotFoundError):
            os.utime(session.path)

    task.listen(touch)
    return task


def show(path: Path) -> dict[str, Any]:
    """A film, for the player."""
    return {"file": refer(path)}


def format_time(seconds: float) -> str:
    """ "1:05" and "2:03:04"; seconds alone under a minute."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if whole < 60:
        return f"{seconds:.3g} s"
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def build(service: Service, page: gr.Tab | None = None) -> list[Opening]:
    """Lay the tab out and wire it; what is put in as the page opens."""
    if importlib.util.find_spec("av") is None:
        gr.HTML(widgets.note(MISSING), elem_classes="message")
        return []
    on = FilmHandlers(service)
    view = View(message=gr.HTML(elem_classes="message"), turn=gr.Number(visible=False))
    film = gr.File(label="A black-and-white film", file_types=KINDS, type="filepath", height=120)
    with gr.Column(visible=False) as place:
        with gr.Column(elem_classes="picks"):
            with gr.Row():
                model = gr.Dropdown(
                    list_models(), value=DEFAULT_MODEL, label="Model", min_width=240
                )
                vividness = gr.Slider(*RANGES["vividness"], 1, step=0.05, label="Vividness")
                strength = gr.Slider(*RANGES["strength"], 1, step=0.05, label="Strength")
            at = gr.Slider(
                0,
                1,
                0,
                step=0.1,
                label="Scene at",
                info="Seconds from the beginning, for a preview and for colours by hand.",
            )
        with gr.Row(elem_classes="actions"):
            preview = gr.Button("Preview this scene", size="sm")
            edit = gr.Button("Colour this frame by hand", size="sm")
            go = gr.Button("Colour the film", variant="primary", size="sm")
            saved = gr.Button("Download the film", size="sm")
        times = gr.HTML(
            None,
            html_template=f'<ul class="times" aria-label="Frames with hints">{TIMES}</ul>',
            js_on_load=TIMES_SCRIPT,
            apply_default_css=False,
            elem_id="film-times",
        )
    with widgets.stage(alone=True) as (busy, cancel):
        pass
    with gr.Column(visible=False) as hinting:
        steered = hint_editor.build(elem_id="film-steer")
        with gr.Row(elem_classes="actions"):
            gr.HTML("<p>What you colour here keeps its colour before and after, in its scene.</p>")
            away = gr.Button("Put the frame away", size="sm")
    shown = gr.HTML(None, html_template=PLAYER, elem_classes="film")
    line = widgets.status_line()
    view.add(film=film, place=place, at=at, shown=shown, line=line)
    view.add(times=times, hinting=hinting, steered=steered)
    view.add(session=gr.State(None, time_to_live=KEEP_SECONDS))
    view.add(finished=gr.DownloadButton(visible="hidden"))

    session, turn, asked = view["session"], view["turn"], widgets.runs(busy)
    edited = ["message", "steered", "hinting", "times"]
    opened = [*edited, "place", "session", "shown", "line", "at"]
    look = [model, vividness, strength]
    made = ["message", "shown", "line"]
    runs = [
        gr.on(
            [film.upload, film.clear], *view.wire(on.open, [turn, session, film], opened), **asked
        ),
        preview.click(*view.wire(on.preview, [turn, session, at, *look], made), **asked),
        go.click(*view.wire(on.colorize, [turn, session, *look], made), **asked),
        edit.click(*view.wire(on.edit, [turn, session, at, *look], [*edited, "at"]), **asked),
        times.submit(*view.wire(on.go_to, [turn, session, *look], [*edited, "at"]), **asked),
    ]
    away.click(*view.wire(on.put_away, session, edited[1:]), **widgets.QUICK)
    steered.submit(
        *view.wire(on.steer, [turn, session, *look], ["message", "steered", "times"]),
        trigger_mode="multiple",
        **{**asked, "show_progress": "hidden", "show_progress_on": None},
    )
    given = saved.click(*view.wire(on.save, session, ["message", "finished"]), **widgets.QUICK)
    given.success(None, view["finished"], None, js="window.saveFile", **widgets.QUICK)
    wire_run(view, on, runs, [cancel])
    return [offer_choices(model, list_models)]


def list_models() -> list[tuple[str, str]]:
    """Those that are here and give one answer for a picture: what is drawn would flicker."""
    return model_choices.choices([card for card in model_choices.every() if not card.sampled])
