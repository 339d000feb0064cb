"""The tab "Leaderboard": how the models score over many photos, and a person's own evaluation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

import colorize_core
from colorize_core.cards import ModelCard
from colorize_core.errors import Cancelled, ColorizeError, OptionError, PictureError
from ui.leaderboard import endpoint, ranking, scatter, views
from ui.leaderboard.ranking import COMMITTED, Ranking
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import score_table, widgets
from ui.shared.handlers import Running
from ui.shared.service import Service

TITLE = "Leaderboard"
DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = DOCS / "metrics.md"


class Handlers(Running):
    """What the controls do. Whose run it is comes with every call; None: the committed one."""

    busy = widgets.BUSY.replace("photo", "file")

    def __init__(self, service: Service, cards: Sequence[ModelCard], committed: Ranking | None):
        super().__init__(service)
        self.cards = cards
        self.committed = committed

    def take(
        self,
        turn: float,
        file: dict[str, Any] | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[Any]:
        """Show the evaluation that was dropped; what is seen stays where it is none."""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                task.step(0.0, "Summing the scores up")
                run = ranking.read_run(self._uploaded(file), self.cards)
                return ["", *self.seen(run)]
        except Cancelled:
            return [gr.skip(), gr.update(value=None), *[gr.skip()] * 8]
        except ColorizeError as error:
            return [widgets.said(error), gr.update(value=None), *[gr.skip()] * 8]

    def _uploaded(self, file: dict[str, Any] | None) -> Path:
        try:
            path = self.service.upload(file)
        except PictureError as error:  # it speaks of photos
            raise OptionError("No file was given. Send a CSV file of scores.") from error
        if not path.is_file():
            raise OptionError(f"{path.name} is no longer here. Add it again.")
        return path

    def back(self) -> list[Any]:
        """The committed evaluation again."""
        return ["", *self.seen(None)]

    def seen(self, run: Ranking | None) -> list[Any]:
        """What `place` in build() becomes, without its message."""
        shown = run or self.committed
        return [
            gr.update(value=None),
            run,
            gr.update(visible=run is not None and self.committed is not None),
            views.intro(shown),
            *self.figures(shown),
        ]

    def figures(self, shown: Ranking | None) -> list[Any]:
        """Table, first plot, the second one's metric, and words."""
        if shown is None:
            return [None, None, gr.update(visible=False), None, ""]
        some = views.choices(shown)
        names = [name for _, name in some]
        first = views.FIRST if views.FIRST in names else next(iter(names), None)
        speed = views.speed(shown, self.cards, first) if first else None
        return [
            views.table(shown, self.cards),
            views.colours(shown, self.cards),
            gr.update(choices=some, value=first, visible=bool(speed and speed["points"])),
            speed,
            views.about(shown),
        ]

    def choose(self, metric: str, run: Ranking | None) -> Any:
        """The second plot with another metric."""
        shown = run or self.committed
        if shown is None or metric not in {name for _, name in views.choices(shown)}:
            return gr.skip()
        return views.speed(shown, self.cards, metric)


def guide(path: Path = GUIDE) -> str:
    """What is written of the metrics, as Markdown for the page; empty where it is not there."""
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    folder = path.parent.as_posix()
    # Pictures beside it are served by Gradio; other files of the repository are not.
    text = re.sub(r"!\[(.*?)\]\((?!\w+:)", rf"![\1](gradio_api/file={folder}/", text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)[^)]*\)", r"\1", text)


def build(
    service: Service, cards: Sequence[ModelCard] | None = None, committed: Path = COMMITTED
) -> None:
    """Lay the tab out and wire it; `cards` are those of all models if not given."""
    cards = cards or colorize_core.cards()
    fault = ""
    try:
        known = ranking.read(committed)
    except ColorizeError as error:
        known, fault = None, widgets.said(error)
    on = Handlers(service, cards, known)
    first = on.figures(known)
    own = gr.State(None, time_to_live=KEEP_SECONDS)
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(fault, elem_classes="message")
    intro = gr.HTML(views.intro(known), elem_classes="summary")
    with gr.Row(visible=False, elem_classes="actions") as bar:
        back = gr.Button("Back to the committed evaluation", size="sm")
    with gr.Accordion("Show my own run", open=known is None, elem_classes="adjust"):
        zone = gr.File(label="Scores", show_label=False, elem_classes=["drop", "several", "run"])
    with widgets.stage(alone=True) as (busy, cancel):
        pass
    table = score_table.build(value=first[0], elem_classes="board")
    colours = scatter.build(value=first[1])
    metric = gr.Dropdown(
        first[2].get("choices", []),
        value=first[2].get("value"),
        label="Quality by",
        visible=first[2]["visible"],
        elem_classes="metric",
    )
    speed = scatter.build(value=first[3])
    about = gr.HTML(first[4], elem_classes="about")
    if text := guide():
        with gr.Accordion(
            "What each metric sees and misses (docs/metrics.md)", open=False, elem_classes="adjust"
        ):
            gr.Markdown(text, elem_classes="card")

    figures = [table, colours, metric, speed, about]
    place = [message, zone, own, bar, intro, *figures]
    taken = zone.upload(on.take, [turn, zone], place, preprocess=False, **widgets.runs(busy))
    taken.failure(on.fail, None, message, **widgets.QUICK)
    back.click(on.back, None, place, **widgets.QUICK)
    metric.input(on.choose, [metric, own], speed, **widgets.QUICK)
    cancel.click(on.stop, turn, message, js="window.stopRuns", **widgets.QUICK)
    endpoint.build(cards, known)
