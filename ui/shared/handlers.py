"""What the handlers of every tab share: a run that is stopped, or that never begins."""

from __future__ import annotations

import gradio as gr

from ui.server.sessions import client_id
from ui.shared import widgets
from ui.shared.service import Service


class Running:
    """The base of a tab's Handlers."""

    busy = widgets.BUSY

    def __init__(self, service: Service):
        self.service = service

    def stop(self, turn: float, request: gr.Request) -> str:
        """Stop what was asked for before `turn`; the page says so at once."""
        self.service.stop(client_id(request), turn)
        return "<p>Stopped.</p>"

    def fail(self) -> str:
        """The run did not even begin: the queue is full, or the app is being closed."""
        return widgets.said(self.busy)
