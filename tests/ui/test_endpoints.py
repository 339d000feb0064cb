"""The endpoints, called as programs call them, and docs/api.md, whose examples are run."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import drawing_models
import httpx
import numpy as np
import pytest
from api_docs import DOCS, examples
from app_server import serving, wait_until
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from numpy.typing import NDArray
from PIL import Image
from scenes import ROOT

from colorize_core.errors import OptionError
from colorize_core.imaging import image
from colorize_core.metrics import METRICS
from ui.leaderboard import ranking
from ui.shared import endpoints

NAMED = [
    "/colorize",
    "/questions",
    "/selective",
    "/prompt",
    "/models",
    "/compare",
    "/pair",
    "/scores",
]
SIZE = (90, 60)  # of the photos, width and height
Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app on a machine without any download, with models that are quick."""
    nothing = tmp_path_factory.mktemp("hub")
    with serving(tmp_path_factory.mktemp("app"), "drawing", HF_HUB_CACHE=str(nothing)) as address:
        yield address


@pytest.fixture
def client(address: str, tmp_path: Path) -> Client:
    return Client(address, verbose=False, download_files=tmp_path / "down")


def pixels(path: Any) -> NDArray[Any]:
    return image.read(Path(path)).pixels


def chroma(path: Any) -> NDArray[Any]:
    """How far each pixel is from gray, in steps of 256."""
    return np.asarray(np.ptp(pixels(path).astype(int), axis=2))


# --- all of them --------------------------------------------------------------------------------


def test_just_the_named_endpoints_are_listed_and_each_says_what_it_takes(client: Client) -> None:
    listed = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert list(listed) == NAMED
    events = client.config["dependencies"]
    callable_ones = {each["api_name"] for each in events if each["api_visibility"] != "private"}
    assert callable_ones == {"cancel", *(name[1:] for name in NAMED)}
    for endpoint in listed.values():
        for parameter in endpoint["parameters"]:
            name = parameter["parameter_name"]
            assert re.search(rf"\b{name}\b", endpoint["description"]), f"{name} is not described"
            assert parameter["parameter_has_default"] == (name != "photo")


@pytest.mark.parametrize("name", [name for name in NAMED if name not in ("/models", "/scores")])
def test_a_file_of_the_server_is_out_of_reach(address: str, gray_photo: Path, name: str) -> None:
    """Neither with nor without what makes Gradio look at the path."""
    bare = {"path": str(gray_photo)}
    meta = {"meta": {"_type": "gradio.FileData"}}
    inner = {"path": f"{address}/theme.css"}  # it answers, to those who may ask
    for photo in (bare, bare | meta, inner, inner | meta, None):
        assert "event: error" in post(address, name, photo=photo)
    assert "Send a picture file" in post(address, name, photo=bare)


def post(address: str, name: str, **body: Any) -> str:
    """Straight to the endpoint: gradio_client would upload the file. Gives the stream of events."""
    url = f"{address}/gradio_api/call/v2{name}"
    event = httpx.post(url, json=body).json()["event_id"]
    return httpx.get(f"{url}/{event}", timeout=60).text


def test_a_mask_is_an_upload_too(client: Client, gray_photo: Path) -> None:
    secret = {"path": str(gray_photo)}
    with pytest.raises(AppError, match="Send a picture file"):
        client.predict(handle_file(gray_photo), mask=secret, api_name="/selective")


def test_cancel_stops_whatever_the_session_runs(address: str, gray_photo: Path) -> None:
    mine, theirs = (Client(address, verbose=False) for _ in range(2))
    calls = {"models": ["diffusion"], "seeds": 4, "api_name": "/compare"}
    jobs = [who.submit(handle_file(gray_photo), **calls) for who in (mine, theirs)]
    for job in jobs:
        wait_until(lambda job=job: drawing_models.DIFFUSION.title in words(job))
    mine.predict(api_name="/cancel")
    with pytest.raises(AppError, match=r"^Stopped\.$"):
        jobs[0].result(timeout=60)
    grid, _ = jobs[1].result(timeout=60)
    assert Path(grid).exists()


