"""Whose call it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import gradio as gr

from ui import TABS
from ui.server import gradio_private
from ui.server.guard import read_address
from ui.shared.service import Service


def client_id(request: gr.Request) -> str:
    """The open page or the client behind a call; a bare HTTP call is a session of its own."""
    return request.session_hash or secrets.token_hex(16)


def list_waiting(blocks: gr.Blocks, proxies: int) -> Callable[[], list[str]]:
    """The addresses, as guard.read_address() knows them, of the runs that are in the queue."""

    def list_addresses() -> list[str]:
        return [read_address(scope, proxies) for scope in gradio_private.list_waiting(blocks)]

    return list_addresses


def on_leave(service: Service) -> Callable[[gr.Request], None]:
    """What happens when a page is closed: its runs stop."""

    def leave(request: gr.Request) -> None:
        service.leave(client_id(request))

    return leave


def asked_tab(request: gr.Request) -> dict[str, Any]:
    """The tab that a link asks for, `?tab=NAME`, for gr.Tabs."""
    name = request.query_params.get("tab")
    return gr.update(selected=name) if name in TABS else gr.skip()
