"""docs/api.md and the examples in it."""

from __future__ import annotations

import re

from scenes import ROOT

DOCS = (ROOT / "docs/api.md").read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