def words(job: Any) -> str:
    return " ".join(unit.desc or "" for unit in job.status().progress_data or [])


# --- each of them -------------------------------------------------------------------------------


def test_colorize_prepares_an_old_scan(client: Client, tmp_path: Path) -> None:
    photo = tmp_path / "scan.png"
    scratched = np.full((240, 320, 3), 120, np.uint8)
    scratched[40:200, 160:162] = 250
    Image.fromarray(scratched).save(photo)

    def lightness(**options: str) -> Any:
        file, line = client.predict(
            handle_file(photo), format="PNG", api_name="/colorize", **options
        )
        return pixels(file).mean(2)[120, 161], line

    assert lightness()[0] == pytest.approx(250, abs=3)
    filled, line = lightness(prepare="damage=result")
    assert filled == pytest.approx(120, abs=10)
    assert "filled" in line
    with pytest.raises(AppError, match="prepare has no 'wrinkles'"):
        lightness(prepare="wrinkles")


def test_colorize_takes_a_models_own_controls(client: Client, gray_photo: Path) -> None:
    def colorize(options: str) -> NDArray[Any]:
        file, _ = client.predict(
            handle_file(gray_photo),
            model="coltran",
            format="PNG",
            options=options,
            api_name="/colorize",
        )
        return pixels(file)

    first = colorize("seed=3, temperature=1.2")
    assert (colorize("seed=8,seed=3,temperature=1.2") == first).all()
    assert (colorize("seed=4,temperature=1.2") != first).any()


@pytest.mark.parametrize(
    ("model", "text", "says"),
    [
        (
            "autochrome",
            "seed=3",
            "'seed=3'; as NAME=VALUE the model autochrome has of its own: auto_vividness",
        ),
        ("coltran", "sed=3", "seed (a whole number from 0 to 9999)"),
        ("coltran", "seed", "options has 'seed'; as NAME=VALUE"),
        ("coltran", "seed=-1", "seed is -1, allowed is a whole number from 0 to 9999"),
        ("coltran", "stage=last", "stage is 'last', allowed are: "),
    ],
)
def test_controls_are_checked(model: str, text: str, says: str) -> None:
    with pytest.raises(OptionError, match=re.escape(says)):
        endpoints.parse_controls(model, text)


def test_controls_of_an_unknown_model_leave_the_word_to_the_model(
    client: Client, gray_photo: Path
) -> None:
    assert endpoints.parse_controls("no-such", "seed=3") == {}
    with pytest.raises(AppError, match="no model named 'no-such'"):
        client.predict(
            handle_file(gray_photo), model="no-such", options="seed=3", api_name="/colorize"
        )


def test_compare_gives_grid_and_table(client: Client, colour_photo: Path) -> None:
    grid, table = client.predict(
        handle_file(colour_photo),
        models=["coltran", "autochrome"],
        vividness=["1", "1.5"],
        seeds=2,
        metrics=["psnr", "colourfulness"],
        api_name="/compare",
    )
    rows = list(csv.DictReader(io.StringIO(table)))
    single = [row for row in rows if row["kind"] != "best"]
    assert [row["kind"] for row in single[:3]] == ["truth", "gray", "mean"]
    made = [(row["model"], row["vividness"], row["seed"]) for row in single[3:]]
    assert made == [
        *(("autochrome", level, "") for level in ("1", "1.5")),
        *(("coltran", level, seed) for level in ("1", "1.5") for seed in "01"),
    ]
    assert all(float(row["psnr"]) > 5 and float(row["seconds"]) > 0 for row in single[3:])
    with Image.open(grid) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width >= 2 * SIZE[0]
        assert sheet.height >= 3 * SIZE[1]


