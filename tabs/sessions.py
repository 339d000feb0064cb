"""Whose call it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import gradio as gr

from tabs import TABS
from tabs.studio import Studio


def session(request: gr.Request) -> str:
    """The open page or the client behind a call; a bare HTTP call is a session of its own."""
    return request.session_hash or secrets.token_hex(16)


def on_leave(studio: Studio) -> Callable[[gr.Request], None]:
    """What happens when a page is closed: its runs stop."""

    def leave(request: gr.Request) -> None:
        studio.leave(session(request))

    return leave


def asked_tab(request: gr.Request) -> dict[str, Any]:
    """The tab that a link asks for, `?tab=NAME`, for gr.Tabs."""
    name = request.query_params.get("tab")
    return gr.update(selected=name) if name in TABS else gr.skip()
