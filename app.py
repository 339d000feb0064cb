"""Autochrome Studio: the app. `python app.py --help` lists its options."""

from __future__ import annotations

import argparse
import atexit
import importlib
import importlib.util
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_core.threads import wait_briefly
from tabs import TABS

if TYPE_CHECKING:
    import gradio as gr

    from tabs.parts import Picker
    from tabs.studio import Studio

TITLE = "Autochrome Studio"
TAGLINE = "Black-and-white photographs in colour, at full size, on your own machine."
PAGE = Path(__file__).resolve().parent / "tabs"
WAITING = 32  # people in the queue; whoever comes after them is told that it is full
HEADER = f"""
<header>
  <svg viewBox="0 0 36 28" width="36" height="28" aria-hidden="true">
    <circle cx="11" cy="18" r="9" fill="#4f8f5b"/><circle cx="25" cy="18" r="9" fill="#7a5aa6"/>
    <circle cx="18" cy="9.5" r="9" fill="#d9682f"/>
  </svg>
  <div><h1>{TITLE}</h1><p>{TAGLINE}</p></div>
</header>"""
FOOTER = """
<footer>
  <p>Photos and results never leave the machine that runs this app, and are deleted after an
  hour.</p>
  <button type="button">Use it from a program</button>
</footer>"""


def build(studio: Studio | None = None) -> gr.Blocks:
    """The page, with every tab; `studio` is what the tabs share, made here if not given."""
    from tabs.folder import KEEP_SECONDS, SWEEP_SECONDS, Folder
    from tabs.studio import Studio

    studio = studio or Studio(Folder(os.environ.get("GRADIO_TEMP_DIR")))
    os.environ["GRADIO_TEMP_DIR"] = str(studio.folder.path)  # read when Gradio is imported, and on
    import gradio as gr

    from tabs.sessions import asked_tab, on_leave

    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEEP_SECONDS)
    ) as blocks:
        gr.HTML(HEADER, elem_id="header")
        with gr.Tabs() as tabs:
            pickers: list[Picker] = []
            for name in TABS:
                tab = importlib.import_module(f"tabs.{name}")
                with gr.Tab(tab.TITLE, id=name):
                    pickers += tab.build(studio) or []
        gr.HTML(FOOTER, elem_id="footer")
        quick: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        blocks.load(studio.warm_up, **quick)
        blocks.load(asked_tab, None, tabs, **quick)
        blocks.unload(on_leave(studio))
        # A model may have been downloaded meanwhile.
        gr.on(
            [blocks.load, tabs.select],
            lambda: [offered() for _, offered in pickers],
            None,
            [component for component, _ in pickers],
            **quick,
        )
    blocks.studio = studio
    return blocks.queue(max_size=WAITING)


def launch_options() -> dict[str, Any]:
    """What launch() is given whatever the command line says: the look, the limits, no tracking."""
    from colorize_core.image import MAX_BYTES
    from tabs.gallery import EXAMPLES
    from tabs.leaderboard import DOCS
    from tabs.theme import AutochromeTheme

    return {
        # Examples are shown while they are worked on, wherever they lie; so are docs' pictures.
        "allowed_paths": [str(EXAMPLES), str(DOCS)],
        "theme": AutochromeTheme(),
        "css_paths": PAGE / "style.css",
        "head": f"<script>{(PAGE / 'page.js').read_text(encoding='utf-8')}</script>",
        "favicon_path": PAGE / "favicon.svg",
        "footer_links": ["api"],  # page.js opens its page from our own footer
        "max_file_size": MAX_BYTES,
        "run_history": False,
        "enable_monitoring": False,
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description=f"{TITLE}. {TAGLINE} Opens a page at the address that it prints.",
        epilog="Photos stay on this machine and are deleted after an hour. Stop with Ctrl+C.",
    )
    parser.add_argument(
        "--host", help="address to listen on; 0.0.0.0 opens the app to the network (127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=_port, help="port to listen on (the first free one from 7860)"
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="also open a public address for a week, through Gradio's servers: uploads then pass "
        "through them",
    )
    parser.add_argument(
        "--auth",
        type=_credentials,
        action="append",
        metavar="USER:PASSWORD",
        help="ask for this name and password; give it again for more people",
    )
    parser.add_argument(
        "--root-path",
        metavar="PATH",
        help="path behind a reverse proxy, such as /studio, when the app is not at its root",
    )
    parser.add_argument(
        "--mcp",
        action="store_true",
        help="also serve the app's endpoints as tools for MCP clients, at /gradio_api/mcp/",
    )
    options = parser.parse_args(arguments)
    if options.mcp:
        _check_mcp(parser, options)
    return options


def _check_mcp(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Gradio goes on without the server where it cannot serve one."""
    if importlib.util.find_spec("mcp") is None:
        parser.error("--mcp needs a package that is not here: pip install 'gradio[mcp]'")
    if options.auth:
        parser.error("--mcp asks nobody for a password: leave --auth out, or --mcp")


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _credentials(text: str) -> tuple[str, str]:
    user, _, password = text.partition(":")
    if not user or not password:
        raise argparse.ArgumentTypeError("give a name and a password as USER:PASSWORD")
    return user, password


def main(arguments: list[str] | None = None) -> None:
    """Serve the app until it is interrupted."""
    options = parse(arguments)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    wait_briefly()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to tidy up as with Ctrl+C
    blocks = build()
    folder = blocks.studio.folder
    atexit.register(folder.close)
    folder.keep_swept()
    try:
        blocks.launch(
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            auth=options.auth,
            root_path=options.root_path,
            mcp_server=options.mcp,
            **launch_options(),
        )
    except OSError as error:  # the port is taken, or the address is not of this machine
        raise SystemExit(f"The app cannot listen there: {error}") from error


if __name__ == "__main__":
    main()
