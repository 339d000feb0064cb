"""What the package is when it is not a clone: the files of its wheel, and that they are enough."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from colorize_core import __version__, bundled
from colorize_core.imaging import image

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 100_000_000  # bytes that package registries take
CODE = (".py", ".html", ".js", ".css", ".svg")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def build(folder: Path, whole: bool) -> Path:
    """The wheel of a copy of what git knows, or could; not `whole`, weights are empty files."""
    known = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(known, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if not (ROOT / name).is_file():  # deleted, and not yet committed
            continue
        target = folder / "clone" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".safetensors" and not whole:
            target.touch()
        else:
            shutil.copy(ROOT / name, target)
    subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=folder / "clone",
        capture_output=True,
        check=True,
        timeout=300,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    wheel = build(tmp_path_factory.mktemp("wheel"), whole=False)
    assert wheel.name == f"autochrome_studio-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as files:
        (metadata,) = [name for name in files.namelist() if name.endswith("/METADATA")]
        said = email.message_from_bytes(files.read(metadata))
        (entries,) = [name for name in files.namelist() if name.endswith("/entry_points.txt")]
        assert "autochrome = colorize_core.cli:main" in files.read(entries).decode()
    assert {"app", "prompt", "train"} <= set(said.get_all("Provides-Extra", []))
    assert said["Version"] == __version__
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_has_all_code_and_nothing_of_tests(names: set[str]) -> None:
    folders = [ROOT / "colorize_core", ROOT / "ui"]
    code = {p for folder in folders for p in folder.rglob("*") if p.suffix in CODE}
    expected = {path.relative_to(ROOT).as_posix() for path in code}
    expected |= {"app.py", "colorize_core/py.typed", "colorize_core/prepare/judges.json"}
    assert {name for name in names if "/_data/" not in name} == expected


def test_the_wheel_has_the_weights_and_what_the_app_shows(names: set[str]) -> None:
    data = {name.partition("/_data/")[2] for name in names if "/_data/" in name}
    pictures = {f"examples/{path.name}" for path in bundled.EXAMPLES.glob("*.jpg")}
    weights = {
        path.relative_to(ROOT).as_posix()
        for path in bundled.WEIGHTS.rglob("*")
        if path.suffix in (".safetensors", ".md")
    }
    assert weights | pictures <= data
    assert bundled.QUALITY.relative_to(ROOT).as_posix() in data
    guide = bundled.DOCS / "metrics.md"
    shown = set(re.findall(r"\]\(([\w-]+\.jpg)\)", guide.read_text(encoding="utf-8")))
    assert shown
    assert {f"docs/{name}" for name in {guide.name, *shown}} <= data
    assert not any(name.startswith(("tests/", "benchmarks/runs")) for name in data)


def test_what_is_installed_is_what_a_space_installs() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    split = [*project["dependencies"], *extras["app"], *extras["prompt"]]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    whole = [line for line in lines if line and not line.startswith("#")]
    assert sorted(split) == sorted(whole)
    assert len({Requirement(line).name for line in split}) == len(split)


def test_a_clone_has_its_files_beside_the_package() -> None:
    assert bundled.ROOT == ROOT
    assert "git checkout" in bundled.RESTORE


@pytest.mark.slow
def test_an_installed_wheel_colours_and_opens_the_app(tmp_path: Path) -> None:
    """In an environment of its own, which sees the packages of this one and not the clone."""
    wheel = build(tmp_path, whole=True)
    assert wheel.stat().st_size < LARGEST
    venv.create(tmp_path / "venv", with_pip=True)
    bin = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    run = {"capture_output": True, "text": True, "check": True, "timeout": 300}
    own = subprocess.run([bin / "python", "-c", ask], **run).stdout.strip()
    Path(own, "beside.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run([bin / "pip", "install", "--no-deps", "--quiet", wheel], **run)

    run |= {"cwd": tmp_path, "env": os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}}
    where = (
        "import colorize_core, ui, app; print(colorize_core.__file__, ui.__file__, app.__file__)"
    )
    found = subprocess.run([bin / "python", "-c", where], **run).stdout.split()
    assert all(path.startswith(own) for path in found)
    shutil.copy(bundled.EXAMPLES / "portrait-gray.jpg", tmp_path / "portrait.jpg")
    said = subprocess.run([bin / "autochrome", "portrait.jpg", "-o", "colour.png"], **run).stdout
    assert said.startswith("1 photo colorized")
    pixels = image.read(tmp_path / "colour.png").pixels.astype(int)
    assert (pixels.max(axis=2) - pixels.min(axis=2)).mean() > 5
    assert "damaged" not in subprocess.run([bin / "autochrome", "weights", "verify"], **run).stdout

    with (tmp_path / "app.log").open("w") as log:
        app = subprocess.Popen(
            [bin / "autochrome", "app", "--port", "7911"],
            cwd=tmp_path,
            env=run["env"],
            stdout=log,
            stderr=log,
        )
    try:
        page = fetched("http://127.0.0.1:7911/config")
        assert "Leaderboard" in page
        assert "portrait-gray" in page  # among the examples
    finally:
        app.terminate()
        app.wait(30)


def fetched(address: str) -> str:
    """What the app answers, once it is there."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{address} does not answer")
