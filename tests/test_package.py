"""Importing is cheap and honest; the project's texts are up to date."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scenes import ROOT

import colorize_core
from colorize_core.downloads.catalogue import DOWNLOADS

PACKAGES = ("colorize_core", "ui")
MODULES = [
    module.name
    for package in PACKAGES
    for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
    if not module.name.endswith("__main__")
]


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_public_names_are_there_and_listed() -> None:
    assert sorted(colorize_core.__all__) == colorize_core.__all__
    public = {
        name
        for name, value in vars(colorize_core).items()
        if not name.startswith("_") and not isinstance(value, type(sys))
    }
    assert public == set(colorize_core.__all__)


def test_import_and_cards_load_neither_torch_nor_gradio() -> None:
    heavy = ["torch", "torchvision", "gradio", "diffusers", "transformers", "lpips", "cv2"]
    code = (
        "import sys, colorize_core; colorize_core.cards(); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert python(code) == "[]"


def test_import_takes_less_than_half_a_second() -> None:
    code = (
        "import time; start = time.perf_counter(); import colorize_core; "
        "print(time.perf_counter() - start)"
    )
    assert min(float(python(code)) for _ in range(3)) < 0.5


def test_nothing_below_the_core_needs_gradio() -> None:
    names = [name for name in MODULES if name.startswith("colorize_core.")]
    code = (
        "import sys, importlib\n"
        f"for name in {names}: importlib.import_module(name)\n"
        "print('gradio' in sys.modules)"
    )
    assert python(code) == "False"


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported_and_lists_what_it_has(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), public


def test_every_model_has_a_name_of_its_own_and_a_card_that_says_it() -> None:
    from colorize_core.models.registry import MODELS

    every = [card.name for card in colorize_core.cards(downloads=True)]
    assert every == list(MODELS)
    assert [name for name in every if name not in DOWNLOADS] == [
        card.name for card in colorize_core.cards()
    ]


def test_every_card_of_a_family_is_a_model_of_the_table() -> None:
    from colorize_core.models.registry import MODELS

    for family in set(MODELS.values()):
        cards = importlib.import_module(f"colorize_core.models.{family}").CARDS
        assert {name for name, of in MODELS.items() if of == family} == set(cards)
        assert all(name == card.name for name, card in cards.items())


def test_models_are_bundled_or_told_what_and_whence_they_are_downloaded() -> None:
    for card in colorize_core.cards(downloads=True):
        for file in card.weights:
            assert file.bundled == (card.name not in DOWNLOADS), card.name
        assert (card.download > 0) == bool(card.source) == (card.name in DOWNLOADS), card.name


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    from colorize_core.errors import UnknownModelError

    with pytest.raises(UnknownModelError) as error:
        colorize_core.load("nobody")
    for card in colorize_core.cards(downloads=True):
        assert card.name in str(error.value)


def test_importing_the_app_starts_nothing() -> None:
    code = (
        "import threading, app\n"
        "print(sorted(t.name for t in threading.enumerate() if not t.daemon))"
    )
    assert python(code) == "['MainThread']"


def imported(path: Path) -> set[str]:
    """Top-level names of everything that a file imports, inside functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level}
    return {name.split(".")[0] for name in names}


def test_everything_imported_is_a_declared_dependency() -> None:
    known = {"PIL": "pillow", "cv2": "opencv-python", "pillow_heif": "pillow-heif"}
    files = [ROOT / "app.py", *(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))]
    names = set().union(*map(imported, files)) - set(sys.stdlib_module_names) - set(PACKAGES)
    names -= {"spaces"}  # there only where a Space on ZeroGPU brings it
    packages = {known.get(name, name.replace("_", "-")) for name in names}
    texts = [(ROOT / name).read_text() for name in ("requirements.txt", "pyproject.toml")]
    listed = set(re.findall(r"([A-Za-z0-9-]+)(?:\[[a-z,]+\])?>=", "".join(texts)))
    assert packages - listed == set()
