"""Whose call it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import gradio as gr

from tabs.studio import Studio


def session(request: gr.Request) -> str:
    """The open page or the client behind a call; a bare HTTP call is a session of its own."""
    return request.session_hash or secrets.token_hex(16)


def on_leave(studio: Studio) -> Callable[[gr.Request], None]:
    """What happens when a page is closed: its runs stop."""

    def leave(request: gr.Request) -> None:
        studio.leave(session(request))

    return leave
