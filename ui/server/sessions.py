"""Whose call it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import gradio as gr

from ui import TABS
from ui.server.guard import address
from ui.shared.service import Service


def client_id(request: gr.Request) -> str:
    """The open page or the client behind a call; a bare HTTP call is a session of its own."""
    return request.session_hash or secrets.token_hex(16)


def waiting(blocks: gr.Blocks, proxies: int) -> Callable[[str], int]:
    """How many runs of an address, as guard.address() knows it, are in the queue. Calls from
    programs of what the page does without the queue pass through it, too, and do not count."""

    def count(client: str) -> int:
        queues = blocks._queue.event_queue_per_concurrency_id.values()
        events = (event for queue in queues for event in queue.queue if event.fn.queue)
        return sum(address(event.request.scope, proxies) == client for event in events)

    return count


def on_leave(service: Service) -> Callable[[gr.Request], None]:
    """What happens when a page is closed: its runs stop."""

    def leave(request: gr.Request) -> None:
        service.leave(client_id(request))

    return leave


def asked_tab(request: gr.Request) -> dict[str, Any]:
    """The tab that a link asks for, `?tab=NAME`, for gr.Tabs."""
    name = request.query_params.get("tab")
    return gr.update(selected=name) if name in TABS else gr.skip()
