"""The theory pages: their figures are the script's, their links and scores hold, and so does what
the figures are said to show."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scenes import ROOT

import colorize_core
from colorize_core.networks.coltran import ColTranConfig
from docs import theory_figures as figures
from docs.tables import results

FOLDER = ROOT / "docs" / "theory"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
SCORES = ("psnr", "ssim", "ciede2000", "perceptual-offline", "colourfulness")


def strip_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def find_links(text: str) -> list[tuple[str, str]]:
    """(words, target) of every link and picture."""
    return re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", strip_fences(text))


def find_anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", strip_fences(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


# --- pages --------------------------------------------------------------------------------------


def test_there_is_a_page_for_each_system_and_the_index_leads_to_it() -> None:
    linked = {target for _, target in find_links(PAGES["README.md"])}
    assert set(PAGES) - {"README.md"} <= linked
    titles = [text.splitlines()[0] for name, text in PAGES.items() if name != "README.md"]
    assert sorted(title[:4] for title in titles) == [f"# {letter}:" for letter in "ABCDEFGH"]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere_and_to_what_they_name(name: str) -> None:
    for words, target in find_links(PAGES[name]):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (FOLDER / (path or name)).resolve()
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        if anchor:
            assert anchor in find_anchors(file.read_text(encoding="utf-8")), target
        if file.suffix == ".py" and not words.strip("`").endswith(".py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            defined = {each.name for each in tree.body if isinstance(each, DEFINITIONS)}
            assert words.strip("`") in defined, f"{target} defines no {words}"


DEFINITIONS = ast.ClassDef | ast.FunctionDef


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_what_each_is_to_have(name: str) -> None:
    text = PAGES[name]
    assert len(text.splitlines()) <= 115
    long = [line for line in text.splitlines() if len(line) > 110 and line[0] != "|"]
    assert [line for line in long if "-->" not in line] == []
    assert "```math\n" in text
    assert text.count("```") % 2 == 0
    if name != "README.md":
        assert "```mermaid\n" in text
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        for wanted in (
            "way of the data",
            "schedule",
            "What fails, and why",
            "Differences",
            "apers",
        ):
            assert any(wanted in each for each in headings), wanted
        assert "https://" in text.split("apers\n")[1]


def test_every_bundled_model_is_on_a_page() -> None:
    every = "".join(text for name, text in PAGES.items() if name != "README.md")
    bundled = {path.parent.name for path in (ROOT / "weights").glob("*/model.safetensors")}
    assert {card.name for card in colorize_core.cards()} <= bundled
    for model in bundled:
        assert f"`{model}`" in every, model
        assert f"`{model}`" in PAGES["README.md"], model


@pytest.mark.parametrize("name", PAGES)
def test_scores_are_those_that_were_measured(name: str) -> None:
    measured = {row["model"]: row for row in results("quality")}
    tables = re.findall(
        r"^\| model \| PSNR ↑ .*\n\|[-|]*\n((?:\|.*\n)+)", PAGES[name], re.MULTILINE
    )
    assert len(tables) == (name != "prompt.md")
    for line in "".join(tables).splitlines():
        model, *shown, wins = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        row = measured[model]
        assert shown == [row[score] for score in SCORES], model
        share = row["ciede2000_wins"]
        assert wins == (f"{float(share):.0%}" if share else ""), model


def test_crops_are_those_that_the_weights_have_seen() -> None:
    """Of the runs that a page calls a model's: as its card has them."""
    seen = {}
    for card in colorize_core.cards():
        told = (ROOT / "weights" / card.name / "README.md").read_text(encoding="utf-8")
        (crops,) = re.findall(r"these weights have seen ([\d,]+) random crops", told)
        seen[card.name] = crops
    every = "".join(PAGES.values())
    assert [name for name, crops in seen.items() if crops not in every] == []


# --- figures ------------------------------------------------------------------------------------


def test_every_figure_is_on_a_page_and_every_picture_is_a_figure() -> None:
    shown = {
        target
        for text in PAGES.values()
        for alt, target in re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text)
        if len(alt) > 20
    }
    assert shown == set(figures.FIGURES)
    others = {path.name for path in FOLDER.iterdir() if path.suffix != ".md"}
    assert others == set(figures.FIGURES)


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_small_and_can_be_read(name: str) -> None:
    path: Path = FOLDER / name
    assert path.stat().st_size < 120_000
    if path.suffix == ".svg":
        assert path.read_text(encoding="utf-8").rstrip().endswith("</svg>")
        return
    with Image.open(path) as picture:
        assert 700 <= picture.width <= 1000
        corner = picture.convert("RGB").getpixel((1, 1))
    assert min(corner) >= 250, "a light background, whatever the page's is"


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(SystemExit, match="nothing"):
        figures.main(["nothing"])


