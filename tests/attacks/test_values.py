"""Promised: whatever a program sends as a value, it is told in one sentence what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from public_app import ERRORS, ROOT, Served, serving

HUGE = int("9" * 400)  # larger than any float
BAD = [HUGE, -HUGE, [HUGE], 1e308, "word", {}, {"path": 5}, {"path": ["x"]}, [[]], True]
NAMES = ["colorize", "questions", "compare", "pair", "selective"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values")


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Served]:
    with serving(place, "--no-auth", "--proxies", "1") as served:
        yield served


@pytest.fixture(scope="module")
def endpoints(served: Served) -> dict[str, Any]:
    text = served.ask("/gradio_api/info", sender="20.7.0.1")[1]
    return dict(json.loads(text)["named_endpoints"])


def read_error(text: str) -> str | None:
    """What an answer says; nothing where the run went well."""
    if not text.startswith("event: error"):
        return None if "event: complete" in text else str(json.loads(text)["detail"])
    error = json.loads(text.split("data: ", 1)[1].split("\n")[0])["error"]
    return str(error) if error else ""


def test_what_has_no_models_here_takes_no_values(endpoints: dict[str, Any]) -> None:
    assert "/prompt" not in endpoints


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_refuses_in_a_sentence(
    served: Served, endpoints: dict[str, Any], place: Path, name: str
) -> None:
    sender = f"20.7.1.{NAMES.index(name)}"
    photo = served.add_photo(ROOT / "examples" / "cat-gray.jpg", sender)
    parameters = endpoints[f"/{name}"]["parameters"]
    given = [
        photo if each["parameter_name"] == "photo" else each.get("parameter_default")
        for each in parameters
    ]
    for index, parameter in enumerate(parameters):
        if parameter["type"].get("type") in ("string", "boolean"):
            continue  # any value has a text, and is true or not
        for number, bad in enumerate(BAD):
            values = [*given[:index], bad, *given[index + 1 :]]
            said = read_error(served.call(name, values, f"20.7.{index + 2}.{number}"))
            assert said is None or said.endswith("."), (parameter["parameter_name"], bad, said)
            assert not said or "program has failed" not in said, (parameter["parameter_name"], bad)
    written = (place / ERRORS).read_text()
    assert "OverflowError" not in written
    assert "ValidationError" not in written


def test_a_number_beyond_all_is_named(served: Served) -> None:
    sender = "20.7.0.2"
    photo = served.add_photo(ROOT / "examples" / "cat-gray.jpg", sender)
    said = served.call("colorize", [photo, "autochrome", -HUGE, 1, 1, True, "PNG", ""], sender)
    assert "vividness is -1.00000e+400, allowed is 0 to 2." in said


def test_a_photo_that_is_a_word_is_told_what_is_needed(served: Served) -> None:
    for word in ("a string", 5, [], {"path": 5}):
        said = served.call("colorize", [word, "autochrome", 1, 1, 1, True, "PNG", ""], "20.7.0.3")
        assert "A picture is given as a file" in said
