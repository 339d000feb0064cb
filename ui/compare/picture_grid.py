"""Pictures of one size side by side, which are looked at closely all at the same place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.evaluate.comparison import Entry, Result, format_figure
from colorize_core.imaging.heatmap import FULL, draw_legend
from ui.compare.session import LATER, CompareSession
from ui.shared.thumbnails import as_address, refer

HERE = Path(__file__).parent


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view(). Its submit event carries the key of a picture and
    what is wanted of it, as Handlers.use() takes it."""
    return gr.HTML(
        html_template=(HERE / "picture_grid.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "picture_grid.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def view(session: CompareSession) -> dict[str, Any]:
    """What the component shows."""
    width, height = session.size
    value = {
        "width": width,
        "height": height,
        "difference": session.difference,
        "cells": [_cell(session, result) for result in session.results()],
    }
    if session.difference:
        value |= {"legend": as_address(draw_legend()), "full": f"{FULL:g}"}
    return value


def _cell(session: CompareSession, result: Result) -> dict[str, Any]:
    entry = result.entry
    known = {"key": entry.slug, "title": entry.title, "settings": entry.settings}
    known["words"] = words(result)
    if entry not in session.made:
        waiting = result.error == LATER
        return known | {"error": "" if waiting else result.error, "waiting": waiting}
    made = session.made[entry]
    files = {"file": refer(made.path)} | ({"heat": refer(made.heat)} if made.heat else {})
    return known | files | {"alt": alt(entry), "usable": bool(entry.model)}


def words(result: Result) -> str:
    """What stands under a title: the settings, and how long it took."""
    seconds = result.value("seconds")
    time = f"{format_figure(seconds, 1)} s" if seconds is not None else ""
    return " · ".join(filter(None, (result.entry.settings, time)))


def alt(entry: Entry) -> str:
    """What a picture is, for those who do not see it."""
    known = {
        "truth": "The photo in its own colours",
        "gray": "The photo in black and white",
        "mean": "The photo in the mean colour of photographs",
    }
    return known.get(entry.kind) or f"The photo in colour by {entry.label}"