def test_the_schedules_are_those_of_the_papers() -> None:
    left, added = figures.plot_schedules().axes
    steps = np.arange(1, 301)
    linear = np.linspace(1e-4, 0.02, 300)

    def squared_cosine(time: np.ndarray) -> np.ndarray:
        return np.cos((time / 300 + 0.008) / 1.008 * math.pi / 2) ** 2

    cosine = squared_cosine(steps) / squared_cosine(np.zeros(1))
    drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in left.lines}
    np.testing.assert_allclose(drawn["linear"], np.cumprod(1 - linear), rtol=1e-4)
    np.testing.assert_allclose(drawn["cosine"], cosine, atol=1e-5)
    np.testing.assert_allclose(added.lines[0].get_ydata(), linear, rtol=1e-4)
    assert f"{drawn['linear'][-1]:.1%}".replace("%", " %") in PAGES["diffusion.md"]


@pytest.mark.parametrize(("row", "column"), [(4, 4), (0, 3), (6, 0)])
def test_no_place_depends_on_what_is_drawn_later(row: int, column: int) -> None:
    side = 7
    depends = figures.find_dependences(row, column, side)
    before = np.arange(side * side).reshape(side, side) < row * side + column
    above = np.broadcast_to(np.arange(side)[:, None] < row, (side, side))
    assert depends["encoder"].all()
    np.testing.assert_array_equal(depends["outer"], above)
    np.testing.assert_array_equal(depends["inner"], before)
    own = np.broadcast_to(np.arange(side)[:, None] == row, (side, side))
    np.testing.assert_array_equal(depends["row layer"], own)


def test_dependences_are_what_perturbing_colours_finds() -> None:
    torch.manual_seed(0)
    network = figures.coltran.Colorizer(ColTranConfig(width=16, heads=2, blocks=2, side=5)).eval()
    gray, colours = torch.randint(256, (1, 5, 5)), torch.randint(512, (1, 5, 5))
    plain = network(gray, colours)[0][0, 2, 2]
    moved = np.zeros((5, 5), bool)
    with torch.no_grad():
        for place in np.ndindex(5, 5):
            other = colours.clone()
            other[0][place] = (other[0][place] + 1) % 512
            moved[place] = not torch.equal(network(gray, other)[0][0, 2, 2], plain)
    np.testing.assert_array_equal(moved, figures.find_dependences(2, 2, 5)["inner"])


def test_judges_see_as_much_as_is_said() -> None:
    extents = [
        figures.measure_extent(figures.measure_field(make, draws=1))
        for make in figures.JUDGES.values()
    ]
    assert extents == [34, 70, 128, 128]


def test_gates_are_as_the_page_says() -> None:
    network = figures.load_network("se-unet")
    gates = [
        figures.read_gates(network, figures.measure_l(figures.read_square(f"{name}-gray", 128)))
        for name in ("portrait", "rocket")
    ]
    every = np.concatenate([each for photo in gates for each in photo])
    assert f"between {every.min():.2f} and {every.max():.2f}" in PAGES["se-unet.md"]
    apart = [np.abs(first - second).mean() for first, second in zip(*gates, strict=True)]
    names = np.array(figures.BLOCKS)[np.argsort(apart)]
    assert names[0] == "dilated"
    assert set(names[-2:]) == {"down to 1/8", "up to 1/4"}


def test_bins_are_as_the_page_says() -> None:
    bins = figures.load_network("autochrome").bins
    share, chroma = bins.log_prior.exp(), bins.points.norm(dim=1)
    text = " ".join(PAGES["autochrome.md"].split())
    assert f"of which {len(bins)} points are in reach" in text
    assert f"gray alone has {float(share[chroma == 0]):.1%}".replace("%", " %") in text
    assert f"together {float(share[chroma > 40].sum()):.1%}".replace("%", " %") in text
    mean = (share @ bins.points) / share.sum()
    assert f"a = {mean[0]:.1f}, b = {mean[1]:.1f}" in " ".join(PAGES["README.md"].split())


def test_the_script_draws_a_figure_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "OUT", tmp_path)
    figures.main(["forward", "coltran-order.svg"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coltran-order.svg", "forward.jpg"]
    with Image.open(tmp_path / "forward.jpg") as made, Image.open(FOLDER / "forward.jpg") as kept:
        off = np.abs(np.asarray(made, int) - np.asarray(kept, int))
    assert off.mean() < 2, "run python -m docs.theory_figures"
