"""What a Space and a container are built from: front matter, requirements, system packages."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import threading
from collections.abc import Iterator
from importlib import import_module, reload
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from scenes import ROOT

import app
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.prompted import sources
from colorize_core.prompted.generation import Preview, Variant
from colorize_core.prompted.settings import PromptSettings
from colorize_core.selective.sam2 import SAM2
from ui.server.limits import LARGEST, MB, ONE, Public

PYTHONS = ("3.10", "3.11", "3.12")
KEYS = {  # of https://huggingface.co/docs/hub/spaces-config-reference
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file",
    "models", "license", "short_description", "suggested_hardware", "preload_from_hub",
}  # fmt: skip
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
HARDWARE = {"cpu-basic", "cpu-upgrade", "t4-small", "t4-medium", "l4x1", "a10g-small", "zero-a10g"}


def front_matter() -> dict[str, Any]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert found
    said: dict[str, Any] = yaml.safe_load(found[1])
    return said


def requirements() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def code(language: str, page: str = "docs/deploying.md") -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


# --- the Space ------------------------------------------------------------------------------------


def test_front_matter_has_what_a_space_allows() -> None:
    said = front_matter()
    assert set(said) <= KEYS
    assert {said["colorFrom"], said["colorTo"]} <= COLOURS
    assert len(said["short_description"]) <= 60
    assert said["sdk"] == "gradio"
    assert (ROOT / said["app_file"]).is_file()
    assert said["suggested_hardware"] in HARDWARE
    assert isinstance(said["python_version"], str), "3.10 without quotes is 3.1"
    assert said["python_version"] in PYTHONS
    assert said["license"] == "apache-2.0"


def test_gradio_of_the_space_is_one_that_the_requirements_take() -> None:
    (gradio,) = [each for each in requirements() if each.name == "gradio"]
    assert gradio.specifier.contains(front_matter()["sdk_version"])


def test_models_of_the_front_matter_are_those_that_can_be_downloaded() -> None:
    known = {each.repo for each in (*sources.EVERY, SAM2)}
    assert set(front_matter()["models"]) == known


def test_preloading_that_the_page_names_is_what_drawing_needs_and_ddcolor() -> None:
    (block,) = code("yaml")
    said = yaml.safe_load(block)
    assert said["suggested_hardware"] in HARDWARE
    needed = (*sources.list_needed(PromptSettings()), DOWNLOADS["ddcolor-modelscope"])
    expected = {each.repo: each for each in needed}
    found = {}
    for line in said["preload_from_hub"]:
        repo, files, revision = line.split(" ")
        found[repo] = (files.split(","), revision)
    assert set(found) == set(expected)
    for repo, source in expected.items():
        assert found[repo] == ([file.path for file in source.files], source.revision)
    size = sum(source.bytes for source in expected.values()) / 1e9
    text = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
    assert f"({size:.1f} GB)" in text.replace("\n", " ")


def test_free_space_preloads_nothing() -> None:
    said = front_matter()
    assert said["suggested_hardware"] != "cpu-basic" or "preload_from_hub" not in said


# --- requirements ---------------------------------------------------------------------------------


@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_has_every_requirement(python: str) -> None:
    """Wheels are asked for elsewhere; here no marker leaves one out, nor says it twice."""
    names = [
        each.name
        for each in requirements()
        if each.marker is None or each.marker.evaluate({"python_version": python})
    ]
    assert sorted(names) == sorted({each.name for each in requirements()})


def test_every_range_is_open_below_the_next_major_version() -> None:
    for each in requirements():
        operators = {part.operator for part in each.specifier}
        assert operators == {">=", "<"}, each
        assert each.url is None


# The last versions for Python 3.10 and what ZeroGPU offers: pinned above them, a Space would not
# be built.
@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("torch", ("2.8.0", "2.9.1", "2.10.0", "2.11.0", "2.15.0")),
        ("torchvision", ("0.23.0", "0.26.0", "0.29.2")),
        ("diffusers", ("0.41.0", "0.42.1")),
        ("transformers", ("5.20.2", "5.23.0")),
        ("numpy", ("2.2.6", "2.4.6", "2.5.5")),
        ("pillow", ("12.3.0",)),
        ("huggingface-hub", ("1.33.0", "2.4.0")),
        ("opencv-python", ("4.13.0.90", "5.0.0.93")),
    ],
)
def test_versions_that_a_space_has_are_taken(name: str, versions: tuple[str, ...]) -> None:
    (found,) = [each for each in requirements() if each.name == name]
    for version in versions:
        assert found.specifier.contains(Version(version)), version


def test_the_space_needs_no_package_of_zerogpu() -> None:
    assert "spaces" not in {each.name for each in requirements()}


def test_system_packages_are_named_one_a_line() -> None:
    lines = (ROOT / "packages.txt").read_text().splitlines()
    assert lines == ["libgl1", "libglib2.0-0"]


@pytest.mark.skipif(sys.platform != "linux", reason="the packages are Debian's")
def test_system_packages_have_what_opencv_links_to() -> None:
    """libGL.so.1 is of libgl1, libglib-2.0.so.0 and libgthread-2.0.so.0 of libglib2.0-0; the rest
    comes with OpenCV's wheel, with libgl1, or is on every machine."""
    import cv2

    assert cv2.__version__
    loaded = Path("/proc/self/maps").read_text()
    foreign = set(re.findall(r"/(lib(?:GL|glib-2\.0|gthread-2\.0)\.so\.\d+)", loaded))
    if "Qt5" in loaded:  # else the wheel without windows is the one that was imported
        assert foreign == {"libGL.so.1", "libglib-2.0.so.0", "libgthread-2.0.so.0"}


