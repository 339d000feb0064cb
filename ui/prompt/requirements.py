"""What drawing from words needs and is not on this machine: shown before it is downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import gradio as gr

from colorize_core.cli.terminal import size
from colorize_core.errors import ColorizeError, WeightsError
from colorize_core.models.runner import Task
from colorize_core.prompted import sources
from colorize_core.prompted.sources import Missing, Source
from ui.shared.handlers import Updates

OFFLINE = """<p>No connection here? Copy the folders <code>models--*</code> of these repositories
from the Hugging Face cache of another machine into this one's, or go on with the preview above:
it needs none of them.</p>"""
HOW = "The list above says what that is; Download fetches it, once."


def show(wanted: Sequence[Source], warning: str = "") -> Updates:
    """What is asked for, the list of it, and the button that downloads what is missing."""
    missing = sources.missing(wanted)
    words = f"Download {size(missing.bytes)}"
    return {
        "asked": tuple(wanted),
        "list": _describe(wanted, missing, warning),
        "get": gr.update(value=words, visible=bool(missing)),
    }


def check(wanted: Sequence[Source], how: str = "") -> None:
    """Raises WeightsError, with what to do, where something is not on this machine."""
    if missing := sources.missing(wanted):
        raise WeightsError(
            f"Not on this machine yet: {list_titles(missing)} ({size(missing.bytes)}). {how or HOW}"
        )


def list_titles(missing: Missing) -> str:
    return ", ".join(each.title for each in missing.sources)


def _describe(wanted: Sequence[Source], missing: Missing, warning: str) -> str:
    items = "".join(
        f"<li>{escape(each.card)}{'' if each in missing.sources else ' (here)'}</li>"
        for each in wanted
    )
    if not missing:
        total = size(sum(each.bytes for each in wanted))
        title = f"Everything that drawing needs is on this machine: {total}."
        return f"{warning}<details><summary>{title}</summary><ul>{items}</ul></details>"
    title = (
        f"Drawing needs {size(missing.bytes)} that are not on this machine yet. They come from the "
        "Hugging Face Hub, once, and only when you ask for them:"
    )
    return f"{warning}<p>{title}</p><ul>{items}</ul>{OFFLINE}"


def warn_of_memory(wanted: Iterable[Source], side: int) -> str:
    """A word on memory, where it is known that there is too little for that working size."""
    from colorize_core.prompted.pipeline import check as check_memory

    try:
        check_memory(wanted, pixels=side**2)
    except ColorizeError as error:
        return f'<p class="warning">{escape(str(error))}</p>'
    return ""


def download(wanted: Iterable[Source], task: Task) -> None:
    """What is missing of these, to be stopped at any time. Raises WeightsError or Cancelled."""
    sources.download(
        sources.missing(wanted),
        lambda progress: task.loaded(progress.done, progress.total),
        task.stopped,
    )