def test_compare_without_truth_says_what_is_missing(client: Client, gray_photo: Path) -> None:
    _, table = client.predict(
        handle_file(gray_photo), models=["autochrome"], metrics=["psnr"], api_name="/compare"
    )
    row = list(csv.DictReader(io.StringIO(table)))[-1]
    assert (row["model"], row["psnr"]) == ("autochrome", "")
    assert "black and white" in row["remark"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"models": ["autochrome", "nosuch"]}, "models has nosuch; known are: autochrome, coltran"),
        ({"models": []}, "at least one model"),
        ({"vividness": ["3"]}, "vividness has 3; known are: 0.5, 1, 1.5, 2"),
        ({"metrics": ["beauty"]}, f"metrics has beauty; known are: {METRICS[0].name}"),
        ({"seeds": 9}, "seeds is 9, allowed is a whole number from 1 to 4"),
    ],
)
def test_compare_refuses_what_it_does_not_know(
    client: Client, gray_photo: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppError, match=re.escape(says)):
        client.predict(handle_file(gray_photo), api_name="/compare", **options)


def test_selective_colours_the_box_and_keeps_the_rest(client: Client, gray_photo: Path) -> None:
    file, line = client.predict(
        handle_file(gray_photo), keep="10,5,60,50", colour="#b8442e", inside="colour",
        api_name="/selective",
    )  # fmt: skip
    coloured = chroma(file) > 8
    assert coloured.mean() > 0.02
    y, x = np.nonzero(coloured)
    assert (x.min() >= 5, x.max() <= 65, y.max() <= 55) == (True, True, True)
    before, after = pixels(gray_photo), pixels(file)
    assert (before[:, 75:] == after[:, 75:]).all(), "the outside has changed"
    assert re.fullmatch(
        r"90 × 60 · One flat colour on \d+% of the photo · Black and white around it", line
    )


def test_selective_takes_a_mask_and_a_model_outside(
    client: Client, gray_photo: Path, tmp_path: Path
) -> None:
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[:, :45] = 255
    Image.fromarray(mask).save(tmp_path / "half.png")
    file, line = client.predict(
        handle_file(gray_photo), mask=handle_file(tmp_path / "half.png"), inside="gray",
        outside="autochrome", vividness=2, api_name="/selective",
    )  # fmt: skip
    there = chroma(file)
    assert there[:, :35].max() <= 1
    assert there[:, 55:].max() > 4
    assert line.endswith("Black and white on 50% of the photo · Autochrome around it")


def test_selective_finds_people(client: Client, tmp_path: Path) -> None:
    Image.new("L", SIZE, 128).save(tmp_path / "fog.png")
    with pytest.raises(
        AppError, match="Of person there is nothing in the photo; people found noth"
    ):
        client.predict(handle_file(tmp_path / "fog.png"), keep="people", api_name="/selective")
    portrait = handle_file(ROOT / "examples" / "portrait-gray.jpg")
    shares = set()
    for keep in ("people", "person", "person, people"):
        _, line = client.predict(portrait, keep=keep, api_name="/selective")
        shares.add(int(re.findall(r"(\d+)%", line)[0]))
    (share,) = shares
    assert 30 < share < 90


@pytest.mark.parametrize("name", ["Omas Hochzeit 12.5.1943", "Dr. Smith 1920", "=A.b.PNG"])
def test_files_keep_the_name_that_the_photo_came_with(
    client: Client, gray_photo: Path, tmp_path: Path, name: str
) -> None:
    photo = tmp_path / name
    photo.write_bytes(gray_photo.read_bytes())
    own = name.removesuffix(".PNG")
    file, _ = client.predict(handle_file(photo), format="PNG", api_name="/colorize")
    assert Path(file).name == f"{own}-colour.png"
    file, _ = client.predict(handle_file(photo), keep="10,5,60,50", api_name="/selective")
    assert Path(file).name == f"{own}-selective.png"
    grid, table = client.predict(
        handle_file(photo), models=["autochrome"], metrics=["colourfulness"], api_name="/compare"
    )
    assert Path(grid).name == f"{own}-comparison.png"
    (cell, *_) = {row["photo"] for row in csv.DictReader(io.StringIO(table))}
    assert cell == ("'=A.b" if own == "=A.b" else own)


