"""The private parts of Gradio that the app uses are still there, and do what they did."""

from __future__ import annotations

import subprocess
import sys

from scenes import ROOT

# In a process of its own: Gradio's app, made and not served, closes neither its loop nor sockets.
SCRIPT = """
import gradio as gr
from gradio.mcp import GradioMCPServer
from gradio.routes import App
from ui.server import gradio_private

with gr.Blocks(analytics_enabled=False) as blocks:
    gr.Button().click(lambda: None)
app = App.create_app(blocks.queue())

assert list(gradio_private.list_waiting(blocks)) == []
assert isinstance(blocks._queue.event_queue_per_concurrency_id, dict)

cookie = gradio_private.log_in(app, "ada", "secret")
assert app.tokens["secret"] == "ada"
assert cookie == f"access-token-unsecure-{app.cookie_id}=secret"

blocks.mcp_server_obj = None
assert not gradio_private.lacks_tool_client(app)
blocks.mcp_server_obj = GradioMCPServer(blocks)
assert gradio_private.lacks_tool_client(app)
gradio_private.set_tool_client(app, object())
assert not gradio_private.lacks_tool_client(app)
"""


def test_gradio_has_the_parts_that_are_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
