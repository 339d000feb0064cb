"""The private parts of Gradio that the app uses are still there, and do what they did."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from playwright.sync_api import Browser
from scenes import ROOT

from ui.server import gradio_private

# In a process of its own: Gradio's app, made and not served, closes neither its loop nor sockets.
SCRIPT = """
import inspect

import gradio as gr
from gradio import http_server
from gradio.mcp import GradioMCPServer
from gradio.routes import App
from ui.server import gradio_private
from ui.server.connections import Connection

with gr.Blocks(analytics_enabled=False) as blocks:
    gr.Button().click(lambda: None)
app = App.create_app(blocks.queue())

assert list(gradio_private.list_waiting(blocks)) == []
assert isinstance(blocks._queue.event_queue_per_concurrency_id, dict)

assert blocks.api_open and blocks._queue.max_size is None
gradio_private.close_queue(blocks, 7)
closed = vars(blocks._queue)
with gr.Blocks(analytics_enabled=False) as usual:
    usual.queue(max_size=7, api_open=False)
assert closed.keys() == vars(usual._queue).keys() and not usual.api_open and not blocks.api_open
assert closed["max_size"] == vars(usual._queue)["max_size"] == 7

cookie = gradio_private.log_in(app, "ada", "secret")
assert app.tokens["secret"] == "ada"
assert cookie == f"access-token-unsecure-{app.cookie_id}=secret"

scope = {"type": "http", "headers": [(b"cookie", cookie.encode())]}
assert gradio_private.read_user(app, scope) == "ada"
assert gradio_private.read_user(app, {"type": "http", "headers": []}) is None

assert gradio_private.read_config(app)["components"]
assert gradio_private.find_session(app, "gone") == "gone"
assert blocks._queue.event_ids_to_events == {}

for often in (True, False):
    for name in ("sleep_when_free", "progress_update_sleep_when_free"):
        assert 0.0005 < getattr(blocks._queue, name) < 0.2
    gradio_private.set_polling(blocks, often)
assert blocks._queue.sleep_when_free == gradio_private.RARELY[0]

with gr.Blocks(analytics_enabled=False) as endpoint:
    given = [gr.Number(1), gr.Number(2), gr.Number(3)]
    gr.on([], lambda *_: None, given, None, api_name="three")
gradio_private.fill_missing(endpoint)
values = [7]
(three,) = endpoint.fns.values()
endpoint.validate_inputs(three, values)
assert values == [7, 2, 3]

gradio_private.set_server("ui.server.connections:Connection", 64)
made = http_server.uvicorn.Config(app=app, log_level="warning")
made.load()
assert made.http_protocol_class is Connection
assert made.backlog == 64

before = blocks.get_config_file()
gradio_private.remember_signatures()
assert inspect.signature(gr.Button.__init__) is inspect.signature(gr.Button.__init__)
assert blocks.get_config_file() == before

heavy = vars(app.state_holder["before"])
gradio_private.keep_sessions_light()
gradio_private.keep_sessions_light()
light = app.state_holder["after"]
assert vars(light).keys() == heavy.keys()
assert len(heavy["config_values"]) > 0 == len(light.config_values)
button = next(iter(light.blocks_config.blocks))
light._update_value_in_config(button, "value")
light[button] = gr.Button("another", render=False)
assert light[button].value == "another"
assert len(light.config_values) == 0

with gradio_private.make_app_at_launch(), gr.Blocks(analytics_enabled=False) as later:
    gr.Button()
assert later.app is None and isinstance(App.create_app(later), App)

scripts = [path.read_bytes() for path in gradio_private.find_assets().glob("*.js")]
for pattern, _ in gradio_private._QUICKER:
    assert sum(len(pattern.findall(script)) for script in scripts) == 1, pattern
assert sum(gradio_private.quicken(script) != script for script in scripts) == 3

blocks.mcp_server_obj = None
assert not gradio_private.lacks_tool_client(app)
blocks.mcp_server_obj = GradioMCPServer(blocks)
assert gradio_private.lacks_tool_client(app)
gradio_private.set_tool_client(app, object())
assert not gradio_private.lacks_tool_client(app)
"""

BEFORE_GRADIO = """
import sys
from pathlib import Path

from ui.server import gradio_private

written = []
write = Path.write_text
Path.write_text = lambda path, text, **options: written.append(path) or write(path, text, **options)
assert "gradio" not in sys.modules
gradio_private.leave_out_documentation()
import gradio as gr
from gradio import component_meta

assert written == []
assert component_meta.create_or_modify_pyi.__module__ == gradio_private.__name__
assert "create_or_modify_pyi" in component_meta.ComponentMeta.__new__.__code__.co_names
assert "set_doc" in component_meta.ComponentMeta.__new__.__code__.co_names
assert "{{" in gr.Button.click.__doc__, "a template still"
with gr.Blocks(analytics_enabled=False) as blocks:
    gr.Button().click(lambda: None)
assert len(blocks.fns) == 1
"""

# What Gradio's method says of each component, and what it sets.
FIND_EVENTS = """({ method, listeners, components }) => {
  const page = new (eval(`(class { ${method} })`))();
  return components.map((id) => {
    const component = { id, props: { shared_props: {} } };
    if (page.find_attached_events(component, listeners) !== component) throw Error("another");
    return component.props.shared_props.attached_events;
  });
}"""


@pytest.mark.browser
def test_a_quicker_script_finds_the_same_events(browser: Browser, rng: np.random.Generator) -> None:
    (script,) = (
        script
        for path in gradio_private.find_assets().glob("core-*.js")
        if b"find_attached_events(" in (script := path.read_bytes())
    )
    found = []
    events = ["click", "change", None]
    listeners = [
        {"targets": [[int(rng.integers(8)), events[rng.integers(3)]] for _ in range(count)]}
        for count in rng.integers(0, 5, 40)
    ]
    with closing(browser.new_page()) as page:
        for each in (script, gradio_private.quicken(script)):
            begin = each.rindex(b"find_attached_events(")
            method = each[begin : each.index(b"traverse(", begin)]
            given = {
                "method": method.decode(),
                "listeners": listeners,
                "components": list(range(9)),
            }
            found.append(page.evaluate(FIND_EVENTS, given))
    assert found[0] == found[1]
    assert sum(map(len, found[0])) > 20
    assert found[0][8] == []


@pytest.mark.parametrize("script", [SCRIPT, BEFORE_GRADIO], ids=["loaded", "before it is"])
def test_gradio_has_the_parts_that_are_used(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