# --- ZeroGPU --------------------------------------------------------------------------------------


def send(value: Any) -> Any:
    """What another process is given of a small value."""
    near, far = Pipe()
    with near, far:
        near.send(value)
        return far.recv()


@pytest.fixture
def lending(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A package `spaces` that sends arguments and answers as bytes, as to another process."""
    calls: list[str] = []

    def gpu(function: Any, duration: int) -> Any:
        def lent(*arguments: Any) -> Iterator[Any]:
            calls.append(f"{function.__name__} for {duration} s")
            for each in function(*send(arguments)):
                yield send(each)
            calls.append("to the end")

        return lent

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    zero = reload(import_module("ui.server.zerogpu"))
    yield calls
    monkeypatch.undo()
    reload(zero)


def test_drawing_is_lent_a_gpu(lending: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from colorize_core.prompted import grid
    from ui.prompt.generation import Generation

    small = np.zeros((4, 4, 3), np.uint8)
    sent = [
        (1, Preview(1, 0, 1, 2, small)),
        (1, Variant(1, 0, small, small)),
        (2, ColorizeError("no")),
    ]
    asked: list[Any] = []

    def draw_grid(shelf: Any, photo: Any, cells: Any, **options: Any) -> Iterator[Any]:
        asked.append((photo.shape, cells, options))
        yield from sent

    monkeypatch.setattr(grid, "draw_grid", draw_grid)
    generation = Generation(SimpleNamespace())  # type: ignore[arg-type]
    session = SimpleNamespace(small=small)
    task = SimpleNamespace(stopped=threading.Event())
    news = list(generation._news(session, [PromptSettings()], None, task))  # type: ignore[arg-type]
    assert [(number, type(each)) for number, each in news] == [
        (number, type(each)) for number, each in sent
    ]
    assert asked == [((4, 4, 3), [PromptSettings()], {"start": None, "device": "cuda"})]
    assert lending == ["draw for 120 s", "to the end"]
    task.stopped.set()
    with pytest.raises(Cancelled):
        list(generation._news(session, [PromptSettings()], None, task))  # type: ignore[arg-type]
    assert lending[2:] == ["draw for 120 s"]


def test_the_page_itself_never_asks_for_the_gpu(
    lending: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from colorize_core import devices

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.pick("auto").type == "cpu"
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert devices.pick("auto").type == "cuda"


def test_off_zerogpu_nothing_is_wrapped() -> None:
    from ui.server import zerogpu

    def function() -> None: ...

    if "spaces" not in sys.modules:
        assert zerogpu.gpu(function) is function


def test_spaces_comes_before_gradio() -> None:
    source = (ROOT / "app.py").read_text(encoding="utf-8")
    build = source[source.index("def build(") : source.index("def launch_options(")]
    assert 0 < build.index('"ui.server.zerogpu"') < build.index("import gradio as")
    assert "gradio" not in (ROOT / "ui" / "server" / "zerogpu.py").read_text(encoding="utf-8")


# --- the container --------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in joined.splitlines()]


def test_dockerfile_is_well_formed() -> None:
    """No engine builds it here: what can be read of it is right."""
    found = instructions()
    names = [name for name, _ in found]
    assert set(names) <= {
        "FROM", "ARG", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "HEALTHCHECK",
        "ENTRYPOINT",
    }  # fmt: skip
    assert names[0] == "FROM"
    assert names.index("ARG") < names.index("RUN"), "DEVICE is empty before it is declared"
    assert ("ARG", "DEVICE=cpu") in found
    said = dict(found)
    assert names.index("USER") > max(i for i, name in enumerate(names) if name in ("RUN", "COPY"))
    assert said["USER"] not in ("root", "0")
    kept = dict(pair.split("=") for pair in said["ENV"].split())
    for name in ("HF_HOME", "TORCH_HOME"):
        assert Path(kept[name]).is_relative_to(said["VOLUME"])
    for name, value in found:
        for source in value.split()[:-1] if name == "COPY" else ():
            assert (ROOT / source).exists()


def test_container_starts_the_app_and_asks_whether_it_is_well() -> None:
    said = dict(instructions())
    entry = json.loads(said["ENTRYPOINT"])
    assert (ROOT / entry[1]).is_file()
    options = app.parse(entry[2:])
    assert (options.host, options.port) == ("0.0.0.0", int(said["EXPOSE"]))
    check = json.loads(said["HEALTHCHECK"].split("CMD ", 1)[1])
    assert check[:2] == ["python", "-c"]
    compile(check[2], "HEALTHCHECK", "exec")
    assert f":{options.port}/" in check[2]


@pytest.mark.skipif(os.name == "nt", reason="the shell is a POSIX one")
@pytest.mark.parametrize(("device", "code_"), [("cpu", 0), ("cuda", 0), ("tpu", 1)])
def test_device_of_the_container(device: str, code_: int, tmp_path: Path) -> None:
    """The shell's part of it, with a pip that only writes down what it is asked."""
    import subprocess

    (line,) = [value for name, value in instructions() if name == "RUN" and "DEVICE" in value]
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\necho "$@" >> asked\n')
    pip.chmod(0o755)
    (tmp_path / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    own = {**os.environ, "DEVICE": device, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.returncode == code_, done.stderr
    asked = (tmp_path / "asked").read_text().splitlines() if code_ == 0 else []
    assert len(asked) == {"cpu": 2, "cuda": 1, "tpu": 0}[device]
    if device == "cpu":
        assert "https://download.pytorch.org/whl/cpu" in asked[0]
        torch = (tmp_path / "torch.txt").read_text().splitlines()
        assert [Requirement(each).name for each in torch] == ["torch", "torchvision"]


# --- what the page on deploying says --------------------------------------------------------------


def test_commands_of_the_page_are_those_of_the_app() -> None:
    text = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
    found = re.findall(r"python app\.py ([^`\n]+)", text)
    found += re.findall(r"docker run .*? autochrome( --.+)\n", text)
    assert len(found) >= 5
    for each in found:
        assert app.public_profile(app.parse(shlex.split(each)))


def test_limits_of_the_page_are_those_of_the_profile() -> None:
    text = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
    public = Public()
    for line in (
        f"| a file | {public.upload_bytes // MB} MB, four times that",
        f"| a photo | {LARGEST // MB} megapixels; fewer where there is less than {ONE // 10**9} GB",
        f"| waiting in the queue, of all | {public.waiting} |",
        f"| answers and uploads that stay open | {public.streams} an address |",
        f"less than {public.free_bytes // 10**9} GB free",
    ):
        assert line in text
    for words, rate in (
        ("runs that an address starts", public.starts),
        ("runs that a session starts", public.own_starts),
        ("uploads of an address", public.uploads),
        ("what the page asks on the way", public.quick),
    ):
        a_minute = rate.burst * 60 / rate.seconds
        assert f"| {words} | {rate.burst:.0f} at once, then {a_minute:.0f} a minute" in text
    assert public.request_bytes == 4 * public.upload_bytes


def test_proxies_of_the_page_let_an_upload_through() -> None:
    needed = (Public().request_bytes + MB) / MB
    (nginx,), (caddy,) = code("nginx"), code("caddy")
    for found in (
        re.search(r"client_max_body_size (\d+)m;", nginx),
        re.search(r"max_size (\d+)MB", caddy),
    ):
        assert found
        assert int(found[1]) >= needed
    assert "proxy_buffering off" in nginx
    assert "X-Forwarded-For" in nginx
    for block in (nginx, caddy):
        assert block.count("{") == block.count("}")
