"""The tab "Leaderboard": how the models score over many photos, and a person's own evaluation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

import colorize_core
from colorize_core.bundled import DOCS, QUALITY
from colorize_core.cards import ModelCard
from colorize_core.errors import ColorizeError, OptionError, PictureError
from colorize_core.models.runner import Task
from ui.leaderboard import endpoint, ranking, scatter, views
from ui.leaderboard.ranking import Ranking
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import handlers, score_table, widgets
from ui.shared.handlers import Updates, View, task_handler, wire_run
from ui.shared.service import Service

TITLE = "Leaderboard"
GUIDE = DOCS / "metrics.md"
FIGURES = ("table", "colours", "metric", "speed", "about")  # what show_figures() answers with


def empty_zone(*_: Any) -> Updates:
    """What was dropped is not taken."""
    return {"zone": gr.update(value=None)}


class Handlers(handlers.Handlers):
    """What the controls do. Whose run it is comes with every call; None: the committed one."""

    busy = widgets.BUSY.replace("photo", "file")

    def __init__(self, service: Service, cards: Sequence[ModelCard], committed: Ranking | None):
        super().__init__(service)
        self.cards = cards
        self.committed = committed

    @task_handler(failed=empty_zone, stopped=empty_zone)
    def take(self, task: Task, file: dict[str, Any] | None) -> Updates:
        """Show the evaluation that was dropped; what is seen stays where it is none."""
        task.step(0.0, "Summing the scores up")
        return self.show(ranking.read_run(self._find_upload(file), self.cards))

    def _find_upload(self, file: dict[str, Any] | None) -> Path:
        try:
            path = self.service.upload(file)
        except PictureError as error:  # it speaks of photos
            raise OptionError("No file was given. Send a CSV file of scores.") from error
        if not path.is_file():
            raise OptionError(f"{path.name} is no longer here. Add it again.")
        return path

    def show(self, run: Ranking | None = None) -> Updates:
        """That evaluation, or the committed one again."""
        shown = run or self.committed
        return {
            **empty_zone(),
            "message": "",
            "own": run,
            "bar": gr.update(visible=run is not None and self.committed is not None),
            "intro": views.introduce(shown),
            **self.show_figures(shown),
        }

    def show_figures(self, shown: Ranking | None) -> Updates:
        if shown is None:
            nothing = dict.fromkeys(("table", "colours", "speed"))
            return {**nothing, "metric": gr.update(visible=False), "about": ""}
        some = views.list_choices(shown)
        names = [name for _, name in some]
        first = views.FIRST if views.FIRST in names else next(iter(names), None)
        speed = views.plot_speed(shown, self.cards, first) if first else None
        there = bool(speed and speed["points"])
        return {
            "table": views.build_table(shown, self.cards),
            "colours": views.plot_colours(shown, self.cards),
            "metric": gr.update(choices=some, value=first, visible=there),
            "speed": speed,
            "about": views.describe_source(shown),
        }

    def choose(self, metric: str, run: Ranking | None) -> Updates:
        """The second plot with another metric."""
        shown = run or self.committed
        if shown is None or metric not in {name for _, name in views.list_choices(shown)}:
            return {}
        return {"speed": views.plot_speed(shown, self.cards, metric)}


def read_guide(path: Path = GUIDE) -> str:
    """What is written of the metrics, as Markdown for the page; empty where it is not there."""
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    folder = path.parent.as_posix()
    # Pictures beside it are served by Gradio; other files of the repository are not.
    text = re.sub(r"!\[(.*?)\]\((?!\w+:)", rf"![\1](gradio_api/file={folder}/", text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)[^)]*\)", r"\1", text)


def build(
    service: Service,
    page: gr.Tab | None = None,
    cards: Sequence[ModelCard] | None = None,
    committed: Path = QUALITY,
) -> None:
    """Lay the tab out and wire it; `cards` are those of all models if not given."""
    cards = cards or colorize_core.cards()
    fault = ""
    try:
        known = ranking.read(committed)
    except ColorizeError as error:
        known, fault = None, widgets.alert(error)
    on = Handlers(service, cards, known)
    first = on.show_figures(known)
    view = View(own=gr.State(None, time_to_live=KEEP_SECONDS), turn=gr.Number(visible=False))

    view.add(message=gr.HTML(fault, elem_classes="message"))
    view.add(intro=gr.HTML(views.introduce(known), elem_classes="summary"))
    with gr.Row(visible=False, elem_classes="actions") as bar:
        back = gr.Button("Back to the committed evaluation", size="sm")
    with gr.Accordion("Show my own run", open=known is None, elem_classes="adjust"):
        zone = gr.File(label="Scores", show_label=False, elem_classes=["drop", "several", "run"])
    with widgets.stage(alone=True) as (busy, cancel):
        pass
    view.add(
        zone=zone, bar=bar, table=score_table.build(value=first["table"], elem_classes="board")
    )
    view.add(colours=scatter.build(value=first["colours"]))
    metric = gr.Dropdown(
        first["metric"].get("choices", []),
        value=first["metric"].get("value"),
        label="Quality by",
        visible=first["metric"]["visible"],
        elem_classes="metric",
    )
    view.add(metric=metric, speed=scatter.build(value=first["speed"]))
    view.add(about=gr.HTML(first["about"], elem_classes="about"))
    if text := read_guide():
        with gr.Accordion(
            "What each metric sees and misses (docs/metrics.md)",
            open=False,
            elem_classes=["adjust", "guide"],
        ):
            gr.Markdown(text, elem_classes="card")

    place = ["message", "zone", "own", "bar", "intro", *FIGURES]
    asked = view.wire(on.take, [view["turn"], zone], place)
    taken = zone.upload(*asked, preprocess=False, **widgets.runs(busy))
    wire_run(view, on, [taken], [cancel])
    back.click(*view.wire(on.show, None, place), **widgets.QUICK)
    metric.input(*view.wire(on.choose, [metric, view["own"]], ["speed"]), **widgets.QUICK)
    endpoint.build(cards, known)