def test_selective_finds_something_by_itself(client: Client, gray_photo: Path) -> None:
    file, line = client.predict(handle_file(gray_photo), format="JPEG", api_name="/selective")
    assert Path(file).name == "old-selective.jpg"
    assert 0 < int(re.findall(r"(\d+)%", line)[0]) < 100


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keep": "everything"}, "keep is 'everything': There is no class 'everything'. Allowed"),
        ({"keep": "person,dgo"}, "There is no class 'dgo'. Allowed are \"auto\", a box as four"),
        ({"keep": "500,500,600,600"}, "box"),
        ({"keep": "nan,nan,nan,nan"}, "There is no class 'nan'"),
        ({"keep": "1,2,3"}, "keep is '1,2,3', allowed are"),
        ({"inside": "nosuch"}, "no model named 'nosuch'. The models are: autochrome"),
        ({"outside": "nosuch"}, "no model named 'nosuch'"),
        ({"vividness": 3}, "vividness is 3, allowed is 0 to 2"),
        ({"vividness": "much"}, "vividness is 'much', a number is needed"),
        ({"inside": "colour", "colour": "red"}, "'red' is no colour"),
        ({"format": "BMP"}, "format is 'BMP', allowed are: JPEG"),
    ],
)
def test_selective_refuses_in_our_words(
    client: Client, gray_photo: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppError, match=re.escape(says)):
        client.predict(handle_file(gray_photo), api_name="/selective", **options)


def test_selective_refuses_a_mask_that_does_not_fit_or_is_one_too_many(
    client: Client, gray_photo: Path, tmp_path: Path
) -> None:
    Image.new("L", (30, 90), 255).save(tmp_path / "high.png")
    mask = handle_file(tmp_path / "high.png")
    with pytest.raises(AppError, match=r"high\.png is 30 × 90, which is not the shape"):
        client.predict(handle_file(gray_photo), mask=mask, api_name="/selective")
    with pytest.raises(AppError, match="leave one out"):
        client.predict(handle_file(gray_photo), mask=mask, keep="1,1,9,9", api_name="/selective")


def test_pair_is_the_original_and_a_colorization_of_one_length(
    client: Client, colour_photo: Path
) -> None:
    def ask(**options: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
        photo = handle_file(colour_photo)
        a, b, answer = client.predict(photo, api_name="/pair", models=["student"], **options)
        return {"A": Path(a).read_bytes(), "B": Path(b).read_bytes()}, answer

    files, answer = ask(seed=1)
    assert {answer["A"], answer["B"]} == {"original", "student"}
    assert len(files["A"]) == len(files["B"])
    decoded = {side: np.asarray(Image.open(io.BytesIO(data))) for side, data in files.items()}
    original = "A" if answer["A"] == "original" else "B"
    far = np.abs(decoded[original].astype(int) - pixels(colour_photo)).mean()
    assert far < 8 < np.abs(decoded["A"].astype(int) - decoded["B"]).max()
    assert ask(seed=1) == (files, answer)
    assert {ask(seed=seed)[1]["A"] for seed in range(8)} == {"original", "student"}


def test_pair_may_be_of_two_models(client: Client, gray_photo: Path) -> None:
    both = ["student", "autochrome"]
    *_, answer = client.predict(
        handle_file(gray_photo), question="prefer", models=both, api_name="/pair"
    )
    assert {answer["A"], answer["B"]} == set(both)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "None of these photos is in colour"),
        ({"question": "best"}, "question has best; known are: real, prefer"),
        ({"models": ["nosuch"]}, "models has nosuch; known are: autochrome"),
        ({"models": [], "question": "prefer"}, "Choose at least two models"),
        ({"seed": 12345}, "seed is 12345, allowed is a whole number from -1 to 9999"),
    ],
)
def test_pair_refuses_in_our_words(
    client: Client, gray_photo: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppError, match=re.escape(says)):
        client.predict(handle_file(gray_photo), api_name="/pair", **options)


