"""The tabs of the app, in their order. Each module has a TITLE and build(studio)."""

from tabs import colorize

TABS = (colorize,)

__all__ = ["TABS"]
