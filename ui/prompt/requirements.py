"""What drawing from words needs and is not on this machine: shown before it is downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import gradio as gr

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import Download
from colorize_core.errors import ColorizeError, WeightsError
from colorize_core.models.runner import Task
from colorize_core.prompted import sources
from colorize_core.sizes import format_size
from ui.shared.handlers import Updates
from ui.shared.service import tell_owner

OFFLINE = """<p>No connection here? Copy the folders <code>models--*</code> of these repositories
from the Hugging Face cache of another machine into this one's, or go on with the preview above:
it needs none of them.</p>"""
HOW = "The list above says what that is; Download fetches it, once."


def show(wanted: Sequence[Download], public: bool, warning: str = "") -> Updates:
    """What is asked for, the list of it, and the button that downloads what is missing; in public
    there is none, and what cannot be had is not offered."""
    missing = sources.list_missing(wanted)
    words = f"Download {_size(missing)}"
    offered = gr.update(interactive=not (public and missing))
    return {
        "asked": tuple(wanted),
        "list": _describe(wanted, missing, public, warning),
        "get": gr.update(value=words, visible=bool(missing) and not public),
        "go": offered,
        "go_ways": offered,
    }


def check(wanted: Sequence[Download], how: str = "") -> None:
    """Raises WeightsError, with what to do, where something is not on this machine."""
    if missing := sources.list_missing(wanted):
        raise WeightsError(
            f"Not on this machine yet: {list_titles(missing)} ({_size(missing)}). {how or HOW}"
        )


def list_titles(missing: Sequence[Download]) -> str:
    return ", ".join(each.title for each in missing)


def _size(downloads: Sequence[Download]) -> str:
    return format_size(sum(each.bytes for each in downloads))


def _describe(
    wanted: Sequence[Download], missing: Sequence[Download], public: bool, warning: str
) -> str:
    lacking = {each.name for each in missing}
    items = "".join(
        f"<li>{escape(each.line)}{'' if each.name in lacking else ' (here)'}</li>"
        for each in wanted
    )
    if not missing:
        title = f"Everything that drawing needs is on this machine: {_size(wanted)}."
        return f"{warning}<details><summary>{title}</summary><ul>{items}</ul></details>"
    if public:
        commands = "; ".join(each.by_hand for each in missing)
        return f"<p>{escape(tell_owner(list_titles(missing), commands))}</p><ul>{items}</ul>"
    title = (
        f"Drawing needs {_size(missing)} that are not on this machine yet. They come from the "
        "Hugging Face Hub, once, and only when you ask for them:"
    )
    return f"{warning}<p>{title}</p><ul>{items}</ul>{OFFLINE}"


def warn_of_memory(wanted: Iterable[Download], side: int) -> str:
    """A word on memory, where it is known that there is too little for that working size."""
    from colorize_core.prompted.pipeline import check as check_memory

    try:
        check_memory(wanted, pixels=side**2)
    except ColorizeError as error:
        return f'<p class="warning">{escape(str(error))}</p>'
    return ""


def download(wanted: Iterable[Download], task: Task) -> None:
    """What is missing of these, to be stopped at any time. Raises WeightsError or Cancelled."""
    files = [file for each in wanted for file in each.files]
    checkpoints.fetch(files, task.report_bytes, task.stopped)