def test_prompt_names_what_is_missing_and_fetches_nothing(client: Client, gray_photo: Path) -> None:
    with pytest.raises(AppError, match=r"Not on this machine yet: Stable Diffusion 1\.5, .* GB\)"):
        client.predict(handle_file(gray_photo), api_name="/prompt")
    with pytest.raises(AppError, match="steps is 500, allowed is a whole number from 1 to 100"):
        client.predict(handle_file(gray_photo), steps=500, api_name="/prompt")


def test_models_are_their_cards(client: Client) -> None:
    models = client.predict(api_name="/models")
    assert [model["name"] for model in models] == [card.name for card in drawing_models.CARDS]
    first, card = models[1], drawing_models.COLTRAN
    for fact in ("title", "summary", "paper", "licence", "parameters", "limits"):
        assert first[fact] == getattr(card, fact)
    assert first["bytes"] == sum(file.bytes for file in card.weights)
    assert first["download"] == 0, "it comes with the repository"
    seed = next(each for each in first["controls"] if each["name"] == "seed")
    assert (seed["default"], seed["allowed"]) == (0, "a whole number from 0 to 9999")


def test_scores_are_the_committed_ones(client: Client) -> None:
    committed = ranking.read()
    assert committed is not None
    rows = {row["model"]: row for row in client.predict(api_name="/scores")}
    assert {"gray", "mean", *(card.name for card in drawing_models.CARDS)} <= set(rows)
    figure = committed.figure("autochrome", "ciede2000")
    assert figure is not None
    assert rows["autochrome"]["scores"]["ciede2000"]["mean"] == figure.mean
    assert rows["autochrome"]["photos"] == committed.count("autochrome")
    assert rows["gray"]["seconds"] is None
    assert rows["student"]["error"] == ranking.NOT_MEASURED


# --- docs/api.md ---------------------------------------------------------------------------------


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, as the clone has them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_endpoint_has_an_example() -> None:
    assert sorted(re.findall(r"^### (/\w+)$", DOCS, re.MULTILINE)) == sorted(NAMED)
    assert all(f'api_name="{name}"' in "".join(examples("python")) for name in [*NAMED, "/cancel"])


def test_the_python_examples_run(workshop: Path, address: str) -> None:
    names: dict[str, Any] = {}
    said = io.StringIO()
    with redirect_stdout(said):
        for block in examples("python"):
            source = block.replace("http://127.0.0.1:7860", address)
            exec(compile(source, "docs/api.md", "exec"), names)
    printed = said.getvalue()
    for expected in (
        "portrait-gray-colour.png 512 × 512 · Autochrome",
        "Not on this machine yet: Stable Diffusion 1.5, ControlNet for brightness",
        "coltran Apache-2.0 0 ['seed'",
        "ColTran, seed 1, vividness 1.5 ",
        "Mean colour 500 ",
        "Stopped.",
    ):
        assert expected in printed, printed
    answer = names["answer"]  # which side the original is on is a matter of chance
    assert {answer["A"], answer["B"]} == {"original", "autochrome"}
    assert f"B.jpg A is {answer['A']} and B is {answer['B']}\n" in printed
    assert Path(names["grid"]).is_relative_to(workshop)


@pytest.mark.skipif(not shutil.which("curl"), reason="the example is for those who have curl")
def test_the_curl_example_runs(workshop: Path, address: str) -> None:
    (script,) = examples("bash")
    source = script.replace("http://127.0.0.1:7860", address)
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", source], capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    assert "event: complete" in answer.stdout
    assert pixels("colour.png").shape == (512, 512, 3)
    assert chroma("colour.png").max() > 8
