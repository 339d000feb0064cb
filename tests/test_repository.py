"""What stands around the code: workflows, hooks, templates, the changelog, how to contribute."""

from __future__ import annotations

import datetime
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from scenes import ROOT

import colorize_core

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(
    set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE/config.yml"}
)
FIELDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}


def read(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def parsed(path: str | Path) -> dict[str, Any]:
    said = yaml.safe_load(read(path))
    assert isinstance(said, dict)
    # YAML 1.1 takes the word "on" for true.
    return {"on" if key is True else key: value for key, value in said.items()}


def commands() -> list[str]:
    """The README's commands that install: for the app, and for the tests."""
    return re.findall(r"^python3 -m venv .*$", read("README.md"), re.MULTILINE)


def job(path: str) -> dict[str, Any]:
    (found,) = parsed(path)["jobs"].values()
    assert isinstance(found, dict)
    return found


def scripts(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


# --- workflows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_well_formed_and_may_do_little(path: Path) -> None:
    said = parsed(path)
    assert set(said) == {"name", "on", "permissions", "concurrency", "jobs"}
    assert said["permissions"] == {"contents": "read"}
    assert said["concurrency"]["group"]
    for each in said["jobs"].values():
        assert each["runs-on"].startswith("ubuntu-")
        assert each["timeout-minutes"] <= 180
        for step in each["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), "GitHub's own only"
        known = set(each.get("strategy", {}).get("matrix", {}))
        assert set(re.findall(r"\$\{\{ matrix\.(\w+)", yaml.dump(each))) <= known


@pytest.mark.skipif(os.name == "nt", reason="the shell is a POSIX one")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_scripts_of_workflows_can_be_read_by_the_shell(path: Path) -> None:
    for script in scripts(job(str(path.relative_to(ROOT)))):
        assert "${{" not in script, "what others write would become a part of the script"
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_tests_run_on_the_oldest_python_and_on_that_of_the_space() -> None:
    found = job(".github/workflows/tests.yml")
    assert found["strategy"]["matrix"] == {"python": ["3.10", "3.12"]}
    assert found["container"] == "python:${{ matrix.python }}-bookworm"
    assert 'requires-python = ">=3.10"' in read("pyproject.toml")
    assert 'python_version: "3.12"' in read("README.md")
    assert {"push", "pull_request"} <= set(parsed(".github/workflows/tests.yml")["on"])


def test_tests_are_those_of_ci_run() -> None:
    """tests/docs/test_pages.py says that .ci/run types the README's second command."""
    assert scripts(job(".github/workflows/tests.yml"))[-1] == ".ci/run"
    assert os.access(ROOT / ".ci/run", os.X_OK)
    for linter in ("ruff check .", "ruff format --check .", "mypy"):
        assert f"check .venv/bin/{linter}\n" in read(".ci/run")


def test_what_pip_downloads_is_kept_where_pip_puts_it() -> None:
    found = job(".github/workflows/tests.yml")
    (cache,) = [step["with"] for step in found["steps"] if "actions/cache@" in step.get("uses", "")]
    assert cache["path"] == found["env"]["PIP_CACHE_DIR"]
    for name in re.findall(r"'([\w.]+)'", cache["key"]):
        assert (ROOT / name).is_file()


def test_the_network_is_tried_by_hand_only_and_leaves_a_report() -> None:
    said = parsed(".github/workflows/network.yml")
    assert said["name"] == "Check what a network can show"
    assert set(said["on"]) == {"workflow_dispatch"}
    found = job(".github/workflows/network.yml")
    install, run = scripts(found)[-2:]
    assert commands()[1].startswith(install)
    assert " -m pytest -m hub " in run
    assert "hub: " in read("pyproject.toml").split("markers = [")[1]
    given = [step["with"] for step in found["steps"] if "with" in step]
    assert any(each.get("cache") == "pip" for each in given)
    keep = found["steps"][-1]
    assert "actions/upload-artifact@" in keep["uses"]
    assert keep["if"] == "always()"
    folder = keep["with"]["path"]
    assert f"--junitxml={folder}" in run


def test_what_is_published_is_verified_weekly_and_by_hand_and_leaves_a_report() -> None:
    from colorize_core.acceptance.subjects import choose
    from colorize_core.cli.verify import make_parser

    said = parsed(".github/workflows/verify.yml")
    assert set(said["on"]) == {"workflow_dispatch", "schedule"}
    (weekly,) = said["on"]["schedule"]
    minute, hour, day, month, weekday = weekly["cron"].split()
    assert (day, month) == ("*", "*")
    assert all(each.isdecimal() for each in (minute, hour, weekday))
    names = said["on"]["workflow_dispatch"]["inputs"]["names"]["default"].split()
    assert choose(names) == choose([]), "as without names, as a scheduled run has none"
    found = job(".github/workflows/verify.yml")
    run = scripts(found)[-1]
    (command,) = re.findall(r"^ *\.venv/bin/autochrome verify (.*)$", run, re.MULTILINE)
    known = [each for each in shlex.split(command) if not each.startswith("$")]
    asked = make_parser().parse_args([*names, *known])
    assert asked.yes
    keep = found["steps"][-1]
    assert "actions/upload-artifact@" in keep["uses"]
    assert keep["if"] == "always()"
    assert Path(keep["with"]["path"]) == asked.out


@pytest.mark.skipif(os.name == "nt", reason="the shell is a POSIX one")
def test_the_script_that_verifies_takes_what_it_is_given(tmp_path: Path) -> None:
    run = scripts(job(".github/workflows/verify.yml"))[-1]
    for name in (".venv/bin/autochrome", "bin/curl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('#!/bin/sh\nfor each; do echo "<$each>"; done\n')
        (tmp_path / name).chmod(0o755)

    def type_it(**given: str) -> list[str]:
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", run],
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "NAMES": "", "PHOTOS": ""} | given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert type_it() == ["<verify>", "<--yes>", "<--out>", "<report>"]
    both = type_it(NAMES="sd15 trunks", PHOTOS="https://example.org/a.zip")
    assert "<https://example.org/a.zip>" in both
    typed = [
        "<verify>",
        "<sd15>",
        "<trunks>",
        "<--photos>",
        "<val.zip>",
        "<--yes>",
        "<--out>",
        "<report>",
    ]
    assert both[-len(typed) :] == typed


def test_tests_that_need_a_network_exist() -> None:
    marked = [path for path in (ROOT / "tests").glob("test_*.py") if "mark.hub" in path.read_text()]
    assert set(marked) - {Path(__file__)}


# --- hooks ----------------------------------------------------------------------------------------


def hooks() -> list[dict[str, Any]]:
    return [hook for repo in parsed(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def test_hooks_are_the_project_s_linters_and_a_few_checks() -> None:
    names = {hook["id"] for hook in hooks()}
    assert names >= {"ruff-check", "ruff-format", "mypy"}
    assert names >= {"end-of-file-fixer", "check-added-large-files"}
    for repo in parsed(".pre-commit-config.yaml")["repos"]:
        assert repo["repo"] == "local" or re.fullmatch(r"v\d+\.\d+\.\d+", repo["rev"])


@pytest.mark.parametrize(
    "hook", [each for each in hooks() if "entry" in each], ids=lambda h: h["id"]
)
def test_commands_of_hooks_exist_and_know_their_options(hook: dict[str, Any]) -> None:
    python, *rest = shlex.split(hook["entry"])
    assert python == "python"
    assert hook["language"] == "system"
    done = subprocess.run([sys.executable, *rest, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_committed_file_is_larger_than_the_hooks_allow() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    limits = [hook for hook in hooks() if hook["id"] == "check-added-large-files"]
    assert len(limits) == 2
    for hook in limits:
        (argument,) = hook["args"]
        most = 1024 * int(argument.removeprefix("--maxkb="))
        wanted, unwanted = hook.get("files", ""), hook.get("exclude", "^$")
        for path in paths:
            name = path.relative_to(ROOT).as_posix()
            if re.search(wanted, name) and not re.search(unwanted, name) and path.is_file():
                assert path.stat().st_size <= most, name


# --- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_have_what_github_asks_for(path: Path) -> None:
    form = parsed(path)
    assert set(form) == {"name", "description", "labels", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert any(field.get("validations", {}).get("required") for field in fields)
    for field in form["body"]:
        assert field["type"] in FIELDS
        assert field["attributes"].get("label" if field in fields else "value")
        if field["type"] in ("dropdown", "checkboxes"):
            assert field["attributes"]["options"]
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)
    for page in re.findall(r"docs/[a-z-]+\.md", read(path)):
        assert (ROOT / page).is_file()


def test_there_are_forms_for_bugs_and_wishes() -> None:
    assert {path.stem for path in FORMS} >= {"bug", "feature", "model"}
    assert set(parsed(".github/ISSUE_TEMPLATE/config.yml")) <= {
        "blank_issues_enabled",
        "contact_links",
    }


# --- what contributors read -----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", ".github/PULL_REQUEST_TEMPLATE.md"])
def test_programs_and_files_that_are_named_exist(page: str) -> None:
    text = read(page)
    for name in re.findall(r"\bpython -m ([\w.]+)|`(docs\.\w+)`", text):
        assert importlib.util.find_spec("".join(name)), name
    for name in re.findall(r"`((?:tests|benchmarks|colorize_core|tabs)/[\w/.]*)`", text):
        assert (ROOT / name).exists(), name
    assert len(text.encode()) < 5000


def test_the_changelog_is_in_the_known_form() -> None:
    """https://keepachangelog.com/en/1.1.0/"""
    text = read("CHANGELOG.md")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    versions = []
    for head in heads[1:]:
        found = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})", head)
        assert found, head
        datetime.date.fromisoformat(found[2])
        versions.append(found[1])
    assert versions == sorted(versions, key=lambda v: [*map(int, v.split("."))], reverse=True)
    assert versions[:1] in ([], [colorize_core.__version__])
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
